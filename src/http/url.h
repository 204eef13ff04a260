/* URLs: parse, resolve against another, and say whether two go to the same server. Pure. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "esp_err.h"
#include "otter/promise.h"
#include "otter/transport.h"

#define HTTP_URL_MAX OTTER_URL_MAX

/** A parsed URL. The strings live in one block that http_url_free() releases. */
typedef struct {
    const char *scheme; /* lower case */
    const char *host;   /* lower case; IPv6 without brackets, a zone as "%eth0" behind it */
    uint16_t port;      /* the scheme's own if the URL names none; 0 for an unknown scheme without port */
    bool https;
    const char *path;     /* begins with "/" */
    const char *query;    /* without "?"; NULL: none */
    const char *user;     /* percent-decoded; NULL: none */
    const char *password; /* percent-decoded; NULL: none */
    char *block;
} http_url_t;

/**
 * Parse an absolute URL. A fragment is dropped; bytes over 0x7F are percent-encoded.
 * @param out  written only when ESP_OK is returned; the caller frees it
 * @return ESP_OK; ESP_ERR_INVALID_ARG: not an absolute URL, no host, port outside 1 to 65535, longer than HTTP_URL_MAX, or
 *         with a space or a control character; ESP_ERR_NO_MEM
 */
OTTER_MUST_CHECK esp_err_t http_url_parse(const char *text, http_url_t *out);

/**
 * What `reference` (absolute, "//host/path", "/path", "path" or "?query") means on a page of `base`. Credentials of
 * `base` are not taken over. Results as http_url_parse().
 */
OTTER_MUST_CHECK esp_err_t http_url_resolve(const http_url_t *base, const char *reference, http_url_t *out);

/** The same for a Location header, in which some servers leave blanks: they are %20, as for browsers. */
OTTER_MUST_CHECK esp_err_t http_url_follow(const http_url_t *base, const char *location, http_url_t *out);

void http_url_free(http_url_t *url);

/**
 * "scheme://host:port/path", "?query" behind it if wanted, never credentials; IPv6 with a zone is "[fe80::1%25eth0]". Result
 * as snprintf's: what it would need.
 */
size_t http_url_print(const http_url_t *url, bool with_query, char *text, size_t size);

/** The URL as a text that parses to it again, but without credentials, for the caller to free. @return NULL: no memory */
OTTER_MUST_CHECK char *http_url_text(const http_url_t *url);

/** Scheme, host and port are equal: credentials may go there. */
bool http_url_same_origin(const http_url_t *a, const http_url_t *b);

/**
 * "host" or "host:port" as the Host header wants it. Brackets for IPv6, without the zone, which means something on this machine
 * only; no port where it is the scheme's own.
 */
void http_url_host_header(const http_url_t *url, char *text, size_t size);
