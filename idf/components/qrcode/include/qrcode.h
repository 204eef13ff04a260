/* The registry's QR codes, without their modules: what such a code says is printed as text. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef const uint8_t *esp_qrcode_handle_t; /* the text, here */

typedef struct {
    void (*display_func)(esp_qrcode_handle_t qrcode);
    int max_qrcode_version, qrcode_ecc_level;
} esp_qrcode_config_t;

enum { ESP_QRCODE_ECC_LOW, ESP_QRCODE_ECC_MED, ESP_QRCODE_ECC_QUART, ESP_QRCODE_ECC_HIGH };

#define ESP_QRCODE_CONFIG_DEFAULT()                                                                          \
    (esp_qrcode_config_t)                                                                                    \
    {                                                                                                        \
        .display_func = esp_qrcode_print_console, .max_qrcode_version = 10,                                  \
        .qrcode_ecc_level = ESP_QRCODE_ECC_LOW,                                                              \
    }

/** Calls display_func. @return ESP_OK, ESP_ERR_INVALID_ARG (NULL) */
esp_err_t esp_qrcode_generate(esp_qrcode_config_t *cfg, const char *text);
/** One line, the text. */
void esp_qrcode_print_console(esp_qrcode_handle_t qrcode);
/** 0: it has no modules. */
int esp_qrcode_get_size(esp_qrcode_handle_t qrcode);
bool esp_qrcode_get_module(esp_qrcode_handle_t qrcode, int x, int y);

#ifdef __cplusplus
}
#endif
