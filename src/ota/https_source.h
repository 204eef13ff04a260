/* An image as one stream of bytes, whatever requests, redirects, ranges and dropped connections it takes to get it. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_http_client.h"
#include "http/home.h"
#include "otter/fault.h"
#include "otter/promise.h"
#include "otter/report.h"

/** How much a bad link is put up with. */
typedef struct {
    int attempts; /* connections in a row that bring nothing new before the update is given up; 0: never reconnect */
    int delay_ms;    /* before the first of them; doubles each time up to 30 s, with jitter */
    int max_time_ms; /* of the whole download, from https_source_open on */
    bool first;      /* the first connection and its request are covered too */
} https_retry_t;

/** Is what was delivered, `pos` bytes, a whole image, to its very last byte? */
typedef bool (*https_whole_t)(void *ctx, uint64_t pos);

/** open waits before it asks again, for so long still. @return false: give up */
typedef bool (*https_wait_t)(void *ctx, uint32_t left_ms);

/** What is known of a failure beside its cause. */
typedef struct {
    otter_stage_t stage; /* in which the stream is, and fails; the report knows the furthest one */
    bool transient;      /* worth another try in the middle of a download */
    /* transient, and not the connection's own fault (a certificate, a name that does not exist) */
    bool passing;
    bool lost;      /* the connection broke before the answer was complete */
    bool denied;    /* by the server, for good: this address is of no use */
    int64_t length; /* of the file, where the server says so when it refuses a range (416); -1: it does not */
    int64_t asked_s; /* for how long a busy server (429, 503) wants to be left alone; 0: it did not say */
} https_refusal_t;

typedef struct {
    esp_http_client_handle_t client; /* the caller's */
    otter_update_report_t *report;   /* the caller's; failures and counts go there */
    https_retry_t retry;
    int redirects_max;
    uint32_t request_max; /* bytes asked for at a time (ESP-IDF's partial download), 0: everything */
    bool checked;         /* every byte is judged at the end: the body is an image, as it is */
    bool decoded;         /* what the server may have done to the body is undone by the application */
    https_whole_t whole;
    https_wait_t may_wait;
    void *ctx; /* of these two */

    http_home_t home; /* where the application pointed the client, ours */
    bool away;        /* a redirect has led the client elsewhere */
    bool go_home;     /* the next connection after a lost one asks at home again */

    int64_t total;   /* bytes of the file, -1: the server did not say */
    uint64_t pos;    /* offset of the next byte that read delivers */
    char *validator; /* strong ETag or Last-Modified, ours; NULL: none, ranges cannot be proved */

    /* offset of the next byte of the open response; below pos, known bytes are coming again */
    uint64_t body_pos;
    uint64_t asked_from; /* where the last request began */
    bool unproved; /* open asks for a range without proof that it is of the same file: its caller checks */
    bool part;     /* the open response is a part whose place in the file the server told */
    bool waiting, ended;
    bool no_ranges;            /* the server answered a range wrongly: ask for the whole file from now on */
    unsigned failures, stalls; /* in a row */
    int64_t start_us, retry_at_us;
    otter_fault_t fault; /* of the last request, or the open response, if it came to nothing */
    https_refusal_t refusal;
} https_source_t;

/**
 * Ask for the image, following redirects and answering a challenge. A caller that cannot begin is told so at once, but for
 * an answer that was lost on its way; with retry.first what may pass (a refused connection, a busy server) is waited for.
 * @param s          all above `away` is set (home is kept from the client by http_home_keep); the rest is zero
 * @param from       go on from this offset, 0 for the whole; needs validator (malloc'ed) and total of what was received before,
 *                   or that s->unproved is set
 * @return ESP_OK: s->pos is `from` if the server still has the same file (s->unproved: or so it seems), else 0;
 *         or what esp_https_ota_begin documents for a request that fails
 */
OTTER_MUST_CHECK esp_err_t https_source_open(https_source_t *s, uint64_t from);

/**
 * The next bytes, as many as come (1 to room), in *got.
 * @param[out] again  true: they are none of the next, but were delivered before, up to offset s->body_pos. A server that gives
 *                    no ranges has begun anew; whoever has the bytes compares, and says https_source_differs() if need be
 * @return ESP_OK                     *got > 0
 *         ESP_ERR_NOT_FINISHED       nothing now: call again (a slow server, or a pause before the next connection)
 *         ESP_ERR_NOT_FOUND          the end: everything was delivered
 *         ESP_ERR_HTTP_READ_TIMEOUT  given up after silence, or max_time_ms is over
 *         ESP_FAIL                   given up: the connection was lost for good, the file changed on the server, or it is
 *                                    gone
 */
OTTER_MUST_CHECK esp_err_t https_source_read(https_source_t *s, uint8_t *buf, size_t room, size_t *got,
                                             bool *again);

/** Ends the stream: `len` bytes that came again are not those that were delivered, says `why`. @return ESP_FAIL */
OTTER_MUST_CHECK esp_err_t https_source_differs(https_source_t *s, size_t len, const char *why);

/** Forgets all that was delivered and asks for the whole file anew. @return as https_source_open */
OTTER_MUST_CHECK esp_err_t https_source_restart(https_source_t *s);

/** Frees what the stream has; the client stays the caller's. */
void https_source_close(https_source_t *s);

/** Everything was received. */
bool https_source_is_complete(const https_source_t *s);
