/* The one OTA operation that ends the run; a program that does not use it needs no restart. */
#include "esp_ota_ops.h"
#include "esp_system.h"

esp_err_t esp_ota_mark_app_invalid_rollback_and_reboot(void)
{
    esp_err_t err = esp_ota_mark_app_invalid_rollback();
    if (err == ESP_OK) {
        esp_restart();
    }
    return err;
}
