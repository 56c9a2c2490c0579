# SPDX-License-Identifier: ISC
# sql_embed(<name>): schema/<name>/*.sql as a C file in ${sql_embed_<name>}, for plugins/<name>.
function(sql_embed name)
    set(here ${CMAKE_CURRENT_FUNCTION_LIST_DIR})
    set(folder ${here}/../../schema/${name})
    set(out ${CMAKE_CURRENT_BINARY_DIR}/schema_${name}.c)
    set(script ${here}/embed_sql.cmake)
    file(GLOB files CONFIGURE_DEPENDS ${folder}/*.sql)
    add_custom_command(OUTPUT ${out}
        COMMAND ${CMAKE_COMMAND} -DNAME=${name} -DFOLDER=${folder} -DOUT=${out} -P ${script}
        DEPENDS ${files} ${script}
        VERBATIM)
    set(sql_embed_${name} ${out} PARENT_SCOPE)
endfunction()
