/* Name look-up that never waits longer than it may. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <netdb.h>
#include <stdint.h>

#include "otter/promise.h"

#define RESOLVE_TIMED_OUT INT32_MIN /* no EAI_* value */

/**
 * Addresses of `host` for a TCP connection.
 * @param family  AF_UNSPEC, AF_INET or AF_INET6
 * @param out     the caller's, for freeaddrinfo(); written on success only
 * @return 0, an EAI_* code for gai_strerror(), or RESOLVE_TIMED_OUT, also when Ctrl-C ended the wait (linux/interrupt.h)
 */
OTTER_MUST_CHECK int resolve_host(const char *host, uint16_t port, int family, int timeout_ms,
                                  struct addrinfo **out);
