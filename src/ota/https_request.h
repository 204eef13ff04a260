/* One request for a part of the image, with its redirects and challenges, and whether the answer is what was asked for. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "ota/https_source.h"
#include "otter/promise.h"

/* What fails returns its code, and leaves the cause in s->fault and what else is known of it in s->refusal. */

/**
 * Asks for the bytes from `from` on, where the last request was answered; there, or at home again (s->home), if that address
 * is denied by now.
 * @return ESP_OK: they are what can be read now, from s->body_pos on
 */
OTTER_MUST_CHECK esp_err_t https_request_from(https_source_t *s, uint64_t from);

/** The rest of a file that is known by its validator can be asked for. */
bool https_request_can_range(const https_source_t *s);

/** The next request starts at home, unless a permanent redirect led away from it. */
OTTER_MUST_CHECK esp_err_t https_request_home(https_source_t *s);

/** Partial download starts by asking for the length: HEAD, or one byte where HEAD is not served. */
OTTER_MUST_CHECK esp_err_t https_request_total(https_source_t *s);

/** What proves later that the file is still the same, from the last answer. Without memory for it there is nothing. */
void https_request_take_validator(https_source_t *s);

/** Takes what the HTTP client knows into the report: status, URL, the cause of a connection failure. */
void https_request_note(https_source_t *s);

/** The last connection failure in words; `otherwise` if there was none. */
const char *https_request_cause(const https_source_t *s, const char *otherwise);
