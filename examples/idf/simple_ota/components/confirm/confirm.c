/* Confirms the running app once its self-test has passed; otherwise it goes back to the one before. */
#include "confirm.h"

#include "esp_log.h"
#include "esp_ota_ops.h"
#include "sdkconfig.h"
#include "self_test.h"

static const char *TAG = "confirm";

void confirm_after_self_test(void)
{
    esp_ota_img_states_t state;
    const esp_partition_t *running = esp_ota_get_running_partition();
    if (esp_ota_get_state_partition(running, &state) != ESP_OK || state != ESP_OTA_IMG_PENDING_VERIFY) {
        return;
    }
#if CONFIG_CONFIRM_BY_SELF_TEST
    if (!self_test()) {
        ESP_LOGE(TAG, "the self-test has failed: back to the app before");
        esp_ota_mark_app_invalid_rollback_and_reboot();
    }
#endif
    ESP_LOGI(TAG, "%s is confirmed", running->label);
    ESP_ERROR_CHECK(esp_ota_mark_app_valid_cancel_rollback());
}
