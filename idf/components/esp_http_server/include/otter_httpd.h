/* What esp_https_server wants of esp_http_server: a server with TLS. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "esp_http_server.h"

/** Both as PEM, with a 0 behind; the caller's, until the server has ended. */
typedef struct {
    const char *certificate, *key;
} otter_httpd_tls_t;

/** httpd_start(), and with tls (may be NULL) over TLS. ESP_FAIL also where certificate and key do not fit. */
esp_err_t otter_httpd_start(httpd_handle_t *handle, const httpd_config_t *config,
                            const otter_httpd_tls_t *tls);
