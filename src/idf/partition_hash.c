/* SHA-256 of a partition: of an app the image's own, once checked; of anything else the whole range. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "otter/bytes.h"
#include "esp_partition.h"
#include "flash/external_partitions.h"
#include "otter/image.h"
#include "otter/crypto.h"
#include "otter/device.h"
#include "otter/system.h"

#define CHUNK 4096u

static esp_err_t feed_range(otter_digest_t *sha, otter_flash_t *flash, uint32_t address, uint32_t len,
                            uint8_t buf[CHUNK])
{
    if (!range_fits(address, len, flash->size)) {
        return ESP_FAIL;
    }
    for (uint32_t done = 0; done < len;) {
        uint32_t step = min_u32(len - done, CHUNK);
        if (otter_flash_read(flash, address + done, buf, step) != ESP_OK) {
            return ESP_FAIL; /* ESP-IDF's code for a read that failed in here */
        }
        otter_digest_update(sha, buf, step);
        otter_system_alive();
        done += step;
    }
    return ESP_OK;
}

static esp_err_t hash_range(otter_flash_t *flash, uint32_t address, uint32_t len, uint8_t *digest)
{
    esp_err_t err = ESP_ERR_NO_MEM;
    uint8_t *buf = malloc(CHUNK);
    otter_digest_t sha = {0};
    if (buf != NULL && otter_sha256_begin(&sha)) {
        err = feed_range(&sha, flash, address, len, buf);
    }
    if (err == ESP_OK) {
        otter_digest_finish(&sha, digest);
    }
    otter_digest_end(&sha);
    free(buf);
    return err;
}

/** Length and appended hash come from a walk over the segments; whether the chip fits is no question here. */
static esp_err_t hash_image(const otter_device_t *device, otter_flash_t *flash, uint32_t address,
                            uint32_t size, uint8_t *digest)
{
    otter_image_info_t *info = calloc(1, sizeof(*info));
    if (info == NULL) {
        return ESP_ERR_NO_MEM;
    }
    otter_image_rules_t rules = {
        .chip = &device->chip, .flash_offset = address, .size = size, .no_checks = true};
    esp_err_t err = otter_image_verify(flash, &rules, info, NULL);
    if (err == ESP_OK) {
        uint32_t hashed = info->image_len - (info->header.hash_appended ? OTTER_IMAGE_HASH_LEN : 0);
        err = hash_range(flash, address, hashed, digest);
        if (err == ESP_OK && info->header.hash_appended &&
            memcmp(digest, info->digest, OTTER_IMAGE_HASH_LEN) != 0) {
            err = ESP_ERR_IMAGE_INVALID;
        }
    } else if (otter_flash_failed(err)) {
        err = ESP_FAIL;
    } else if (err != ESP_ERR_NO_MEM) {
        err = ESP_ERR_IMAGE_INVALID;
    }
    free(info);
    return err;
}

esp_err_t esp_partition_get_sha256(const esp_partition_t *partition, uint8_t *sha_256)
{
    const otter_device_t *device = otter_device_current();
    if (partition == NULL || sha_256 == NULL || partition->size == 0 || device == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    bool is_image =
        partition->type == ESP_PARTITION_TYPE_APP || partition->type == ESP_PARTITION_TYPE_BOOTLOADER;
    /* Only a registered record may be on other flash. Of other structures flash_chip may not even be set. */
    otter_flash_t *flash =
        external_partitions_contain(device, partition) ? partition->flash_chip : device->flash;
    uint8_t digest[OTTER_SHA256_LEN];
    esp_err_t err = is_image ? hash_image(device, flash, partition->address, partition->size, digest)
                             : hash_range(flash, partition->address, partition->size, digest);
    if (err == ESP_OK) {
        memcpy(sha_256, digest, sizeof(digest));
    }
    return err;
}

bool esp_partition_check_identity(const esp_partition_t *partition_1, const esp_partition_t *partition_2)
{
    uint8_t hash_1[OTTER_SHA256_LEN], hash_2[OTTER_SHA256_LEN];
    return esp_partition_get_sha256(partition_1, hash_1) == ESP_OK &&
           esp_partition_get_sha256(partition_2, hash_2) == ESP_OK &&
           memcmp(hash_1, hash_2, sizeof(hash_1)) == 0;
}
