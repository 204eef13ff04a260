# otter_firmware(NAME SOURCES files... [PROJECT project] [VERSION version] [SDKCONFIG file] [DEFINES definitions...]
#                [EMBED_FILES files...] [EMBED_TXTFILES files...] [CERTIFICATES file] [IMAGE file] [SIGNING_KEY file [V1]]
#                [VERIFICATION_KEY file] [SYMBOL_LINK command...])
#
# Builds NAME (the executable, with symbols) and IMAGE (NAME.bin; for `otter flash new`, `otter serve` and esp_https_ota,
# without). PROJECT is that of project() if not given, VERSION what otter_project_version() finds. Build options are those of
# ESP-IDF: a project's sdkconfig (or sdkconfig.defaults) file, or DEFINES CONFIG_FREERTOS_HZ=1000 and the like. Application and
# library follow them alike. An embedded file is in the program as in ESP-IDF's: from _binary_NAME_start to _binary_NAME_end, what
# is no letter or digit in its name is _, and a 0 follows the last byte of those in EMBED_TXTFILES; NAME_length counts it.
# CERTIFICATES (PEM) are in the bundle that esp_crt_bundle_attach() gives, beside the machine's own.
# What the program itself describes in .rodata_desc (its own esp_app_desc) counts before PROJECT, VERSION and the secure version.
# SIGNING_KEY signs the image; V1: by ESP32's first scheme. VERIFICATION_KEY (the 64 bytes of `otter key public --v1`) is in the
# program, which takes updates of that scheme by it. SYMBOL_LINK is called with NAME and a file: what it writes there is the
# image's section .gnu_debuglink, by which the program finds its symbols.
# SPDX-License-Identifier: Apache-2.0

# The version where ESP-IDF looks for it: PROJECT_VER, version.txt, project(... VERSION), git describe; else 1.
function(otter_project_version out)
  set(version "1")
  if(DEFINED PROJECT_VER)
    set(version "${PROJECT_VER}")
  elseif(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/version.txt)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/version.txt)
    file(STRINGS ${CMAKE_CURRENT_SOURCE_DIR}/version.txt version LIMIT_COUNT 1)
  elseif(PROJECT_VERSION)
    set(version "${PROJECT_VERSION}")
  else()
    execute_process(COMMAND git describe --always --tags --dirty WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}
                    OUTPUT_VARIABLE described OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    if(described)
      set(version "${described}")
    endif()
  endif()
  if(version STREQUAL "")
    set(version "1")
  endif()
  string(SUBSTRING "${version}" 0 31 version) # what the descriptor holds
  set(${out} "${version}" PARENT_SCOPE)
endfunction()

# Writes the header that an sdkconfig file stands for: "CONFIG_A=y" is "#define CONFIG_A 1"; what is off is not defined.
function(otter_sdkconfig_header sdkconfig header)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${sdkconfig})
  file(READ ${sdkconfig} text)
  string(ASCII 1 open) # stand-ins for what CMake's lists take for their own
  string(ASCII 2 close)
  string(ASCII 3 semicolon)
  string(REPLACE "[" "${open}" lines "${text}")
  string(REPLACE "]" "${close}" lines "${lines}")
  string(REPLACE ";" "${semicolon}" lines "${lines}")
  string(REGEX REPLACE "\r?\n" ";" lines "${lines}")
  set(defines "/* Made from ${sdkconfig}. */\n#pragma once\n")
  foreach(line IN LISTS lines)
    if(line MATCHES "^(CONFIG_[A-Za-z0-9_]+)=(.*)$" AND NOT CMAKE_MATCH_2 STREQUAL "n")
      set(name ${CMAKE_MATCH_1})
      string(REGEX REPLACE "^y$" "1" value "${CMAKE_MATCH_2}")
      string(APPEND defines "#undef ${name}\n#define ${name} ${value}\n") # the last of several counts
    endif()
  endforeach()
  string(REPLACE "${open}" "[" defines "${defines}")
  string(REPLACE "${close}" "]" defines "${defines}")
  string(REPLACE "${semicolon}" ";" defines "${defines}")
  set(before "")
  if(EXISTS ${header})
    file(READ ${header} before)
  endif()
  if(NOT before STREQUAL defines) # a header that is written again is compiled again
    file(WRITE ${header} "${defines}")
  endif()
endfunction()

# Makes a source file that has the bytes of a file in it, and what else is to follow them; further: a name instead of the file's.
function(otter_embed name file behind)
  cmake_path(ABSOLUTE_PATH file)
  cmake_path(GET file FILENAME symbol)
  if(ARGC GREATER 3)
    set(symbol ${ARGV3})
  endif()
  string(MAKE_C_IDENTIFIER "${symbol}" symbol)
  set(source ${CMAKE_CURRENT_BINARY_DIR}/${name}_${symbol}.c)
  file(CONFIGURE OUTPUT ${source} @ONLY CONTENT [[/* The bytes of @file@. */
__asm__(".section .rodata\n.global _binary_@symbol@_start, _binary_@symbol@_end, @symbol@_length\n"
        "_binary_@symbol@_start: .incbin \"@file@\"\n@behind@_binary_@symbol@_end:\n"
        ".balign 4\n@symbol@_length: .long _binary_@symbol@_end - _binary_@symbol@_start\n.text\n");
]])
  set_source_files_properties(${source} PROPERTIES OBJECT_DEPENDS ${file})
  target_sources(${name} PRIVATE ${source})
endfunction()

function(otter_firmware name)
  cmake_parse_arguments(FW "V1" "PROJECT;VERSION;SDKCONFIG;IMAGE;CERTIFICATES;SIGNING_KEY;VERIFICATION_KEY"
                        "SOURCES;DEFINES;EMBED_FILES;EMBED_TXTFILES;SYMBOL_LINK" ${ARGN})
  if(NOT FW_PROJECT)
    set(FW_PROJECT ${PROJECT_NAME})
  endif()
  string(SUBSTRING "${FW_PROJECT}" 0 31 FW_PROJECT) # what the descriptor holds, as in ESP-IDF
  if(NOT FW_VERSION)
    otter_project_version(FW_VERSION)
  endif()
  if(NOT FW_IMAGE)
    set(FW_IMAGE ${name}.bin)
  endif()
  set(options_source ${CMAKE_CURRENT_BINARY_DIR}/${name}_options.c)
  file(CONFIGURE OUTPUT ${options_source} CONTENT [[/* What the options of this firmware's build are for the library. */
#ifdef OTTER_BUNDLE_CERTIFICATES
extern const char OTTER_BUNDLE_CERTIFICATES[];
#endif
#ifdef OTTER_VERIFICATION_KEY
extern const unsigned char OTTER_VERIFICATION_KEY[];
#endif
#include "otter/build_options.h"

const otter_build_options_t otter_build_options = OTTER_BUILD_OPTIONS;
]])
  add_executable(${name} ${FW_SOURCES} ${options_source})
  get_target_property(includes otter::base INTERFACE_INCLUDE_DIRECTORIES)
  list(TRANSFORM includes APPEND /freertos OUTPUT_VARIABLE freertos) # ESP-IDF has that as a path of its own, too
  target_include_directories(${name} PRIVATE ${freertos})
  # Variables that outlive a boot (esp_attr.h) have pages of their own, and what they point to stays where it is.
  set(memory ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/rtc_memory.ld)
  target_link_options(${name} PRIVATE -no-pie LINKER:-T,${memory})
  set_property(TARGET ${name} APPEND PROPERTY LINK_DEPENDS ${memory})
  target_compile_definitions(${name} PRIVATE _GNU_SOURCE OTTER_RTC_MEMORY ${FW_DEFINES})
  target_compile_options(${name} PRIVATE -UNDEBUG) # as ESP-IDF builds by default: ESP_ERROR_CHECK and assert stop
  target_link_libraries(${name} PRIVATE otter::on_linux)
  target_link_options(${name} PRIVATE LINKER:-u,esp_app_desc) # of whoever has one of their own
  foreach(file IN LISTS FW_EMBED_FILES)
    otter_embed(${name} ${file} "")
  endforeach()
  foreach(file IN LISTS FW_EMBED_TXTFILES)
    otter_embed(${name} ${file} ".byte 0\\n")
  endforeach()
  if(FW_CERTIFICATES)
    otter_embed(${name} ${FW_CERTIFICATES} ".byte 0\\n" otter_bundle)
    set_property(SOURCE ${options_source} APPEND PROPERTY
                 COMPILE_DEFINITIONS OTTER_BUNDLE_CERTIFICATES=_binary_otter_bundle_start)
  endif()
  if(FW_VERIFICATION_KEY)
    otter_embed(${name} ${FW_VERIFICATION_KEY} "" otter_verification_key)
    set_property(SOURCE ${options_source} APPEND PROPERTY
                 COMPILE_DEFINITIONS OTTER_VERIFICATION_KEY=_binary_otter_verification_key_start)
  endif()
  set(options "${FW_DEFINES}")
  if(FW_SDKCONFIG)
    set(header ${CMAKE_CURRENT_BINARY_DIR}/${name}_sdkconfig.h)
    cmake_path(ABSOLUTE_PATH FW_SDKCONFIG)
    otter_sdkconfig_header(${FW_SDKCONFIG} ${header})
    target_compile_definitions(${name} PRIVATE OTTER_SDKCONFIG="${header}")
    file(READ ${FW_SDKCONFIG} options)
  endif()
  set(secure_version 0)
  if(options MATCHES "(^|[;\n])CONFIG_BOOTLOADER_APP_SECURE_VERSION=([0-9]+)")
    set(secure_version ${CMAKE_MATCH_2})
  endif()
  set(revisions "")
  foreach(limit "MIN;min" "MAX;max")
    list(GET limit 0 name_part)
    list(GET limit 1 option_part)
    if(options MATCHES "(^|[;\n])CONFIG_ESP_REV_${name_part}_FULL=([0-9]+)")
      list(APPEND revisions --${option_part}-rev ${CMAKE_MATCH_2})
    endif()
  endforeach()
  set(image ${FW_IMAGE})
  set(sign "")
  if(FW_SIGNING_KEY)
    set(image ${name}.unsigned)
    set(sign COMMAND otter::otter image sign ${image} --key ${FW_SIGNING_KEY} $<$<BOOL:${FW_V1}>:--v1> --quiet
        -o ${FW_IMAGE})
  endif()
  set(link "")
  set(linked "")
  if(FW_SYMBOL_LINK)
    set(link COMMAND ${FW_SYMBOL_LINK} $<TARGET_FILE:${name}> ${name}.debuglink)
    set(linked --add-section .gnu_debuglink=${name}.debuglink)
  endif()
  add_custom_command(
    OUTPUT ${FW_IMAGE}
    ${link}
    COMMAND ${CMAKE_OBJCOPY} --strip-all ${linked} --remove-section .note.gnu.build-id $<TARGET_FILE:${name}> ${name}.stripped
    COMMAND otter::otter image build --elf ${name}.stripped --chip linux --project ${FW_PROJECT} --version ${FW_VERSION}
            --secure-version ${secure_version} --own-desc ${revisions} --quiet -o ${image}
    ${sign}
    DEPENDS ${name} otter::otter ${FW_SIGNING_KEY}
    COMMAND_EXPAND_LISTS VERBATIM
    COMMENT "Image ${FW_IMAGE}")
  add_custom_target(${name}_image ALL DEPENDS ${FW_IMAGE})
endfunction()
