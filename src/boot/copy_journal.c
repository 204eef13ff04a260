/* Journal of a staged copy: the format is in the header. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/copy_journal.h"

#include <inttypes.h>
#include <string.h>

#include "otter/bytes.h"
#include "flash/partition_kind.h"
#include "otter/promise.h"

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

#define ONCE_UNITS 48 /* of each flag, where a write unit is programmed once */

static const uint8_t magic[4] = {'O', 'T', 'C', '1'};

/** Bytes that a whole number of write units needs for the header. */
static uint32_t header_room(const otter_flash_t *flash)
{
    return align_up_u32(COPY_JOURNAL_HEADER_SIZE, otter_flash_unit(flash));
}

static uint32_t committed_offset(const otter_flash_t *flash)
{
    return header_room(flash);
}

/** Write units of committed, and of closed. */
static uint32_t flag_units(const otter_flash_t *flash)
{
    return flash->write_once ? ONCE_UNITS : 1;
}

static uint32_t closed_offset(const otter_flash_t *flash)
{
    return committed_offset(flash) + flag_units(flash) * flash->write_size;
}

static uint32_t marks_offset(const otter_flash_t *flash)
{
    const uint32_t end = closed_offset(flash) + flag_units(flash) * flash->write_size;
    return align_up_u32(max_u32(AT_MARKS, end), flash->write_size);
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

/** Has the write unit at `off` of the journal been programmed? One that cannot be corrected has. */
static esp_err_t read_flag(otter_flash_t *flash, uint32_t end, uint32_t off, bool *set)
{
    uint8_t part[32];
    const uint32_t at = end - copy_journal_size(flash) + off;
    *set = false;
    for (uint32_t done = 0; done < flash->write_size && !*set; done += (uint32_t)sizeof(part)) {
        uint32_t n = min_u32(flash->write_size - done, (uint32_t)sizeof(part));
        esp_err_t err = otter_flash_read_raw(flash, at + done, part, n);
        if (err != ESP_OK && err != ESP_ERR_INVALID_CRC) {
            return err;
        }
        *set = err != ESP_OK || !bytes_are_erased(part, n);
    }
    return ESP_OK;
}

/** The last of a flag's units that is set, -1: none is. */
static esp_err_t last_set(otter_flash_t *flash, uint32_t end, uint32_t off, int *last)
{
    bool set = false;
    for (*last = (int)flag_units(flash); *last >= 0 && !set;) {
        --*last;
        esp_err_t err =
            *last >= 0 ? read_flag(flash, end, off + (uint32_t)*last * flash->write_size, &set) : ESP_OK;
        if (err != ESP_OK) {
            return err;
        }
    }
    return ESP_OK;
}

/** How committed and closed stand. */
typedef struct {
    int committed, closed; /* the last unit of each that is set */
    bool for_good;         /* the closed one is sure */
} flags_t;

static esp_err_t read_flags(otter_flash_t *flash, uint32_t end, flags_t *flags)
{
    *flags = (flags_t){0};
    esp_err_t err = last_set(flash, end, committed_offset(flash), &flags->committed);
    if (err == ESP_OK) {
        err = last_set(flash, end, closed_offset(flash), &flags->closed);
    }
    if (err == ESP_OK && flags->closed > 0) {
        err = read_flag(flash, end, closed_offset(flash) + (uint32_t)(flags->closed - 1) * flash->write_size,
                        &flags->for_good);
    }
    return err;
}

esp_err_t copy_journal_read(otter_flash_t *flash, uint32_t end, copy_journal_t *out)
{
    uint8_t raw[COPY_JOURNAL_HEADER_SIZE];
    if (end < copy_journal_size(flash)) {
        return ESP_ERR_NOT_FOUND;
    }
    esp_err_t err = otter_flash_read_torn(flash, end - copy_journal_size(flash), raw, sizeof(raw));
    if (err != ESP_OK) {
        return err;
    }
    copy_journal_t journal;
    if (!copy_journal_decode(raw, &journal) || journal.unit != copy_journal_unit(flash, journal.final_size)) {
        return ESP_ERR_NOT_FOUND;
    }
    flags_t flags;
    err = read_flags(flash, end, &flags);
    if (err != ESP_OK) {
        return err;
    }
    *out = journal;
    if (flags.closed >= flags.committed && flags.for_good) {
        return ESP_ERR_NOT_FOUND;
    }
    return flags.committed > flags.closed ? ESP_OK : ESP_ERR_INVALID_STATE;
}

/** Clears every bit of [off, off + len) of the journal, and makes it sure; also where bits are cleared already. */
static esp_err_t program_zeros(otter_flash_t *flash, uint32_t end, uint32_t off, uint32_t len)
{
    static const uint8_t zeros[OTTER_FLASH_UNIT_MAX];
    OTTER_ASSERT(len <= sizeof(zeros));
    return otter_flash_program_raw(flash, end - copy_journal_size(flash) + off, zeros, len);
}

/** Programs a unit of a flag; where that is to be done once it is the one that is `step` behind all that are set, if there is. */
static esp_err_t set_flag(otter_flash_t *flash, uint32_t end, uint32_t off, int last, int step)
{
    const int unit = last + step;
    if (flash->write_once && unit >= ONCE_UNITS) {
        return ESP_OK;
    }
    esp_err_t err = program_zeros(
        flash, end, off + (flash->write_once ? (uint32_t)unit * flash->write_size : 0), flash->write_size);
    return err == ESP_OK ? otter_flash_sync(flash) : err;
}

/** Programs the header, filled up to whole write units as erased flash reads. */
static esp_err_t program_header(otter_flash_t *flash, const copy_journal_t *journal)
{
    uint32_t room = header_room(flash);
    uint8_t raw[OTTER_FLASH_UNIT_MAX];
    OTTER_ASSERT(room <= sizeof(raw));
    memset(raw, ERASED_BYTE, sizeof(raw));
    copy_journal_encode(journal, raw);
    esp_err_t err =
        otter_flash_program(flash, copy_journal_end(journal) - copy_journal_size(flash), raw, room);
    return err == ESP_OK ? otter_flash_sync(flash) : err;
}

esp_err_t copy_journal_erase(otter_flash_t *flash, uint32_t end)
{
    const uint32_t size = copy_journal_size(flash);
    esp_err_t err = otter_flash_erase(flash, end - size, size);
    return err == ESP_OK ? otter_flash_sync(flash) : err;
}

esp_err_t copy_journal_write(otter_flash_t *flash, const copy_journal_t *journal)
{
    /* Synced, as what was there may look like the end of this header. */
    esp_err_t err = copy_journal_erase(flash, copy_journal_end(journal));
    if (err == ESP_OK) {
        err = program_header(flash, journal);
    }
    return err == ESP_OK ? copy_journal_confirm(flash, copy_journal_end(journal)) : err;
}

/**
 * Where a unit is programmed once, one that a cut left hanging cannot be made sure; another one says so instead. Which of
 * committed and closed holds is told by the last unit that is set in either, so each step goes far enough behind those that are
 * set to be behind those, too, that were begun and read blank now: committed 5 (closed was begun at 2, or twice: at 4), closed
 * 12 (committed was begun at 5, or twice: at 10). Closed is sure when the unit behind is begun.
 */
esp_err_t copy_journal_confirm(otter_flash_t *flash, uint32_t end)
{
    flags_t flags;
    esp_err_t err = read_flags(flash, end, &flags);
    const int last = flags.committed > flags.closed ? flags.committed : flags.closed;
    return err == ESP_OK ? set_flag(flash, end, committed_offset(flash), last, 5) : err;
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
    static const int steps[] = {2, 12, 13};
    flags_t flags;
    esp_err_t err = read_flags(flash, end, &flags);
    const int last = flags.committed > flags.closed ? flags.committed : flags.closed;
    for (unsigned i = 0; i < (flash->write_once ? 3 : 1) && err == ESP_OK; i++) {
        err = set_flag(flash, end, closed_offset(flash), last, steps[i]);
    }
    if (err == ESP_OK && !flash->write_once) {
        err = program_zeros(flash, end, 0, align_up_u32(sizeof(magic), flash->write_size));
    }
    return err == ESP_OK ? otter_flash_sync(flash) : err;
}

esp_err_t copy_journal_remove(otter_flash_t *flash, uint32_t start, uint32_t end)
{
    const uint32_t size = copy_journal_size(flash);
    uint8_t raw[COPY_JOURNAL_HEADER_SIZE];
    copy_journal_t journal;
    if (!flash->write_once || end - start < size) {
        return ESP_OK;
    }
    esp_err_t err = otter_flash_read_torn(flash, end - size, raw, sizeof(raw));
    if (err != ESP_OK || !copy_journal_decode(raw, &journal)) {
        return err;
    }
    err = otter_flash_erase(flash, start, size);
    if (err == ESP_OK) {
        err = otter_flash_sync(flash);
    }
    return err == ESP_OK ? copy_journal_erase(flash, end) : err;
}

esp_err_t copy_journal_read_in(otter_flash_t *flash, const esp_partition_t *p, copy_journal_t *out)
{
    if (!copy_journal_may_lie_in(p->type, p->subtype) || p->readonly ||
        !range_fits(p->address, p->size, flash->size) || p->size < copy_journal_size(flash)) {
        return ESP_ERR_NOT_FOUND;
    }
    esp_err_t err = copy_journal_read(flash, p->address + p->size, out);
    return err == ESP_ERR_INVALID_STATE && flash->stable_reads ? ESP_ERR_NOT_FOUND : err;
}

esp_err_t copy_journal_refuse(const otter_device_t *device, otter_fault_t *fault)
{
    copy_journal_t journal;
    for (uint32_t i = 0; i < device->partitions.count; i++) {
        const esp_partition_t *p = &device->partitions.items[i];
        if (copy_journal_read_in(device->flash, p, &journal) == ESP_OK) {
            return otter_fault(fault, ESP_ERR_NOT_SUPPORTED,
                               "%s holds an unfinished copy to 0x%" PRIx32
                               ", which this program has no code for (otter_staged_copies)",
                               p->label, journal.final_off);
        }
    }
    return ESP_OK;
}
