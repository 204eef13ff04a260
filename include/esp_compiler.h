/* ESP-IDF's words to the compiler: branch hints, warnings to ignore, initializers for C and C++. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sdkconfig.h"

#ifndef likely
#define likely(x) __builtin_expect(!!(x), 1)
#endif
#ifndef unlikely
#define unlikely(x) __builtin_expect(!!(x), 0)
#endif

/* The member of a union without a name: C++ before 20 wants it in braces of its own. */
#if defined(__cplusplus) && __cplusplus < 202002L
#define ESP_COMPILER_DESIGNATED_INIT_AGGREGATE_TYPE_STR(member, value) {.member = value},
#else
// NOLINTNEXTLINE(bugprone-macro-parentheses): it declares a name
#define ESP_COMPILER_DESIGNATED_INIT_AGGREGATE_TYPE_STR(member, value) .member = value,
#endif
#ifdef __cplusplus
#define ESP_COMPILER_DESIGNATED_INIT_AGGREGATE_TYPE_EMPTY(member) .member = {},
#else
#define ESP_COMPILER_DESIGNATED_INIT_AGGREGATE_TYPE_EMPTY(member)
#endif

#define ESP_COMPILER_PRAGMA_(text) _Pragma(#text)
#ifdef __clang__
#define ESP_COMPILER_DIAGNOSTIC_PUSH_IGNORE(warning)                                                         \
    ESP_COMPILER_PRAGMA_(clang diagnostic push)                                                              \
    ESP_COMPILER_PRAGMA_(clang diagnostic ignored "-Wunknown-warning-option")                                \
    ESP_COMPILER_PRAGMA_(clang diagnostic ignored warning)
#define ESP_COMPILER_DIAGNOSTIC_POP(warning) ESP_COMPILER_PRAGMA_(clang diagnostic pop)
#else
#define ESP_COMPILER_DIAGNOSTIC_PUSH_IGNORE(warning)                                                         \
    ESP_COMPILER_PRAGMA_(GCC diagnostic push)                                                                \
    ESP_COMPILER_PRAGMA_(GCC diagnostic ignored "-Wpragmas")                                                 \
    ESP_COMPILER_PRAGMA_(GCC diagnostic ignored warning)
#define ESP_COMPILER_DIAGNOSTIC_POP(warning) ESP_COMPILER_PRAGMA_(GCC diagnostic pop)
#endif

/** A check for analysers only. */
#define ESP_STATIC_ANALYZER_CHECK(expression, result)
