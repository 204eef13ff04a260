/* Failed trials, version by version. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "linux/trials.h"

static void failures_of_each_version_are_counted(void **state)
{
    (void)state;
    trials_t trials = {0};
    assert_int_equal(trials_note(&trials, "2.0.0", false), 1);
    assert_int_equal(trials_note(&trials, "2.0.1", false), 1);
    assert_int_equal(trials_note(&trials, "2.0.0", false), 2);
    assert_int_equal(trials_note(&trials, "2.0.1", true), 0);
    assert_int_equal(trials_note(&trials, "2.0.0", false), 3);
    assert_int_equal(trials_note(&trials, "2.0.1", false), 1);
}

static void a_confirmed_version_starts_anew(void **state)
{
    (void)state;
    trials_t trials = {0};
    assert_int_equal(trials_note(&trials, "2.0.0", false), 1);
    assert_int_equal(trials_note(&trials, "2.0.0", true), 0);
    assert_int_equal(trials_note(&trials, "2.0.0", false), 1);
}

static void of_many_versions_those_that_came_last_are_known(void **state)
{
    (void)state;
    trials_t trials = {0};
    char version[8];
    for (unsigned round = 1; round <= 2; round++) {
        for (unsigned i = 0; i < TRIALS_MAX; i++) {
            snprintf(version, sizeof(version), "%u", i);
            assert_int_equal(trials_note(&trials, version, false), round);
        }
    }
    assert_int_equal(trials_note(&trials, "one more", false), 1);
    assert_int_equal(trials_note(&trials, "0", false), 1); /* forgotten */
    assert_int_equal(trials_note(&trials, version, false), 3);
    assert_int_equal(trials_note(&trials, "", false), 1); /* a version like any other */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failures_of_each_version_are_counted),
        cmocka_unit_test(a_confirmed_version_starts_anew),
        cmocka_unit_test(of_many_versions_those_that_came_last_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
