/* A QR code for people without a camera. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "qrcode.h"

#include <stdio.h>

esp_err_t esp_qrcode_generate(esp_qrcode_config_t *cfg, const char *text)
{
    if (cfg == NULL || cfg->display_func == NULL || text == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    cfg->display_func((esp_qrcode_handle_t)text);
    return ESP_OK;
}

void esp_qrcode_print_console(esp_qrcode_handle_t qrcode)
{
    printf("QR code: %s\n", (const char *)qrcode);
}

int esp_qrcode_get_size(esp_qrcode_handle_t qrcode)
{
    (void)qrcode;
    return 0;
}

bool esp_qrcode_get_module(esp_qrcode_handle_t qrcode, int x, int y)
{
    (void)qrcode, (void)x, (void)y;
    return false;
}
