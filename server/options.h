/* The command line of `otter serve`. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "host/options.h"
#include "otter/promise.h"

typedef struct {
    const char *folder, *cert, *key; /* paths as given */
    const char *bind;                /* NULL: all addresses */
    const char *port_file;           /* NULL: none */
    uint32_t port;                   /* 0: the system chooses */
    uint64_t rate;                   /* bytes a second for each connection; 0: no limit */
    uint32_t timeout_s; /* for a whole request, and for a client to take something of the answer */
    uint32_t max_s;     /* stop after this; 0: run until told */
    bool quiet;         /* no access log */
} options_t;

/** Reads the arguments. What is wrong has been told on stderr, --help has been answered on stdout. */
OTTER_MUST_CHECK options_verdict_t options_parse(int argc, char **argv, options_t *options);
