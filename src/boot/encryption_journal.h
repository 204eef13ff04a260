/* The journal of a first boot that encrypts flash in place: its plan, and the batches that lie beside their places. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "otter/crypto.h"
#include "otter/flash.h"
#include "otter/partition_table.h"
#include "otter/promise.h"

/*
 * It lies in erased sectors that no encrypted partition has, and is there from the first sector that is encrypted until the
 * eFuses say that flash is (FORMATS.md section 14):
 *
 *   the plan, one sector        what is encrypted, in which order
 *   slot 0, batch + 1 sectors   the bytes of a batch as they will lie in flash, then its head
 *   slot 1, batch + 1 sectors   the same of the batches with odd numbers
 *
 *   off  size  field of the plan (little endian)      off  size  field of a head
 *     0     4  magic "OTE1"                             0     4  magic "OTEB"
 *     4     4  where it lies: offset in flash           4     4  number of the batch
 *     8     4  bytes of a sector                        8     4  CRC of the plan
 *    12     4  sectors of a batch, at most             12    32  SHA-256 of the batch's bytes
 *    16     4  bits of the crypt count when it began   44     4  CRC-32 (seed 0) of bytes 0 to 43
 *    20     4  ranges
 *    24    16  seal
 *    40     4  CRC-32 (seed 0) of bytes 0 to 39, then of all ranges
 *    44  12 n  ranges: offset, bytes, and number of the table's row (ENCRYPTION_ROW_*)
 *
 * The seal is the first half of the SHA-256 of bytes 0 to 23 and of all ranges, as the cipher encrypts it where the plan lies:
 * only who has the key can make a plan, which is an order to overwrite flash.
 *
 * A range is encrypted in batches of so many sectors, the last one of what is left. Batches are counted through all ranges.
 */
#define ENCRYPTION_RANGES_MAX (OTTER_PARTITIONS_MAX + 2u)
#define ENCRYPTION_BATCH_MAX  16u
#define ENCRYPTION_SEAL       24u /* offset of the seal */
#define ENCRYPTION_PLAN_HEAD  44u /* bytes before the ranges */
#define ENCRYPTION_PLAN_MAX   (ENCRYPTION_PLAN_HEAD + 12u * ENCRYPTION_RANGES_MAX)
#define ENCRYPTION_HEAD_SIZE  48u

#define ENCRYPTION_ROW_TABLE      0xFFFFFFFEu
#define ENCRYPTION_ROW_BOOTLOADER 0xFFFFFFFFu

/** Whole sectors that are encrypted. */
typedef struct {
    uint32_t offset, len;
    uint32_t row; /* of the partition table, from 0; or ENCRYPTION_ROW_* */
} encryption_range_t;

typedef struct {
    uint32_t at, sector, batch;
    uint32_t crypt_count;
    uint8_t seal[OTTER_FLASH_CIPHER_BLOCK];
    uint32_t crc; /* of what was decoded or encoded last */
    uint32_t range_count;
    encryption_range_t ranges[ENCRYPTION_RANGES_MAX];
} encryption_plan_t;

typedef struct {
    uint32_t number, plan_crc;
    uint8_t digest[OTTER_SHA256_LEN];
} encryption_head_t;

/** True if these 4 bytes are the plan's magic. */
bool encryption_plan_has_magic(const uint8_t raw[4]);

/** @return bytes of `raw` that are written, at most ENCRYPTION_PLAN_MAX */
uint32_t encryption_plan_encode(encryption_plan_t *plan, uint8_t raw[ENCRYPTION_PLAN_MAX]);

/**
 * Pure: magic, CRC, and that ranges are whole sectors which overlap neither each other nor the journal.
 * @param size  bytes at `raw`
 * @param out   unknown when false is returned
 */
OTTER_MUST_CHECK bool encryption_plan_decode(const uint8_t *raw, uint32_t size, encryption_plan_t *out);

/** What the seal is made of: of a plan as it is encoded, and encoded it may be with any seal. @return false: out of memory */
OTTER_MUST_CHECK bool encryption_plan_digest(const uint8_t *raw, uint32_t len,
                                             uint8_t digest[OTTER_SHA256_LEN]);

/** Sectors that the journal takes. */
uint32_t encryption_plan_sectors(const encryption_plan_t *plan);

/** Batches of all ranges. */
uint32_t encryption_plan_batches(const encryption_plan_t *plan);

/** The range of one batch. @param number  below encryption_plan_batches() */
encryption_range_t encryption_plan_batch(const encryption_plan_t *plan, uint32_t number);

/** Where in flash the bytes of a batch lie in the journal, and its head. */
uint32_t encryption_plan_slot(const encryption_plan_t *plan, uint32_t number);
uint32_t encryption_plan_head(const encryption_plan_t *plan, uint32_t number);

void encryption_head_encode(const encryption_head_t *head, uint8_t raw[ENCRYPTION_HEAD_SIZE]);
OTTER_MUST_CHECK bool encryption_head_decode(const uint8_t raw[ENCRYPTION_HEAD_SIZE], encryption_head_t *out);
