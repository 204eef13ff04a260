/* The slot writer: puts the bytes of an update into one partition and erases the sectors that they reach. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/io_buffer.h"
#include "esp_partition.h"
#include "otter/flash.h"
#include "otter/promise.h"

/**
 * What is on flash when slot_writer_append() has returned ESP_OK: every byte that was ever given to it, `written` in all,
 * but for the last `tail_len`, which do not fill a write unit yet (never any where write_size is 1); slot_writer_flush()
 * puts them there. After an error it is unknown what the range holds, and the same bytes may be given again.
 */
typedef struct {
    const esp_partition_t *partition;
    /* each sector is erased when its first byte comes; else all of the range was erased before */
    bool erase_ahead;
    bool in_order;     /* all bytes came one after the other, and none failed */
    uint32_t written;  /* bytes taken; with writes in order also the position of the next one */
    uint32_t end;      /* where the highest byte taken ends */
    uint8_t *tail;     /* a write unit; NULL where that is one byte */
    uint32_t tail_len; /* bytes in it */
    /* to look at what is there; not the writer's, and free for others between two calls */
    io_buffer_t *buffer;
} slot_writer_t;

/** @param at  where the first byte goes, a multiple of the flash's write_size. @return ESP_OK, ESP_ERR_NO_MEM */
OTTER_MUST_CHECK esp_err_t slot_writer_begin(slot_writer_t *writer, const esp_partition_t *partition,
                                             bool erase_ahead, uint32_t at, io_buffer_t *buffer);

/**
 * The next bytes. While it erases ahead it reads flash that reads stably before it touches it: a sector that holds just these
 * bytes already is left alone, and one that is blank is not erased.
 * @param size  at most what the partition has left
 * @return ESP_OK, ESP_ERR_INVALID_SIZE (they reach a sector that the partition does not hold as a whole),
 *         ESP_ERR_NOT_ALLOWED (read-only), ESP_ERR_FLASH_OP_*; with an error `written` stays where it was
 */
OTTER_MUST_CHECK esp_err_t slot_writer_append(slot_writer_t *writer, const uint8_t *data, uint32_t size);

/**
 * Bytes anywhere in what was erased before; the writer must not erase ahead, and have no tail.
 * @return ESP_OK, ESP_ERR_INVALID_SIZE (outside of the partition, or no whole write units), ESP_ERR_NOT_ALLOWED,
 *         ESP_ERR_FLASH_OP_*
 */
OTTER_MUST_CHECK esp_err_t slot_writer_put(slot_writer_t *writer, uint32_t offset, const uint8_t *data,
                                           uint32_t size);

/** The tail, filled up as erased flash reads. The next bytes would follow the last whole write unit. @return as append */
OTTER_MUST_CHECK esp_err_t slot_writer_flush(slot_writer_t *writer);

/** Bytes that are on flash: all that were appended but the tail. */
static inline uint32_t slot_writer_on_flash(const slot_writer_t *writer)
{
    return writer->written - writer->tail_len;
}

/** Frees what the writer owns; harmless on zeros. */
void slot_writer_end(slot_writer_t *writer);
