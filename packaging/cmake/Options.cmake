# SPDX-License-Identifier: ISC
# Compiler settings for all of the tree.
option(AICALLER_TESTS "Build the tests" ON)
option(AICALLER_WERROR "Treat warnings as errors" OFF)
option(AICALLER_HARDEN "Hardening flags, for packages" OFF)
option(AICALLER_FUZZ "Build the fuzzers (clang)" OFF)
set(AICALLER_SANITIZE "" CACHE STRING "Sanitizers, such as address,undefined or thread")
set(AICALLER_WITHOUT_PLUGINS "" CACHE STRING "Plugins to leave out, by folder: sphinx;pgsql")

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
add_compile_definitions(_GNU_SOURCE)

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes
    -Wmissing-prototypes -Wvla -Wcast-qual -Wpointer-arith -Wundef -Wwrite-strings -Wformat=2
    -Wdouble-promotion -Wimplicit-fallthrough -fno-common -fno-omit-frame-pointer)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wlogical-op -Wduplicated-cond -Wduplicated-branches -Wjump-misses-init)
endif()
if(AICALLER_WERROR)
    add_compile_options(-Werror)
endif()
if(AICALLER_SANITIZE)
    add_compile_options(-fsanitize=${AICALLER_SANITIZE} -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${AICALLER_SANITIZE})
endif()
if(AICALLER_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(AICALLER_HARDEN)
    add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong
        -fstack-clash-protection -fcf-protection=full -ftrivial-auto-var-init=zero)
    add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack)
    set(CMAKE_POSITION_INDEPENDENT_CODE ON)
    include(CheckPIESupported)
    check_pie_supported(LANGUAGES C)
endif()
