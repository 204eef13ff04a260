/* Back home after redirects: the URL that the application gave a handle, with the credentials for it. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "esp_http_client.h"
#include "otter/promise.h"

/** Zero-initialise. */
typedef struct {
    char *url; /* whole, but for credentials; NULL: nothing is kept */
    char *username, *password, *authorization, *cookie; /* NULL: none */
    bool url_credentials;                               /* user and password came in the URL */
} http_home_t;

/** Keeps what a redirect may change. @return ESP_OK; ESP_ERR_NO_MEM: nothing is kept */
OTTER_MUST_CHECK esp_err_t http_home_keep(esp_http_client_handle_t client, http_home_t *home);

/** The next request is as it was when `home` was kept. @return ESP_OK, ESP_ERR_NO_MEM */
OTTER_MUST_CHECK esp_err_t http_home_return(esp_http_client_handle_t client, const http_home_t *home);

void http_home_free(http_home_t *home);
