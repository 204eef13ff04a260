/* lwip's own task: what it would do is done by whoever calls, one after the other. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "lwip/err.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef void (*tcpip_callback_fn)(void *ctx);

/** May be taken again by who has it. */
void otter_lwip_lock(void);
void otter_lwip_unlock(void);
#define LOCK_TCPIP_CORE()   otter_lwip_lock()
#define UNLOCK_TCPIP_CORE() otter_lwip_unlock()

/** Calls function(ctx), and returns behind it. @return ERR_OK; ERR_ARG: NULL */
err_t tcpip_callback(tcpip_callback_fn function, void *ctx);
#define tcpip_try_callback                       tcpip_callback
#define tcpip_callback_with_block(f, ctx, block) tcpip_callback(f, ctx)

#ifdef __cplusplus
}
#endif
