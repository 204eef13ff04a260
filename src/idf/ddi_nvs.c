/* A fleet's agent keeps its record in NVS: one blob, by the functions that firmware has for it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "otter/ddi_nvs.h"

#include "nvs.h"

#define KEY "ddi"

esp_err_t otter_ddi_nvs_load(void *name_space, uint8_t record[OTTER_DDI_RECORD_SIZE])
{
    nvs_handle_t nvs;
    size_t size = OTTER_DDI_RECORD_SIZE;
    esp_err_t err = nvs_open(name_space, NVS_READONLY, &nvs);
    if (err == ESP_OK) {
        err = nvs_get_blob(nvs, KEY, record, &size);
        nvs_close(nvs);
    }
    const bool none = err == ESP_ERR_NVS_NOT_FOUND || err == ESP_ERR_NVS_INVALID_LENGTH ||
                      (err == ESP_OK && size != OTTER_DDI_RECORD_SIZE);
    return none ? ESP_ERR_NOT_FOUND : err;
}

esp_err_t otter_ddi_nvs_save(void *name_space, const uint8_t record[OTTER_DDI_RECORD_SIZE])
{
    nvs_handle_t nvs;
    esp_err_t err = nvs_open(name_space, NVS_READWRITE, &nvs);
    if (err != ESP_OK) {
        return err;
    }
    err = nvs_set_blob(nvs, KEY, record, OTTER_DDI_RECORD_SIZE);
    err = err == ESP_OK ? nvs_commit(nvs) : err;
    nvs_close(nvs);
    return err;
}
