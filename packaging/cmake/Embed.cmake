# SPDX-License-Identifier: ISC
# cmake -D FROM=<text file> -D TO=<header> -D NAME=<variable> -P Embed.cmake
# writes a text file as a C string, a line at a time.
file(READ ${FROM} text)
string(REPLACE "\\" "\\\\" text "${text}")
string(REPLACE "\"" "\\\"" text "${text}")
string(REPLACE "\n" "\\n\"\n    \"" text "${text}")
file(WRITE ${TO} "/* Made from ${NAME}. */\nstatic const char ${NAME}[] =\n    \"${text}\";\n")
