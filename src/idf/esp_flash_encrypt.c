/* Flash encryption of the current device under ESP-IDF's names. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_flash_encrypt.h"

#include "esp_log.h"
#include "otter/device.h"

static const char TAG[] = "flash_encrypt";

esp_flash_enc_mode_t esp_get_flash_encryption_mode(void)
{
    const otter_device_t *device = otter_device_current();
    if (device == NULL || device->flash->cipher == NULL) {
        return ESP_FLASH_ENC_MODE_DISABLED;
    }
    return device->flash->cipher->release ? ESP_FLASH_ENC_MODE_RELEASE : ESP_FLASH_ENC_MODE_DEVELOPMENT;
}

bool esp_flash_encryption_enabled(void)
{
    return esp_get_flash_encryption_mode() != ESP_FLASH_ENC_MODE_DISABLED;
}

bool esp_flash_encrypt_state(void)
{
    return esp_flash_encryption_enabled();
}

bool esp_flash_encrypt_initialized_once(void)
{
    return esp_flash_encryption_enabled();
}

bool esp_flash_encryption_cfg_verify_release_mode(void)
{
    return esp_get_flash_encryption_mode() == ESP_FLASH_ENC_MODE_RELEASE;
}

void esp_flash_encryption_init_checks(void)
{
    if (esp_flash_encryption_enabled()) {
        ESP_LOGI(TAG, "Flash encryption mode is %s",
                 esp_flash_encryption_cfg_verify_release_mode() ? "RELEASE" : "DEVELOPMENT (not secure)");
    }
}
