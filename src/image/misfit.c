/* Says in ESP-IDF's words, which people's log watchers wait for, why an image cannot run here. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "image/misfit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "esp_log.h"
#include "image/judge.h"

static const char TAG[] = "boot_comm", IMAGE_TAG[] = "esp_image", V2_TAG[] = "secure_boot_v2";

static void log_revision(const char *relation, uint16_t required, uint16_t found)
{
    char want[12], have[12];
    ESP_LOGE(TAG, "chip revision check failed. Required %s %s, found %s.", relation,
             otter_image_revision_text(required, want), otter_image_revision_text(found, have));
}

void image_log_misfit(const esp_image_header_t *header, const otter_chip_t *chip, bool bootloader)
{
    if (header->magic != ESP_IMAGE_HEADER_MAGIC || image_suits_chip(header, chip, bootloader, true, NULL)) {
        return;
    }
    if (header->chip_id != chip->id || image_header_is_esp8266(header)) {
        ESP_LOGE(TAG, "mismatch chip ID, expected %u, found %u", (unsigned)chip->id,
                 (unsigned)header->chip_id);
    } else if (chip->revision < header->min_chip_rev_full) {
        log_revision(">=", header->min_chip_rev_full, chip->revision);
    } else {
        log_revision("<=", header->max_chip_rev_full, chip->revision);
    }
}

void image_log_misfit_at(otter_flash_t *flash, uint32_t offset, const otter_chip_t *chip, bool bootloader)
{
    uint8_t raw[OTTER_IMAGE_HEADER_SIZE];
    if (otter_flash_read(flash, offset, raw, sizeof(raw)) == ESP_OK) {
        esp_image_header_t header;
        otter_image_decode_header(raw, &header);
        image_log_misfit(&header, chip, bootloader);
    }
}

/** By how much is known: which of several keys or blocks it was is not kept. */
static void log_signed_v2(const otter_trust_t *trust)
{
    if (trust->blocks == 1 && trust->key_count == 1) {
        ESP_LOGI(V2_TAG, "#0 app key digest == #0 trusted key digest");
    }
    if (trust->scheme != OTTER_SIGNED_NOT) {
        ESP_LOGI(V2_TAG, "Verifying with %s...",
                 trust->scheme == OTTER_SIGNED_RSA_3072 ? "RSA-PSS" : "ECDSA");
    }
    ESP_LOGI(V2_TAG, "Signature verified successfully!");
}

void image_log_signed(const otter_trust_t *trust)
{
    if (trust->signatures != NULL) {
        ESP_LOGI(IMAGE_TAG, "Verifying image signature...");
        if (trust->scheme != OTTER_SIGNED_V1) {
            log_signed_v2(trust);
        }
    }
}

/** Its beginning tells that all else of the image was found good. */
static bool is_of_signature(const char *why)
{
    static const char signature[] = "signature", none[] = "the image is not signed";
    return strncmp(why, signature, sizeof(signature) - 1) == 0 || strncmp(why, none, sizeof(none) - 1) == 0;
}

/** Takes the numbers from our own sentences. */
void image_log_fault(uint32_t offset, const char *why)
{
    static const char hash[] = "SHA-256 differs", magic[] = "magic byte is";
    unsigned calculated, stored;
    if (sscanf(why, "checksum is 0x%x, 0x%x is stored", &calculated, &stored) == 2) {
        ESP_LOGE(IMAGE_TAG, "Checksum failed. Calculated 0x%x read 0x%x", calculated, stored);
    } else if (is_of_signature(why)) {
        ESP_LOGI(IMAGE_TAG, "Verifying image signature...");
        ESP_LOGE(IMAGE_TAG, "Secure boot signature verification failed");
    } else if (strncmp(why, hash, sizeof(hash) - 1) == 0) {
        ESP_LOGE(IMAGE_TAG, "Image hash failed - image is corrupt");
    } else if (strncmp(why, magic, sizeof(magic) - 1) == 0) {
        ESP_LOGE(IMAGE_TAG, "image at 0x%" PRIx32 " has invalid magic byte (nothing flashed here?)", offset);
    }
}
