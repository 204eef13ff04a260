/* my_project: confirms itself when it has reached the network, then takes the update on offer, if it is another version. */
#include <stdbool.h>
#include <string.h>

#include "esp_app_desc.h"
#include "esp_crt_bundle.h"
#include "esp_event.h"
#include "esp_https_ota.h"
#include "esp_log.h"
#include "esp_netif.h"
#include "esp_ota_ops.h"
#include "esp_system.h"
#include "nvs_flash.h"
#include "protocol_examples_common.h"
#include "sdkconfig.h"

static const char *TAG = "my_project";

/* What it needs for its next update has worked: until here an update that fails is rolled back. */
static void confirm(void)
{
    esp_ota_img_states_t state;
    if (esp_ota_get_state_partition(esp_ota_get_running_partition(), &state) == ESP_OK &&
        state == ESP_OTA_IMG_PENDING_VERIFY) {
        ESP_ERROR_CHECK(esp_ota_mark_app_valid_cancel_rollback());
        ESP_LOGI(TAG, "this update is confirmed");
    }
}

static void start_storage(void)
{
    esp_err_t err = nvs_flash_init();
    if (err == ESP_ERR_NVS_NO_FREE_PAGES || err == ESP_ERR_NVS_NEW_VERSION_FOUND) {
        ESP_ERROR_CHECK(nvs_flash_erase());
        err = nvs_flash_init();
    }
    ESP_ERROR_CHECK(err);
}

static bool is_version(const esp_app_desc_t *app, const esp_app_desc_t *other)
{
    return strncmp(app->version, other->version, sizeof(app->version)) == 0;
}

/* What runs here, or was rolled back, would be installed again and again as long as the server offers it. */
static bool is_wanted(esp_https_ota_handle_t ota)
{
    esp_app_desc_t offered, failed;
    const esp_partition_t *bad = esp_ota_get_last_invalid_partition();
    return esp_https_ota_get_img_desc(ota, &offered) == ESP_OK &&
           !is_version(&offered, esp_app_get_description()) &&
           (bad == NULL || esp_ota_get_partition_description(bad, &failed) != ESP_OK ||
            !is_version(&offered, &failed));
}

/* ESP_OK: it is in place and boots next. ESP_ERR_NOT_FOUND: nothing on the server that is new here. */
static esp_err_t take_update(void)
{
    esp_http_client_config_t http = {.url = CONFIG_UPDATE_URL, .crt_bundle_attach = esp_crt_bundle_attach};
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
    start_storage();
    ESP_ERROR_CHECK(esp_netif_init());
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    ESP_ERROR_CHECK(example_connect());
    confirm();

    esp_err_t err = take_update();
    if (err == ESP_OK) {
        esp_restart();
    }
    ESP_LOGI(TAG, "no update: %s", esp_err_to_name(err));
}
