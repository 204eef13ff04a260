/* The anti-rollback eFuse of the current device under ESP-IDF's names. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_efuse.h"

#include "boot/secure_version.h"
#include "otter/system.h"

uint32_t esp_efuse_read_secure_version(void)
{
    const otter_device_t *device = otter_device_current();
    uint32_t version = 0;
    otter_lock(OTTER_LOCK_UPDATES); /* a burn of another task, which may be several operations of flash */
    esp_err_t err = device != NULL ? secure_version_read(device, &version) : ESP_ERR_INVALID_STATE;
    otter_unlock(OTTER_LOCK_UPDATES);
    return err == ESP_OK
               ? version
               : 0; /* ESP-IDF's function cannot fail; the boot step, which decides, does see the error */
}

bool esp_efuse_check_secure_version(uint32_t secure_version)
{
    return secure_version >= esp_efuse_read_secure_version();
}

esp_err_t esp_efuse_update_secure_version(uint32_t secure_version)
{
    const otter_device_t *device = otter_device_current();
    otter_lock(OTTER_LOCK_UPDATES); /* confirming burns it, too */
    esp_err_t err = device != NULL ? secure_version_raise(device, secure_version) : ESP_ERR_INVALID_STATE;
    otter_unlock(OTTER_LOCK_UPDATES);
    return err;
}

uint32_t esp_efuse_get_pkg_ver(void)
{
    return 0;
}

bool esp_efuse_is_flash_encryption_enabled(void)
{
    const otter_device_t *device = otter_device_current();
    return device != NULL && device->flash->cipher != NULL;
}
