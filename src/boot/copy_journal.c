/* Journal of a staged copy: the format is in the header. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/copy_journal.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/crc32.h"
#include "base/le.h"
#include "flash/partition_kind.h"

enum {
    AT_STAGING_OFF = 4,
    AT_STAGING_SIZE = 8,
    AT_FINAL_OFF = 12,
    AT_FINAL_SIZE = 16,
    AT_FINAL_TYPE = 20,
    AT_FINAL_SUBTYPE = 21,
    AT_ZERO = 22,
    AT_LEN = 24,
    AT_UNIT = 28,
    AT_DIGEST = 32,
    AT_CRC = 64,
    AT_MARKS = 128,
};

_Static_assert(AT_CRC == AT_DIGEST + OTTER_SHA256_LEN, "the CRC follows the digest");
_Static_assert(AT_CRC + 4 == COPY_JOURNAL_HEADER_SIZE, "the CRC ends the header");

static const uint8_t magic[4] = {'O', 'T', 'C', '1'};

/** Bytes that a whole number of write units needs for the header. */
static uint32_t header_room(const otter_flash_t *flash)
{
    return align_up_u32(COPY_JOURNAL_HEADER_SIZE, flash->write_size);
}

static uint32_t committed_offset(const otter_flash_t *flash)
{
    return header_room(flash);
}

static uint32_t closed_offset(const otter_flash_t *flash)
{
    return header_room(flash) + flash->write_size;
}

static uint32_t marks_offset(const otter_flash_t *flash)
{
    return align_up_u32(max_u32(AT_MARKS, closed_offset(flash) + flash->write_size), flash->write_size);
}

uint32_t copy_journal_end(const copy_journal_t *journal)
{
    return journal->staging_off + journal->staging_size;
}

uint32_t copy_journal_size(const otter_flash_t *flash)
{
    return flash->erase_size;
}

uint32_t copy_journal_unit(const otter_flash_t *flash, uint32_t final_size)
{
    uint32_t marks_off = marks_offset(flash), sector = flash->erase_size;
    if (marks_off >= sector) {
        return 0;
    }
    uint32_t marks = (sector - marks_off) / flash->write_size;
    uint32_t sectors = final_size / sector;
    return sector * (sectors / marks + (sectors % marks != 0 ? 1 : 0));
}

bool copy_journal_may_lie_in(uint32_t type, uint32_t subtype)
{
    switch (type) {
    case ESP_PARTITION_TYPE_APP:
        return kind_is_slot(type, subtype);
    case ESP_PARTITION_TYPE_DATA: /* a file system could hold a forged journal */
        return subtype == ESP_PARTITION_SUBTYPE_DATA_UNDEFINED;
    case ESP_PARTITION_TYPE_BOOTLOADER:
        return subtype == ESP_PARTITION_SUBTYPE_BOOTLOADER_OTA;
    default:
        return false;
    }
}

bool copy_journal_has_magic(const uint8_t raw[4])
{
    return memcmp(raw, magic, sizeof(magic)) == 0;
}

void copy_journal_encode(const copy_journal_t *journal, uint8_t raw[COPY_JOURNAL_HEADER_SIZE])
{
    memset(raw, 0, COPY_JOURNAL_HEADER_SIZE);
    memcpy(raw, magic, sizeof(magic));
    le32_put(raw + AT_STAGING_OFF, journal->staging_off);
    le32_put(raw + AT_STAGING_SIZE, journal->staging_size);
    le32_put(raw + AT_FINAL_OFF, journal->final_off);
    le32_put(raw + AT_FINAL_SIZE, journal->final_size);
    raw[AT_FINAL_TYPE] = journal->final_type;
    raw[AT_FINAL_SUBTYPE] = journal->final_subtype;
    le32_put(raw + AT_LEN, journal->len);
    le32_put(raw + AT_UNIT, journal->unit);
    memcpy(raw + AT_DIGEST, journal->digest, OTTER_SHA256_LEN);
    le32_put(raw + AT_CRC, crc32_le(0, raw, AT_CRC));
}

bool copy_journal_decode(const uint8_t raw[COPY_JOURNAL_HEADER_SIZE], copy_journal_t *out)
{
    if (!copy_journal_has_magic(raw) || le32_get(raw + AT_CRC) != crc32_le(0, raw, AT_CRC) ||
        le16_get(raw + AT_ZERO) != 0) {
        return false;
    }
    copy_journal_t journal = {.staging_off = le32_get(raw + AT_STAGING_OFF),
                              .staging_size = le32_get(raw + AT_STAGING_SIZE),
                              .final_off = le32_get(raw + AT_FINAL_OFF),
                              .final_size = le32_get(raw + AT_FINAL_SIZE),
                              .final_type = raw[AT_FINAL_TYPE],
                              .final_subtype = raw[AT_FINAL_SUBTYPE],
                              .len = le32_get(raw + AT_LEN),
                              .unit = le32_get(raw + AT_UNIT)};
    memcpy(journal.digest, raw + AT_DIGEST, OTTER_SHA256_LEN);
    if (journal.unit == 0 || journal.len == 0 || journal.len > journal.final_size ||
        journal.len > journal.staging_size) {
        return false;
    }
    *out = journal;
    return true;
}

/** Has the write unit at `off` of the journal been programmed? */
static esp_err_t read_flag(otter_flash_t *flash, uint32_t end, uint32_t off, bool *set)
{
    uint8_t flag;
    esp_err_t err = otter_flash_read(flash, end - copy_journal_size(flash) + off, &flag, sizeof(flag));
    *set = err == ESP_OK && flag != ERASED_BYTE;
    return err;
}

esp_err_t copy_journal_read(otter_flash_t *flash, uint32_t end, copy_journal_t *out)
{
    uint8_t raw[COPY_JOURNAL_HEADER_SIZE];
    if (end < copy_journal_size(flash)) {
        return ESP_ERR_NOT_FOUND;
    }
    esp_err_t err = otter_flash_read(flash, end - copy_journal_size(flash), raw, sizeof(raw));
    if (err != ESP_OK) {
        return err;
    }
    copy_journal_t journal;
    if (!copy_journal_decode(raw, &journal) || journal.unit != copy_journal_unit(flash, journal.final_size)) {
        return ESP_ERR_NOT_FOUND;
    }
    bool committed, closed;
    err = read_flag(flash, end, committed_offset(flash), &committed);
    if (err == ESP_OK) {
        err = read_flag(flash, end, closed_offset(flash), &closed);
    }
    if (err != ESP_OK) {
        return err;
    }
    if (!committed || closed) {
        return ESP_ERR_INVALID_STATE;
    }
    *out = journal;
    return ESP_OK;
}

/** Clears every bit of [off, off + len) of the journal, and makes it sure; also where bits are cleared already. */
static esp_err_t program_zeros(otter_flash_t *flash, uint32_t end, uint32_t off, uint32_t len)
{
    uint8_t *zeros = calloc(1, len);
    if (zeros == NULL) {
        return ESP_ERR_NO_MEM;
    }
    esp_err_t err = otter_flash_program(flash, end - copy_journal_size(flash) + off, zeros, len);
    free(zeros);
    return err;
}

static esp_err_t set_flag(otter_flash_t *flash, uint32_t end, uint32_t off)
{
    esp_err_t err = program_zeros(flash, end, off, flash->write_size);
    return err == ESP_OK ? otter_flash_sync(flash) : err;
}

/** Programs the header, filled up to whole write units as erased flash reads. */
static esp_err_t program_header(otter_flash_t *flash, const copy_journal_t *journal)
{
    uint32_t room = header_room(flash);
    uint8_t *raw = malloc(room);
    if (raw == NULL) {
        return ESP_ERR_NO_MEM;
    }
    memset(raw, ERASED_BYTE, room);
    copy_journal_encode(journal, raw);
    esp_err_t err =
        otter_flash_program(flash, copy_journal_end(journal) - copy_journal_size(flash), raw, room);
    free(raw);
    return err == ESP_OK ? otter_flash_sync(flash) : err;
}

esp_err_t copy_journal_write(otter_flash_t *flash, const copy_journal_t *journal)
{
    uint32_t size = copy_journal_size(flash);
    esp_err_t err = otter_flash_erase(flash, copy_journal_end(journal) - size, size);
    if (err == ESP_OK) {
        err = otter_flash_sync(flash); /* what was there may look like the end of this header */
    }
    if (err == ESP_OK) {
        err = program_header(flash, journal);
    }
    return err == ESP_OK ? set_flag(flash, copy_journal_end(journal), committed_offset(flash)) : err;
}

esp_err_t copy_journal_confirm(otter_flash_t *flash, uint32_t end)
{
    return set_flag(flash, end, committed_offset(flash));
}

static uint32_t mark_offset(const otter_flash_t *flash, uint32_t unit)
{
    return marks_offset(flash) + unit * flash->write_size;
}

esp_err_t copy_journal_count_done(otter_flash_t *flash, const copy_journal_t *journal, uint32_t *units)
{
    uint32_t count = journal->final_size / journal->unit + (journal->final_size % journal->unit != 0 ? 1 : 0);
    for (*units = 0; *units < count; ++*units) {
        bool marked;
        esp_err_t err = read_flag(flash, copy_journal_end(journal), mark_offset(flash, *units), &marked);
        if (err != ESP_OK || !marked) {
            return err;
        }
    }
    return ESP_OK;
}

esp_err_t copy_journal_mark(otter_flash_t *flash, const copy_journal_t *journal, uint32_t unit)
{
    return program_zeros(flash, copy_journal_end(journal), mark_offset(flash, unit), flash->write_size);
}

esp_err_t copy_journal_clear(otter_flash_t *flash, uint32_t end)
{
    esp_err_t err = set_flag(flash, end, closed_offset(flash));
    if (err == ESP_OK) {
        err = program_zeros(flash, end, 0, align_up_u32(sizeof(magic), flash->write_size));
    }
    return err == ESP_OK ? otter_flash_sync(flash) : err;
}
