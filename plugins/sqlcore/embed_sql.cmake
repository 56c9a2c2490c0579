# SPDX-License-Identifier: ISC
# Run by the build: writes the SQL files of FOLDER into the C file OUT, as the table
# sql_migrations_NAME, which ends with a row of no name.
file(GLOB files ${FOLDER}/*.sql)
list(SORT files)
set(arrays "")
set(rows "")
set(expected 1)
foreach(file ${files})
    get_filename_component(stem ${file} NAME_WE)
    if(NOT stem MATCHES "^([0-9][0-9][0-9])_([a-z0-9_]+)$")
        message(FATAL_ERROR "${file}: a migration is called NNN_name.sql")
    endif()
    set(name ${CMAKE_MATCH_2})
    math(EXPR version "1${CMAKE_MATCH_1} - 1000")
    if(NOT version EQUAL expected)
        message(FATAL_ERROR "${file}: migration ${expected} is missing")
    endif()
    math(EXPR expected "${expected} + 1")
    file(READ ${file} bytes HEX)
    string(LENGTH "${bytes}" digits)
    math(EXPR length "${digits} / 2")
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
    string(REGEX REPLACE "(...........................................................................)" "\\1\n" bytes "${bytes}")
    string(APPEND arrays "static const char text_${version}[] = {\n${bytes}0};\n")
    string(APPEND rows "    {${version}, \"${name}\", text_${version}, ${length}},\n")
endforeach()
file(WRITE ${OUT} "#include \"sqlcore/driver.h\"\n
extern const struct sql_migration sql_migrations_${NAME}[];
${arrays}
const struct sql_migration sql_migrations_${NAME}[] = {\n${rows}    {0, NULL, NULL, 0},\n};\n")
