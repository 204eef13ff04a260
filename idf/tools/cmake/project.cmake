# project() of an ESP-IDF project folder: the same folder, built for otter's virtual device.
#
#   include($ENV{IDF_PATH}/tools/cmake/project.cmake)      with IDF_PATH=$(otter idf-path)
#   project(my_project)
#
# The order: prepare.py finds the components, asks them what they require and settles the options (one run, before the
# compiler is looked for); each component's CMakeLists.txt makes a static library; otter_firmware() links them with otter's
# own libraries, as they were built or installed, and makes the image. docs/ESP-IDF-PROJECTS.md tells it to users.
# SPDX-License-Identifier: Apache-2.0
include_guard(GLOBAL)
cmake_minimum_required(VERSION 3.24)

cmake_path(GET CMAKE_CURRENT_LIST_DIR PARENT_PATH otter_idf)
cmake_path(GET otter_idf PARENT_PATH otter_idf)
set(IDF_PATH ${otter_idf})
set(ENV{IDF_PATH} ${otter_idf}) # for what components read, whatever it was
set(IDF_PROJECT_PATH ${CMAKE_SOURCE_DIR}) # of ESP-IDF 3
include(${CMAKE_CURRENT_LIST_DIR}/version.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/properties.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/component.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/partitions.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/output.cmake)

# A build folder keeps the compiler and the libraries that another IDF_PATH has found.
foreach(made_with esp-idf_SOURCE_DIR otter_idf_path)
  if(DEFINED CACHE{${made_with}} AND NOT $CACHE{${made_with}} STREQUAL otter_idf)
    otter_stop("the build folder ${CMAKE_BINARY_DIR} was made with IDF_PATH=$CACHE{${made_with}}, which is ${otter_idf} now: "
               "remove it, or build in another (-B)")
  endif()
endforeach()
set(otter_idf_path ${otter_idf} CACHE INTERNAL "what IDF_PATH is for this build folder")

idf_build_set_property(IDF_PATH ${otter_idf})
idf_build_set_property(IDF_TARGET linux)
idf_build_set_property(IDF_VER v5.5)
idf_build_set_property(BUILD_DIR ${CMAKE_BINARY_DIR})
idf_build_set_property(PROJECT_DIR ${CMAKE_SOURCE_DIR})
idf_build_set_property(COMPILE_DEFINITIONS "")

# A Python with kconfiglib: the first of PATH, or the system's own, for which Debian's package is.
function(otter_find_python)
  foreach(candidate python3 /usr/bin/python3)
    # ESP-IDF's Python environment has another library of that name, which ESP-IDF alone can use.
    execute_process(COMMAND ${candidate} -c "import kconfiglib; kconfiglib.STRING" RESULT_VARIABLE status
                    OUTPUT_QUIET ERROR_QUIET)
    if(status EQUAL 0)
      set(otter_python ${candidate} CACHE INTERNAL "Python with kconfiglib")
      return()
    endif()
  endforeach()
  otter_stop("Python's kconfiglib is missing, which reads Kconfig files; on Debian: apt install python3-kconfiglib")
endfunction()

# The chip that the project says it is for, in its sdkconfig, its defaults or what the component manager keeps; "".
function(otter_chip_of_project out)
  set(${out} "" PARENT_SCOPE)
  foreach(file sdkconfig ${ARGN} dependencies.lock)
    cmake_path(ABSOLUTE_PATH file BASE_DIRECTORY ${CMAKE_SOURCE_DIR})
    if(EXISTS ${file})
      file(STRINGS ${file} line REGEX "^(CONFIG_IDF_TARGET=\"|target: )[a-z0-9]+" LIMIT_COUNT 1)
      if(line MATCHES "(\"|: )([a-z0-9]+)")
        set(${out} ${CMAKE_MATCH_2} PARENT_SCOPE)
        return()
      endif()
    endif()
  endforeach()
endfunction()

# What SDKCONFIG_DEFAULTS lists, relative to the project; each with its variants for the project's chip and for this target.
function(otter_defaults_files out)
  set(listed "${SDKCONFIG_DEFAULTS}")
  if(NOT listed AND DEFINED ENV{SDKCONFIG_DEFAULTS})
    set(listed "$ENV{SDKCONFIG_DEFAULTS}")
  endif()
  set(found "")
  if(NOT listed AND EXISTS ${CMAKE_SOURCE_DIR}/sdkconfig.defaults)
    set(listed sdkconfig.defaults)
  endif()
  otter_chip_of_project(chip ${listed})
  set(targets ${chip} ${IDF_TARGET}) # flash size and table are often told for the chip only
  list(REMOVE_DUPLICATES targets)
  foreach(file IN LISTS listed)
    cmake_path(ABSOLUTE_PATH file BASE_DIRECTORY ${CMAKE_SOURCE_DIR} NORMALIZE)
    if(NOT EXISTS ${file})
      otter_stop("SDKCONFIG_DEFAULTS names ${file}, which is not there: correct the name")
    endif()
    list(APPEND found ${file})
    foreach(target IN LISTS targets)
      if(EXISTS ${file}.${target})
        list(APPEND found ${file}.${target})
      endif()
    endforeach()
  endforeach()
  set(${out} "${found}" PARENT_SCOPE)
endfunction()

# PlatformIO keeps an sdkconfig for each of its environments: that of the one that is built, or the only one.
function(otter_platformio_sdkconfig out)
  execute_process(COMMAND ${otter_python} -B ${otter_idf}/tools/platformio.py ${CMAKE_SOURCE_DIR} OUTPUT_VARIABLE environment
                  RESULT_VARIABLE status ERROR_VARIABLE why OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_STRIP_TRAILING_WHITESPACE)
  if(status)
    otter_stop("${why}")
  endif()
  file(GLOB of_boards ${CMAKE_SOURCE_DIR}/sdkconfig.*)
  list(FILTER of_boards EXCLUDE REGEX "sdkconfig\\.(defaults|ci|old|rename)|\\.old$")
  list(LENGTH of_boards count)
  if(EXISTS ${CMAKE_SOURCE_DIR}/sdkconfig.${environment})
    set(${out} ${CMAKE_SOURCE_DIR}/sdkconfig.${environment} PARENT_SCOPE)
  elseif(count EQUAL 1)
    set(${out} ${of_boards} PARENT_SCOPE)
  endif()
endfunction()

function(otter_prepare)
  if(NOT otter_python)
    otter_find_python()
  endif()
  otter_defaults_files(defaults)
  set(sdkconfig ${CMAKE_SOURCE_DIR}/sdkconfig)
  if(PIO_ENV)
    set(ENV{PIO_ENV} ${PIO_ENV}) # the environment of platformio.ini that is built, for prepare.py, too
  endif()
  if(EXISTS ${CMAKE_SOURCE_DIR}/platformio.ini AND NOT EXISTS ${sdkconfig})
    otter_platformio_sdkconfig(sdkconfig)
  endif()
  if(SDKCONFIG)
    cmake_path(ABSOLUTE_PATH SDKCONFIG BASE_DIRECTORY ${CMAKE_SOURCE_DIR} NORMALIZE OUTPUT_VARIABLE sdkconfig)
  endif()
  set(arguments "")
  if(EXISTS ${sdkconfig} AND NOT OTTER_IGNORE_SDKCONFIG)
    list(APPEND arguments --sdkconfig ${sdkconfig})
  endif()
  set(components ${COMPONENTS})
  spaces2list(components)
  foreach(pair "--extra;EXTRA_COMPONENT_DIRS" "--component;components" "--defaults;defaults")
    list(GET pair 0 option)
    list(GET pair 1 list)
    foreach(value IN LISTS ${list})
      list(APPEND arguments ${option} ${value})
    endforeach()
  endforeach()
  idf_build_get_property(minimal MINIMAL_BUILD)
  if(minimal)
    list(APPEND arguments --minimal)
  endif()
  if(OTTER_LIST_MISSING)
    list(APPEND arguments --go-on)
  endif()
  execute_process(COMMAND ${otter_python} -B ${otter_idf}/tools/prepare.py --idf ${otter_idf} --project ${CMAKE_SOURCE_DIR}
                          --build ${CMAKE_BINARY_DIR} --cmake ${CMAKE_COMMAND} --target ${IDF_TARGET}
                          --idf-version $ENV{IDF_VERSION} ${arguments}
                  RESULT_VARIABLE status ERROR_VARIABLE why ERROR_STRIP_TRAILING_WHITESPACE)
  if(status)
    otter_stop("${why}")
  endif()
endfunction()

# How the project's own files are compiled: as ESP-IDF does, less what would stop foreign code on a 64-bit machine.
function(otter_project_flags)
  add_library(otter_project_flags INTERFACE)
  target_link_libraries(otter_project_flags INTERFACE otter::on_linux) # comes behind each component that is linked
  set(level -Og)
  if(CONFIG_COMPILER_OPTIMIZATION_SIZE)
    set(level -Os)
  elseif(CONFIG_COMPILER_OPTIMIZATION_PERF)
    set(level -O2)
  elseif(CONFIG_COMPILER_OPTIMIZATION_NONE)
    set(level -O0)
  endif()
  get_target_property(includes otter::base INTERFACE_INCLUDE_DIRECTORIES)
  list(TRANSFORM includes APPEND /freertos OUTPUT_VARIABLE freertos) # ESP-IDF has that as a path of its own, too
  target_include_directories(otter_project_flags INTERFACE ${CMAKE_BINARY_DIR}/config ${includes} ${freertos}
                             ${otter_dir_newlib}/include) # what all components see
  target_compile_definitions(otter_project_flags INTERFACE ESP_PLATFORM IDF_VER="v5.5" _GNU_SOURCE OTTER_RTC_MEMORY
                             OTTER_SDKCONFIG="${CMAKE_BINARY_DIR}/config/sdkconfig.h"
                             $<$<BOOL:${CONFIG_COMPILER_OPTIMIZATION_ASSERTIONS_DISABLE}>:NDEBUG>)
  target_compile_options(otter_project_flags INTERFACE ${level} -g -ffunction-sections -fdata-sections
    -fmacro-prefix-map=${CMAKE_SOURCE_DIR}=. -fmacro-prefix-map=${otter_idf}=/IDF # the image is the same wherever it is built
    $<$<COMPILE_LANGUAGE:C>:-std=gnu17> $<$<COMPILE_LANGUAGE:CXX>:-std=gnu++20>
    -Wno-format -Wno-unused -Wno-sign-compare -Wno-overflow -Wno-stringop-overflow -Wno-address-of-packed-member
    $<$<COMPILE_LANGUAGE:C>:-Wno-pointer-to-int-cast>
    $<$<COMPILE_LANGUAGE:C>:-fcommon> # variables that a header defines, as the compilers of ESP-IDF 4 have it
    $<$<COMPILE_LANGUAGE:CXX>:-fpermissive> # a pointer in an uint32_t, which is no error where both have 32 bits
    -Wno-int-to-pointer-cast -Wno-unused-result ${otter_instrument})
endfunction()

# --sanitize and --coverage of `otter build`.
function(otter_instrument)
  set(flags "")
  if(OTTER_PROJECT_SANITIZE)
    list(APPEND flags -fsanitize=${OTTER_PROJECT_SANITIZE} -fno-omit-frame-pointer)
  endif()
  file(REMOVE ${CMAKE_BINARY_DIR}/config/coverage)
  if(OTTER_PROJECT_COVERAGE)
    list(APPEND flags --coverage)
    file(TOUCH ${CMAKE_BINARY_DIR}/config/coverage) # `otter run` of this folder tells what is covered
  endif()
  set(otter_instrument "${flags}" PARENT_SCOPE)
endfunction()

# CONFIG_MBEDTLS_CUSTOM_CERTIFICATE_BUNDLE_PATH, a file or a folder of them, as one text.
function(otter_certificates out)
  set(${out} "" PARENT_SCOPE)
  if(NOT CONFIG_MBEDTLS_CUSTOM_CERTIFICATE_BUNDLE)
    return()
  endif()
  set(path ${CONFIG_MBEDTLS_CUSTOM_CERTIFICATE_BUNDLE_PATH})
  cmake_path(ABSOLUTE_PATH path BASE_DIRECTORY ${CMAKE_SOURCE_DIR} NORMALIZE)
  if(IS_DIRECTORY ${path})
    file(GLOB files ${path}/*.pem ${path}/*.crt)
  elseif(EXISTS ${path})
    set(files ${path})
  else()
    otter_stop("CONFIG_MBEDTLS_CUSTOM_CERTIFICATE_BUNDLE_PATH names ${path}, which is not there: put it there, or "
               "correct the option")
  endif()
  set(all "")
  foreach(file IN LISTS files)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    file(READ ${file} text)
    string(APPEND all "${text}\n")
  endforeach()
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/config/certificates.pem CONTENT "${all}" @ONLY)
  set(${out} CERTIFICATES ${CMAKE_BINARY_DIR}/config/certificates.pem PARENT_SCOPE)
endfunction()

# An option that names a file of the project's. The way out, where it is not there, is in `otherwise`.
function(otter_named_file out option otherwise)
  set(path "${${option}}")
  if("${path}" STREQUAL "")
    otter_stop("${option} is empty: name the file, ${otherwise}")
  endif()
  cmake_path(ABSOLUTE_PATH path BASE_DIRECTORY ${CMAKE_SOURCE_DIR} NORMALIZE)
  if(NOT EXISTS ${path})
    otter_stop("${option} names ${path}, which is not there: put it there, ${otherwise}")
  endif()
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${path})
  set(${out} ${path} PARENT_SCOPE)
endfunction()

# The key of CONFIG_SECURE_BOOT_SIGNING_KEY.
function(otter_signing_key out)
  otter_named_file(key CONFIG_SECURE_BOOT_SIGNING_KEY
                   "or make one with `otter key new`, or sign elsewhere (CONFIG_SECURE_BOOT_BUILD_SIGNED_BINARIES=n)")
  set(${out} ${key} PARENT_SCOPE)
endfunction()

# What a command says of the key of CONFIG_SECURE_BOOT_SIGNING_KEY; where it cannot use it, nothing goes on.
function(otter_try_key out)
  execute_process(COMMAND ${otter_command} ${ARGN} OUTPUT_VARIABLE told RESULT_VARIABLE status
                  ERROR_VARIABLE why ERROR_STRIP_TRAILING_WHITESPACE)
  if(status)
    string(REGEX REPLACE "^otter [a-z ]+: " "" why "${why}")
    otter_stop("CONFIG_SECURE_BOOT_SIGNING_KEY: ${why}")
  endif()
  set(${out} "${told}" PARENT_SCOPE)
endfunction()

# Signs some bytes, to see that the key can.
function(otter_check_private key bytes)
  otter_try_key(told image sign --data ${bytes} --key ${key} --quiet -o ${CMAKE_BINARY_DIR}/config/signed)
  file(REMOVE ${CMAKE_BINARY_DIR}/config/signed)
endfunction()

# A key that signs what the app will not take is told now, and not by an app that aborts at its start; so is one that cannot sign.
function(otter_check_key key)
  otter_try_key(told key public ${key} -o ${CMAKE_BINARY_DIR}/config/signing_key.pub.pem)
  set(wanted RSA-3072)
  foreach(bits 192 256 384)
    if(CONFIG_SECURE_BOOT_ECDSA_KEY_LEN_${bits}_BITS)
      set(wanted "ECDSA P-${bits}")
    endif()
  endforeach()
  if(NOT told MATCHES ", a key for ([-A-Z0-9 ]+)" OR NOT CMAKE_MATCH_1 STREQUAL wanted)
    otter_stop("CONFIG_SECURE_BOOT_SIGNING_KEY: ${key} is a key for ${CMAKE_MATCH_1}, and the options want ${wanted}: "
               "CONFIG_SECURE_SIGNED_APPS_RSA_SCHEME, or _ECDSA_V2_SCHEME with CONFIG_SECURE_BOOT_ECDSA_KEY_LEN_192_BITS, "
               "_256_BITS or _384_BITS, says another")
  endif()
  otter_check_private(${key} ${CMAKE_BINARY_DIR}/config/signing_key.pub.pem)
endfunction()

# What the image is signed with, and by what the app knows an update's signature in the first scheme, whose key no image carries.
function(otter_signing out)
  set(arguments "")
  set(v1 ${CONFIG_SECURE_SIGNED_APPS_ECDSA_SCHEME})
  set(public ${CMAKE_BINARY_DIR}/config/signature_verification_key.bin)
  file(REMOVE ${public})
  if(CONFIG_SECURE_BOOT_BUILD_SIGNED_BINARIES)
    otter_signing_key(key)
    list(APPEND arguments SIGNING_KEY ${key})
    if(v1)
      otter_try_key(told key public ${key} --v1 -o ${public})
      otter_check_private(${key} ${public})
      list(APPEND arguments V1 VERIFICATION_KEY ${public})
    else()
      otter_check_key(${key})
    endif()
  elseif(v1 AND CONFIG_SECURE_SIGNED_APPS)
    otter_named_file(key CONFIG_SECURE_BOOT_VERIFICATION_KEY
                     "`otter key public KEY --v1 -o FILE` makes it from the key that signs")
    file(SIZE ${key} size)
    if(NOT size EQUAL 64)
      otter_stop("CONFIG_SECURE_BOOT_VERIFICATION_KEY: ${key} has ${size} bytes, and a public key of the first scheme has 64: "
                 "`otter key public KEY --v1 -o FILE` makes it")
    endif()
    file(COPY_FILE ${key} ${public})
    list(APPEND arguments VERIFICATION_KEY ${public})
  endif()
  set(${out} ${arguments} PARENT_SCOPE)
endfunction()

# What a project asks for and no virtual device has.
function(otter_refuse_options)
  if(CONFIG_NVS_SEC_KEY_PROTECT_USING_HMAC)
    otter_stop("CONFIG_NVS_SEC_KEY_PROTECT_USING_HMAC: the virtual device has no HMAC peripheral for the keys of NVS; in "
               "sdkconfig.defaults.linux: CONFIG_NVS_SEC_KEY_PROTECT_USING_FLASH_ENC=y, with a partition of subtype nvs_keys, "
               "or CONFIG_NVS_ENCRYPTION=n")
  endif()
endfunction()

# The program of all components, and its image.
function(otter_project_firmware name)
  idf_build_get_property(libraries otter_libraries)
  idf_build_get_property(version PROJECT_VER)
  otter_certificates(certificates)
  otter_signing(signing)
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/config/project_elf_src.c @ONLY CONTENT [[
/* The program consists of the components' libraries. What a sanitizer reports is a crash; an application of a chip never ends,
   so nothing of it is a leak. */
const char *__asan_default_options(void), *__tsan_default_options(void), *__ubsan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}
const char *__tsan_default_options(void)
{
    return "halt_on_error=1";
}
const char *__ubsan_default_options(void)
{
    return "halt_on_error=1:print_stacktrace=1";
}
]])
  set(symbols "")
  if(OTTER_PROJECT_SANITIZE)
    set(symbols SYMBOL_LINK ${otter_python} -B ${otter_idf}/tools/symbol_link.py)
  endif()
  string(SUBSTRING "${name}" 0 31 name_in_image) # as ESP-IDF cuts them: an image has room for so much
  string(SUBSTRING "${version}" 0 31 version_in_image)
  otter_firmware(${name}.elf PROJECT ${name_in_image} VERSION ${version_in_image} SDKCONFIG ${CMAKE_BINARY_DIR}/sdkconfig
                 IMAGE ${CMAKE_BINARY_DIR}/${name}.bin ${certificates} ${signing} ${symbols}
                 SOURCES ${CMAKE_BINARY_DIR}/config/project_elf_src.c)
  foreach(library IN LISTS libraries)
    string(REGEX REPLACE "^__idf_" "" component ${library})
    idf_component_get_property(whole ${component} WHOLE_ARCHIVE)
    if(whole)
      target_link_options(${name}.elf PRIVATE LINKER:--whole-archive $<TARGET_FILE:${library}> LINKER:--no-whole-archive)
      add_dependencies(${name}.elf ${library})
    endif()
  endforeach()
  list(TRANSFORM libraries REPLACE "(.+)" "$<TARGET_FILE:\\1>" OUTPUT_VARIABLE files)
  target_link_options(${name}.elf PRIVATE LINKER:-u,app_main ${otter_instrument}
                      $<$<BOOL:${OTTER_PROJECT_COVERAGE}>:LINKER:-u,__gcov_dump>) # a restart counts, too
  target_compile_options(${name}.elf PRIVATE ${otter_instrument})
  # In a group, for a component may use what it does not say that it requires; then as targets, with what each of them links.
  # Mathematics is a library of its own on this machine, and a part of newlib.
  target_link_libraries(${name}.elf PRIVATE -Wl,--start-group ${files} -Wl,--end-group ${libraries} m)
  add_custom_command(OUTPUT config/size_checked
    COMMAND ${otter_python} -B ${otter_idf}/tools/check_size.py ${CMAKE_BINARY_DIR}/config/table.json ${name}.bin
    COMMAND ${CMAKE_COMMAND} -E touch config/size_checked
    DEPENDS ${CMAKE_BINARY_DIR}/${name}.bin ${CMAKE_BINARY_DIR}/config/table.json VERBATIM COMMENT "Size of ${name}.bin")
  add_custom_target(check_size ALL DEPENDS config/size_checked)
  idf_build_set_property(EXECUTABLE ${name}.elf)
  idf_build_set_property(EXECUTABLE_NAME ${name})
  idf_build_set_property(EXECUTABLE_DIR ${CMAKE_BINARY_DIR})
endfunction()

# CMake wants to see a call of project() in the project's own file; the one that it knows is _project() from here on.
macro(project project_name)
  if(NOT "${project_name}" MATCHES "^[A-Za-z0-9_.+-]+$")
    otter_stop("${CMAKE_SOURCE_DIR}/CMakeLists.txt: project(\"${project_name}\"): CMake takes letters, digits, _ . + and - in "
               "the name of a program")
  endif()
  otter_prepare()
  include(${CMAKE_BINARY_DIR}/config/components.cmake)
  include(${CMAKE_BINARY_DIR}/config/sdkconfig.cmake)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${otter_watched})
  set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
  _project(${project_name} LANGUAGES ${otter_languages})
  string(APPEND CMAKE_C_COMPILE_OBJECT " -Wno-error") # behind all that the project asks for
  string(APPEND CMAKE_CXX_COMPILE_OBJECT " -Wno-error")
  find_package(otter CONFIG REQUIRED NO_DEFAULT_PATH PATHS ${otter_idf}/.. ${otter_idf}/../../..)
  get_target_property(otter_command otter::otter LOCATION)

  set(project_dir ${CMAKE_SOURCE_DIR})
  set(build_dir ${CMAKE_BINARY_DIR})
  set(project_elf ${project_name}.elf)
  set(python ${otter_python})
  set(PYTHON ${otter_python})
  otter_project_version(PROJECT_VER)
  idf_build_set_property(PROJECT_NAME ${project_name})
  idf_build_set_property(PROJECT_VER "${PROJECT_VER}")
  idf_build_set_property(PYTHON ${otter_python})
  idf_build_set_property(SDKCONFIG ${CMAKE_BINARY_DIR}/sdkconfig)
  idf_build_set_property(SDKCONFIG_HEADER ${CMAKE_BINARY_DIR}/config/sdkconfig.h)
  idf_build_set_property(SDKCONFIG_JSON ${CMAKE_BINARY_DIR}/config/sdkconfig.json)
  idf_build_set_property(SDKCONFIG_CMAKE ${CMAKE_BINARY_DIR}/config/sdkconfig.cmake)
  idf_build_set_property(CONFIG_DIR ${CMAKE_BINARY_DIR}/config)
  idf_build_set_property(BUILD_COMPONENTS "${otter_components}")

  otter_refuse_options()
  otter_bootloader()
  otter_instrument()
  otter_project_flags()
  foreach(target app flash partition_table)
    add_custom_target(${target})
  endforeach()
  foreach(otter_component IN LISTS otter_components)
    idf_component_set_property(${otter_component} COMPONENT_NAME ${otter_component})
    idf_component_set_property(${otter_component} COMPONENT_DIR ${otter_dir_${otter_component}})
    if(EXISTS ${otter_dir_${otter_component}}/project_include.cmake)
      set(COMPONENT_NAME ${otter_component})
      set(COMPONENT_DIR ${otter_dir_${otter_component}})
      set(COMPONENT_PATH ${COMPONENT_DIR})
      include(${COMPONENT_DIR}/project_include.cmake)
    endif()
  endforeach()
  otter_table_json(otter_table)
  foreach(otter_component IN LISTS otter_components)
    set(COMPONENT_NAME ${otter_component})
    set(COMPONENT_DIR ${otter_dir_${otter_component}})
    set(COMPONENT_PATH ${COMPONENT_DIR})
    add_subdirectory(${COMPONENT_DIR} ${CMAKE_BINARY_DIR}/esp-idf/${COMPONENT_NAME})
  endforeach()
  otter_platformio_data(${otter_pio_data})
  otter_project_firmware(${project_name})
  cmake_language(DEFER CALL otter_write_flash_set)
endmacro()
