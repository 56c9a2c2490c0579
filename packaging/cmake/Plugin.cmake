# SPDX-License-Identifier: ISC
# aicaller_plugin(NAME <id> SOURCES <files> [REQUIRES <pkg-config modules>] [HEADERS_OF <libs>]
#                 [LIBRARIES <targets or -l names>] [CHECK <header> <library>...])
# builds plugins/<id>.so, and a static plugin_<id> for tests and fuzzers. A plugin whose library is
# missing is skipped with one line.
function(aicaller_plugin)
    cmake_parse_arguments(P "" "NAME" "SOURCES;REQUIRES;LIBRARIES" ${ARGN})
    set(libraries ${P_LIBRARIES})
    foreach(module ${P_REQUIRES})
        string(MAKE_C_IDENTIFIER "PLUGIN_${module}" prefix)
        pkg_check_modules(${prefix} QUIET IMPORTED_TARGET ${module})
        if(NOT ${prefix}_FOUND)
            message(STATUS "Plugin ${P_NAME} is skipped: ${module} is not installed")
            return()
        endif()
        list(APPEND libraries PkgConfig::${prefix})
    endforeach()

    add_library(${P_NAME} MODULE ${P_SOURCES})
    set_target_properties(${P_NAME} PROPERTIES PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${AICALLER_PLUGIN_DIR})
    target_link_libraries(${P_NAME} PRIVATE aicaller-sdk-lib ${libraries})
    if(NOT AICALLER_SANITIZE)
        target_link_options(${P_NAME} PRIVATE -Wl,-z,defs)
    endif()
    target_link_options(${P_NAME} PRIVATE -Wl,--exclude-libs,ALL
        -Wl,--version-script=${CMAKE_SOURCE_DIR}/packaging/cmake/plugin.map)
    install(TARGETS ${P_NAME} LIBRARY DESTINATION ${AICALLER_INSTALL_PLUGIN_DIR})
    set_property(GLOBAL APPEND PROPERTY AICALLER_PLUGINS ${P_NAME})

    if(AICALLER_TESTS)
        add_library(plugin_${P_NAME} STATIC ${P_SOURCES})
        target_compile_definitions(plugin_${P_NAME} PRIVATE AIC_STATIC_PLUGINS)
        target_include_directories(plugin_${P_NAME} INTERFACE ${CMAKE_CURRENT_SOURCE_DIR}/..)
        target_link_libraries(plugin_${P_NAME} PUBLIC aicaller-sdk-lib ${libraries})
    endif()
endfunction()
