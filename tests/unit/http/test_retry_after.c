/* What a server can say in Retry-After, and how long that is. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "http/retry_after.h"

#define NOTHING UINT32_C(4711) /* what is left alone where nothing is understood */
#define NOW     "Sun, 06 Nov 1994 08:49:37 GMT"

static void seconds_and_dates_are_understood(void **state)
{
    (void)state;
    static const struct {
        const char *field, *date;
        uint32_t want; /* NOTHING: refused */
    } rows[] = {
        {"0", NULL, 0},
        {"120", NULL, 120},
        {"007", NOW, 7},
        {"4294967294", NULL, 4294967294},
        {"4294967295", NULL, UINT32_MAX},
        {"99999999999999999999999999", NULL, UINT32_MAX},
        {"Sun, 06 Nov 1994 08:50:37 GMT", NOW, 60},
        {"Sunday, 06-Nov-94 08:50:37 GMT", NOW, 60},
        {"Sun Nov  6 08:50:37 1994", NOW, 60},
        {"Mon, 07 Nov 1994 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", 86400},
        {NOW, NOW, 0},
        {"Sat, 05 Nov 1994 08:49:37 GMT", NOW, 0}, /* it is over */
        {"Wed, 01 Mar 2000 00:00:00 GMT", "Mon, 28 Feb 2000 00:00:00 GMT", 2 * 86400},
        {"Mon, 01 Mar 2100 00:00:00 GMT", "Sun, 28 Feb 2100 00:00:00 GMT", 86400},
        {"Sat, 01 Jan 2000 00:00:00 GMT", "Fri, 31 Dec 1999 23:59:60 GMT", 0}, /* a leap second */
        {"Thursday, 01-Jan-70 00:00:10 GMT", "Thu, 01 Jan 1970 00:00:00 GMT", 10},
        {"Tuesday, 01-Jan-69 00:00:00 GMT", "Tue, 01 Jan 2069 00:00:00 GMT", 0},
        {"Fri, 31 Dec 9999 23:59:59 GMT", NOW, UINT32_MAX},
        {NULL, NOW, NOTHING},
        {"", NOW, NOTHING},
        {"-1", NOW, NOTHING},
        {"+1", NOW, NOTHING},
        {"1.5", NOW, NOTHING},
        {"1 ", NOW, NOTHING},
        {"soon", NOW, NOTHING},
        {NOW, NULL, NOTHING}, /* nobody knows what time it is */
        {NOW, "today", NOTHING},
        {"Sun, 06 Nov 1994 08:49:37", NOW, NOTHING},
        {"Sun, 06 Nov 1994 08:49:37 EST", NOW, NOTHING},
        {"Sun, 32 Nov 1994 08:49:37 GMT", NOW, NOTHING},
        {"Sun, 06 Nox 1994 08:49:37 GMT", NOW, NOTHING},
        {"Sun, 06 Nov 994 08:49:37 GMT", NOW, NOTHING},
        {"Sun, 06 Nov 1994 24:49:37 GMT", NOW, NOTHING},
        {"Sun, 06 Nov 1994 08:60:37 GMT", NOW, NOTHING},
        {"Sun, 06 Nov 1994 08:49 GMT", NOW, NOTHING},
        {"Sun, 06 Nov 1994 08:49:37 GMT GMT", NOW, NOTHING},
        {"Sun, 06 Nov 1994 08:49:37 GMT and so on and on", NOW, NOTHING},
        {" - , - ", NOW, NOTHING},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint32_t seconds = NOTHING;
        bool ok = retry_after_seconds(rows[i].field, rows[i].date, &seconds);
        if (ok != (rows[i].want != NOTHING) || seconds != rows[i].want) {
            fail_msg("%s after %s: %d, %u", rows[i].field, rows[i].date, ok, seconds);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seconds_and_dates_are_understood),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
