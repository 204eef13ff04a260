/* One request for a part of the image, with its redirects and challenges, and whether the answer is what was asked for. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "ota/https_source.h"
#include "otter/promise.h"

/** Why a request came to nothing: the code, and the stage and words for the report. */
typedef struct {
    esp_err_t code;
    otter_stage_t stage;
    bool transient; /* worth another try in the middle of a download */
    bool lost;      /* the connection broke before the answer was complete */
    bool busy;      /* the server said so (429, 503) */
    /* transient, and not the connection's own fault (a certificate, a name that does not exist) */
    bool passing;
    bool denied;    /* by the server, for good: this address is of no use */
    int64_t length; /* of the file, where the server says so when it refuses a range (416); -1: it does not */
    int64_t asked_s; /* and for how long it wants to be left alone; 0: it did not say */
    char why[160];
} refusal_t;

/** Fills in a refusal and nothing else about it. @return false */
bool https_refuse(refusal_t *r, otter_stage_t stage, esp_err_t code, bool transient, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/**
 * Asks for the bytes from `from` on, where the last request was answered; there, or at home again (s->home), if that address
 * is denied by now.
 * @return true: they are what can be read now, from s->body_pos on; false: *r says why not
 */
OTTER_MUST_CHECK bool https_request_from(https_source_t *s, uint64_t from, refusal_t *r);

/** The rest of a file that is known by its validator can be asked for. */
bool https_request_can_range(const https_source_t *s);

/** The next request starts at home, unless a permanent redirect led away from it. @return false: *r says why not */
OTTER_MUST_CHECK bool https_request_home(https_source_t *s, refusal_t *r);

/** Partial download starts by asking for the length: HEAD, or one byte where HEAD is not served. @return false: *r */
OTTER_MUST_CHECK bool https_request_total(https_source_t *s, refusal_t *r);

/** What proves later that the file is still the same, from the last answer. Without memory for it there is nothing. */
void https_request_take_validator(https_source_t *s);

/** Takes what the HTTP client knows into the report: status, URL, the cause of a connection failure. */
void https_request_note(https_source_t *s);

/** The last connection failure in words; `otherwise` if there was none. */
const char *https_request_cause(const https_source_t *s, const char *otherwise);
