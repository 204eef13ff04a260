/* A transport that lets the bytes of another one through as a slow link would: rate, delay, loss, a window. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "otter/fault.h"
#include "otter/promise.h"
#include "otter/run_protocol.h"
#include "otter/transport.h"

/*
 * The model, by the clock of the system seam:
 *
 * - Connecting takes one round trip, two delays, beside what it takes itself.
 * - The peer has had what was written to it when it would have come over the line: after its bits, at the rate, and one delay.
 * - The peer then sends as fast as the rate allows, and no more than `window` bytes ahead of what the program has read. What the
 *   program reads reaches it one delay later. Each byte comes one delay after it was sent. What the real peer sends later comes
 *   later: it is never faster than it is.
 * - Of the segments that come (1440 bytes) each is lost by itself with the probability `loss`, by a generator with a fixed seed:
 *   the same bytes lose the same segments in each run. A lost one, with all behind it, comes 200 ms and a round trip later: what
 *   TCP needs to miss it, with a window of few segments, and to have it sent again. What the device sends is not lost.
 *
 * No byte is changed, and none goes missing.
 */

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
