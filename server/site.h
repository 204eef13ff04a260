/* Answers HTTPS requests with the files of a folder. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "otter/promise.h"
#include "secrets.h"

typedef struct site site_t;

typedef struct {
    int folder;         /* descriptor of the folder; stays the caller's */
    secrets_t *secrets; /* judges each file; stays the caller's, needed until site_stop() */
    int listener;       /* listening socket; the site's from here on, also when it cannot start */
    uint64_t rate;      /* bytes a second for each connection; 0: no limit */
    unsigned timeout_s;
    bool quiet; /* no access log on stdout */
} site_config_t;

/**
 * Starts to serve, in threads of its own, with the certificate that handshake_use() set.
 * @return NULL after saying why on stderr
 */
OTTER_MUST_CHECK site_t *site_start(const site_config_t *config);

/** Cuts all connections, ends the threads and frees. NULL is fine. */
void site_stop(site_t *site);
