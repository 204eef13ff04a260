/* A number in NVS. */
#include "telemetry.h"

#include "nvs.h"

#define SPACE "telemetry"
#define KEY   "failures"

uint32_t telemetry_failures(void)
{
    nvs_handle_t nvs;
    uint32_t count = 0;
    if (nvs_open(SPACE, NVS_READONLY, &nvs) == ESP_OK) {
        if (nvs_get_u32(nvs, KEY, &count) != ESP_OK) {
            count = 0;
        }
        nvs_close(nvs);
    }
    return count;
}

static esp_err_t keep(uint32_t count)
{
    nvs_handle_t nvs;
    esp_err_t err = nvs_open(SPACE, NVS_READWRITE, &nvs);
    if (err != ESP_OK) {
        return err;
    }
    err = nvs_set_u32(nvs, KEY, count);
    if (err == ESP_OK) {
        err = nvs_commit(nvs);
    }
    nvs_close(nvs);
    return err;
}

esp_err_t telemetry_failed(void)
{
    uint32_t count = telemetry_failures();
    return count < UINT32_MAX ? keep(count + 1) : ESP_OK;
}

esp_err_t telemetry_updated(void)
{
    return keep(0);
}
