# What `cmake --install` puts where. ESP-IDF's header names get a folder of their own: include/otter/idf.
# SPDX-License-Identifier: Apache-2.0
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(layers otter_base otter_flash otter_image otter_boot otter_http otter_ota otter_nvs otter_ddi otter_idf)
foreach(target ${layers} otter_linux otter_host)
  string(REPLACE "otter_" "" short ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${short})
  add_library(otter::${short} ALIAS ${target}) # the names that find_package gives, for add_subdirectory, too
  target_include_directories(${target} INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
                             $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/otter/idf>)
endforeach()
add_library(otter::on_linux ALIAS otter_on_linux)
add_executable(otter::otter ALIAS otter)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/otter)
install(TARGETS ${layers} otter_linux otter_host otter EXPORT otter-targets
        RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS otter-serve RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY include/otter DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/otter/idf PATTERN otter EXCLUDE)
install(EXPORT otter-targets NAMESPACE otter:: DESTINATION ${package})
configure_package_config_file(cmake/otter-config.cmake.in otter-config.cmake INSTALL_DESTINATION ${package})
# Before 1.0 a minor version may change the source; from 1.0 on, a major one.
write_basic_package_version_file(otter-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/otter-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/otter-config-version.cmake
        cmake/otter_firmware.cmake cmake/rtc_memory.ld DESTINATION ${package})

# The same for programs that are built with otter's own build folder, which needs no installing.
export(EXPORT otter-targets NAMESPACE otter:: FILE ${CMAKE_CURRENT_BINARY_DIR}/otter-targets.cmake)
configure_file(cmake/otter_firmware.cmake otter_firmware.cmake COPYONLY)
configure_file(cmake/rtc_memory.ld rtc_memory.ld COPYONLY)

# What `otter idf-path` names: from there the package is found by a path relative to it, in either tree.
file(CREATE_LINK ${PROJECT_SOURCE_DIR}/idf ${CMAKE_CURRENT_BINARY_DIR}/idf SYMBOLIC)
install(DIRECTORY idf DESTINATION ${CMAKE_INSTALL_DATADIR}/otter PATTERN __pycache__ EXCLUDE)
# What the components for ESP-IDF itself take of the rest of this tree (idf/inside/otter_run/project_include.cmake).
install(FILES include/otter/run_protocol.h cmake/rtc_memory.ld port/linux/rtc_memory.c port/linux/rtc_memory.h
              port/linux/link_model.c port/linux/link_model.h DESTINATION ${CMAKE_INSTALL_DATADIR}/otter/idf/inside/otter_run)

# Relative to the file itself, so that an installed tree can be moved.
cmake_path(SET pc_folder /${CMAKE_INSTALL_LIBDIR}/pkgconfig)
cmake_path(RELATIVE_PATH pc_folder BASE_DIRECTORY / OUTPUT_VARIABLE pc_folder)
string(REGEX REPLACE "[^/]+" ".." up ${pc_folder})
string(REPLACE "otter_" "-lotter_" libraries "${layers};otter_linux;otter_host")
string(REPLACE ";" " " libraries "${libraries}")
file(CONFIGURE OUTPUT otter.pc @ONLY CONTENT [[prefix=${pcfiledir}/@up@
libdir=${prefix}/@CMAKE_INSTALL_LIBDIR@
includedir=${prefix}/@CMAKE_INSTALL_INCLUDEDIR@

Name: otter
Description: the ESP HTTPS OTA system, anywhere: ESP-IDF's update mechanism as a library, with its Linux port
Version: @PROJECT_VERSION@
Requires: openssl >= 3
Libs: -L${libdir} -Wl,--start-group @libraries@ -Wl,--end-group -Wl,--gc-sections -lhttp_parser -pthread
Cflags: -I${includedir} -I${includedir}/otter/idf -pthread
]])
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/otter.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(DIRECTORY docs examples DESTINATION ${CMAKE_INSTALL_DOCDIR} USE_SOURCE_PERMISSIONS)
install(FILES README.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

# The man pages are what the commands say of themselves; those of another machine cannot be asked.
if(NOT CMAKE_CROSSCOMPILING)
  foreach(command otter otter-serve)
    add_custom_command(OUTPUT ${command}.1 COMMAND ${command} --man > ${command}.1 DEPENDS ${command} VERBATIM)
    list(APPEND pages ${CMAKE_CURRENT_BINARY_DIR}/${command}.1)
  endforeach()
  add_custom_target(man_pages ALL DEPENDS ${pages})
  install(FILES ${pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
endif()
# Not enabled by itself: it begins when /etc/otter/agent.conf is there and somebody enables it.
install(FILES examples/fleet/otter-agent.service DESTINATION lib/systemd/system)
install(FILES completions/otter.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME otter)
install(FILES completions/_otter DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
install(FILES completions/otter.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
