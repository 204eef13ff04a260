/* ESP-IDF's macros about macros and unused values. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <assert.h>

#include "esp_assert.h"
#include "esp_compiler.h"

#ifndef ESP_UNUSED
#define ESP_UNUSED(x) ((void)(x))
#endif

#define ESP_INFINITE_LOOP()                                                                                  \
    do {                                                                                                     \
    } while (1)

/** MACRO_WITH_ARGS if there are further arguments, else MACRO_WITH_NO_ARGS. */
#define CHOOSE_MACRO_VA_ARG(MACRO_WITH_ARGS, MACRO_WITH_NO_ARGS, ...)                                        \
    CHOOSE_MACRO_VA_ARG_(0, ##__VA_ARGS__, MACRO_WITH_ARGS, MACRO_WITH_NO_ARGS, 0)
#define CHOOSE_MACRO_VA_ARG_(zero, one, chosen, ...) chosen
