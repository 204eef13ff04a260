/* lwip's clock; its semaphores and mailboxes are of its own stack, which is not here. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "lwip/arch.h"
#include "lwip/err.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Milliseconds since the device began, at the resolution of a tick. */
u32_t sys_now(void);

#ifdef __cplusplus
}
#endif
