# otter_firmware(NAME SOURCES files... PROJECT project VERSION version [DEFINES definitions...])
#
# Builds NAME (the executable, with symbols) and NAME.bin (the image for `otter flash new`, `otter serve` and esp_https_ota).
function(otter_firmware name)
  cmake_parse_arguments(FW "" "PROJECT;VERSION" "SOURCES;DEFINES" ${ARGN})
  add_executable(${name} ${FW_SOURCES} ${PROJECT_SOURCE_DIR}/port/linux/app_start.c)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/port
                                             ${PROJECT_SOURCE_DIR}/src)
  target_compile_definitions(${name} PRIVATE _GNU_SOURCE ${FW_DEFINES})
  target_compile_options(${name} PRIVATE -UNDEBUG) # as ESP-IDF builds by default: ESP_ERROR_CHECK and assert stop
  target_link_libraries(${name} PRIVATE ${OTTER_ON_LINUX})
  add_custom_command(
    OUTPUT ${name}.bin
    COMMAND ${CMAKE_OBJCOPY} --strip-all $<TARGET_FILE:${name}> ${name}.stripped
    COMMAND otter image build --elf ${name}.stripped --chip linux --project ${FW_PROJECT} --version ${FW_VERSION}
            -o ${name}.bin
    DEPENDS ${name} otter
    COMMENT "Image ${name}.bin")
  add_custom_target(${name}_image ALL DEPENDS ${name}.bin)
endfunction()
