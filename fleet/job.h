/* One HTTP request over a socket that never waits: it is told when its socket is ready, and tells what came. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>

#include "otter/promise.h"

#define FLEET_JOB_BODY_MAX 65536u /* bytes of an answer that is kept */

typedef struct fleet_job fleet_job_t;

typedef enum {
    FLEET_JOB_GOES_ON,
    FLEET_JOB_DONE,   /* the answer is whole */
    FLEET_JOB_BROKEN, /* `why` says what happened; what came is there */
} fleet_job_state_t;

/** What is asked, and who hears of it. Texts are copied. */
typedef struct {
    const char *method, *url, *authorization, *type, *body; /* the last three: NULL: none */
    /** The head is there, before the first byte of a body. NULL: the body is kept. @return false: no more is wanted */
    bool (*on_head)(void *ctx, int status, int64_t length);
    bool (*on_body)(void *ctx, const uint8_t *bytes, size_t len);
    void *ctx;
} fleet_job_order_t;

/** @param tls  for https URLs; NULL: these are refused. @return NULL: out of memory, or the URL is none that can be asked */
OTTER_MUST_CHECK fleet_job_t *fleet_job_new(const fleet_job_order_t *order, SSL_CTX *tls);
void fleet_job_free(fleet_job_t *job);

/** Connects. Looks the host's name up, which may take its time, once for each host. @return false: see fleet_job_why() */
OTTER_MUST_CHECK bool fleet_job_start(fleet_job_t *job);

/** The socket, and what to wait for: POLLIN or POLLOUT. */
int fleet_job_socket(const fleet_job_t *job, short *events);

/** The socket is ready. Callbacks are made in it. */
fleet_job_state_t fleet_job_work(fleet_job_t *job);

int fleet_job_status(const fleet_job_t *job); /* 0: none yet */
const char *fleet_job_body(const fleet_job_t *job, size_t *len);
const char *fleet_job_why(const fleet_job_t *job);

/** Forgets the addresses of hosts. */
void fleet_job_forget_hosts(void);
