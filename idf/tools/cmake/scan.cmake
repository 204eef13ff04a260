# cmake -P: asks each component's CMakeLists.txt what it requires and which sources it has; components.py reads the answers.
# SPDX-License-Identifier: Apache-2.0
cmake_minimum_required(VERSION 3.24)
set(CMAKE_BUILD_EARLY_EXPANSION 1) # as ESP-IDF calls this pass: CMakeLists.txt files ask for it
include(${CMAKE_CURRENT_LIST_DIR}/arguments.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/version.cmake)

function(answer key)
  string(REPLACE "\n" " " value "${ARGN}")
  file(APPEND ${answers} "${COMPONENT_NAME}\t${key}\t${value}\n")
endfunction()

# Sources as idf_component_register() will find them; only their names count here.
function(answer_sources sources folders)
  set(found ${sources})
  foreach(folder IN LISTS folders)
    file(GLOB more ${COMPONENT_DIR}/${folder}/*.c ${COMPONENT_DIR}/${folder}/*.cpp ${COMPONENT_DIR}/${folder}/*.cc
         ${COMPONENT_DIR}/${folder}/*.S)
    list(APPEND found ${more})
  endforeach()
  answer(SOURCES ${found})
endfunction()

macro(idf_component_register)
  cmake_parse_arguments(_ "WHOLE_ARCHIVE" "${otter_register_values}" "${otter_register_lists}" ${ARGN})
  spaces2list(__REQUIRES)
  spaces2list(__PRIV_REQUIRES)
  answer(REQUIRES ${__REQUIRES})
  answer(PRIV_REQUIRES ${__PRIV_REQUIRES})
  if(__REQUIRES OR __PRIV_REQUIRES)
    answer(SAYS_REQUIRES 1)
  endif()
  answer_sources("${__SRCS}" "${__SRC_DIRS}")
  return()
endmacro()

# The form of ESP-IDF 3 and 4.
macro(register_component)
  otter_split_old_variables()
  answer(REQUIRES ${COMPONENT_REQUIRES})
  answer(PRIV_REQUIRES ${COMPONENT_PRIV_REQUIRES})
  answer_sources("${COMPONENT_SRCS}" "${COMPONENT_SRCDIRS}")
  return()
endmacro()

macro(register_config_only_component)
  return()
endmacro()

function(idf_build_get_property var property)
  set(value "")
  if(property STREQUAL "PROJECT_DIR")
    set(value ${project_dir})
  elseif(property STREQUAL "IDF_PATH")
    set(value ${idf_path})
  elseif(property STREQUAL "IDF_TARGET")
    set(value ${idf_target})
  elseif(property STREQUAL "BUILD_DIR")
    set(value ${build_dir})
  endif()
  set(${var} "${value}" PARENT_SCOPE)
endfunction()

function(idf_component_get_property var)
  set(${var} "" PARENT_SCOPE)
endfunction()

# What may stand before the registration and means nothing yet.
foreach(name otter_system_library idf_build_set_property idf_component_set_property idf_component_optional_requires
             require_idf_targets)
  cmake_language(EVAL CODE "function(${name})\nendfunction()")
endforeach()

function(scan name folder) # a function, so that no variable of one is there for the next
  set(CMAKE_SOURCE_DIR ${project_dir}) # what PlatformIO writes into CMakeLists.txt looks for sources there
  set(PROJECT_DIR ${project_dir})
  set(CMAKE_BINARY_DIR ${build_dir})
  set(COMPONENT_NAME ${name})
  set(COMPONENT_DIR ${folder})
  set(COMPONENT_PATH ${folder})
  set(CMAKE_CURRENT_LIST_DIR ${folder})
  set(CMAKE_CURRENT_SOURCE_DIR ${folder})
  include(${folder}/CMakeLists.txt)
endfunction()

include(${LISTING})
