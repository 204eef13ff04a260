/* Settings of the examples from the environment of `otter run`. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "example_config.h"

#include <stdio.h>
#include <stdlib.h>

#include "esp_log.h"

#define CERT_SIZE_MAX (64 * 1024)

static const char *TAG = "example_config";

const char *example_firmware_upgrade_url(void)
{
    const char *url = getenv("OTTER_EXAMPLE_URL");
    return url != NULL ? url : "https://localhost:8070/firmware.bin";
}

static const char *read_text(const char *path)
{
    static char text[CERT_SIZE_MAX];
    FILE *file = fopen(path, "r");
    size_t n = file != NULL ? fread(text, 1, sizeof(text) - 1, file) : 0;
    if (file != NULL) {
        fclose(file);
    }
    if (n == 0) {
        ESP_LOGE(TAG, "no CA certificate can be read from %s (OTTER_EXAMPLE_CA)", path);
        return NULL;
    }
    return text;
}

const char *example_server_cert_pem(void)
{
    static const char *pem;
    const char *path = getenv("OTTER_EXAMPLE_CA");
    if (pem == NULL && path == NULL) {
        ESP_LOGE(TAG, "set OTTER_EXAMPLE_CA to the file with the CA certificate of the server");
    } else if (pem == NULL) {
        pem = read_text(path);
    }
    return pem;
}

uint32_t example_check_interval_ms(void)
{
    const char *text = getenv("OTTER_EXAMPLE_INTERVAL_MS");
    return text != NULL ? (uint32_t)strtoul(text, NULL, 10) : 10000;
}
