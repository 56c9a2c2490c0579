# SPDX-License-Identifier: ISC
# cmake -D FOLDER=<static> -D TO=<file.c> -P Assets.cmake
# writes a C file that holds every file which static/manifest.txt names (see host/web/assets.h),
# texts also as gzip makes them: they are compressed once, here.
function(hold name file)
    string(APPEND objects
        "__asm__(\".section .rodata\\n.balign 16\\n${name}:\\n.incbin \\\"${file}\\\"\\n\"\n"
        "        \"${name}_end:\\n.byte 0\\n.previous\\n\");\n"
        "extern const unsigned char ${name}[] __attribute__((visibility(\"hidden\")));\n"
        "extern const unsigned char ${name}_end[] __attribute__((visibility(\"hidden\")));\n")
    set(objects "${objects}" PARENT_SCOPE)
endfunction()

file(STRINGS ${FOLDER}/manifest.txt lines REGEX "^/")
file(MAKE_DIRECTORY ${TO}.gz)
set(table "")
set(objects "")
set(index 0)
foreach(line ${lines})
    string(REPLACE ";" "\\;" line "${line}")
    string(REGEX MATCH "^([^ ]+) +([^ ]+) +(.+)$" found "${line}")
    string(REPLACE "\\;" ";" type "${CMAKE_MATCH_3}")
    set(path ${CMAKE_MATCH_1})
    set(file ${FOLDER}/${CMAKE_MATCH_2})
    file(SHA256 ${file} hash)
    string(SUBSTRING ${hash} 0 16 hash)
    set(small ${TO}.gz/${hash}.gz)
    execute_process(COMMAND gzip -9nc ${file} OUTPUT_FILE ${small} RESULT_VARIABLE status)
    if(NOT status EQUAL 0)
        message(FATAL_ERROR "gzip ${file}: ${status}")
    endif()
    hold(asset_${index} ${file})
    hold(asset_${index}_gzip ${small})
    string(APPEND table
        "    {\"${path}\", \"${type}\", \"\\\"${hash}\\\"\", \"\\\"${hash}-gz\\\"\",\n"
        "     asset_${index}, asset_${index}_end, asset_${index}_gzip, asset_${index}_gzip_end},\n")
    math(EXPR index "${index} + 1")
endforeach()
file(WRITE ${TO} "/* Made from static/manifest.txt. */\n#include \"web/assets.h\"\n\n${objects}\n"
    "const struct asset assets[] = {\n${table}};\nconst size_t asset_count = ${index};\n")
