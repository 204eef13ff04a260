/* OTTER_LONG, which `./dev test --long` sets: do the tests that have a long version run that one? */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

/** True unless it is unset, empty, "0" or "no". */
bool long_run_wanted(void);

/** True in CI and in a long run: what only repeats, with other numbers, what a day's work has seen already is left to these. */
bool full_run_wanted(void);
