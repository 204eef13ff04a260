/* ESP-IDF's assertions that hold at compile time. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <assert.h>

#include "sdkconfig.h"

#define ESP_STATIC_ASSERT static_assert

/** For a condition that the compiler may not know: checked when the program runs. */
#define TRY_STATIC_ASSERT(CONDITION, MSG) assert((CONDITION) && #MSG)
