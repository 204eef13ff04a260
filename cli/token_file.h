/* A file with the token that a fleet's server knows a device, or a gateway, by. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "otter/promise.h"

/**
 * The value of the header Authorization. A file that others can read or change is refused.
 * @param gateway  it is a gateway's, of many devices
 * @return malloc'ed, the caller frees; NULL after saying why
 */
OTTER_MUST_CHECK char *token_file_load(const char *verb, const char *path, bool gateway);
