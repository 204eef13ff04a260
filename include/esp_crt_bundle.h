/* ESP-IDF's certificate bundle; here it stands for the CA store of the machine. */
#pragma once

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * For esp_http_client_config_t.crt_bundle_attach: trust the CAs of this machine.
 * @param conf  what the HTTP client passes
 * @return ESP_OK, ESP_ERR_INVALID_ARG when conf is NULL
 */
esp_err_t esp_crt_bundle_attach(void *conf);

#ifdef __cplusplus
}
#endif
