/* ESP-IDF's secure boot names on the current device; only a program that uses one of them links RSA and ECDSA for it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_secure_boot.h"

#include <stdlib.h>
#include <string.h>

#include "boot/trust.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "idf/device_current.h"
#include "image/signature.h"
#include "image/signed_bytes.h"
#include "otter/bytes.h"
#include "otter/ota_ops.h"
#include "otter/system.h"

static const char TAG[] = "secure_boot_v2", START_TAG[] = "secure_boot", OTA_TAG[] = "esp_ota_ops";

bool esp_secure_boot_enabled(void)
{
    const otter_device_t *device = otter_device_current();
    return device != NULL && device->config.trust.source == OTTER_TRUST_EFUSES;
}

/** Whom these functions trust. */
static otter_trust_t trust_of(const otter_device_t *device)
{
    otter_trust_config_t config = device->config.trust;
    if (config.source == OTTER_TRUST_ANYBODY) {
        config.source = OTTER_TRUST_RUNNING_APP;
        config.signatures = &otter_signatures;
    }
    ESP_LOGI(TAG, config.source == OTTER_TRUST_EFUSES ? "Take trusted digest key(s) from eFuse block(s)"
                                                      : "Take trusted digest key(s) from running app");
    return trust_by(device, &config, false);
}

/* ---- what is signed ---- */

static esp_err_t verify_v1(const otter_device_t *device, uint32_t at, uint32_t length)
{
    uint8_t raw[OTTER_SIGNATURE_V1_SIZE], piece[256];
    esp_secure_boot_sig_block_t block;
    otter_digest_t sha = {0};
    uint8_t digest[OTTER_SHA256_LEN];
    bool begun = otter_sha256_begin(&sha);
    esp_err_t err = begun ? ESP_OK : ESP_ERR_NO_MEM;
    for (uint32_t done = 0; err == ESP_OK && done < length;) {
        uint32_t len = min_u32(length - done, sizeof(piece));
        err = otter_flash_read(device->flash, at + done, piece, len);
        otter_digest_update(&sha, piece, len);
        done += len;
    }
    if (begun) {
        otter_digest_finish(&sha, digest);
    }
    otter_digest_end(&sha);
    err = err == ESP_OK ? otter_flash_read(device->flash, at + length, raw, sizeof(raw)) : err;
    if (err != ESP_OK) {
        return err;
    }
    memcpy(&block, raw, sizeof(block));
    return esp_secure_boot_verify_ecdsa_signature_block(&block, digest, NULL);
}

static esp_err_t verify_range(const otter_device_t *device, uint32_t at, uint32_t length)
{
    const bool v1 = device->config.trust.scheme == OTTER_SIGNED_V1;
    const uint32_t padding = v1 ? 0 : (0u - length) % OTTER_SIGNATURE_SECTOR;
    const uint32_t behind = padding + (v1 ? OTTER_SIGNATURE_V1_SIZE : OTTER_SIGNATURE_SECTOR);
    if (!range_fits(at, length, device->flash->size) || device->flash->size - at - length < behind) {
        ESP_LOGE(TAG, "Digest calculation failed 0x%x, 0x%x", (unsigned)at, (unsigned)length);
        return ESP_FAIL;
    }
    if (v1) {
        return verify_v1(device, at, length);
    }
    const otter_trust_t trust = trust_of(device);
    otter_fault_t fault = {0};
    esp_err_t err = signed_bytes_verify(device->flash, at, at + length + padding, &trust, &fault);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "Secure Boot V2 verification failed: %s", fault.why);
    }
    return err;
}

/** ESP-IDF knows these codes. */
static esp_err_t told(esp_err_t err)
{
    return err == ESP_OK || err == ESP_ERR_NO_MEM || err == ESP_ERR_IMAGE_INVALID ? err : ESP_FAIL;
}

esp_err_t esp_secure_boot_verify_signature(uint32_t src_addr, uint32_t length)
{
    const otter_device_t *device = device_or_complain(TAG);
    return device != NULL ? told(verify_range(device, src_addr, length)) : ESP_ERR_INVALID_STATE;
}

esp_err_t esp_secure_boot_verify_sbv2_signature_block(const ets_secure_boot_signature_t *sig_block,
                                                      const uint8_t *image_digest, uint8_t *verified_digest)
{
    const otter_device_t *device = device_or_complain(TAG);
    if (device == NULL || sig_block == NULL || image_digest == NULL) {
        return device == NULL ? ESP_ERR_INVALID_STATE : ESP_FAIL;
    }
    const otter_trust_t trust = trust_of(device);
    const size_t len =
        otter_signature_hash_len(trust.scheme != OTTER_SIGNED_NOT ? trust.scheme : OTTER_SIGNED_RSA_3072);
    if (verified_digest != NULL) {
        memset(verified_digest, 0, len);
    }
    otter_fault_t fault = {0};
    esp_err_t err = ESP_FAIL;
    if (trust_has_somebody(&trust, &fault) && trust.scheme != OTTER_SIGNED_V1) {
        err = otter_signature_sector_verify(&trust, (const uint8_t *)sig_block, image_digest, &fault);
    }
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "%s", fault.code != ESP_OK ? fault.why : "Could not read secure boot digests!");
    } else if (verified_digest != NULL) {
        memcpy(verified_digest, image_digest, len);
    }
    return told(err);
}

esp_err_t esp_secure_boot_verify_rsa_signature_block(const ets_secure_boot_signature_t *sig_block,
                                                     const uint8_t *image_digest, uint8_t *verified_digest)
{
    return esp_secure_boot_verify_sbv2_signature_block(sig_block, image_digest, verified_digest);
}

esp_err_t esp_secure_boot_verify_ecdsa_signature_block(const esp_secure_boot_sig_block_t *sig_block,
                                                       const uint8_t *image_digest, uint8_t *verified_digest)
{
    const otter_device_t *device = device_or_complain(TAG);
    if (device == NULL || sig_block == NULL || image_digest == NULL) {
        return device == NULL ? ESP_ERR_INVALID_STATE : ESP_FAIL;
    }
    const uint8_t *key = device->config.trust.v1_key;
    uint8_t raw[OTTER_SIGNATURE_V1_SIZE];
    memcpy(raw, sig_block, sizeof(raw));
    if (le32_get(raw) != 0 || key == NULL) {
        ESP_LOGE(TAG, key == NULL ? "this device has no key of the V1 scheme"
                                  : "image has invalid signature version field");
        return ESP_FAIL;
    }
    esp_err_t err = otter_signature_v1_verify(raw, key, image_digest, NULL);
    if (verified_digest != NULL) {
        memset(verified_digest, 0, OTTER_SHA256_LEN);
        memcpy(verified_digest, image_digest, err == ESP_OK ? OTTER_SHA256_LEN : 0);
    }
    return told(err);
}

esp_err_t esp_secure_boot_verify_signature_block(const esp_secure_boot_sig_block_t *sig_block,
                                                 const uint8_t *image_digest)
{
    return esp_secure_boot_verify_ecdsa_signature_block(sig_block, image_digest, NULL);
}

/* ---- keys ---- */

/** All whole blocks of a sector. @param raw  room for one */
static esp_err_t read_blocks(const otter_device_t *device, uint32_t sector, uint8_t *raw, bool with_digests,
                             esp_image_sig_public_key_digests_t *found)
{
    const otter_chip_facts_t *chip = otter_chip_facts(device->chip.id);
    const otter_trust_t any = {.scheme = device->config.trust.scheme,
                               .schemes = chip != NULL ? chip->schemes : UINT8_MAX};
    for (uint32_t i = 0; i < (chip != NULL ? chip->signature_blocks : OTTER_SIGNATURE_BLOCKS); i++) {
        otter_signature_block_t block;
        if (otter_flash_read(device->flash, sector + i * OTTER_SIGNATURE_BLOCK, raw, OTTER_SIGNATURE_BLOCK) !=
            ESP_OK) {
            return ESP_FAIL;
        }
        esp_err_t err = otter_signature_block_read(raw, &block, NULL);
        if (err == ESP_ERR_NO_MEM) {
            return err;
        }
        if (err == ESP_OK && signature_counts(&any, block.scheme)) {
            memcpy(found->key_digests[found->num_digests++], block.key_digest,
                   with_digests ? OTTER_KEY_DIGEST_LEN : 0);
        }
    }
    return found->num_digests > 0 ? ESP_OK : ESP_ERR_NOT_FOUND;
}

esp_err_t
esp_secure_boot_get_signature_blocks_for_running_app(bool digest_public_keys,
                                                     esp_image_sig_public_key_digests_t *public_key_digests)
{
    const otter_device_t *device = device_or_complain(TAG);
    if (public_key_digests == NULL || device == NULL) {
        return device == NULL ? ESP_ERR_INVALID_STATE : ESP_FAIL;
    }
    *public_key_digests = (esp_image_sig_public_key_digests_t){0};
    uint32_t sector;
    if (device->running == NULL) {
        ESP_LOGE(TAG, "Cannot get running partition");
        return ESP_FAIL;
    }
    esp_err_t err = trust_find_sector(device, device->running->address, device->running->size, &sector);
    if (err == ESP_OK) {
        uint8_t *raw = malloc(OTTER_SIGNATURE_BLOCK);
        err = raw != NULL ? read_blocks(device, sector, raw, digest_public_keys, public_key_digests)
                          : ESP_ERR_NO_MEM;
        free(raw);
    }
    if (err == ESP_ERR_NOT_FOUND) {
        ESP_LOGE(TAG, "No signatures were found for the running app");
    }
    return err == ESP_OK || err == ESP_ERR_NOT_FOUND || err == ESP_ERR_NO_MEM ? err : ESP_FAIL;
}

esp_err_t esp_secure_boot_verify_with_efuse_digest_index(int efuse_digest_index,
                                                         esp_partition_pos_t *part_pos)
{
    const otter_device_t *device = device_or_complain(TAG);
    if (device == NULL) {
        return ESP_ERR_INVALID_STATE;
    }
    if (part_pos == NULL || efuse_digest_index < 0 ||
        efuse_digest_index >= SOC_EFUSE_SECURE_BOOT_KEY_DIGESTS) {
        return ESP_ERR_INVALID_ARG;
    }
    if (device->config.trust.source != OTTER_TRUST_EFUSES || device->config.trust.scheme == OTTER_SIGNED_V1) {
        return ESP_FAIL;
    }
    const otter_trust_t trust = trust_in_efuses(device, 1u << efuse_digest_index);
    esp_err_t err = trust_judge_image(device, part_pos->offset, part_pos->size, &trust, NULL);
    return err == ESP_OK || err == ESP_ERR_NO_MEM ? err : ESP_FAIL;
}

/* What esp_secure_boot_read_key_digests() points to: it never goes, as eFuses do not. */
static uint8_t efuse_digests[OTTER_TRUSTED_KEYS][OTTER_KEY_DIGEST_LEN];

esp_err_t esp_secure_boot_read_key_digests(esp_secure_boot_key_digests_t *trusted_key_digests)
{
    const otter_device_t *device = device_or_complain(TAG);
    if (device == NULL) {
        return ESP_ERR_INVALID_STATE;
    }
    if (trusted_key_digests == NULL) {
        return ESP_FAIL;
    }
    bool found = false;
    otter_lock(OTTER_LOCK_UPDATES);
    for (uint32_t i = 0; i < OTTER_TRUSTED_KEYS; i++) {
        otter_efuse_key_t key;
        uint8_t *kept = efuse_digests[i];
        bool trusted = trust_read_key(device, i, &key) == ESP_OK && key.present && !key.revoked;
        if (trusted && memcmp(kept, key.digest, OTTER_KEY_DIGEST_LEN) != 0) {
            memcpy(kept, key.digest,
                   OTTER_KEY_DIGEST_LEN); /* the first time: later another task may be reading */
        }
        trusted_key_digests->key_digests[i] = trusted ? kept : NULL;
        found = found || trusted;
    }
    otter_unlock(OTTER_LOCK_UPDATES);
    return found ? ESP_OK : ESP_FAIL;
}

bool esp_efuse_get_digest_revoke(unsigned num_digest)
{
    const otter_device_t *device = otter_device_current();
    otter_efuse_key_t key;
    return device != NULL && num_digest < OTTER_TRUSTED_KEYS &&
           trust_read_key(device, num_digest, &key) == ESP_OK && key.revoked;
}

esp_err_t esp_efuse_set_digest_revoke(unsigned num_digest)
{
    const otter_device_t *device = device_or_complain(TAG);
    if (device == NULL) {
        return ESP_ERR_INVALID_STATE;
    }
    if (num_digest >= OTTER_TRUSTED_KEYS) {
        return ESP_ERR_INVALID_ARG;
    }
    return device->efuse.revoke_key_digest != NULL
               ? device->efuse.revoke_key_digest(device->efuse.dev, num_digest)
               : ESP_ERR_NOT_SUPPORTED;
}

esp_err_t esp_ota_revoke_secure_boot_public_key(esp_ota_secure_boot_public_key_index_t index)
{
    otter_lock(OTTER_LOCK_UPDATES);
    otter_device_t *device = device_or_complain(OTA_TAG);
    esp_err_t err = device != NULL
                        ? otter_ota_revoke_secure_boot_public_key(device, (uint32_t)index, &device->fault)
                        : ESP_ERR_INVALID_STATE;
    otter_unlock(OTTER_LOCK_UPDATES);
    return err;
}

/* ---- the start of a firmware ---- */

void esp_secure_boot_init_checks(void)
{
    const otter_device_t *device = otter_device_current();
    esp_image_sig_public_key_digests_t keys;
    if (device == NULL || device->config.trust.source != OTTER_TRUST_RUNNING_APP ||
        device->config.trust.scheme == OTTER_SIGNED_V1) {
        return;
    }
    if (esp_secure_boot_get_signature_blocks_for_running_app(false, &keys) != ESP_OK) {
        ESP_LOGE(START_TAG, "This app is not signed, but check signature on update is enabled in config. It "
                            "won't be possible to verify any update.");
        abort();
    }
    if (keys.num_digests > 1) {
        ESP_LOGW(
            START_TAG,
            "App has %u signatures. Only the first position of signature blocks is used to verify any update",
            keys.num_digests);
    }
}

bool esp_secure_boot_cfg_verify_release_mode(void)
{
    esp_secure_boot_key_digests_t keys;
    if (!esp_secure_boot_enabled()) {
        ESP_LOGW(START_TAG, "Not enabled Secure Boot (SECURE_BOOT_EN->1)");
        return false;
    }
    return esp_secure_boot_read_key_digests(&keys) == ESP_OK;
}

esp_err_t esp_secure_boot_enable_secure_features(void)
{
    return ESP_OK;
}
