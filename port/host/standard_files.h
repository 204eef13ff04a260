/* Standard input, output and error of a program: there when it begins, and all written when it ends. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "otter/promise.h"

/**
 * To be called first. A descriptor that the program was started without is taken: else the next file that is opened would
 * become standard output, and a log would go into it. @return false if that cannot be done
 */
OTTER_MUST_CHECK bool standard_files_hold(void);

/** To be called last. @return NULL if all that was printed was written, else the cause */
const char *standard_output_end(void);
