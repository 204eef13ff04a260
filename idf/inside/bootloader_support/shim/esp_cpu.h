/* What the image verifier asks of the processor. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

static inline bool esp_cpu_dbgr_is_attached(void)
{
    return false;
}

static inline void *esp_cpu_get_sp(void)
{
    return __builtin_frame_address(0);
}
