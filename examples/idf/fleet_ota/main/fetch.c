/* A file that was offered, into the slot that is free; what is in the slot is selected by a later order. */
#include <string.h>

#include "agent.h"
#include "esp_ota_ops.h"
#include "esp_timer.h"
#include "otter/device.h"
#include "otter/https_update.h"

#define URL_MAX OTTER_DDI_URL_SIZE

static int64_t now_ms(void)
{
    return esp_timer_get_time() / 1000;
}

/* The token goes to the server alone; the library takes it off where a redirect leads elsewhere. */
static esp_err_t add_token(void *ctx, esp_http_client_handle_t client)
{
    return ctx != NULL ? esp_http_client_set_header(client, "Authorization", ctx) : ESP_OK;
}

static esp_err_t transfer(otter_ddi_t *agent, otter_device_t *device, esp_https_ota_handle_t handle)
{
    esp_err_t err = ESP_ERR_HTTPS_OTA_IN_PROGRESS;
    while (err == ESP_ERR_HTTPS_OTA_IN_PROGRESS &&
           otter_ddi_progress(agent, now_ms(), (uint32_t)device->report.bytes_written)) {
        err = esp_https_ota_perform(handle);
    }
    if (err == ESP_OK) {
        return esp_https_ota_finish(handle);
    }
    esp_https_ota_abort(handle);
    return err == ESP_ERR_HTTPS_OTA_IN_PROGRESS ? ESP_ERR_NOT_FINISHED : err;
}

void agent_fetch(otter_ddi_t *agent, const agent_settings_t *settings, const otter_ddi_order_t *order)
{
    static char url[URL_MAX]; /* the agent goes on using its own */
    otter_device_t *device = otter_device_current();
    const esp_partition_t *slot = esp_ota_get_next_update_partition(NULL);
    const otter_ddi_file_t file = order->file;
    otter_fault_t fault = {0};
    otter_ddi_fetched_t fetched = {
        .err = ESP_ERR_INVALID_SIZE, .stage = OTTER_STAGE_GATE, .why = "larger than a slot"};
    strcpy(url, order->url);
    const esp_http_client_config_t http = agent_http(url);
    const otter_https_options_t https = {.on_client = add_token,
                                         .select_later = true,
                                         .ctx = order->authorize ? (void *)settings->authorization : NULL};
    const esp_https_ota_config_t config = {.http_config = &http, .partition.staging = slot};
    esp_https_ota_handle_t handle;
    if (file.size <= slot->size) {
        esp_err_t err = otter_https_ota_begin(device, &config, &https, &handle);
        err = err == ESP_OK ? transfer(agent, device, handle) : err;
        fetched =
            (otter_ddi_fetched_t){.err = err, .stage = device->report.stage, .why = device->report.fault.why};
        if (err == ESP_OK) {
            otter_ddi_device_fetched(device, slot, &file, &fetched, &fault);
        }
    }
    otter_ddi_fetched(agent, now_ms(), &fetched);
}
