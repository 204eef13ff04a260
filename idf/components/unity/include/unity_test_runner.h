/* ESP-IDF's way to tests: TEST_CASE() registers one, and a menu on the console runs them. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef void (*test_func)(void);

typedef struct test_desc_t {
    const char *name;
    const char *desc; /* tags: "[wifi][slow]" */
    test_func *fn;
    const char *file;
    int line;
    uint8_t test_fn_count;
    const char **test_fn_name;
    struct test_desc_t *next;
} test_desc_t;

/** Tests stand in the order of their files and lines. */
void unity_testcase_register(test_desc_t *desc);

#define UNITY_EXPAND2_(a, b) a##b
#define UNITY_EXPAND_(a, b)  UNITY_EXPAND2_(a, b)
#define UNITY_UID_(what)     UNITY_EXPAND_(what, __LINE__)

/* Its source must be linked: idf_component_register(... WHOLE_ARCHIVE), as in ESP-IDF. */
#define TEST_CASE(name_, desc_)                                                                              \
    static void UNITY_UID_(test_func_)(void);                                                                \
    static void __attribute__((constructor)) UNITY_UID_(test_reg_)(void)                                     \
    {                                                                                                        \
        static test_func functions_[] = {UNITY_UID_(test_func_)};                                            \
        static test_desc_t test_ = {name_, desc_, functions_, __FILE__, __LINE__, 1, 0, 0};                  \
        unity_testcase_register(&test_);                                                                     \
    }                                                                                                        \
    static void UNITY_UID_(test_func_)(void)

#define UNITY_STAGES_(name_, desc_, ...)                                                                     \
    static void __attribute__((constructor)) UNITY_UID_(test_reg_)(void)                                     \
    {                                                                                                        \
        static test_func functions_[] = {__VA_ARGS__};                                                       \
        static test_desc_t test_ = {                                                                         \
            name_, desc_, functions_, __FILE__, __LINE__, sizeof(functions_) / sizeof(functions_[0]), 0, 0}; \
        unity_testcase_register(&test_);                                                                     \
    }
/** The menu asks for the number of a stage; a restart may come between two. */
#define TEST_CASE_MULTIPLE_STAGES(name_, desc_, ...) UNITY_STAGES_(name_, desc_ "[multi_stage]", __VA_ARGS__)
#define TEST_CASE_MULTIPLE_DEVICES(name_, desc_, ...)                                                        \
    UNITY_STAGES_(name_, desc_ "[multi_device]", __VA_ARGS__)

/** Between UNITY_BEGIN() and UNITY_END(). */
void unity_run_all_tests(void);
void unity_run_test_by_name(const char *name);
void unity_run_test_by_index(int test_index);
/** @param invert  those that do not have it */
void unity_run_tests_by_tag(const char *tag, bool invert);
/** Runs what each line of the console asks for: * all, [tag], ![tag], "name", a number, an empty line lists. Returns where
    the console has ended. */
void unity_run_menu(void);
int unity_get_test_count(void);
/** @return false: there is none */
bool unity_get_test_info(int test_index, test_desc_t *out_info);

#ifdef __cplusplus
}
#endif
