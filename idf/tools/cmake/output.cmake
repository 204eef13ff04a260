# What stands in the build folder beside program and image, as ESP-IDF's does: what goes where in flash.
# SPDX-License-Identifier: Apache-2.0

# partition_table_get_partition_info(VAR "--partition-name NAME" "offset size"): by name, by --partition-type and
# --partition-subtype, or --partition-boot-default. Nothing, where no partition is meant.
function(partition_table_get_partition_info var selector wanted)
  separate_arguments(words UNIX_COMMAND "${selector}")
  cmake_parse_arguments(_ "--partition-boot-default" "--partition-name;--partition-type;--partition-subtype" "" ${words})
  get_property(json GLOBAL PROPERTY otter_table_json)
  string(JSON count LENGTH "${json}" partitions)
  set(answers "")
  set(best "")
  foreach(i RANGE 1 ${count})
    math(EXPR index "${i} - 1")
    string(JSON row GET "${json}" partitions ${index})
    foreach(key label type subtype offset size)
      string(JSON ${key} GET "${row}" ${key})
    endforeach()
    if(__--partition-boot-default)
      # What boots where otadata selects nothing: the factory app, else the first slot.
      if(type STREQUAL "app" AND (subtype STREQUAL "factory" OR (subtype STREQUAL "ota_0" AND NOT best)))
        set(best "${row}")
      endif()
    elseif((NOT __--partition-name OR label STREQUAL __--partition-name)
           AND (NOT __--partition-type OR type STREQUAL __--partition-type)
           AND (NOT __--partition-subtype OR subtype STREQUAL __--partition-subtype) AND NOT best)
      set(best "${row}")
    endif()
  endforeach()
  separate_arguments(wanted UNIX_COMMAND "${wanted}")
  foreach(key IN LISTS wanted)
    string(REPLACE "name" "label" key ${key})
    if(best)
      string(JSON value GET "${best}" ${key})
      if(key MATCHES "offset|size")
        math(EXPR value "${value}" OUTPUT_FORMAT HEXADECIMAL)
      endif()
      list(APPEND answers ${value})
    endif()
  endforeach()
  set(${var} "${answers}" PARENT_SCOPE)
endfunction()

# esptool_py_flash_target_image(TARGET NAME OFFSET IMAGE): what else goes into the flash.
function(esptool_py_flash_target_image target name offset image)
  cmake_path(ABSOLUTE_PATH image BASE_DIRECTORY ${CMAKE_BINARY_DIR} NORMALIZE)
  set_property(GLOBAL APPEND PROPERTY otter_flash_files "${offset}=${image}=${name}")
endfunction()

# esptool_py_flash_to_partition(TARGET PARTITION IMAGE)
function(esptool_py_flash_to_partition target partition image)
  partition_table_get_partition_info(offset "--partition-name ${partition}" "offset")
  if(NOT offset)
    get_property(csv GLOBAL PROPERTY otter_table_csv)
    otter_stop("${image} is to go into partition '${partition}', which ${csv} does not have: add it there")
  endif()
  esptool_py_flash_target_image(${target} ${partition} ${offset} ${image})
endfunction()

function(esptool_py_custom_target)
endfunction()

# Images of file systems, which tools make that are no part of this.
function(otter_no_file_system kind partition folder)
  otter_stop("nothing here makes the ${kind} image of partition '${partition}' from ${folder}: make it with a tool of its own, "
             "and add it with esptool_py_flash_to_partition(flash ${partition} IMAGE)")
endfunction()

macro(spiffs_create_partition_image)
  otter_no_file_system(SPIFFS ${ARGV0} ${ARGV1})
endmacro()
macro(littlefs_create_partition_image)
  otter_no_file_system(LittleFS ${ARGV0} ${ARGV1})
endmacro()
macro(fatfs_create_spiflash_image)
  otter_no_file_system(FAT ${ARGV0} ${ARGV1})
endmacro()
macro(fatfs_create_rawflash_image)
  otter_no_file_system(FAT ${ARGV0} ${ARGV1})
endmacro()

# When the project's CMakeLists.txt has said all: flasher_args.json and project_description.json.
function(otter_write_flash_set)
  get_property(files GLOBAL PROPERTY otter_flash_files)
  get_property(json GLOBAL PROPERTY otter_table_json)
  idf_build_get_property(name PROJECT_NAME)
  idf_build_get_property(version PROJECT_VER)
  set(arguments "")
  foreach(file IN LISTS files)
    list(APPEND arguments --file ${file})
  endforeach()
  file(WRITE ${CMAKE_BINARY_DIR}/config/table.json "${json}")
  execute_process(COMMAND ${otter_python} -B ${otter_idf}/tools/flash_set.py --build ${CMAKE_BINARY_DIR}
                          --project ${CMAKE_SOURCE_DIR} --name ${name} --version ${version} --idf ${otter_idf}
                          --otter ${otter_command} --components "${otter_components}" ${arguments}
                  RESULT_VARIABLE status ERROR_VARIABLE why ERROR_STRIP_TRAILING_WHITESPACE)
  if(status)
    otter_stop("${why}")
  endif()
endfunction()

# bootloader/bootloader.bin: the device's boot step is `otter run`, and this stands for it in flash.
function(otter_bootloader)
  set(image ${CMAKE_BINARY_DIR}/bootloader/bootloader.bin)
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/bootloader)
  add_custom_command(OUTPUT ${image} COMMAND otter::otter image build --bootloader --chip linux -o ${image}
                             --quiet DEPENDS otter::otter VERBATIM COMMENT "Bootloader image")
  add_custom_target(bootloader ALL DEPENDS ${image})
endfunction()
