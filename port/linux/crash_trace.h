/* Where a firmware was when it crashed. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "esp_app_desc.h"

/* What `otter run` of a build folder tells of the program that is in flash there: the file with its symbols, and its digest. */
#define CRASH_TRACE_ENV_ELF    "OTTER_ELF"
#define CRASH_TRACE_ENV_DIGEST "OTTER_ELF_SHA256" /* 64 hex digits, as in the app descriptor */

/**
 * From here on a signal that ends the program tells its way there first, as "Backtrace: 0x1234 ..." with addresses of the
 * ELF file, and with names and lines where the file is the program that runs. Behind a sanitizer's report it comes, too.
 * Does nothing where no ELF file is named.
 * @param running  of the app that runs
 */
void crash_trace_begin(const esp_app_desc_t *running);

/** For each thread, at its begin: one that has used up its stack can tell of its crash, too. */
void crash_trace_thread(void);
