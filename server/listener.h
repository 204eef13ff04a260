/* The listening socket. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "otter/promise.h"

typedef struct {
    int fd;
    uint16_t port; /* the real one, also when the system chose it */
} listener_t;

/**
 * @param address  an address or host name; NULL: all addresses, IPv6 and IPv4
 * @param port     0: the system chooses
 * @return false: said why on stderr
 */
OTTER_MUST_CHECK bool listener_open(const char *address, uint16_t port, listener_t *listener);
