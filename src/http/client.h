/* What the download asks of an HTTP client handle beyond ESP-IDF's API: why it failed, and all headers of the answer. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "esp_http_client.h"
#include "http/headers.h"
#include "otter/transport.h"

/** How far an exchange got when it failed. */
typedef enum {
    HTTP_STAGE_NONE,
    HTTP_STAGE_RESOLVE,
    HTTP_STAGE_CONNECT,
    HTTP_STAGE_TLS,
    HTTP_STAGE_SEND,
    HTTP_STAGE_HEADER,
    HTTP_STAGE_BODY,
} http_stage_t;

/** The last failure of a handle, for people and for reports. */
typedef struct {
    http_stage_t stage;
    otter_transport_error_t cause;
} http_failure_t;

/** Never NULL; stage NONE when nothing failed since the last successful open. */
const http_failure_t *http_client_last_failure(esp_http_client_handle_t client);

/**
 * From now on the handle connects to https:// only, wherever its URL comes from: the configuration, the application's
 * callbacks, a redirect. For plain http:// every open is ESP_ERR_NOT_ALLOWED, before even its name is looked up.
 */
void http_client_require_https(esp_http_client_handle_t client);

/** As esp_http_client_get_url(), but a URL that does not fit ends in "...". */
void http_client_describe_url(esp_http_client_handle_t client, char *text, size_t size);

/** All headers of the last response, the handle's until the next request. */
const http_headers_t *http_client_response_headers(esp_http_client_handle_t client);

/** A header of the last response (the first of that name), the handle's until the next request; NULL if absent. */
const char *http_client_response_header(esp_http_client_handle_t client, const char *key);
