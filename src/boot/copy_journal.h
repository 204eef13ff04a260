/* The journal of a staged copy: one sector that says what is to be copied where, so that a cut copy can be finished. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "esp_err.h"
#include "esp_partition.h"
#include "otter/crypto.h"
#include "otter/flash.h"

/*
 * It lies in the last sector of the staging partition, where an unfinished download keeps its memory before (magic "OTR1");
 * the copy begins when the download has ended, and the sector is erased for the journal then.
 *
 *   off  size  field (little endian)
 *     0     4  magic "OTC1"; cleared to 0 when the copy is finished or given up
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
 *   128     n  marks, one write unit (on SPI NOR: one byte) each; any cleared bit: this unit of the final partition is done
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

/** Bytes at the end of a staging partition that a journal takes. */
uint32_t copy_journal_size(const otter_flash_t *flash);

/** The unit for a final partition of `final_size` bytes; 0: this flash's geometry leaves no room for marks. */
uint32_t copy_journal_unit(const otter_flash_t *flash, uint32_t final_size);

/** True for partitions whose last sector can be a journal: those into which only update sessions write. */
bool copy_journal_carrier(uint32_t type, uint32_t subtype);

/** True if these 4 bytes are the magic. */
bool copy_journal_magic(const uint8_t raw[4]);

void copy_journal_encode(const copy_journal_t *journal, uint8_t raw[COPY_JOURNAL_HEADER_SIZE]);

/**
 * Pure: magic, CRC and the fields' own sense; not whether they fit a device.
 * @param out  written only when true is returned
 */
bool copy_journal_decode(const uint8_t raw[COPY_JOURNAL_HEADER_SIZE], copy_journal_t *out);

/*
 * In flash. `end` is where the staging partition ends: the journal is the sector before it.
 * @return ESP_OK, ESP_ERR_FLASH_OP_*, and what otter_flash_* say of a place that the flash does not have
 */

/** @return also ESP_ERR_NOT_FOUND: there is none, or none that is live */
esp_err_t copy_journal_read(otter_flash_t *flash, uint32_t end, copy_journal_t *out);

/** Erases the sector and makes the journal durable. */
esp_err_t copy_journal_write(otter_flash_t *flash, const copy_journal_t *journal);

/** Programs the header once more, so that bits which a cut left weak are sure; only where bytes may be programmed twice. */
esp_err_t copy_journal_refresh(otter_flash_t *flash, const copy_journal_t *journal);

/** Leading units that are marked. */
esp_err_t copy_journal_done(otter_flash_t *flash, const copy_journal_t *journal, uint32_t *units);

/** Marks one unit; nothing is made durable, a lost mark costs only work. */
esp_err_t copy_journal_mark(otter_flash_t *flash, const copy_journal_t *journal, uint32_t unit);

/** The journal is finished with: it is never followed again. */
esp_err_t copy_journal_clear(otter_flash_t *flash, const copy_journal_t *journal);
