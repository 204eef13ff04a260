/* thermostat: confirms itself on its first boot, then takes the update on offer, if it is another version. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "esp_app_desc.h"
#include "esp_https_ota.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_system.h"

static const char *TAG = "thermostat";

extern const char ca_pem_start[] asm("_binary_ca_pem_start");

/* The address of the product's server; on a PC the test names its own. */
static const char *update_url(void)
{
    const char *url = getenv("UPDATE_URL");
    return url != NULL ? url : "https://updates.example.com/thermostat.bin";
}

/* Here the product's own self-test belongs: an app that does not get this far is rolled back. */
static void confirm(void)
{
    esp_err_t err = esp_ota_mark_app_valid_cancel_rollback();
    ESP_LOGI(TAG, "self-test passed: %s", esp_err_to_name(err));
}

static bool is_version(const esp_app_desc_t *app, const esp_app_desc_t *other)
{
    return memcmp(app->version, other->version, sizeof(app->version)) == 0;
}

/* Did it crash here on its trial? When the power comes it gets another one: that may be all that it had lost. */
static bool has_failed(const esp_app_desc_t *offered)
{
    const esp_partition_t *bad = esp_ota_get_last_invalid_partition();
    esp_app_desc_t app;
    esp_ota_img_states_t state;
    if (bad == NULL || esp_ota_get_partition_description(bad, &app) != ESP_OK || !is_version(&app, offered) ||
        esp_ota_get_state_partition(bad, &state) != ESP_OK) {
        return false;
    }
    return state == ESP_OTA_IMG_INVALID || esp_reset_reason() != ESP_RST_POWERON;
}

static bool is_wanted(esp_https_ota_handle_t ota)
{
    esp_app_desc_t offered;
    return esp_https_ota_get_img_desc(ota, &offered) == ESP_OK &&
           !is_version(&offered, esp_app_get_description()) && !has_failed(&offered);
}

/* ESP_OK: it is in place and boots next. ESP_ERR_NOT_FOUND: nothing new that has not failed here. */
static esp_err_t take_update(void)
{
    esp_http_client_config_t http = {.url = update_url(), .cert_pem = ca_pem_start, .timeout_ms = 10000};
    esp_https_ota_config_t config = {.http_config = &http};
    esp_https_ota_handle_t ota = NULL;
    esp_err_t err = esp_https_ota_begin(&config, &ota);
    if (err != ESP_OK) {
        return err;
    }
    if (!is_wanted(ota)) {
        esp_https_ota_abort(ota);
        return ESP_ERR_NOT_FOUND;
    }
    do {
        err = esp_https_ota_perform(ota);
    } while (err == ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    if (err != ESP_OK) {
        esp_https_ota_abort(ota);
        return err;
    }
    return esp_https_ota_finish(ota);
}

void app_main(void)
{
    ESP_LOGI(TAG, "version %s", esp_app_get_description()->version);
    confirm();
    esp_err_t err = take_update();
    if (err == ESP_OK) {
        esp_restart();
    }
    ESP_LOGI(TAG, "no update: %s", esp_err_to_name(err));
}
