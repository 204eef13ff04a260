/* Resume record: the format is in the header. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ota/resume_record.h"

#include <string.h>

#include "otter/bytes.h"
#include "ota/slot_io.h"
#include "otter/promise.h"
#include "otter/update.h"

#define SIZE_MIN      4096u
#define HEADER_SIZE   148u
#define MARKS_OFFSET  256u
#define MARK_SIZE     4u
#define MARK_NONE     UINT32_MAX
#define MARKS_ENOUGH  256u /* of an image that is too large for a mark a sector: each of them is a write */
#define OFF_LENGTH    4u
#define OFF_UNIT      8u
#define OFF_URL       12u
#define OFF_VALIDATOR 16u
#define OFF_CRC       144u

/* Of a record that keeps the file's beginning. */
#define LONG_HEADER_SIZE 160u
#define OFF_IMAGE        148u
#define OFF_KEPT_LEN     152u
#define OFF_KEPT_CRC     156u

#define MAGIC_SIZE 4u
static const uint8_t magic[MAGIC_SIZE] = {'O', 'T', 'R', '3'}, long_magic[MAGIC_SIZE] = {'O', 'T', 'R', '4'};

_Static_assert(OFF_VALIDATOR + RESUME_VALIDATOR_SIZE == OFF_CRC, "the validator fills its field");
_Static_assert(RESUME_KEPT_MAX % MARKS_OFFSET == 0, "marks lie where write units begin");

uint32_t resume_record_size(const otter_flash_t *flash)
{
    return max_u32(SIZE_MIN, flash->erase_size);
}

static uint32_t record_offset(const esp_partition_t *slot)
{
    return slot->size - resume_record_size(slot->flash_chip);
}

/** From one mark to the next: each has a write unit of its own. */
static uint32_t mark_stride(const otter_flash_t *flash)
{
    return max_u32(otter_flash_unit(flash), MARK_SIZE);
}

static uint32_t marks_max(const otter_flash_t *flash, uint32_t kept_len)
{
    return (resume_record_size(flash) - MARKS_OFFSET - kept_len) / mark_stride(flash);
}

static uint32_t mark_offset(const resume_record_t *r, uint32_t index)
{
    return record_offset(r->slot) + MARKS_OFFSET + r->kept_len + mark_stride(r->device->flash) * index;
}

/** Header and marks have write units of their own, and the record sectors of its own. */
static bool has_room(const otter_flash_t *flash, const esp_partition_t *slot)
{
    return slot->size > resume_record_size(flash) && otter_flash_unit(flash) <= MARKS_OFFSET;
}

static uint32_t unit_for(const otter_flash_t *flash, uint32_t image, uint32_t kept_len)
{
    const uint32_t least = resume_record_size(flash), marks = marks_max(flash, kept_len);
    const uint32_t all = image / least, per_mark = all < marks ? 1 : all / min_u32(marks, MARKS_ENOUGH) + 1;
    return least * per_mark;
}

/** The last unit is never marked but always fetched again: a server has no answer to a request for no bytes. */
static uint32_t markable_units(const resume_record_t *r)
{
    return (r->image - 1) / r->unit;
}

static uint32_t url_crc(const char *url)
{
    return crc32_le(0, url, strlen(url));
}

static uint32_t mark_of(const fletcher_t *sum)
{
    uint32_t value = fletcher_value(sum);
    return value == MARK_NONE ? 0 : value;
}

/** The mark of one unit as it is in flash. */
static esp_err_t mark_in_flash(const resume_record_t *r, uint32_t index, uint32_t *mark)
{
    uint8_t piece[512];
    fletcher_t sum = {0};
    for (uint32_t done = 0; done < r->unit; done += (uint32_t)sizeof(piece)) {
        esp_err_t err =
            ota_read_range(r->device->flash, r->slot, index * r->unit + done, piece, sizeof(piece));
        if (err != ESP_OK) {
            return err;
        }
        fletcher_add(&sum, piece, sizeof(piece));
    }
    *mark = mark_of(&sum);
    return ESP_OK;
}

/** Whether it counts is told by the magic, which is not looked at here. */
static bool header_is_whole(const uint8_t *raw)
{
    return le32_get(raw + OFF_CRC) == crc32_le(0, raw + MAGIC_SIZE, OFF_CRC - MAGIC_SIZE);
}

/** The magic is one that counts. */
static bool magic_counts(const uint8_t *raw)
{
    return memcmp(raw, magic, MAGIC_SIZE) == 0 || memcmp(raw, long_magic, MAGIC_SIZE) == 0;
}

/** What is kept of the file is what was written. @param kept  receives it; NULL: nobody asks */
static bool read_kept(const resume_record_t *r, const uint8_t *raw, uint8_t *kept)
{
    uint8_t piece[MARKS_OFFSET / 4];
    uint32_t crc = crc32_le(0, raw + OFF_IMAGE, OFF_KEPT_CRC - OFF_IMAGE);
    for (uint32_t at = 0, n; at < r->kept_len; at += n) {
        n = min_u32(r->kept_len - at, (uint32_t)sizeof(piece));
        if (ota_read_range(r->device->flash, r->slot, record_offset(r->slot) + MARKS_OFFSET + at, piece, n) !=
            ESP_OK) {
            return false;
        }
        crc = crc32_le(crc, piece, n);
        if (kept != NULL) {
            memcpy(kept + at, piece, n);
        }
    }
    return r->kept_len == 0 || crc == le32_get(raw + OFF_KEPT_CRC);
}

/** The header into the record. @return false: it says nothing that could be gone on with */
static bool take_header(resume_record_t *r, const uint8_t *raw, const char *url)
{
    const bool is_long = memcmp(raw, long_magic, MAGIC_SIZE) == 0;
    r->length = le32_get(raw + OFF_LENGTH);
    r->image = is_long ? le32_get(raw + OFF_IMAGE) : r->length;
    r->kept_len = is_long ? le32_get(raw + OFF_KEPT_LEN) : 0;
    r->unit = le32_get(raw + OFF_UNIT);
    return magic_counts(raw) && header_is_whole(raw) && r->length > 0 && r->image > 0 &&
           r->image <= record_offset(r->slot) && r->image <= r->length && is_long == (r->kept_len > 0) &&
           r->kept_len <= RESUME_KEPT_MAX && r->kept_len % otter_flash_unit(r->device->flash) == 0 &&
           r->unit == unit_for(r->device->flash, r->image, r->kept_len) &&
           (url == NULL || le32_get(raw + OFF_URL) == url_crc(url)) && raw[OFF_VALIDATOR] != '\0' &&
           raw[OFF_CRC - 1] == '\0';
}

static esp_err_t read_mark(const resume_record_t *r, uint32_t index, uint32_t *mark)
{
    uint8_t raw[MARK_SIZE];
    esp_err_t err = ota_read_range(r->device->flash, r->slot, mark_offset(r, index), raw, sizeof(raw));
    *mark = le32_get(raw);
    return err;
}

/** Units whose mark is right, from the first on. */
static uint32_t count_good_units(const resume_record_t *r)
{
    uint32_t units = markable_units(r);
    for (uint32_t i = 0; i < units; i++) {
        uint32_t mark, found;
        if (read_mark(r, i, &mark) != ESP_OK || mark == MARK_NONE || mark_in_flash(r, i, &found) != ESP_OK ||
            found != mark) {
            return i;
        }
    }
    return units;
}

/** After a mark that is torn or wrong nothing can be marked any more until the sector is written anew. */
static bool marks_are_blank_from(const resume_record_t *r, uint32_t index)
{
    const uint32_t end = r->slot->size, from = mark_offset(r, index);
    return from >= end || otter_flash_reads_blank(r->device->flash, r->slot->address + from, end - from);
}

/** @param kept  r->kept_len bytes */
static esp_err_t write_sector(const resume_record_t *r, const uint8_t header[LONG_HEADER_SIZE],
                              const uint8_t *kept)
{
    const otter_flash_t *flash = r->device->flash;
    const uint32_t at = record_offset(r->slot);
    uint8_t raw[MARKS_OFFSET];
    memset(raw, ERASED_BYTE, sizeof(raw));
    memcpy(raw, header, r->kept_len > 0 ? LONG_HEADER_SIZE : HEADER_SIZE);
    const uint32_t len = r->kept_len > 0 ? MARKS_OFFSET : align_up_u32(HEADER_SIZE, otter_flash_unit(flash));
    esp_err_t err = ota_erase_range(r->device->flash, r->slot, at, resume_record_size(flash));
    if (err == ESP_OK && r->kept_len > 0) {
        err = ota_program_range(r->device->flash, r->slot, at + MARKS_OFFSET, kept, r->kept_len);
    }
    return err == ESP_OK ? ota_program_range(r->device->flash, r->slot, at, raw, len) : err;
}

static esp_err_t write_header(const resume_record_t *r, const resume_file_t *file)
{
    uint8_t raw[LONG_HEADER_SIZE] = {0};
    memcpy(raw, r->kept_len > 0 ? long_magic : magic, MAGIC_SIZE);
    le32_put(raw + OFF_LENGTH, r->length);
    le32_put(raw + OFF_UNIT, r->unit);
    le32_put(raw + OFF_URL, url_crc(file->url));
    memcpy(raw + OFF_VALIDATOR, file->validator, strlen(file->validator));
    le32_put(raw + OFF_CRC, crc32_le(0, raw + MAGIC_SIZE, OFF_CRC - MAGIC_SIZE));
    le32_put(raw + OFF_IMAGE, r->image);
    le32_put(raw + OFF_KEPT_LEN, r->kept_len);
    uint32_t crc = crc32_le(0, raw + OFF_IMAGE, OFF_KEPT_CRC - OFF_IMAGE);
    le32_put(raw + OFF_KEPT_CRC, r->kept_len > 0 ? crc32_le(crc, file->kept, r->kept_len) : crc);
    return write_sector(r, raw, file->kept);
}

uint32_t resume_record_load(resume_record_t *record, otter_device_t *device, const esp_partition_t *slot,
                            const char *url, char validator[RESUME_VALIDATOR_SIZE], uint8_t *kept)
{
    uint8_t raw[LONG_HEADER_SIZE];
    resume_record_t r = {.device = device, .slot = slot};
    memset(record, 0, sizeof(*record));
    if (!has_room(device->flash, slot) ||
        ota_read_range(device->flash, slot, record_offset(slot), raw, sizeof(raw)) != ESP_OK ||
        !take_header(&r, raw, url) || !read_kept(&r, raw, kept)) {
        return 0;
    }
    *record = r;
    memcpy(validator, raw + OFF_VALIDATOR, RESUME_VALIDATOR_SIZE);
    uint32_t good = count_good_units(record);
    if (good == 0) {
        return 0;
    }
    record->active = true;
    record->marked = good;
    record->taken = good * record->unit;
    record->stale = device->flash->write_once || !marks_are_blank_from(record, good);
    return record->taken;
}

/** The file is one that can be gone on with. */
static bool can_be_kept(const resume_file_t *file, const otter_flash_t *flash, const esp_partition_t *slot)
{
    return has_room(flash, slot) && file->length > 0 && file->length <= UINT32_MAX && file->image > 0 &&
           file->image <= file->length && file->image <= (int64_t)record_offset(slot) &&
           file->kept_len <= RESUME_KEPT_MAX && file->kept_len % otter_flash_unit(flash) == 0 &&
           file->validator != NULL && strlen(file->validator) < RESUME_VALIDATOR_SIZE;
}

esp_err_t resume_record_start(resume_record_t *record, otter_device_t *device, const esp_partition_t *slot,
                              const resume_file_t *file)
{
    *record = (resume_record_t){.device = device, .slot = slot};
    if (!can_be_kept(file, device->flash, slot)) {
        return ESP_OK;
    }
    record->length = (uint32_t)file->length;
    record->image = (uint32_t)file->image;
    record->kept_len = file->kept_len;
    record->unit = unit_for(device->flash, record->image, record->kept_len);
    esp_err_t err = write_header(record, file);
    record->active = err == ESP_OK;
    return err;
}

/** Marks on their way to flash, as many as go into one program. */
typedef struct {
    uint8_t raw[MARKS_OFFSET];
    uint32_t count;
} marks_t;

/** They go behind those that are there. */
static esp_err_t write_marks(resume_record_t *record, marks_t *marks)
{
    uint32_t first = record->marked, len = mark_stride(record->device->flash) * marks->count;
    record->marked += marks->count;
    marks->count = 0;
    return len > 0 ? ota_program_range(record->device->flash, record->slot, mark_offset(record, first),
                                       marks->raw, len)
                   : ESP_OK;
}

static esp_err_t add_mark(resume_record_t *record, marks_t *marks, uint32_t mark)
{
    const uint32_t stride = mark_stride(record->device->flash);
    uint8_t *place = marks->raw + stride * marks->count++;
    memset(place, ERASED_BYTE, stride);
    le32_put(place, mark);
    return stride * (marks->count + 1) > sizeof(marks->raw) ? write_marks(record, marks) : ESP_OK;
}

/** The same record written anew, with the marks that it has. A cut in here costs the memory, and with it a new download. */
static esp_err_t renew(resume_record_t *record)
{
    uint8_t raw[LONG_HEADER_SIZE], kept[RESUME_KEPT_MAX];
    marks_t marks = {.count = 0};
    const uint32_t units = record->marked;
    esp_err_t err =
        ota_read_range(record->device->flash, record->slot, record_offset(record->slot), raw, sizeof(raw));
    if (err == ESP_OK) {
        err = read_kept(record, raw, kept) ? write_sector(record, raw, kept) : ESP_FAIL;
    }
    record->marked = 0;
    for (uint32_t i = 0; i < units && err == ESP_OK; i++) {
        uint32_t mark = MARK_NONE;
        err = mark_in_flash(record, i, &mark);
        err = err == ESP_OK ? add_mark(record, &marks, mark) : err;
    }
    record->stale = false;
    return err == ESP_OK ? write_marks(record, &marks) : err;
}

esp_err_t resume_record_take(resume_record_t *record, const void *data, size_t len)
{
    const uint8_t *p = data;
    marks_t marks = {.count = 0};
    esp_err_t err = ESP_OK;
    if (!record->active) {
        return ESP_OK;
    }
    while (len > 0 && record->marked + marks.count < markable_units(record) && err == ESP_OK) {
        uint32_t missing = record->unit - record->taken % record->unit;
        uint32_t n = len < missing ? (uint32_t)len : missing;
        fletcher_add(&record->sum, p, n);
        record->taken += n;
        p += n;
        len -= n;
        if (n == missing) {
            err = record->stale ? renew(record) : ESP_OK;
            err = err == ESP_OK ? add_mark(record, &marks, mark_of(&record->sum)) : err;
            record->sum = (fletcher_t){0};
        }
    }
    err = err == ESP_OK ? write_marks(record, &marks) : err;
    OTTER_ASSERT(record->marked <= markable_units(record));
    OTTER_ASSERT(record->taken <= record->image && record->taken / record->unit >= record->marked);
    record->active = err == ESP_OK;
    return err;
}

static esp_err_t clear_magic(otter_device_t *device, const esp_partition_t *slot)
{
    if (device->flash->write_once) {
        return ota_erase_all(device->flash, slot, record_offset(slot), resume_record_size(device->flash));
    }
    static const uint8_t zeros[MARKS_OFFSET] = {0};
    return ota_program_raw(device->flash, slot, record_offset(slot), zeros,
                           align_up_u32(MAGIC_SIZE, device->flash->write_size));
}

esp_err_t resume_record_clear(resume_record_t *record)
{
    if (!record->active) {
        return ESP_OK;
    }
    record->active = false;
    return clear_magic(record->device, record->slot);
}

esp_err_t resume_record_forget(otter_device_t *device, const esp_partition_t *slot)
{
    uint8_t raw[HEADER_SIZE];
    if (!has_room(device->flash, slot)) {
        return ESP_OK;
    }
    esp_err_t err =
        otter_flash_read_torn(device->flash, slot->address + record_offset(slot), raw, sizeof(raw));
    /* Where flash does not read stably a magic that a cut left half cleared may come back: it is cleared once more. Through a
     * cipher it takes all of its block with it, so nothing of the header need be whole then. */
    const bool stable = device->flash->stable_reads;
    if (err != ESP_OK || (!header_is_whole(raw) && (stable || device->flash->cipher == NULL))) {
        return err;
    }
    bool counts = magic_counts(raw) || !stable;
    err = counts ? clear_magic(device, slot) : ESP_OK;
    return err == ESP_OK && counts ? otter_flash_sync(device->flash) : err;
}

uint32_t otter_update_find_interrupted(otter_device_t *device, const esp_partition_t *slot, uint32_t *arrived)
{
    resume_record_t record;
    char validator[RESUME_VALIDATOR_SIZE];
    *arrived = resume_record_load(&record, device, slot, NULL, validator, NULL);
    return record.length;
}
