/* Text as one word of a command line that people copy into a shell. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

/** Quoted where it must be; cut if it is too long. Returns buf. */
const char *shell_word(const char *text, char *buf, size_t size);
