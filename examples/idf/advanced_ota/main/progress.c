/* How much of an image is in flash already: the URL and a count, in NVS. */
#include "progress.h"

#include <stdint.h>
#include <string.h>

#include "esp_check.h"
#include "nvs.h"

#define STEP     (64 * 1024) /* between two entries: each costs a place in NVS */
#define URL_SIZE 256

static const char *TAG = "progress";
static size_t saved;

size_t progress_of(const char *url)
{
    char last_url[URL_SIZE];
    size_t size = sizeof(last_url);
    uint32_t written = 0;
    nvs_handle_t nvs;
    if (nvs_open("ota", NVS_READONLY, &nvs) != ESP_OK) {
        return 0; /* a new device has no such namespace */
    }
    if (nvs_get_str(nvs, "url", last_url, &size) != ESP_OK || strcmp(last_url, url) != 0 ||
        nvs_get_u32(nvs, "written", &written) != ESP_OK) {
        written = 0;
    }
    nvs_close(nvs);
    saved = written;
    return written;
}

static esp_err_t write_entries(nvs_handle_t nvs, const char *url, size_t written)
{
    char last_url[URL_SIZE];
    size_t size = sizeof(last_url);
    if (nvs_get_str(nvs, "url", last_url, &size) != ESP_OK || strcmp(last_url, url) != 0) {
        /* The count of another file must never stand beside this name. */
        ESP_RETURN_ON_ERROR(nvs_set_u32(nvs, "written", 0), TAG, "count");
        ESP_RETURN_ON_ERROR(nvs_set_str(nvs, "url", url), TAG, "URL");
    }
    ESP_RETURN_ON_ERROR(nvs_set_u32(nvs, "written", written), TAG, "count");
    return nvs_commit(nvs);
}

esp_err_t progress_save(const char *url, size_t written)
{
    if (written >= saved && written - saved < STEP) {
        return ESP_OK;
    }
    nvs_handle_t nvs;
    ESP_RETURN_ON_ERROR(nvs_open("ota", NVS_READWRITE, &nvs), TAG, "NVS");
    esp_err_t err = write_entries(nvs, url, written);
    nvs_close(nvs);
    if (err == ESP_OK) {
        saved = written;
    }
    return err;
}

esp_err_t progress_forget(void)
{
    nvs_handle_t nvs;
    ESP_RETURN_ON_ERROR(nvs_open("ota", NVS_READWRITE, &nvs), TAG, "NVS");
    esp_err_t err = nvs_erase_all(nvs);
    if (err == ESP_OK) {
        err = nvs_commit(nvs);
    }
    nvs_close(nvs);
    saved = 0;
    return err;
}
