/* ESP-IDF's anti-rollback eFuse: the lowest secure version that this device runs. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "esp_types.h"
#include "sdkconfig.h"
#include "esp_err.h"
#include "esp_log.h"
#include "soc/soc_caps.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The device's version: 0 on a device without eFuses, without a device, and if it cannot be read. */
uint32_t esp_efuse_read_secure_version(void);

/** True if an application with this version may run here. */
bool esp_efuse_check_secure_version(uint32_t secure_version);

/**
 * Raise the device's version; older applications never run again.
 * @return ESP_OK                 raised, or equal already
 *         ESP_ERR_INVALID_ARG    more than the chip's field can hold
 *         ESP_FAIL               below the device's version
 *         ESP_ERR_NOT_SUPPORTED  the device has no eFuses
 *         ESP_ERR_INVALID_STATE  there is no current device
 */
esp_err_t esp_efuse_update_secure_version(uint32_t secure_version);

/** Digests of keys of Secure Boot V2: the eFuses' own bytes, constant while the firmware runs; NULL: missing or revoked. */
typedef struct {
    const void *key_digests[SOC_EFUSE_SECURE_BOOT_KEY_DIGESTS]; /* 32 bytes each */
} esp_secure_boot_key_digests_t;

/**
 * Those that the device has and that are not revoked.
 * @return ESP_OK, ESP_FAIL (NULL, none of them, they cannot be read), ESP_ERR_INVALID_STATE (there is no current device)
 */
esp_err_t esp_secure_boot_read_key_digests(esp_secure_boot_key_digests_t *trusted_key_digests);

/** True if digest `num_digest`, 0 to 2, is revoked; false where there is no such digest, or it cannot be read. */
bool esp_efuse_get_digest_revoke(unsigned num_digest);

/**
 * Revokes it, whatever then cannot run any more: applications call esp_ota_revoke_secure_boot_public_key(), which looks.
 * @return ESP_OK, ESP_ERR_INVALID_ARG (above 2), ESP_ERR_NOT_SUPPORTED (the device has no eFuses), ESP_ERR_INVALID_STATE (there
 *         is no current device), what burning says
 */
esp_err_t esp_efuse_set_digest_revoke(unsigned num_digest);

/** Package of the chip; 0: nothing says it. */
uint32_t esp_efuse_get_pkg_ver(void);

/** True of a device with flash encryption; false also where there is no device. */
bool esp_efuse_is_flash_encryption_enabled(void);

#ifdef __cplusplus
}
#endif
