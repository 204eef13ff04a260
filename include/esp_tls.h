/* The part of ESP-TLS that programs around the HTTP client use: the global CA store and the last error. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "sdkconfig.h"
#include "esp_err.h"
#include "esp_tls_errors.h"

/* As from ESP-IDF's header, where there are sockets. */
#if defined(__has_include) && __has_include(<sys/socket.h>)
#include <sys/socket.h>
#include <fcntl.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Reads and forgets it. @param esp_tls_code, esp_tls_flags  NULL when not wanted
 * @return last_error; ESP_ERR_INVALID_STATE when h is NULL
 */
esp_err_t esp_tls_get_and_clear_last_error(esp_tls_error_handle_t h, int *esp_tls_code, int *esp_tls_flags);

/**
 * CA certificates for every connection with use_global_ca_store, added to those given before.
 * @param cacert_pem_buf    PEM (one or more) or DER; copied
 * @param cacert_pem_bytes  its length; a PEM text may count its terminator
 * @return ESP_OK, ESP_ERR_INVALID_ARG (NULL or empty), ESP_ERR_NO_MEM
 *         ESP_ERR_MBEDTLS_X509_CRT_PARSE_FAILED  none of them can be read: nothing has changed
 *         ESP_ERR_MBEDTLS_CERT_PARTLY_OK         one at least cannot, which the log names; the others are taken
 */
esp_err_t esp_tls_set_global_ca_store(const unsigned char *cacert_pem_buf,
                                      const unsigned int cacert_pem_bytes);

/** Forgets them. */
void esp_tls_free_global_ca_store(void);

#ifdef __cplusplus
}
#endif
