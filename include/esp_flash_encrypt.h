/* ESP-IDF's questions about flash encryption, for the application. What its bootloader asks and does is not here. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    ESP_FLASH_ENC_MODE_DISABLED,
    ESP_FLASH_ENC_MODE_DEVELOPMENT, /* it can still be switched off, and written from outside */
    ESP_FLASH_ENC_MODE_RELEASE,     /* eFuses say that neither is so any more */
} esp_flash_enc_mode_t;

/** True of a device whose flash is encrypted; false also where there is no device. Any task. */
bool esp_flash_encryption_enabled(void);

/** The same: what the eFuse that counts it says. */
bool esp_flash_encrypt_state(void);

/** True if it is or was enabled: a device of otter's does not go back. */
bool esp_flash_encrypt_initialized_once(void);

esp_flash_enc_mode_t esp_get_flash_encryption_mode(void);

/** Tells in the log how flash is encrypted; ESP-IDF calls it when an application starts. */
void esp_flash_encryption_init_checks(void);

/** True in release mode. */
bool esp_flash_encryption_cfg_verify_release_mode(void);

#ifdef __cplusplus
}
#endif
