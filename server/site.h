/* Answers HTTPS requests with the files of a folder. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "tls_files.h"

typedef struct site site_t;

typedef struct {
    int folder;             /* descriptor of the folder; stays the caller's */
    const char *key_path;   /* the file that is never served, wherever it lies */
    const tls_files_t *tls; /* needed until site_stop() */
    int listener;           /* listening socket; the site's from here on, also when it cannot start */
    uint64_t rate;          /* bytes a second for each connection; 0: no limit */
    unsigned timeout_s;
    bool quiet; /* no access log on stdout */
} site_config_t;

/** Starts to serve, in threads of its own. @return NULL after saying why on stderr */
site_t *site_start(const site_config_t *config);

/** Cuts all connections, ends the threads and frees. NULL is fine. */
void site_stop(site_t *site);
