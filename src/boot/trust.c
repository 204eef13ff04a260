/* Trust in what an image is signed with, from where the device's configuration says. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/trust.h"

#include <stdlib.h>
#include <string.h>

#include "base/le.h"
#include "otter/image.h"
#include "otter/signature.h"

static void add_key(otter_trust_t *trust, const uint8_t *digest)
{
    memcpy(trust->keys[trust->key_count++], digest, OTTER_KEY_DIGEST_LEN);
}

static esp_err_t add_efuse_keys(const otter_device_t *device, otter_trust_t *trust)
{
    if (device->efuse.read_key_digest == NULL) {
        return ESP_OK;
    }
    for (uint32_t i = 0; i < OTTER_TRUSTED_KEYS; i++) {
        otter_efuse_key_t key;
        esp_err_t err = device->efuse.read_key_digest(device->efuse.dev, i, &key);
        if (err != ESP_OK) {
            return err;
        }
        if (key.present && !key.revoked) {
            add_key(trust, key.digest);
        }
    }
    return ESP_OK;
}

/** The first block of a signature sector that is whole and of this scheme. */
static esp_err_t first_key(otter_flash_t *flash, uint32_t at, otter_signature_scheme_t scheme,
                           uint8_t *digest)
{
    uint8_t *raw = malloc(OTTER_SIGNATURE_BLOCK);
    if (raw == NULL) {
        return ESP_ERR_NO_MEM;
    }
    esp_err_t err = ESP_ERR_NOT_FOUND;
    for (uint32_t i = 0; i < OTTER_SIGNATURE_BLOCKS && err == ESP_ERR_NOT_FOUND; i++) {
        otter_signature_block_t block;
        err = otter_flash_read(flash, at + i * OTTER_SIGNATURE_BLOCK, raw, OTTER_SIGNATURE_BLOCK);
        if (err != ESP_OK) {
            break;
        }
        err = otter_signature_block_read(raw, &block, NULL);
        if (err == ESP_OK && block.scheme == scheme) {
            memcpy(digest, block.key_digest, OTTER_KEY_DIGEST_LEN);
        } else if (err != ESP_ERR_NO_MEM) {
            err = ESP_ERR_NOT_FOUND;
        }
    }
    free(raw);
    return err;
}

esp_err_t trust_of_running_app(const otter_device_t *device, uint8_t digest[OTTER_KEY_DIGEST_LEN])
{
    const esp_partition_t *running = device->running;
    if (running == NULL) {
        return ESP_ERR_NOT_FOUND;
    }
    const otter_image_rules_t rules = {
        .chip = &device->chip, .flash_offset = running->address, .size = running->size, .no_checks = true};
    otter_image_info_t info;
    esp_err_t err = otter_image_verify(device->flash, &rules, &info, NULL);
    if (err == ESP_ERR_IMAGE_INVALID) {
        return ESP_ERR_NOT_FOUND;
    }
    if (err != ESP_OK) {
        return err;
    }
    uint32_t padding = (0u - info.image_len) % OTTER_SIGNATURE_SECTOR, room = running->size - info.image_len;
    if (padding > room || room - padding < OTTER_SIGNATURE_SECTOR) {
        return ESP_ERR_NOT_FOUND;
    }
    return first_key(device->flash, running->address + info.image_len + padding, device->config.trust.scheme,
                     digest);
}

bool trust_is_same(const otter_trust_t *a, const otter_trust_t *b)
{
    return a->signatures == b->signatures && a->scheme == b->scheme && a->key_count == b->key_count &&
           memcmp(a->keys, b->keys, sizeof(a->keys)) == 0 && a->key_len == b->key_len &&
           a->blocks == b->blocks && a->v1_key == b->v1_key && a->error == b->error;
}

otter_trust_t device_trust(const otter_device_t *device, trust_use_t use, bool bootloader)
{
    const otter_trust_config_t *config = &device->config.trust;
    const bool running_app = config->source == OTTER_TRUST_RUNNING_APP,
               v1 = config->scheme == OTTER_SIGNED_V1;
    if (config->source == OTTER_TRUST_ANYBODY || (use == TRUST_TO_BOOT && running_app) ||
        (v1 && bootloader)) {
        return (otter_trust_t){0};
    }
    otter_trust_t trust = otter_chip_trust(otter_chip_facts(device->chip.id), config);
    if (trust.error != ESP_OK || v1 || config->source == OTTER_TRUST_KEYS) {
        return trust;
    }
    memset(trust.keys, 0, sizeof(trust.keys));
    trust.key_count = 0;
    if (config->source == OTTER_TRUST_EFUSES) {
        trust.error = add_efuse_keys(device, &trust);
        return trust;
    }
    uint8_t digest[OTTER_KEY_DIGEST_LEN];
    trust.blocks = 1;
    trust.error = trust_of_running_app(device, digest);
    if (trust.error == ESP_OK) {
        add_key(&trust, digest);
    } else if (trust.error == ESP_ERR_NOT_FOUND) { /* it trusts nobody, and that is known */
        trust.error = ESP_OK;
    }
    return trust;
}
