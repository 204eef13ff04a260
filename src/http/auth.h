/* HTTP authentication: read what a server asks for, choose, and compute the answer. Pure: no clock, no random, no I/O. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "http/headers.h"
#include "otter/promise.h"

typedef enum {
    HTTP_AUTH_NONE,  /* nothing was asked */
    HTTP_AUTH_BASIC, /* RFC 7617 */
    HTTP_AUTH_MD5,   /* RFC 7616 from here on */
    HTTP_AUTH_MD5_SESS,
    HTTP_AUTH_SHA256,
    HTTP_AUTH_SHA256_SESS,
} http_auth_scheme_t;

/** The challenge that will be answered. Strings are unescaped and live in one block that http_challenge_free() releases. */
typedef struct {
    http_auth_scheme_t scheme;
    bool qop_auth; /* false: the old form without nonce count */
    bool stale;    /* only the nonce was refused, not the credentials */
    const char *realm, *nonce;
    const char *algorithm; /* as the server spelled it, and as the answer repeats it; NULL: it named none */
    const char *opaque;    /* NULL: none */
    char *block;
} http_challenge_t;

/** What the answer is for. Strings belong to the caller. */
typedef struct {
    const char *user;
    const char *password; /* NULL: empty */
    const char *method;
    const char *uri;      /* as in the request line: path and query */
    const char *cnonce;   /* printable, without quotes; not needed for Basic */
    uint32_t nonce_count; /* requests answered with this nonce, this one included */
} http_auth_request_t;

/**
 * The strongest challenge of a response that can be answered: SHA-256 before MD5 before Basic, with qop before without.
 * A challenge that breaks the grammar, names a parameter twice, or wants an algorithm or a qop that is not known is passed over.
 * @param response  its WWW-Authenticate headers, each with one or more challenges
 * @param more      one more header value, NULL: none
 * @param no_basic  pass over Basic: the password itself must not be sent
 * @param out       written only when ESP_OK is returned; the caller frees it
 * @return ESP_OK; ESP_ERR_NOT_SUPPORTED: there is none; ESP_ERR_NO_MEM
 */
OTTER_MUST_CHECK esp_err_t http_auth_choose(const http_headers_t *response, const char *more, bool no_basic,
                                            http_challenge_t *out);

/** Frees and clears; a cleared challenge (HTTP_AUTH_NONE) is fine. */
void http_challenge_free(http_challenge_t *challenge);

/**
 * The value of the Authorization header.
 * @param value  receives it, for the caller to free; it holds a secret
 * @return ESP_OK; ESP_ERR_INVALID_ARG: no scheme, or a control character where the answer would carry it; ESP_ERR_NO_MEM
 */
OTTER_MUST_CHECK esp_err_t http_auth_answer(const http_challenge_t *challenge,
                                            const http_auth_request_t *request, char **value);
