/* The slot writer: puts the bytes of an update into one partition and erases the sectors that they reach. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "esp_partition.h"
#include "otter/flash.h"
#include "otter/promise.h"
#include "otter/update.h"

/**
 * What is on flash when slot_writer_append() has returned ESP_OK: every byte that was ever given to it, `written` in all,
 * but for the last `tail_len`, which do not fill a write unit yet (never any where otter_flash_unit() is 1); slot_writer_flush()
 * puts them there. After an error it is unknown what the range holds, and the same bytes may be given again,
 * unless the flash is programmed once.
 */
typedef struct otter_slot_writer slot_writer_t; /* otter/update.h */

/**
 * @param at    where the first byte goes, a multiple of the flash's unit (otter_flash_unit)
 * @param tail  room for a write unit, if that is larger than OTTER_UPDATE_UNIT_MAX; NULL: there is none
 * @return ESP_OK, ESP_ERR_NOT_SUPPORTED (there is none, and it is larger)
 */
OTTER_MUST_CHECK esp_err_t slot_writer_begin(slot_writer_t *writer, const esp_partition_t *partition,
                                             bool erase_ahead, uint32_t at, uint8_t *tail);

/**
 * The next bytes. While it erases ahead, an app slot in flash with blocks (otter_flash_t.block_size) that does not read stably is
 * erased up to the end of a block when its first byte comes, but for the sector with the slot's end, which has a record
 * (resume_record.h). On other flash it looks at flash that reads stably before it touches it: a sector that holds just these
 * bytes already is left alone, and one that is blank is not erased; but for those behind a sector that had to be, within 64 KiB.
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

/**
 * Begins the erase that the next byte needs, if it needs one, where the flash is erased in blocks. otter_flash_is_busy() tells
 * whether the next append would wait for it.
 * @return bytes that can be appended before there is another one, at least 1; UINT32_MAX: it is not erased in blocks
 */
uint32_t slot_writer_prepare(slot_writer_t *writer);

/** The tail, filled up as erased flash reads. The next bytes would follow the last whole write unit. @return as append */
OTTER_MUST_CHECK esp_err_t slot_writer_flush(slot_writer_t *writer);

/** Bytes that are on flash: all that were appended but the tail. */
static inline uint32_t slot_writer_on_flash(const slot_writer_t *writer)
{
    return writer->written - writer->tail_len;
}
