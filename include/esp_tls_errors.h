/* What ESP-TLS says of a connection that failed; the codes ESP_ERR_ESP_TLS_* and ESP_ERR_MBEDTLS_* are in esp_err.h. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <errno.h>
#include <string.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Who gave a code. */
typedef enum {
    ESP_TLS_ERR_TYPE_UNKNOWN = 0,
    ESP_TLS_ERR_TYPE_SYSTEM, /* errno */
    ESP_TLS_ERR_TYPE_MBEDTLS,
    ESP_TLS_ERR_TYPE_MBEDTLS_CERT_FLAGS,
    ESP_TLS_ERR_TYPE_ESP, /* esp_err_t */
    ESP_TLS_ERR_TYPE_WOLFSSL,
    ESP_TLS_ERR_TYPE_WOLFSSL_CERT_FLAGS,
    ESP_TLS_ERR_TYPE_MAX,
} esp_tls_error_type_t;

/** The last failure of a connection, as HTTP_EVENT_ERROR and HTTP_EVENT_DISCONNECTED carry it. */
typedef struct esp_tls_last_error {
    esp_err_t last_error;   /* ESP_ERR_ESP_TLS_*, ESP_ERR_MBEDTLS_*, ESP_ERR_TCP_TRANSPORT_*; ESP_OK: none */
    int esp_tls_error_code; /* mbedTLS's number without its sign, such as 0x2700; 0: none */
    int esp_tls_flags;      /* why the certificate is not believed, MBEDTLS_X509_BADCERT_*; 0: no complaint */
} esp_tls_last_error_t;

typedef struct esp_tls_last_error *esp_tls_error_handle_t;

#ifdef __cplusplus
}
#endif
