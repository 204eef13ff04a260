/* Where otter's share of an ESP-IDF lies: idf/, beside the command that was built or installed. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <limits.h>
#include <stdbool.h>

#include "otter/promise.h"

/** @return false, and said in the name of `verb`: it is not where this very command is from */
OTTER_MUST_CHECK bool idf_path_find(const char *verb, char path[PATH_MAX]);
