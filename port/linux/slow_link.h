/* A transport that lets the bytes of another one through as a slow link would: rate, delay, loss, a window. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "otter/fault.h"
#include "otter/promise.h"
#include "otter/run_protocol.h"
#include "otter/transport.h"

/* The model is that of linux/link_model.h, by the clock of the system seam. */

#define SLOW_LINK_WINDOW 5760u /* bytes: lwIP's own, CONFIG_LWIP_TCP_WND_DEFAULT of ESP-IDF */

/**
 * "1M,20ms,0": bits a second (k, M, G), delay one way (us, ms, s), lost segments (1%, 0), and if it is another one a window
 * ("1M,20ms,1%,16384"). @param wrong  which of them is wrong, and what it should be; OTTER_WHY_MAX bytes
 */
OTTER_MUST_CHECK bool slow_link_parse(const char *text, otter_run_link_t *link, char *wrong);

#define SLOW_LINK_TEXT_SIZE 96u

/** As OTTER_RUN_ENV_LINK has it. */
void slow_link_encode(const otter_run_link_t *link, char text[SLOW_LINK_TEXT_SIZE]);

/** Takes over `lower`, also when it fails. @return NULL when out of memory */
OTTER_MUST_CHECK otter_transport_t *slow_link_new(otter_transport_t *lower, const otter_run_link_t *link);
