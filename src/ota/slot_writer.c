/*
 * The slot writer: whole write units go to flash at once, the rest of them waits.
 *
 * Bytes reach flash in one place, write_runs(). It goes through its range run by run: a run is made of sectors that need the
 * same before they hold the bytes (nothing, programming, or erasing first), and ends at a multiple of 64 KiB at the latest,
 * so a step of a long write is bounded. Of what a run does to a sector only this remains: it holds the bytes, and behind them
 * it is blank.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ota/slot_writer.h"

#include <string.h>

#include "otter/bytes.h"
#include "flash/flash_buffer.h"
#include "ota/resume_record.h"
#include "ota/slot_io.h"
#include "otter/ota_ops.h"
#include "otter/promise.h"
#include "otter/system.h"

#define PIECE_SIZE 0x10000u /* bytes of a long write that are erased and programmed together, at most */
#define GLANCE     256u     /* bytes */

typedef enum { NEED_NOTHING, NEED_PROGRAM, NEED_ERASE } need_t;

/** Of what lies behind the sector that has begun it is not known any more whether it is erased. */
static void forget_erased(slot_writer_t *writer)
{
    writer->erased = align_up_u32(slot_writer_on_flash(writer), writer->partition->flash_chip->erase_size);
}

esp_err_t slot_writer_begin(slot_writer_t *writer, const esp_partition_t *partition, bool erase_ahead,
                            uint32_t at, uint8_t *tail)
{
    *writer = (slot_writer_t){
        .partition = partition, .erase_ahead = erase_ahead, .in_order = true, .written = at, .end = at};
    forget_erased(writer);
    writer->tail = otter_flash_unit(partition->flash_chip) > sizeof(writer->small) ? tail : writer->small;
    return writer->tail != NULL ? ESP_OK : ESP_ERR_NOT_SUPPORTED;
}

/** What sectors hold, in the buffer: as it reads, and as it is in flash, which differs behind a cipher. */
typedef struct {
    const uint8_t *read, *raw;
} seen_t;

static seen_t seen_in(const slot_writer_t *writer, const otter_buffer_t *buffer, uint32_t off)
{
    const bool ciphered = writer->partition->flash_chip->cipher != NULL;
    return (seen_t){buffer->bytes + off, buffer->bytes + off + (ciphered ? buffer->size / 2 : 0)};
}

/** @param old  a whole sector as it is; `len` bytes of it, at least one, are to be `data` and the rest blank */
static need_t need_of(seen_t old, uint32_t sector, const uint8_t *data, uint32_t len)
{
    if (memcmp(old.read, data, len) == 0 && bytes_are_erased(old.raw + len, sector - len)) {
        return NEED_NOTHING;
    }
    return bytes_are_erased(old.raw, sector) ? NEED_PROGRAM : NEED_ERASE;
}

/**
 * The sectors from `at` (the start of one) on that need the same. `old` tells what they hold.
 * @return bytes of `data` in them, at most `len`, at least 1
 */
static uint32_t measure_run(seen_t old, uint32_t sector, const uint8_t *data, uint32_t len, need_t *need)
{
    uint32_t run = 0;
    while (run < len) {
        uint32_t n = min_u32(len - run, sector);
        need_t now = need_of((seen_t){old.read + run, old.raw + run}, sector, data + run, n);
        if (run != 0 && now != *need) {
            break;
        }
        *need = now;
        run += n;
    }
    return run;
}

/** Reads the sectors from `at` on that hold `len` bytes, as many as the buffer takes. @return bytes of the len; 0: unknown */
static uint32_t look(const slot_writer_t *writer, uint32_t at, uint32_t len, const otter_buffer_t *buffer)
{
    otter_flash_t *flash = writer->partition->flash_chip;
    const uint32_t sector = flash->erase_size;
    const bool ciphered =
        flash->cipher != NULL; /* then the other half of the buffer gets what lies in flash */
    const uint32_t room = ciphered ? buffer->size / 2 : buffer->size;
    len = min_u32(len, align_down_u32(room, sector));
    const uint32_t all = align_up_u32(len, sector);
    bool read = buffer->bytes != NULL && len > 0 &&
                ota_read_range(flash, writer->partition, at, buffer->bytes, all) == ESP_OK;
    if (read && ciphered) {
        read =
            otter_flash_read_raw(flash, writer->partition->address + at, buffer->bytes + room, all) == ESP_OK;
    }
    return read ? len : 0;
}

/**
 * Where the last run had to be erased, the next one most likely has to, too: its first bytes tell. That sectors of it might have
 * been spared costs less than reading all there is.
 */
static bool differs_again(const slot_writer_t *writer, uint32_t at, const uint8_t *data, uint32_t len,
                          const otter_buffer_t *buffer)
{
    const esp_partition_t *slot = writer->partition;
    const uint32_t n = min_u32(len, GLANCE);
    return writer->differs && buffer->bytes != NULL && n <= buffer->size &&
           ota_read_range(slot->flash_chip, slot, at, buffer->bytes, n) == ESP_OK &&
           memcmp(buffer->bytes, data, n) != 0 &&
           !otter_flash_reads_blank(slot->flash_chip, slot->address + at, n);
}

/** True where whole blocks are erased: not where looking at a sector could spare it. Other partitions have more than an image. */
static bool erases_blocks(const slot_writer_t *writer)
{
    const otter_flash_t *flash = writer->partition->flash_chip;
    return writer->erase_ahead && flash->block_size != 0 && !flash->stable_reads &&
           otter_ota_is_slot(writer->partition);
}

/** Where the erase ends that the bytes up to `upto` need. */
static uint32_t erase_end(const slot_writer_t *writer, uint32_t upto)
{
    const esp_partition_t *slot = writer->partition;
    const otter_flash_t *flash = slot->flash_chip;
    const uint32_t end = align_up_u32(upto, flash->erase_size);
    if (!erases_blocks(writer)) {
        return end;
    }
    const uint32_t inside = (slot->address + end) % flash->block_size;
    const uint32_t block_end = inside != 0 ? end + (flash->block_size - inside) : end;
    const uint32_t record = slot->size - min_u32(slot->size, resume_record_size(flash));
    return max_u32(end, min_u32(block_end, align_down_u32(record, flash->erase_size)));
}

/** Where units are programmed once, what was not erased ahead is looked at: a file may be longer than was told and erased. */
static esp_err_t program_range(const slot_writer_t *writer, uint32_t pos, const uint8_t *data, uint32_t len)
{
    const esp_partition_t *partition = writer->partition;
    otter_flash_t *flash = partition->flash_chip;
    if (flash->write_once && !writer->erase_ahead && range_fits(pos, len, partition->size) &&
        !otter_flash_reads_blank(flash, partition->address + pos, len)) {
        return ESP_ERR_FLASH_OP_FAIL;
    }
    return ota_program_range(flash, partition, pos, data, len);
}

/** Whole write units, run by run. @param buffer  to look at what is there; an empty one: unknown, all is erased */
static esp_err_t write_runs(slot_writer_t *writer, uint32_t at, const uint8_t *data, uint32_t size,
                            const otter_buffer_t *buffer)
{
    const esp_partition_t *partition = writer->partition;
    otter_flash_t *flash = partition->flash_chip;
    const uint32_t sector = flash->erase_size;
    uint32_t seen_at = 0, seen = 0; /* the buffer tells what is in the sectors of [seen_at, seen_at + seen) */
    if (writer->spent) {
        return ESP_ERR_FLASH_OP_FAIL;
    }
    for (uint32_t done = 0, run; done < size; done += run) {
        uint32_t pos = at + done;
        need_t need = NEED_PROGRAM;
        run = min_u32(size - done, PIECE_SIZE - pos % PIECE_SIZE);
        if (writer->erase_ahead && pos < writer->erased) {
            run = min_u32(run, writer->erased - pos);
        } else if (writer->erase_ahead) {
            if (pos - seen_at >= seen) {
                seen_at = pos;
                seen =
                    differs_again(writer, pos, data + done, run, buffer) ? 0 : look(writer, pos, run, buffer);
            }
            need = NEED_ERASE;
            if (seen != 0 && buffer->bytes != NULL) { /* the latter follows: look() */
                run = measure_run(seen_in(writer, buffer, pos - seen_at), sector, data + done,
                                  seen - (pos - seen_at), &need);
            }
            writer->differs = need == NEED_ERASE;
        }
        OTTER_ASSERT(run > 0 && run <= size - done);
        esp_err_t err = ESP_OK;
        uint32_t end = align_up_u32(pos + run, sector);
        if (need == NEED_ERASE) {
            end = erase_end(writer, pos + run);
            err = ota_erase_all(flash, partition, pos, end - pos);
        }
        if (err == ESP_OK && need != NEED_NOTHING) {
            err = program_range(writer, pos, data + done, run);
        }
        if (err != ESP_OK) {
            writer->spent = flash->write_once;
            return err;
        }
        writer->erased = max_u32(writer->erased, end);
        otter_system_alive();
    }
    return ESP_OK;
}

uint32_t slot_writer_prepare(slot_writer_t *writer)
{
    const esp_partition_t *slot = writer->partition;
    const uint32_t at = slot_writer_on_flash(writer);
    if (!erases_blocks(writer)) {
        return UINT32_MAX;
    }
    if (at == writer->erased && at < slot->size) {
        const uint32_t end = erase_end(writer, at + 1);
        if (ota_erase_begin(slot->flash_chip, slot, at, end - at) == ESP_OK) {
            writer->erased = end; /* else the next append tells, which tries once more */
        }
    }
    return writer->erased > writer->written ? writer->erased - writer->written : 1;
}

static esp_err_t write_units(slot_writer_t *writer, uint32_t at, const uint8_t *data, uint32_t size)
{
    otter_flash_t *flash = writer->partition->flash_chip;
    otter_buffer_t buffer = {0};
    if (writer->erase_ahead && flash->stable_reads) {
        buffer = flash_borrow_buffer(flash);
    }
    esp_err_t err = write_runs(writer, at, data, size, &buffer);
    flash_return_buffer(flash, &buffer);
    return err;
}

static esp_err_t take(slot_writer_t *writer, const uint8_t *data, uint32_t size)
{
    uint32_t unit = otter_flash_unit(writer->partition->flash_chip), at = slot_writer_on_flash(writer),
             head = 0;
    if (writer->tail_len != 0) {
        head = min_u32(unit - writer->tail_len, size);
        memcpy(writer->tail + writer->tail_len, data, head); /* tail_len grows only when all went well */
        if (writer->tail_len + head == unit) {
            esp_err_t err = write_units(writer, at, writer->tail, unit);
            if (err != ESP_OK) {
                return err;
            }
            at += unit;
        }
    }
    uint32_t whole = align_down_u32(size - head, unit), rest = size - head - whole;
    esp_err_t err = write_units(writer, at, data + head, whole);
    if (err == ESP_OK && rest != 0) {
        memcpy(writer->tail, data + head + whole, rest);
    }
    return err;
}

esp_err_t slot_writer_append(slot_writer_t *writer, const uint8_t *data, uint32_t size)
{
    esp_err_t err = take(writer, data, size);
    if (err != ESP_OK) {
        writer->in_order = false; /* it may be tried again with other bytes than those that were read back */
        forget_erased(writer);
        return err;
    }
    writer->written += size;
    writer->end = max_u32(writer->end, writer->written);
    writer->tail_len = writer->written & (otter_flash_unit(writer->partition->flash_chip) - 1);
    OTTER_ASSERT(writer->end <= writer->partition->size && writer->end >= writer->written);
    return ESP_OK;
}

esp_err_t slot_writer_put(slot_writer_t *writer, uint32_t offset, const uint8_t *data, uint32_t size)
{
    writer->in_order = false;
    if (writer->spent) {
        return ESP_ERR_FLASH_OP_FAIL;
    }
    esp_err_t err = program_range(writer, offset, data, size);
    if (err == ESP_OK) {
        writer->written += min_u32(size, UINT32_MAX - writer->written);
        writer->end = max_u32(writer->end, offset + size);
        otter_system_alive();
    }
    writer->spent = writer->partition->flash_chip->write_once && otter_flash_failed(err);
    return err;
}

esp_err_t slot_writer_flush(slot_writer_t *writer)
{
    uint32_t unit = otter_flash_unit(writer->partition->flash_chip), len = writer->tail_len;
    if (len == 0) {
        return ESP_OK;
    }
    memset(writer->tail + len, ERASED_BYTE, unit - len);
    writer->tail_len = 0;
    return write_units(writer, writer->written - len, writer->tail, unit);
}
