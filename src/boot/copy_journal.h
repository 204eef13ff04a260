/* The journal of a staged copy: one sector that says what is to be copied where, so that a cut copy can be finished. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "esp_err.h"
#include "esp_partition.h"
#include "otter/crypto.h"
#include "otter/device.h"
#include "otter/flash.h"
#include "otter/promise.h"

/*
 * It lies in the last sector of the staging partition, where an unfinished download keeps its memory before (magic "OTR1");
 * the copy begins when the download has ended, and the sector is erased for the journal then.
 *
 *   off  size  field (little endian)
 *     0     4  magic "OTC1"; cleared to 0 when it is closed
 *     4     4  staging partition: offset in flash
 *     8     4  staging partition: bytes
 *    12     4  final partition: offset in flash
 *    16     4  final partition: bytes
 *    20     1  final partition: type
 *    21     1  final partition: subtype
 *    22     2  0
 *    24     4  bytes to copy; the rest of the final partition is erased
 *    28     4  unit: bytes of the final partition that one mark stands for, whole sectors
 *    32    32  SHA-256 of the bytes to copy
 *    64     4  CRC-32 (seed 0) of bytes 0 to 63
 *    68        committed: the copy will be made
 *    69        closed: the copy is finished or given up
 *   128     n  marks: this unit of the final partition is done
 *
 * Committed, closed and each mark are one write unit (on SPI NOR: one byte) that says so when any of its bits is cleared;
 * with write units above 16 bytes they lie as close behind the header as whole units can. Where a unit is programmed once,
 * committed and closed are 48 units each: that one holds whose last programmed unit is the later one, and closed holds for good
 * if the unit before it is programmed, too. The magic stays, and there are no marks then.
 *
 * A power cut may leave bits that read as 0 at one boot and as 1 at the next. So each step is made sure before the next one
 * changes anything: the header before "committed" (a torn header is never followed, it was not committed), "committed" before
 * final is touched (copy_journal_confirm), "closed" before the magic goes (copy_journal_clear): of a journal that is not
 * followed at one boot nothing is followed at a later one.
 *
 * The marks are a hint that saves work: what counts is the digest, which is compared with the final partition at the end.
 */
#define COPY_JOURNAL_HEADER_SIZE 68u

typedef struct {
    uint32_t staging_off, staging_size;
    uint32_t final_off, final_size;
    uint8_t final_type, final_subtype;
    uint32_t len, unit;
    uint8_t digest[OTTER_SHA256_LEN];
} copy_journal_t;

/** Where the staging partition ends, and with it the journal. */
uint32_t copy_journal_end(const copy_journal_t *journal);

/** Bytes at the end of a staging partition that a journal takes. */
uint32_t copy_journal_size(const otter_flash_t *flash);

/** The unit for a final partition of `final_size` bytes; 0: this flash's geometry leaves no room for marks. */
uint32_t copy_journal_unit(const otter_flash_t *flash, uint32_t final_size);

/** True for partitions whose last sector can be a journal: those into which only update sessions write. */
bool copy_journal_may_lie_in(uint32_t type, uint32_t subtype);

/** True if these 4 bytes are the magic. */
bool copy_journal_has_magic(const uint8_t raw[4]);

void copy_journal_encode(const copy_journal_t *journal, uint8_t raw[COPY_JOURNAL_HEADER_SIZE]);

/**
 * Pure: magic, CRC and the fields' own sense; not whether they fit a device.
 * @param out  written only when true is returned
 */
OTTER_MUST_CHECK bool copy_journal_decode(const uint8_t raw[COPY_JOURNAL_HEADER_SIZE], copy_journal_t *out);

/*
 * In flash. `end` is where the staging partition ends: the journal is the sector before it.
 * @return ESP_OK, ESP_ERR_FLASH_OP_*, and what otter_flash_* say of a place that the flash does not have
 */

/**
 * @param out  written too with ESP_ERR_INVALID_STATE
 * @return also ESP_ERR_NOT_FOUND      there is none, or a closed one
 *              ESP_ERR_INVALID_STATE  one that was cut before it was committed or while it was closed; where flash does not
 *                                     read stably it may read otherwise the next time: clear it
 */
OTTER_MUST_CHECK esp_err_t copy_journal_read(otter_flash_t *flash, uint32_t end, copy_journal_t *out);

/**
 * The live journal at the end of a partition of the list.
 * @return as copy_journal_read, but ESP_ERR_INVALID_STATE only where flash does not read stably: there it is to be cleared
 */
OTTER_MUST_CHECK esp_err_t copy_journal_read_in(otter_flash_t *flash, const esp_partition_t *p,
                                                copy_journal_t *out);

/**
 * For programs without the code for staged copies: nothing is decided, and nothing overwritten, while a copy is unfinished.
 * @return ESP_OK, ESP_ERR_NOT_SUPPORTED (there is one; the reason in fault)
 */
OTTER_MUST_CHECK esp_err_t copy_journal_refuse(const otter_device_t *device, otter_fault_t *fault);

/** Erases the sector and makes the journal durable: first what it says, then that it counts. */
OTTER_MUST_CHECK esp_err_t copy_journal_write(otter_flash_t *flash, const copy_journal_t *journal);

/** Makes sure that the journal, which reads as live, stays so. */
OTTER_MUST_CHECK esp_err_t copy_journal_confirm(otter_flash_t *flash, uint32_t end);

/** Leading units that are marked. */
OTTER_MUST_CHECK esp_err_t copy_journal_count_done(otter_flash_t *flash, const copy_journal_t *journal,
                                                   uint32_t *units);

/** Marks one unit; nothing is made durable, a lost mark costs only work. */
OTTER_MUST_CHECK esp_err_t copy_journal_mark(otter_flash_t *flash, const copy_journal_t *journal,
                                             uint32_t unit);

/** The journal is finished with: it is never followed again. */
OTTER_MUST_CHECK esp_err_t copy_journal_clear(otter_flash_t *flash, uint32_t end);

/** Erases the sector; a cut in it may bring back any state of the journal, so only if what it copies is not there any more. */
OTTER_MUST_CHECK esp_err_t copy_journal_erase(otter_flash_t *flash, uint32_t end);

/**
 * [start, end) is about to be written by something else. Where units are programmed once, a journal that is finished still is
 * all there but for its last flag: first the start of what it copies goes, then the journal.
 */
OTTER_MUST_CHECK esp_err_t copy_journal_remove(otter_flash_t *flash, uint32_t start, uint32_t end);
