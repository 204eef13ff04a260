# The arguments of idf_component_register(), for those who run it and for those who only look what it says.
# SPDX-License-Identifier: Apache-2.0
set(otter_register_values KCONFIG KCONFIG_PROJBUILD)
set(otter_register_lists SRCS SRC_DIRS EXCLUDE_SRCS INCLUDE_DIRS PRIV_INCLUDE_DIRS LDFRAGMENTS REQUIRES PRIV_REQUIRES
    REQUIRED_IDF_TARGETS EMBED_FILES EMBED_TXTFILES)

# Names that stand in one text with blanks between them, as old projects write lists.
function(spaces2list name)
  if(DEFINED ${name})
    string(REGEX REPLACE " +" ";" list "${${name}}")
    set(${name} "${list}" PARENT_SCOPE)
  endif()
endfunction()

# The variables of register_component(), the form of ESP-IDF 3 and 4.
macro(otter_split_old_variables)
  foreach(otter_old SRCS SRCDIRS SRCEXCLUDE ADD_INCLUDEDIRS PRIV_INCLUDEDIRS REQUIRES PRIV_REQUIRES EMBED_FILES EMBED_TXTFILES)
    spaces2list(COMPONENT_${otter_old})
  endforeach()
endmacro()

# add_prefix(LIST PREFIX ITEM...): LIST is each item behind the prefix.
function(add_prefix var prefix)
  list(TRANSFORM ARGN PREPEND "${prefix}")
  set(${var} "${ARGN}" PARENT_SCOPE)
endfunction()
