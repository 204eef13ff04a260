/* One update over HTTPS: by esp_https_ota of whoever builds this, or by what ESP-IDF's does, call by call. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esp_https_ota.h"
#include "esp_http_client.h"
#include "esp_image_format.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_partition.h"

#define SECTOR 4096u
#define BUFFER 1024 /* DEFAULT_OTA_BUF_SIZE of esp_https_ota, where buffer_size is not set */

static char ca[16384];

static bool load_ca(void)
{
    const char *name = getenv("OTTER_LOOP_CA");
    FILE *in = name != NULL ? fopen(name, "rb") : NULL;
    const size_t len = in != NULL ? fread(ca, 1, sizeof(ca) - 1, in) : 0;
    if (in != NULL) {
        fclose(in);
    }
    return len > 0;
}

/** esp_ota_write() after esp_ota_begin() with OTA_WITH_SEQUENTIAL_WRITES: erases each sector that the bytes enter. */
static esp_err_t write_as_esp_idf(const esp_partition_t *slot, uint32_t at, const uint8_t *data, uint32_t len)
{
    const uint32_t first = at / SECTOR, last = (at + len - 1) / SECTOR;
    esp_err_t err = ESP_OK;
    if (at % SECTOR == 0) {
        err = esp_partition_erase_range(slot, at, (last - first + 1) * SECTOR);
    } else if (first != last) {
        err = esp_partition_erase_range(slot, (first + 1) * SECTOR, (last - first) * SECTOR);
    }
    return err == ESP_OK ? esp_partition_write(slot, at, data, len) : err;
}

/** esp_https_ota_perform() again and again: reads what fits its buffer, and writes it. */
static esp_err_t download_as_esp_idf(esp_http_client_handle_t client, const esp_partition_t *slot)
{
    static uint8_t buffer[BUFFER];
    uint32_t at = 0;
    for (;;) {
        const int n = esp_http_client_read(client, (char *)buffer, BUFFER);
        if (n <= 0) {
            return n == 0 && esp_http_client_is_complete_data_received(client) ? ESP_OK : ESP_FAIL;
        }
        esp_err_t err = write_as_esp_idf(slot, at, buffer, (uint32_t)n);
        if (err != ESP_OK) {
            return err;
        }
        at += (uint32_t)n;
    }
}

/** What esp_https_ota() of ESP-IDF 5.5 does, without the otadata of the slot before (so it does less, not more). */
static esp_err_t update_as_esp_idf(const esp_http_client_config_t *config)
{
    const esp_partition_t *slot = esp_ota_get_next_update_partition(NULL);
    esp_http_client_handle_t client = esp_http_client_init(config);
    if (slot == NULL || client == NULL) {
        return ESP_FAIL;
    }
    esp_err_t err = esp_http_client_open(client, 0);
    if (err == ESP_OK) {
        err = esp_http_client_fetch_headers(client) > 0 ? download_as_esp_idf(client, slot) : ESP_FAIL;
    }
    esp_http_client_cleanup(client);
    if (err == ESP_OK) { /* esp_ota_end() */
        const esp_partition_pos_t place = {.offset = slot->address, .size = slot->size};
        esp_image_metadata_t metadata;
        err = esp_image_verify(ESP_IMAGE_VERIFY, &place, &metadata);
    }
    return err == ESP_OK ? esp_ota_set_boot_partition(slot) : err;
}

void app_main(void)
{
    const char *how = getenv("OTTER_LOOP");
    const esp_http_client_config_t http = {
        .url = getenv("OTTER_LOOP_URL"), .cert_pem = ca, .timeout_ms = 30000};
    const esp_https_ota_config_t ota = {.http_config = &http};
    if (how == NULL || http.url == NULL || !load_ca()) {
        printf("loop: OTTER_LOOP, OTTER_LOOP_URL and OTTER_LOOP_CA say what to do\n");
        return;
    }
    const uint32_t begin = esp_log_timestamp(); /* ms; ESP-IDF has no esp_timer for linux */
    esp_err_t err;
    if (strcmp(how, "model") == 0) {
        err = update_as_esp_idf(&http);
    } else {
        err = esp_https_ota(&ota);
    }
    printf("loop: %s after %" PRIu32 " ms\n", esp_err_to_name(err), esp_log_timestamp() - begin);
}
