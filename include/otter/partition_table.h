/* The binary partition table: records in and out, the bootloader's verdict, and the stricter one for people. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "otter/fault.h"
#include "otter/flash.h"
#include "otter/promise.h"

#ifdef __cplusplus
extern "C" {
#endif

#define OTTER_PARTITION_RECORD_SIZE 32u
/* Bytes that hold records; the rest of the sector may hold a signature. */
#define OTTER_PARTITION_TABLE_LEN    0xC00u
#define OTTER_PARTITION_TABLE_SECTOR 0x1000u /* bytes of flash the table occupies */
#define OTTER_PARTITION_RECORDS_MAX  96u     /* MD5 and end record included */
#define OTTER_PARTITIONS_MAX         95u     /* partitions in one table: an end record must follow */

#define OTTER_PARTITION_APP_ALIGN  0x10000u /* offset of an app partition */
#define OTTER_PARTITION_DATA_ALIGN 0x1000u  /* offset of any other, and every size */

/** One partition as its record says it, in host order. */
typedef struct {
    uint8_t type, subtype;
    uint32_t offset, size; /* bytes of flash */
    char label[17];        /* always terminated */
    uint32_t flags;        /* raw: PART_FLAG_* and what newer tools may add */
} otter_partition_entry_t;

/** What kind of record these OTTER_PARTITION_RECORD_SIZE bytes are. */
typedef enum {
    OTTER_PARTITION_RECORD_ENTRY, /* magic AA 50 */
    OTTER_PARTITION_RECORD_MD5,   /* magic EB EB; the 14 bytes after it are not looked at */
    OTTER_PARTITION_RECORD_END,   /* magic, type and subtype erased */
    OTTER_PARTITION_RECORD_OTHER, /* garbage */
} otter_partition_record_kind_t;

otter_partition_record_kind_t otter_partition_record_kind(const uint8_t raw[OTTER_PARTITION_RECORD_SIZE]);

/** Pure; the record must be OTTER_PARTITION_RECORD_ENTRY (its magic is not looked at again). */
void otter_partition_entry_decode(const uint8_t raw[OTTER_PARTITION_RECORD_SIZE],
                                  otter_partition_entry_t *out);

/** The opposite; a label of 16 bytes fills its field without terminator. */
void otter_partition_entry_encode(const otter_partition_entry_t *entry,
                                  uint8_t raw[OTTER_PARTITION_RECORD_SIZE]);

/**
 * The bootloader's check, which decides whether a device boots at all: magic of each record, bounds, MD5 if there is one,
 * end record. Neither overlap, nor alignment, nor labels.
 * @param flash_size  bytes of the whole device
 * @param count       on success, how many leading records the bootloader walks: all but the MD5 record, so with a record
 *                    behind the MD5 record it walks over the latter and misses the last, as ESP-IDF does; 0 on failure
 * @param fault       the fault in ESP-IDF's words; NULL: nobody asks
 * @return ESP_OK
 *         ESP_ERR_INVALID_STATE  a record that is none, a wrong or second MD5, no end record
 *         ESP_ERR_INVALID_SIZE   a partition leaves the flash
 *         ESP_ERR_NO_MEM
 */
OTTER_MUST_CHECK esp_err_t otter_partition_table_verify(const uint8_t raw[OTTER_PARTITION_TABLE_LEN],
                                                        uint32_t flash_size, uint32_t *count,
                                                        otter_fault_t *fault);

/** Takes the entries of a table that is read, in order; which of them count is known when the reading has ended well. */
typedef struct {
    void (*take)(void *arg, uint32_t index, const otter_partition_entry_t *entry);
    void *arg;
} otter_partition_taker_t;

/**
 * The same of a table in flash, a piece at a time and each byte once, also where flash does not read stably.
 * @param flash_size  that partitions must not leave
 * @param taker       NULL: nobody wants the entries that the bootloader walks
 * @return also what otter_flash_read() says, and fault is as it was then
 */
OTTER_MUST_CHECK esp_err_t otter_partition_table_verify_at(otter_flash_t *flash, uint32_t offset,
                                                           uint32_t flash_size,
                                                           const otter_partition_taker_t *taker,
                                                           otter_fault_t *fault);

typedef enum {
    OTTER_PARTITION_MD5_ABSENT,
    OTTER_PARTITION_MD5_GOOD,
    OTTER_PARTITION_MD5_BAD,
} otter_partition_md5_t;

typedef struct {
    otter_partition_entry_t entries[OTTER_PARTITION_RECORDS_MAX];
    uint32_t count;
    otter_partition_md5_t md5;
} otter_partition_table_t;

/**
 * Read a table as an application does: entries up to the MD5 record or to the first record that is no entry. Says nothing
 * about whether a bootloader would take it.
 * @return ESP_OK, ESP_ERR_NO_MEM (of the MD5)
 */
OTTER_MUST_CHECK esp_err_t otter_partition_table_decode(const uint8_t raw[OTTER_PARTITION_TABLE_LEN],
                                                        otter_partition_table_t *out);

/** The same of a table in flash, a piece at a time. @return also what otter_flash_read() says */
OTTER_MUST_CHECK esp_err_t otter_partition_table_decode_at(otter_flash_t *flash, uint32_t offset,
                                                           const otter_partition_taker_t *taker,
                                                           otter_partition_md5_t *md5);

/**
 * Write a table: entries, MD5 record if `with_md5`, erased bytes up to the end.
 * @return ESP_OK, ESP_ERR_INVALID_SIZE (entries, MD5 and end record do not fit), ESP_ERR_NO_MEM
 */
OTTER_MUST_CHECK esp_err_t otter_partition_table_encode(const otter_partition_entry_t *entries,
                                                        uint32_t count, bool with_md5,
                                                        uint8_t raw[OTTER_PARTITION_TABLE_LEN]);

/** Takes one line about one fault. */
typedef void (*otter_partition_complain_t)(void *arg, const char *line);

/**
 * The faults that a bootloader overlooks and a person should know: overlap, bad alignment, a partition over the table's own
 * sector or beyond the flash, two of one label, an unknown flag, a useless otadata.
 * @param flash_size  0: unknown, bounds are then only 32 bits
 * @param complain    called for each, with a line that is gone after the call
 * @return number of faults
 */
uint32_t otter_partition_table_check(const otter_partition_table_t *table, uint32_t table_offset,
                                     uint32_t flash_size, otter_partition_complain_t complain, void *arg);

/**
 * What a table lacks for a device that boots and is updated: an app at all, otadata for its OTA slots, a slot between others.
 * Good tables of other devices lack some of it.
 * @param complain  as above
 * @return how much
 */
uint32_t otter_partition_table_check_roles(const otter_partition_table_t *table,
                                           otter_partition_complain_t complain, void *arg);

#ifdef __cplusplus
}
#endif
