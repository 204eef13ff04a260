/* The one-line error of `otter serve`. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "host/options.h"

/** Prints "otter serve: message" on stderr. @return EXIT_FAILED */
int say_failure(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** The same for wrong usage, with the hint to --help. @return EXIT_USAGE */
int say_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));
