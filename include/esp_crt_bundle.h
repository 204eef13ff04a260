/* ESP-IDF's certificate bundle: the CA store of the machine, unless the program brings its own. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * For esp_http_client_config_t.crt_bundle_attach: trust the CAs of the bundle.
 * @param conf  what the HTTP client passes; NULL has no effect
 * @return ESP_OK
 */
esp_err_t esp_crt_bundle_attach(void *conf);

/**
 * The bundle for connections made from now on, instead of the machine's CA store.
 * @param x509_bundle  what ESP-IDF's gen_crt_bundle.py makes (names and keys), or CA certificates as PEM or DER; not kept
 * @param bundle_size  its bytes; a PEM text may count its terminator
 * @return ESP_OK, also where a CA in it cannot be read, which the log names; ESP_ERR_INVALID_ARG: NULL, empty, or none of
 *         these; ESP_ERR_NO_MEM. The old bundle stays then
 */
esp_err_t esp_crt_bundle_set(const uint8_t *x509_bundle, size_t bundle_size);

/** Back to the machine's CA store. @param conf  not used */
void esp_crt_bundle_detach(void *conf);

#ifdef __cplusplus
}
#endif
