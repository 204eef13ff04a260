/* Formatted text: whole, or visibly cut. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "otter/text.h"

static void what_does_not_fit_ends_in_dots(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } rows[] = {{"", ""}, {"1234567", "1234567"}, {"12345678", "1234..."}, {"1234567890", "1234..."}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char buf[8];
        text_format(buf, sizeof(buf), "%s", rows[i].text);
        assert_string_equal(buf, rows[i].want);
    }
}

static void a_whole_text_takes_the_room_it_needs(void **state)
{
    (void)state;
    char long_text[1001];
    memset(long_text, 'y', 1000);
    for (size_t len = 0; len <= 1000; len++) {
        long_text[len] = '\0';
        char small[16];
        size_t got = 0;
        char *text = text_format_whole(small, sizeof(small), &got, "%s", long_text);
        assert_int_equal(got, len);
        assert_string_equal(text, long_text);
        assert_int_equal(text == small, len < sizeof(small));
        text_free(text, small);
        long_text[len] = 'y';
    }
}

static void a_copy_of_nothing_is_nothing(void **state)
{
    (void)state;
    assert_null(text_copy(NULL));
    char *copy = text_copy("a");
    assert_string_equal(copy, "a");
    free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_does_not_fit_ends_in_dots),
        cmocka_unit_test(a_whole_text_takes_the_room_it_needs),
        cmocka_unit_test(a_copy_of_nothing_is_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
