/* Revoking a key of secure boot: only where what runs, and the bootloader below it, can do without. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "otter/ota_ops.h"

#include <inttypes.h>

#include "boot/trust.h"
#include "esp_log.h"
#include "otter/bootloader.h"
#include "otter/bytes.h"
#include "otter/image.h"
#include "otter/signature.h"

static const char TAG[] = "esp_ota_ops";

static esp_err_t refuse(otter_fault_t *fault, esp_err_t code, const char *why)
{
    ESP_LOGE(TAG, "%s", why);
    return otter_fault(fault, code, "%s", why);
}

/** On trial it could fall back to one that only the old key has signed. */
static esp_err_t check_confirmed(otter_device_t *device, otter_fault_t *fault)
{
    esp_ota_img_states_t state;
    if (!device->config.rollback) {
        return ESP_OK;
    }
    esp_err_t err = otter_ota_get_state_partition(device, device->running, &state);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "esp_ota_get_state_partition returned: %s", esp_err_to_name(err));
        return otter_fault(fault, ESP_FAIL, "the state of what runs is not known: %s", esp_err_to_name(err));
    }
    return state == ESP_OTA_IMG_VALID
               ? ESP_OK
               : refuse(fault, ESP_FAIL,
                        "The current running application is not marked as a valid image. Aborting..");
}

/** What runs is signed by another key, too. */
static esp_err_t check_app(const otter_device_t *device, const otter_trust_t *others, otter_fault_t *fault)
{
    const esp_partition_t *app = device->running;
    esp_err_t err =
        app != NULL ? trust_judge_image(device, app->address, app->size, others, fault) : ESP_FAIL;
    if (err == ESP_OK || err == ESP_ERR_NO_MEM) {
        return err;
    }
    return refuse(fault, ESP_FAIL,
                  "Application cannot be verified with any key other than the one being revoked");
}

/**
 * The same of the bootloader. Of what is no chip of Espressif's no ROM asks it for a signature: there it counts if it has one
 * that this would make worthless.
 */
static esp_err_t check_bootloader(const otter_device_t *device, const otter_trust_t *others,
                                  otter_fault_t *fault)
{
    const otter_chip_facts_t *chip = otter_chip_facts(device->chip.id);
    const uint32_t at = chip != NULL ? chip->bootloader_offset : 0, table = device->config.table_offset;
    const uint32_t size = table > at ? table - at : 0;
    esp_err_t err = trust_judge_image(device, at, size, others, fault);
    if (err == ESP_OK || err == ESP_ERR_NO_MEM) {
        return err;
    }
    const otter_trust_t all = trust_in_efuses(device, UINT32_MAX);
    bool is_asked =
        otter_chip_is_espressif(device->chip.id) || trust_judge_image(device, at, size, &all, NULL) == ESP_OK;
    return is_asked ? refuse(fault, ESP_FAIL,
                             "Bootloader cannot be verified with any key other than the one being revoked")
                    : ESP_OK;
}

static esp_err_t check_all(otter_device_t *device, uint32_t index, otter_fault_t *fault)
{
    const otter_trust_t others = trust_in_efuses(device, ~(1u << index));
    esp_err_t err = check_confirmed(device, fault);
    err = err == ESP_OK ? check_app(device, &others, fault) : err;
    return err == ESP_OK ? check_bootloader(device, &others, fault) : err;
}

esp_err_t otter_ota_revoke_secure_boot_public_key(otter_device_t *device, uint32_t index,
                                                  otter_fault_t *fault)
{
    const otter_trust_config_t *trust = &device->config.trust;
    otter_efuse_key_t key;
    if (trust->source != OTTER_TRUST_EFUSES || trust->scheme == OTTER_SIGNED_V1) {
        return refuse(fault, ESP_FAIL, "Secure boot v2 has not been enabled.");
    }
    if (index >= OTTER_TRUSTED_KEYS) {
        ESP_LOGE(TAG, "Invalid Index found for public key revocation %" PRIu32 ".", index);
        return otter_fault(fault, ESP_ERR_INVALID_ARG, "there is no key %" PRIu32, index);
    }
    if (trust_read_key(device, index, &key) != ESP_OK) {
        return refuse(fault, ESP_FAIL, "Could not read the secure boot key digests from efuse. Aborting..");
    }
    if (!key.present || key.revoked) {
        ESP_LOGI(TAG, "Given public key digest(%" PRIu32 ") is already revoked.", index);
        return ESP_OK;
    }
    esp_err_t err = check_all(device, index, fault);
    if (err != ESP_OK) {
        return err;
    }
    err = device->efuse.revoke_key_digest != NULL ? device->efuse.revoke_key_digest(device->efuse.dev, index)
                                                  : ESP_ERR_NOT_SUPPORTED;
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "Failed to revoke digest (0x%x).", (unsigned)err);
        return otter_fault(fault, ESP_FAIL, "the eFuse cannot be burned: %s", esp_err_to_name(err));
    }
    ESP_LOGI(TAG, "Revoked signature block %" PRIu32 ".", index);
    return ESP_OK;
}
