/* Trust in what an image is signed with, from where the device's configuration says. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/trust.h"

#include <string.h>

#include "otter/bytes.h"
#include "otter/image.h"
#include "image/signature.h"
#include "image/signed_bytes.h"

#define ALL_KEYS UINT32_MAX

static void add_key(otter_trust_t *trust, const uint8_t *digest)
{
    memcpy(trust->keys[trust->key_count++], digest, OTTER_KEY_DIGEST_LEN);
}

esp_err_t trust_read_key(const otter_device_t *device, uint32_t index, otter_efuse_key_t *key)
{
    *key = (otter_efuse_key_t){0};
    return device->efuse.read_key_digest != NULL
               ? device->efuse.read_key_digest(device->efuse.dev, index, key)
               : ESP_OK;
}

static esp_err_t add_efuse_keys(const otter_device_t *device, uint32_t which, otter_trust_t *trust)
{
    for (uint32_t i = 0; i < OTTER_TRUSTED_KEYS; i++) {
        otter_efuse_key_t key;
        esp_err_t err = trust_read_key(device, i, &key);
        if (err != ESP_OK) {
            return err;
        }
        if ((which >> i & 1u) != 0 && key.present && !key.revoked) {
            add_key(trust, key.digest);
        }
    }
    return ESP_OK;
}

esp_err_t trust_find_sector(const otter_device_t *device, uint32_t offset, uint32_t size, uint32_t *sector)
{
    uint32_t len;
    esp_err_t err = otter_image_length(device->flash, &device->chip, offset, size, &len);
    if (err != ESP_OK) {
        return err == ESP_ERR_IMAGE_INVALID ? ESP_ERR_NOT_FOUND : err;
    }
    uint32_t padding = (0u - len) % OTTER_SIGNATURE_SECTOR, room = size - len;
    if (padding > room || room - padding < OTTER_SIGNATURE_SECTOR) {
        return ESP_ERR_NOT_FOUND;
    }
    *sector = offset + len + padding;
    return ESP_OK;
}

/** The key that updates without secure boot are measured by. @return ESP_ERR_NOT_FOUND: nothing runs, or it is not signed so */
static esp_err_t add_running_key(const otter_device_t *device, otter_trust_t *trust)
{
    const esp_partition_t *running = device->running;
    uint32_t sector;
    if (running == NULL) {
        return ESP_ERR_NOT_FOUND;
    }
    esp_err_t err = trust_find_sector(device, running->address, running->size, &sector);
    return err == ESP_OK ? trust->signatures->first_key(device->flash, sector, trust) : err;
}

bool trust_is_same(const otter_trust_t *a, const otter_trust_t *b)
{
    return a->signatures == b->signatures && a->scheme == b->scheme && a->schemes == b->schemes &&
           a->key_count == b->key_count && memcmp(a->keys, b->keys, sizeof(a->keys)) == 0 &&
           a->key_len == b->key_len && a->blocks == b->blocks && a->v1_key == b->v1_key &&
           a->error == b->error;
}

/** But for the running app's key. @param which  bit n: the key n of its eFuses counts, if it is not revoked */
static otter_trust_t of_configuration(const otter_device_t *device, const otter_trust_config_t *config,
                                      uint32_t which, bool bootloader)
{
    const bool running_app = config->source == OTTER_TRUST_RUNNING_APP,
               v1 = config->scheme == OTTER_SIGNED_V1;
    /* Without secure boot no ROM looks at a bootloader's signature, and ESP-IDF's build does not sign it. */
    if (config->source == OTTER_TRUST_ANYBODY || (bootloader && (v1 || running_app))) {
        return (otter_trust_t){0};
    }
    otter_trust_t trust = otter_chip_trust(otter_chip_facts(device->chip.id), config);
    if (trust.error == ESP_OK && !v1 && config->source != OTTER_TRUST_KEYS) {
        memset(trust.keys, 0, sizeof(trust.keys));
        trust.key_count = 0;
        trust.blocks = running_app ? 1 : trust.blocks;
        trust.error = running_app ? ESP_OK : add_efuse_keys(device, which, &trust);
    }
    return trust;
}

otter_trust_t otter_trust_to_boot(const otter_device_t *device, bool bootloader)
{
    const otter_trust_config_t *config = &device->config.trust;
    const bool keys = config->source == OTTER_TRUST_KEYS ||
                      (config->source == OTTER_TRUST_RUNNING_APP && config->scheme == OTTER_SIGNED_V1);
    const bool asks = config->source == OTTER_TRUST_EFUSES || (keys && config->at_boot);
    return asks ? of_configuration(device, config, ALL_KEYS, bootloader) : (otter_trust_t){0};
}

otter_trust_t trust_by(const otter_device_t *device, const otter_trust_config_t *config, bool bootloader)
{
    otter_trust_t trust = of_configuration(device, config, ALL_KEYS, bootloader);
    if (config->source == OTTER_TRUST_RUNNING_APP && trust.signatures != NULL &&
        trust.scheme != OTTER_SIGNED_V1 && trust.error == ESP_OK) {
        esp_err_t err = add_running_key(device, &trust);
        trust.error = err == ESP_ERR_NOT_FOUND ? ESP_OK : err; /* it trusts nobody then, and that is known */
    }
    return trust;
}

otter_trust_t trust_to_update(const otter_device_t *device, bool bootloader)
{
    return trust_by(device, &device->config.trust, bootloader);
}

otter_trust_t trust_in_efuses(const otter_device_t *device, uint32_t which)
{
    return of_configuration(device, &device->config.trust, which, false);
}

esp_err_t trust_judge_image(const otter_device_t *device, uint32_t offset, uint32_t size,
                            const otter_trust_t *trust, otter_fault_t *fault)
{
    uint32_t sector;
    esp_err_t err = trust_find_sector(device, offset, size, &sector);
    if (err == ESP_OK) {
        err = signed_bytes_verify(device->flash, offset, sector, trust, fault);
    } else {
        (void)otter_fault(fault, err, "%s",
                          err == ESP_ERR_NOT_FOUND ? "there is no signed image" : esp_err_to_name(err));
    }
    return err;
}
