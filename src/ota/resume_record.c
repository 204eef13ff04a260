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
#define OFF_LENGTH    4u
#define OFF_UNIT      8u
#define OFF_URL       12u
#define OFF_VALIDATOR 16u
#define OFF_CRC       144u

static const uint8_t magic[4] = {'O', 'T', 'R', '3'};

_Static_assert(OFF_VALIDATOR + RESUME_VALIDATOR_SIZE == OFF_CRC, "the validator fills its field");

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
    return flash->write_size > MARK_SIZE ? flash->write_size : MARK_SIZE;
}

static uint32_t marks_max(const otter_flash_t *flash)
{
    return (resume_record_size(flash) - MARKS_OFFSET) / mark_stride(flash);
}

static uint32_t mark_offset(const resume_record_t *r, uint32_t index)
{
    return record_offset(r->slot) + MARKS_OFFSET + mark_stride(r->device->flash) * index;
}

/** Header and marks have write units of their own, and the record sectors of its own. */
static bool has_room(const otter_flash_t *flash, const esp_partition_t *slot)
{
    return slot->size > resume_record_size(flash) && flash->write_size <= MARKS_OFFSET;
}

static uint32_t unit_for(const otter_flash_t *flash, uint32_t length)
{
    const uint32_t least = resume_record_size(flash), marks = marks_max(flash);
    return least * ((length / least + marks) / marks);
}

/** The last unit is never marked but always fetched again: a server has no answer to a request for no bytes. */
static uint32_t markable_units(const resume_record_t *r)
{
    return (r->length - 1) / r->unit;
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
    return le32_get(raw + OFF_CRC) == crc32_le(0, raw + sizeof(magic), OFF_CRC - sizeof(magic));
}

static bool header_is_good(const uint8_t *raw, const otter_flash_t *flash, const esp_partition_t *slot,
                           const char *url)
{
    uint32_t length = le32_get(raw + OFF_LENGTH);
    return memcmp(raw, magic, sizeof(magic)) == 0 && header_is_whole(raw) && length > 0 &&
           length <= record_offset(slot) && le32_get(raw + OFF_UNIT) == unit_for(flash, length) &&
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
    for (; index < marks_max(r->device->flash); index++) {
        uint32_t mark;
        if (read_mark(r, index, &mark) != ESP_OK || mark != MARK_NONE) {
            return false;
        }
    }
    return true;
}

static esp_err_t write_sector(const resume_record_t *r, const uint8_t header[HEADER_SIZE])
{
    uint8_t raw[MARKS_OFFSET];
    memset(raw, ERASED_BYTE, sizeof(raw));
    memcpy(raw, header, HEADER_SIZE);
    const uint32_t len = align_up_u32(HEADER_SIZE, r->device->flash->write_size);
    esp_err_t err = ota_erase_range(r->device->flash, r->slot, record_offset(r->slot),
                                    resume_record_size(r->device->flash));
    return err == ESP_OK ? ota_program_range(r->device->flash, r->slot, record_offset(r->slot), raw, len)
                         : err;
}

static esp_err_t write_header(const resume_record_t *r, uint32_t url, const char *validator)
{
    uint8_t raw[HEADER_SIZE] = {0};
    memcpy(raw, magic, sizeof(magic));
    le32_put(raw + OFF_LENGTH, r->length);
    le32_put(raw + OFF_UNIT, r->unit);
    le32_put(raw + OFF_URL, url);
    memcpy(raw + OFF_VALIDATOR, validator, strlen(validator));
    le32_put(raw + OFF_CRC, crc32_le(0, raw + 4, OFF_CRC - 4));
    return write_sector(r, raw);
}

uint32_t resume_record_load(resume_record_t *record, otter_device_t *device, const esp_partition_t *slot,
                            const char *url, char validator[RESUME_VALIDATOR_SIZE])
{
    memset(record, 0, sizeof(*record));
    uint8_t raw[HEADER_SIZE];
    if (!has_room(device->flash, slot) ||
        ota_read_range(device->flash, slot, record_offset(slot), raw, sizeof(raw)) != ESP_OK ||
        !header_is_good(raw, device->flash, slot, url)) {
        return 0;
    }
    record->device = device;
    record->slot = slot;
    record->length = le32_get(raw + OFF_LENGTH);
    record->unit = le32_get(raw + OFF_UNIT);
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

esp_err_t resume_record_start(resume_record_t *record, otter_device_t *device, const esp_partition_t *slot,
                              const char *url, const char *validator, int64_t length)
{
    memset(record, 0, sizeof(*record));
    record->device = device;
    record->slot = slot;
    if (!has_room(device->flash, slot) || length <= 0 || length > (int64_t)record_offset(slot) ||
        validator == NULL || strlen(validator) >= RESUME_VALIDATOR_SIZE) {
        return ESP_OK;
    }
    record->length = (uint32_t)length;
    record->unit = unit_for(device->flash, record->length);
    esp_err_t err = write_header(record, url_crc(url), validator);
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
    uint8_t raw[HEADER_SIZE];
    marks_t marks = {.count = 0};
    const uint32_t units = record->marked;
    esp_err_t err =
        ota_read_range(record->device->flash, record->slot, record_offset(record->slot), raw, sizeof(raw));
    if (err == ESP_OK) {
        err = write_sector(record, raw);
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
    OTTER_ASSERT(record->taken <= record->length && record->taken / record->unit >= record->marked);
    record->active = err == ESP_OK;
    return err;
}

static esp_err_t clear_magic(otter_device_t *device, const esp_partition_t *slot)
{
    if (device->flash->write_once) {
        return ota_erase_all(device->flash, slot, record_offset(slot), resume_record_size(device->flash));
    }
    static const uint8_t zeros[MARKS_OFFSET] = {0};
    return ota_program_range(device->flash, slot, record_offset(slot), zeros,
                             align_up_u32(sizeof(magic), device->flash->write_size));
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
    if (err != ESP_OK || !header_is_whole(raw)) {
        return err;
    }
    /* Where flash does not read stably a magic that a cut left half cleared may come back: it is cleared once more. */
    bool counts = memcmp(raw, magic, sizeof(magic)) == 0 || !device->flash->stable_reads;
    err = counts ? clear_magic(device, slot) : ESP_OK;
    return err == ESP_OK && counts ? otter_flash_sync(device->flash) : err;
}

uint32_t otter_update_find_interrupted(otter_device_t *device, const esp_partition_t *slot, uint32_t *arrived)
{
    resume_record_t record;
    char validator[RESUME_VALIDATOR_SIZE];
    *arrived = resume_record_load(&record, device, slot, NULL, validator);
    return record.length;
}
