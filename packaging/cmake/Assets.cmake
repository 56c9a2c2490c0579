# SPDX-License-Identifier: ISC
# cmake -D FOLDER=<static> -D TO=<file.c> -P Assets.cmake
# writes a C file that holds every file which static/manifest.txt names (see host/web/assets.h).
file(STRINGS ${FOLDER}/manifest.txt lines REGEX "^/")
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
    string(APPEND objects
        "__asm__(\".section .rodata\\n.balign 16\\nasset_${index}:\\n.incbin \\\"${file}\\\"\\n\"\n"
        "        \"asset_${index}_end:\\n.byte 0\\n.previous\\n\");\n"
        "extern const unsigned char asset_${index}[] __attribute__((visibility(\"hidden\")));\n"
        "extern const unsigned char asset_${index}_end[] __attribute__((visibility(\"hidden\")));\n")
    string(APPEND table
        "    {\"${path}\", \"${type}\", \"\\\"${hash}\\\"\", asset_${index}, asset_${index}_end},\n")
    math(EXPR index "${index} + 1")
endforeach()
file(WRITE ${TO} "/* Made from static/manifest.txt. */\n#include \"web/assets.h\"\n\n${objects}\n"
    "const struct asset assets[] = {\n${table}};\nconst size_t asset_count = ${index};\n")
