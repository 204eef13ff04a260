# The image and what `otter run BUILD_DIR` reads of an ESP-IDF build folder; what this component needs of otter, and its checks.
# SPDX-License-Identifier: Apache-2.0

include(${CMAKE_CURRENT_LIST_DIR}/checkout.cmake)
idf_build_get_property(otter_run_target IDF_TARGET)
if(NOT otter_run_target STREQUAL "linux")
    message(FATAL_ERROR "otter: these components are for target linux, and IDF_TARGET is ${otter_run_target}: \
-B build-linux -D IDF_TARGET=linux builds for it; without them the project is built for ${otter_run_target}")
endif()

# What of otter lies elsewhere in its source tree and beside us where it is installed; else as `otter` names it.
function(otter_run_find out file folder)
    foreach(place ${otter_run_dir} ${otter_run_dir}/../../../${folder}
                  ${otter_run_home}/otter_run ${otter_run_home}/../../${folder})
        if(EXISTS ${place}/${file})
            get_filename_component(path ${place}/${file} REALPATH)
            set(${out} ${path} PARENT_SCOPE)
            return()
        endif()
    endforeach()
    message(FATAL_ERROR "otter: ${file} is not there: install otter as a whole")
endfunction()

get_filename_component(otter_run_dir ${CMAKE_CURRENT_LIST_DIR} REALPATH)
get_filename_component(otter_run_beside ${otter_run_dir}/../../../build ABSOLUTE)
find_program(OTTER otter HINTS ENV OTTER PATHS ${otter_run_beside} ${otter_run_dir}/../../../../../bin
             DOC "the command that makes the image")
if(NOT OTTER)
    message(FATAL_ERROR "otter: the command `otter` is not there: put its folder into PATH, or say -D OTTER=/path/to/otter")
endif()
execute_process(COMMAND ${OTTER} idf-components OUTPUT_VARIABLE otter_run_home OUTPUT_STRIP_TRAILING_WHITESPACE
                RESULT_VARIABLE otter_run_status ERROR_QUIET)
if(otter_run_status)
    message(FATAL_ERROR "otter: ${OTTER} has no idf-components: it is older than these components, use theirs")
endif()
get_filename_component(otter_run_home "${otter_run_home}" REALPATH) # a build folder has a link to them
otter_run_find(otter_run_complaint otter_checkout.py idf/inside/idf_py)
otter_run_find(otter_run_header run_protocol.h include/otter)
otter_run_find(otter_run_script rtc_memory.ld cmake)
foreach(name rtc_memory link_model)
    otter_run_find(otter_run_${name} ${name}.c port/linux)
    otter_run_find(otter_run_${name}_header ${name}.h port/linux)
endforeach()

# Of the checkout: one and the same in one build folder, and whole.
idf_build_get_property(otter_run_idf IDF_PATH)
string(REGEX MATCH "^[0-9]+\\.[0-9]+" otter_run_version "$ENV{IDF_VERSION}")
if(DEFINED CACHE{otter_run_made_with})
    otter_run_check_checkout("$CACHE{otter_run_made_with}" "${otter_run_idf} (${otter_run_version})")
endif()
idf_build_get_property(otter_run_python PYTHON)
idf_build_get_property(otter_run_components BUILD_COMPONENTS)
execute_process(COMMAND ${otter_run_python} -B ${otter_run_complaint} ${otter_run_idf} ${otter_run_components}
                RESULT_VARIABLE otter_run_status ERROR_VARIABLE otter_run_why ERROR_STRIP_TRAILING_WHITESPACE)
if(otter_run_status)
    message(FATAL_ERROR "otter: ${otter_run_why}")
endif()
set(otter_run_made_with "${otter_run_idf} (${otter_run_version})" CACHE INTERNAL "the checkout that this folder is of")

# esp_attr.h of linux leaves out which variables outlive a reset: put back for every file, before it can read that.
idf_build_set_property(C_COMPILE_OPTIONS "-include;${otter_run_dir}/retained/otter_retained.h" APPEND)
idf_build_set_property(CXX_COMPILE_OPTIONS "-include;${otter_run_dir}/retained/otter_retained.h" APPEND)

# A chip's uint32_t is long, and what prints it says so: right there, and here a warning.
idf_build_set_property(COMPILE_OPTIONS "-Wno-error=format" APPEND)

# Called by our components, which must not know where otter is.
function(otter_run_protocol library)
    configure_file(${otter_run_header} ${CMAKE_CURRENT_BINARY_DIR}/otter/run_protocol.h COPYONLY)
    target_include_directories(${library} PRIVATE ${CMAKE_CURRENT_BINARY_DIR})
endfunction()

function(otter_run_component library)
    otter_run_protocol(${library})
    foreach(name rtc_memory link_model)
        configure_file(${otter_run_${name}_header} ${CMAKE_CURRENT_BINARY_DIR}/linux/${name}.h COPYONLY)
        target_sources(${library} PRIVATE ${otter_run_${name}})
    endforeach()
    set(names app_main esp_reset_reason esp_restart_noos
              esp_partition_write esp_partition_write_raw esp_partition_erase_range esp_partition_read esp_partition_read_raw
              bootloader_mmap bootloader_flash_read vTaskDelay xTaskDelayUntil usleep clock_gettime gettimeofday time)
    if(NOT CONFIG_LWIP_ENABLE) # which stands between the program and the machine's sockets, by the same names
        target_sources(${library} PRIVATE slow_socket.c)
        list(APPEND names connect select recv read send write close)
    endif()
    list(TRANSFORM names PREPEND "-Wl,--wrap=" OUTPUT_VARIABLE wrap)
    target_link_options(${library} INTERFACE ${wrap} "-Wl,-T,${otter_run_script}" -no-pie "-Wl,-u,otter_run_shared")
endfunction()

# When the project is complete: PROJECT.bin from PROJECT.elf, a bootloader's place in flash, and flasher_args.json.
function(otter_run_finish)
    idf_build_get_property(elf EXECUTABLE)
    idf_build_get_property(name PROJECT_NAME)
    idf_build_get_property(build BUILD_DIR)
    idf_build_get_property(table PARTITION_TABLE_BIN_PATH)
    if(NOT TARGET "${elf}")
        return()
    endif()
    idf_build_get_property(components BUILD_COMPONENTS)
    foreach(component IN LISTS components)
        idf_component_get_property(library ${component} COMPONENT_LIB)
        get_target_property(type ${library} TYPE)
        if(NOT type STREQUAL "INTERFACE_LIBRARY")
            target_include_directories(${library} BEFORE PRIVATE ${otter_run_dir}/chip)
        endif()
    endforeach()
    set(image ${build}/${name}.bin)
    idf_build_get_property(python PYTHON)
    # What gdb wants of the program stays in PROJECT.elf; ESP-IDF's own check says where an image is too large for its slots.
    add_custom_command(OUTPUT ${image}
                       COMMAND ${CMAKE_OBJCOPY} --strip-all $<TARGET_FILE:${elf}> ${build}/${name}.stripped
                       COMMAND ${OTTER} image build --elf ${build}/${name}.stripped --chip linux --own-desc -o ${image}
                               --flash-size ${CONFIG_ESPTOOLPY_FLASHSIZE}
                       COMMAND ${python} ${PARTITION_TABLE_CHECK_SIZES_TOOL_PATH} --offset ${CONFIG_PARTITION_TABLE_OFFSET}
                               partition --type app ${table} ${image}
                       DEPENDS ${elf} ${OTTER} partition_table_bin VERBATIM COMMENT "Image ${name}.bin for otter run")
    add_custom_target(otter_image ALL DEPENDS ${image})
    idf_build_get_property(made_with IDF_PATH)
    add_custom_target(otter_checkout COMMAND ${CMAKE_COMMAND} -D MADE_WITH=${made_with} -P ${otter_run_dir}/checkout.cmake
                      VERBATIM)
    add_dependencies(${elf} otter_checkout)
    if(NOT TARGET gen_project_binary) # what components hang their own steps on, as one that encrypts the image
        add_custom_command(OUTPUT ${build}/.bin_timestamp COMMAND ${CMAKE_COMMAND} -E touch ${build}/.bin_timestamp
                           DEPENDS ${image} VERBATIM)
        add_custom_target(gen_project_binary DEPENDS ${build}/.bin_timestamp)
    endif()
    set(bootloader ${build}/bootloader/bootloader.bin)
    file(MAKE_DIRECTORY ${build}/bootloader)
    add_custom_command(OUTPUT ${bootloader} COMMAND ${OTTER} image build --bootloader --chip linux -o ${bootloader} --quiet
                       DEPENDS ${OTTER} VERBATIM COMMENT "Bootloader image")
    add_custom_target(otter_bootloader ALL DEPENDS ${bootloader})
    # ESP-IDF's table for linux has no MD5 record, which a chip's has: this one is the chip's.
    set(chip_table ${build}/partition_table/otter-table.bin)
    add_custom_command(OUTPUT ${chip_table} COMMAND ${OTTER} table build ${PARTITION_CSV_PATH} -o ${chip_table}
                               --flash-size ${CONFIG_ESPTOOLPY_FLASHSIZE} --table-offset ${CONFIG_PARTITION_TABLE_OFFSET}
                       DEPENDS ${PARTITION_CSV_PATH} ${OTTER} VERBATIM COMMENT "Partition table")
    add_custom_target(otter_table ALL DEPENDS ${chip_table})
    partition_table_get_partition_info(app_offset "--partition-boot-default" "offset")
    if(NOT app_offset)
        message(FATAL_ERROR "otter: the partition table ${PARTITION_CSV_PATH} has no partition for an app")
    endif()
    file(WRITE ${build}/flasher_args.json "{
    \"write_flash_args\": [],
    \"flash_settings\": {\"flash_size\": \"${CONFIG_ESPTOOLPY_FLASHSIZE}\"},
    \"flash_files\": {
        \"${CONFIG_BOOTLOADER_OFFSET_IN_FLASH}\": \"bootloader/bootloader.bin\",
        \"${CONFIG_PARTITION_TABLE_OFFSET}\": \"partition_table/otter-table.bin\",
        \"${app_offset}\": \"${name}.bin\"
    },
    \"app\": {\"offset\": \"${app_offset}\", \"file\": \"${name}.bin\", \"encrypted\": \"false\"},
    \"extra_esptool_args\": {\"after\": \"no_reset\", \"before\": \"no_reset\", \"stub\": false, \"chip\": \"linux\"}
}
")
endfunction()
cmake_language(EVAL CODE "cmake_language(DEFER DIRECTORY [[${CMAKE_SOURCE_DIR}]] CALL otter_run_finish)")
