# The properties of a build and of its components, under ESP-IDF's names.
# SPDX-License-Identifier: Apache-2.0

# idf_build_set_property(PROPERTY VALUE... [APPEND]) and idf_build_get_property(VAR PROPERTY [GENERATOR_EXPRESSION]).
# MINIMAL_BUILD, COMPILE_OPTIONS and its kin have a meaning here; others are kept for whoever asks.
function(idf_build_set_property property)
  cmake_parse_arguments(PARSE_ARGV 1 _ "APPEND" "" "")
  if(__APPEND)
    set_property(GLOBAL APPEND PROPERTY otter_build_${property} ${__UNPARSED_ARGUMENTS})
  else()
    set_property(GLOBAL PROPERTY otter_build_${property} "${__UNPARSED_ARGUMENTS}")
  endif()
endfunction()

function(idf_build_get_property var property)
  get_property(value GLOBAL PROPERTY otter_build_${property})
  set(${var} "${value}" PARENT_SCOPE)
endfunction()

function(idf_build_unset_property property)
  set_property(GLOBAL PROPERTY otter_build_${property})
endfunction()

# The name under which a component is built: idf:: and the registry's namespace may stand in front of what others call it.
function(otter_known_as out name)
  string(REGEX REPLACE "^.*::" "" name ${name})
  if(NOT name IN_LIST otter_components)
    string(REGEX REPLACE "^.*__" "" own ${name})
    foreach(known IN LISTS otter_components)
      if(known MATCHES "^(.*__)?${own}$")
        set(name ${known})
      endif()
    endforeach()
  endif()
  set(${out} ${name} PARENT_SCOPE)
endfunction()

# idf_component_get_property(VAR COMPONENT PROPERTY): COMPONENT_LIB, COMPONENT_DIR, INCLUDE_DIRS and their kin.
function(idf_component_get_property var component property)
  otter_known_as(component ${component})
  get_property(value GLOBAL PROPERTY otter_component_${component}_${property})
  set(${var} "${value}" PARENT_SCOPE)
endfunction()

function(idf_component_set_property component property)
  cmake_parse_arguments(PARSE_ARGV 2 _ "APPEND" "" "")
  if(__APPEND)
    set_property(GLOBAL APPEND PROPERTY otter_component_${component}_${property} ${__UNPARSED_ARGUMENTS})
  else()
    set_property(GLOBAL PROPERTY otter_component_${component}_${property} "${__UNPARSED_ARGUMENTS}")
  endif()
endfunction()

# What stops a build: one line, in as many pieces as its file needs. CMake's own error brings a page of its files along.
function(otter_stop)
  set(line "")
  math(EXPR last "${ARGC} - 1")
  foreach(i RANGE 0 ${last})
    string(APPEND line "${ARGV${i}}")
  endforeach()
  execute_process(COMMAND ${CMAKE_COMMAND} -E echo "otter: ${line}" OUTPUT_FILE /dev/stderr)
  message(FATAL_ERROR "${line}")
endfunction()

function(otter_note)
  message(STATUS "otter: ${ARGV0}")
endfunction()
