/* What esp_https_server wants of esp_http_server: to see each client before anybody reads what it says. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "esp_http_server.h"

/** Called for each client before open_fn, in a thread of that client's own; may set the session's functions and contexts.
    @return another code than ESP_OK: the client is sent away */
typedef esp_err_t (*otter_httpd_open_t)(httpd_handle_t server, int fd);

/** httpd_start(), with secure (may be NULL), and the scheme that the log tells. */
esp_err_t otter_httpd_start(httpd_handle_t *handle, const httpd_config_t *config, otter_httpd_open_t secure);
/** What the server was started with. */
const httpd_config_t *otter_httpd_config(httpd_handle_t handle);
