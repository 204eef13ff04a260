/* Anti-rollback versions: of the device in eFuses, of an application in its descriptor. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/secure_version.h"

#include "otter/bytes.h"
#include "boot/efuse_partition.h"
#include "otter/image.h"

#define VERSION_OFFSET 4u /* in the descriptor, after the magic */

esp_err_t secure_version_read(const otter_device_t *device, uint32_t *version)
{
    *version = 0;
    if (device->config.emulated_efuses != NULL) {
        return device->config.emulated_efuses->read_version(device, version);
    }
    if (device->efuse.read_secure_version == NULL) {
        return ESP_OK;
    }
    return device->efuse.read_secure_version(device->efuse.dev, version);
}

esp_err_t secure_version_settle(const otter_device_t *device)
{
    return device->config.emulated_efuses != NULL ? device->config.emulated_efuses->settle(device) : ESP_OK;
}

esp_err_t secure_version_raise(const otter_device_t *device, uint32_t version)
{
    const otter_chip_facts_t *facts = otter_chip_facts(device->chip.id);
    if (facts != NULL && version > facts->secure_version_bits) {
        return ESP_ERR_INVALID_ARG;
    }
    uint32_t now;
    esp_err_t err = secure_version_read(device, &now);
    if (err != ESP_OK) {
        return err;
    }
    if (version == now) {
        return ESP_OK;
    }
    if (version < now) {
        return ESP_FAIL;
    }
    if (device->config.emulated_efuses != NULL) {
        return device->config.emulated_efuses->burn_version(device, version);
    }
    if (device->efuse.burn_secure_version == NULL) {
        return ESP_ERR_NOT_SUPPORTED;
    }
    return device->efuse.burn_secure_version(device->efuse.dev, version);
}

esp_err_t secure_version_of_app(otter_flash_t *flash, uint32_t offset, uint32_t size, uint32_t *version)
{
    if (!range_fits(OTTER_IMAGE_DESC_OFFSET, sizeof(esp_app_desc_t), size)) {
        return ESP_ERR_INVALID_SIZE;
    }
    uint8_t raw[2 * sizeof(uint32_t)];
    esp_err_t err = otter_flash_read(flash, offset + OTTER_IMAGE_DESC_OFFSET, raw, sizeof(raw));
    if (err != ESP_OK) {
        return err;
    }
    if (le32_get(raw) != ESP_APP_DESC_MAGIC_WORD) {
        return ESP_ERR_NOT_FOUND;
    }
    *version = le32_get(raw + VERSION_OFFSET);
    return ESP_OK;
}
