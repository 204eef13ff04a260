/* otadata in flash. The only place that programs a record: every state change of the device goes through here. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/otadata_flash.h"

#include <string.h>

#include "otter/bytes.h"
#include "otter/promise.h"

uint32_t otadata_distance(const otter_flash_t *flash)
{
    return max_u32(OTADATA_COPY_DISTANCE, flash->erase_size);
}

uint32_t otadata_size(const otter_flash_t *flash)
{
    return OTADATA_COPY_COUNT * otadata_distance(flash);
}

static uint32_t place_of(const otter_flash_t *flash, uint32_t offset, uint32_t copy)
{
    return offset + copy * otadata_distance(flash);
}

/**
 * Where units are programmed once, a record cannot be spoilt before it is erased, and a code that a cut erase has got the
 * better of may let bytes pass that were never there. So the label says whether number and state belong together.
 */
static uint32_t check_of(const uint8_t raw[OTADATA_ENTRY_SIZE])
{
    return crc32_le(crc32_le(0, raw, OTADATA_LABEL_OFFSET), raw + OTADATA_STATE_OFFSET,
                    OTADATA_ENTRY_SIZE - OTADATA_STATE_OFFSET);
}

/** A record as other tools write it, with an erased label, counts too. */
static bool is_as_written(const otter_flash_t *flash, const uint8_t raw[OTADATA_ENTRY_SIZE])
{
    const uint8_t *label = raw + OTADATA_LABEL_OFFSET;
    return !flash->write_once || bytes_are_erased(label, OTADATA_STATE_OFFSET - OTADATA_LABEL_OFFSET) ||
           le32_get(label) == check_of(raw);
}

esp_err_t otadata_read(otter_flash_t *flash, uint32_t offset, uint32_t size,
                       otadata_entry_t two[OTADATA_COPY_COUNT])
{
    if (size < otadata_size(flash)) {
        return ESP_ERR_INVALID_SIZE;
    }
    for (uint32_t copy = 0; copy < OTADATA_COPY_COUNT; copy++) {
        uint8_t raw[OTADATA_ENTRY_SIZE];
        esp_err_t err = otter_flash_read_torn(flash, place_of(flash, offset, copy), raw, sizeof(raw));
        if (err != ESP_OK) {
            return err;
        }
        if (flash->cipher != NULL &&
            otter_flash_reads_blank(flash, place_of(flash, offset, copy), sizeof(raw))) {
            memset(raw, ERASED_BYTE, sizeof(raw)); /* which the cipher makes noise of */
        } else if (!is_as_written(flash, raw)) {
            memset(raw, 0, sizeof(raw)); /* as what cannot be read at all: a torn record */
        }
        otadata_decode(raw, &two[copy]);
    }
    return ESP_OK;
}

/**
 * An erase that power interrupts may change few bits, and the CRC covers the number only: a rejected image's record could
 * turn into one that boots. So the CRC goes first, with all of its write unit. Where that is larger than the record, or is
 * programmed once, this is left out; and behind a cipher, where each bit of the state changes the CRC, too.
 */
static esp_err_t spoil_crc(otter_flash_t *flash, uint32_t place)
{
    static const uint8_t zeros[OTADATA_ENTRY_SIZE] = {0};
    if (flash->write_once || flash->cipher != NULL || flash->write_size > sizeof(zeros)) {
        return ESP_OK;
    }
    const uint32_t off = align_down_u32(OTADATA_CRC_OFFSET, flash->write_size);
    esp_err_t err = otter_flash_program(flash, place + off, zeros, OTADATA_ENTRY_SIZE - off);
    return err == ESP_OK ? otter_flash_sync(flash) : err;
}

esp_err_t otadata_erase_copy(otter_flash_t *flash, uint32_t offset, uint32_t copy)
{
    esp_err_t err = otter_flash_sync(flash);
    if (err != ESP_OK) {
        return err;
    }
    const uint32_t place = place_of(flash, offset, copy), len = otadata_distance(flash);
    if (flash->stable_reads && otter_flash_reads_blank(flash, place, len)) {
        return ESP_OK;
    }
    err = spoil_crc(flash, place);
    if (err == ESP_OK) {
        err = otter_flash_erase(flash, place, len);
    }
    return err == ESP_OK ? otter_flash_sync(flash) : err;
}

/** Programs a record at the start of an erased sector, or over itself; a larger write unit is filled up. */
static esp_err_t program_record(otter_flash_t *flash, uint32_t place, const otadata_entry_t *entry)
{
    uint8_t raw[OTTER_FLASH_UNIT_MAX];
    const uint32_t len = align_up_u32(OTADATA_ENTRY_SIZE, otter_flash_unit(flash));
    OTTER_ASSERT(len <= sizeof(raw));
    memset(raw, ERASED_BYTE, sizeof(raw));
    otadata_encode(entry, raw);
    if (flash->write_once) {
        le32_put(raw + OTADATA_LABEL_OFFSET, check_of(raw));
    }
    esp_err_t err = otter_flash_program(flash, place, raw, len);
    return err == ESP_OK ? otter_flash_sync(flash) : err;
}

esp_err_t otadata_write_copy(otter_flash_t *flash, uint32_t offset, uint32_t copy,
                             const otadata_entry_t *entry)
{
    esp_err_t err = otadata_erase_copy(flash, offset, copy);
    return err == ESP_OK ? program_record(flash, place_of(flash, offset, copy), entry) : err;
}

esp_err_t otadata_confirm_copy(otter_flash_t *flash, uint32_t offset, uint32_t copy)
{
    static const uint8_t state[] = {ESP_OTA_IMG_VALID, 0, 0, 0};
    const uint32_t place = place_of(flash, offset, copy) + OTADATA_STATE_OFFSET;
    esp_err_t err = otter_flash_program(flash, place, state, 1);
    if (err == ESP_OK) {
        err = otter_flash_sync(flash);
    }
    if (err == ESP_OK) {
        err = otter_flash_program(flash, place + 1, state + 1, sizeof(state) - 1);
    }
    return err == ESP_OK ? otter_flash_sync(flash) : err;
}

esp_err_t otadata_refresh_copy(otter_flash_t *flash, uint32_t offset, uint32_t copy,
                               const otadata_entry_t *entry)
{
    return program_record(flash, place_of(flash, offset, copy), entry);
}
