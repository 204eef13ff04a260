/* Unity's names for the tests of an application. One assertion that fails ends its test; the others go on. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <math.h>

#include "esp_err.h"
#include "sdkconfig.h"
#include "unity_assertions.h"
#include "unity_internals.h"
#include "unity_test_runner.h"

#define UNITY_BEGIN()      UnityBegin(__FILE__)
#define UNITY_END()        UnityEnd()
#define RUN_TEST(function) UnityDefaultTestRun(function, #function, __LINE__)
#define TEST_PROTECT()     (setjmp(Unity.AbortFrame) == 0)
#define TEST_ABORT()       longjmp(Unity.AbortFrame, 1)
#define UNITY_PRINT_EOL()  UnityPrint("\n")

#define TEST_FAIL_MESSAGE(message)   UnityFail(message, __LINE__)
#define TEST_FAIL()                  UnityFail(NULL, __LINE__)
#define TEST_IGNORE_MESSAGE(message) UnityIgnore(message, __LINE__)
#define TEST_IGNORE()                UnityIgnore(NULL, __LINE__)
#define TEST_MESSAGE(message)        UnityMessage(message, __LINE__)
#define TEST_PASS()                  unity_pass()
#define TEST_PASS_MESSAGE(message)   (UnityMessage(message, __LINE__), unity_pass())

/* ---- what is true ---- */

#define TEST_ASSERT_MESSAGE(condition, message)                                                              \
    unity_assert_true(!!(condition), " Expression Evaluated To FALSE", message, __LINE__)
#define TEST_ASSERT_TRUE_MESSAGE(condition, message)                                                         \
    unity_assert_true(!!(condition), " Expected TRUE Was FALSE", message, __LINE__)
#define TEST_ASSERT_FALSE_MESSAGE(condition, message)                                                        \
    unity_assert_true(!(condition), " Expected FALSE Was TRUE", message, __LINE__)
#define TEST_ASSERT_NULL_MESSAGE(pointer, message)                                                           \
    unity_assert_true((pointer) == NULL, " Expected NULL", message, __LINE__)
#define TEST_ASSERT_NOT_NULL_MESSAGE(pointer, message)                                                       \
    unity_assert_true((pointer) != NULL, " Expected Non-NULL", message, __LINE__)
#define TEST_ASSERT_EMPTY_MESSAGE(text, message)                                                             \
    unity_assert_true(*(text) == 0, " Expected Empty", message, __LINE__)
#define TEST_ASSERT_NOT_EMPTY_MESSAGE(text, message)                                                         \
    unity_assert_true(*(text) != 0, " Expected Non-Empty", message, __LINE__)
#define TEST_ASSERT_UNLESS_MESSAGE    TEST_ASSERT_FALSE_MESSAGE
#define TEST_ASSERT(condition)        TEST_ASSERT_MESSAGE(condition, NULL)
#define TEST_ASSERT_TRUE(condition)   TEST_ASSERT_TRUE_MESSAGE(condition, NULL)
#define TEST_ASSERT_FALSE(condition)  TEST_ASSERT_FALSE_MESSAGE(condition, NULL)
#define TEST_ASSERT_UNLESS(condition) TEST_ASSERT_FALSE_MESSAGE(condition, NULL)
#define TEST_ASSERT_NULL(pointer)     TEST_ASSERT_NULL_MESSAGE(pointer, NULL)
#define TEST_ASSERT_NOT_NULL(pointer) TEST_ASSERT_NOT_NULL_MESSAGE(pointer, NULL)
#define TEST_ASSERT_EMPTY(text)       TEST_ASSERT_EMPTY_MESSAGE(text, NULL)
#define TEST_ASSERT_NOT_EMPTY(text)   TEST_ASSERT_NOT_EMPTY_MESSAGE(text, NULL)

/* ---- numbers: those with a type are in unity_assertions.h ---- */

#define TEST_ASSERT_EQUAL                    TEST_ASSERT_EQUAL_INT64
#define TEST_ASSERT_EQUAL_MESSAGE            TEST_ASSERT_EQUAL_INT64_MESSAGE
#define TEST_ASSERT_NOT_EQUAL                TEST_ASSERT_NOT_EQUAL_INT64
#define TEST_ASSERT_NOT_EQUAL_MESSAGE        TEST_ASSERT_NOT_EQUAL_INT64_MESSAGE
#define TEST_ASSERT_GREATER_THAN             TEST_ASSERT_GREATER_THAN_INT64
#define TEST_ASSERT_GREATER_THAN_MESSAGE     TEST_ASSERT_GREATER_THAN_INT64_MESSAGE
#define TEST_ASSERT_LESS_THAN                TEST_ASSERT_LESS_THAN_INT64
#define TEST_ASSERT_LESS_THAN_MESSAGE        TEST_ASSERT_LESS_THAN_INT64_MESSAGE
#define TEST_ASSERT_GREATER_OR_EQUAL         TEST_ASSERT_GREATER_OR_EQUAL_INT64
#define TEST_ASSERT_GREATER_OR_EQUAL_MESSAGE TEST_ASSERT_GREATER_OR_EQUAL_INT64_MESSAGE
#define TEST_ASSERT_LESS_OR_EQUAL            TEST_ASSERT_LESS_OR_EQUAL_INT64
#define TEST_ASSERT_LESS_OR_EQUAL_MESSAGE    TEST_ASSERT_LESS_OR_EQUAL_INT64_MESSAGE
#define TEST_ASSERT_BITS(mask, expected, actual)                                                             \
    unity_assert_bits((int64_t)(mask), (int64_t)(expected), (int64_t)(actual), NULL, __LINE__)
#define TEST_ASSERT_BITS_HIGH(mask, actual) TEST_ASSERT_BITS(mask, -1, actual)
#define TEST_ASSERT_BITS_LOW(mask, actual)  TEST_ASSERT_BITS(mask, 0, actual)
#define TEST_ASSERT_BIT_HIGH(bit, actual)   TEST_ASSERT_BITS(UINT64_C(1) << (bit), -1, actual)
#define TEST_ASSERT_BIT_LOW(bit, actual)    TEST_ASSERT_BITS(UINT64_C(1) << (bit), 0, actual)
#define TEST_ASSERT_FLOAT_IS_NAN(actual)    unity_assert_true(isnan(actual), " Expected NaN", NULL, __LINE__)
#define TEST_ASSERT_DOUBLE_IS_NAN(actual)   TEST_ASSERT_FLOAT_IS_NAN(actual)
#define TEST_ASSERT_FLOAT_IS_INF(actual)                                                                     \
    unity_assert_true(isinf(actual), " Expected Infinity", NULL, __LINE__)
#define TEST_ASSERT_DOUBLE_IS_INF(actual) TEST_ASSERT_FLOAT_IS_INF(actual)
#define TEST_ESP_OK(rc)                   TEST_ASSERT_EQUAL_HEX32(ESP_OK, rc)
#define TEST_ESP_ERR(err, rc)             TEST_ASSERT_EQUAL_HEX32(err, rc)

/* ---- texts and bytes ---- */

#define TEST_ASSERT_EQUAL_STRING_MESSAGE(expected, actual, message)                                          \
    unity_assert_string(expected, actual, SIZE_MAX, message, __LINE__)
#define TEST_ASSERT_EQUAL_STRING_LEN_MESSAGE(expected, actual, len, message)                                 \
    unity_assert_string(expected, actual, len, message, __LINE__)
#define TEST_ASSERT_EQUAL_MEMORY_MESSAGE(expected, actual, len, message)                                     \
    unity_assert_memory(expected, actual, len, message, __LINE__)
#define TEST_ASSERT_EQUAL_STRING(expected, actual) TEST_ASSERT_EQUAL_STRING_MESSAGE(expected, actual, NULL)
#define TEST_ASSERT_EQUAL_STRING_LEN(expected, actual, len)                                                  \
    TEST_ASSERT_EQUAL_STRING_LEN_MESSAGE(expected, actual, len, NULL)
#define TEST_ASSERT_EQUAL_MEMORY(expected, actual, len)                                                      \
    TEST_ASSERT_EQUAL_MEMORY_MESSAGE(expected, actual, len, NULL)
