# The build folder keeps what the checkout of ESP-IDF that it was made with has set: is it still that one?
#   cmake -D MADE_WITH=FOLDER -P checkout.cmake     at each build; included where the build is configured
# SPDX-License-Identifier: Apache-2.0
function(otter_run_check_checkout made_with now)
    if(NOT made_with STREQUAL now)
        message(FATAL_ERROR "otter: this build folder was made with IDF_PATH=${made_with}, which is ${now} now: \
`idf.py fullclean` empties it, -B FOLDER builds in another")
    endif()
endfunction()

if(DEFINED MADE_WITH AND NOT "$ENV{IDF_PATH}" STREQUAL "")
    get_filename_component(now "$ENV{IDF_PATH}" REALPATH)
    otter_run_check_checkout(${MADE_WITH} ${now})
endif()
