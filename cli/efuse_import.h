/* What the owner of a real chip has of its eFuses, espefuse's dump or summary, and what it says. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "linux/efuse_file.h"
#include "otter/chip.h"
#include "otter/efuse_layout.h"
#include "otter/fault.h"
#include "otter/promise.h"

/** One key block, as a chip has them. */
typedef struct {
    uint32_t purpose;
    bool readable;                        /* all of it */
    bool lower_readable, upper_readable;  /* the halves, which are two keys of an ESP32-C2 */
    uint8_t bytes[OTTER_EFUSE_BLOCK_LEN]; /* zeros where it is not readable */
} efuse_block_said_t;

/** What a dump or a summary says, in the terms of a chip. */
typedef struct {
    uint32_t version_bits, crypt_count;
    bool has_crypt_config; /* it can be known */
    uint32_t crypt_config;
    uint32_t long_key; /* of an ESP32-C2: not 0 where its block is one key of 32 bytes */
    bool has_major, has_minor, has_blk_major, has_blk_minor; /* they can be known */
    uint32_t major, minor, blk_major, blk_minor;
    bool secure_boot, secure_boot_v1, aggressive_revoke, sha384;
    bool revoked[OTTER_TRUSTED_KEYS];
    efuse_block_said_t blocks[OTTER_EFUSE_BLOCKS]; /* ESP32: BLOCK1 and BLOCK2; ESP32-C2: BLOCK_KEY0 */
} efuse_said_t;

/** What somebody should know of an import: one line each, as long as there is memory. */
typedef struct {
    char *text; /* owned; NULL: nothing */
    size_t len;
} efuse_notes_t;

void efuse_note(efuse_notes_t *notes, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** That a line was not understood; not what it says where that may be a key. */
void efuse_note_line(efuse_notes_t *notes, unsigned number, const char *line);

/** A line that espefuse puts before and between what it was asked for. */
bool efuse_is_chatter(const char *line);

/** The chip that a text of espefuse's is of; NULL: it does not say. */
const otter_chip_facts_t *efuse_import_chip(const char *text, size_t len);

/**
 * Reads a dump: blocks as words, as lines of hex digits, or as bytes.
 * @param text   ends with a 0 that is not counted
 * @return ESP_ERR_NOT_FOUND  it is no dump
 *         ESP_ERR_INVALID_SIZE, ESP_ERR_INVALID_STATE  it is half of one, or nothing that a chip has
 */
OTTER_MUST_CHECK esp_err_t efuse_read_dump(const char *text, size_t len, const otter_efuse_layout_t *layout,
                                           efuse_said_t *said, efuse_notes_t *notes, otter_fault_t *fault);

/** Takes blocks, OTTER_EFUSE_BLOCK_LEN bytes each, for what they say. */
OTTER_MUST_CHECK esp_err_t efuse_read_blocks(const uint8_t *blocks, const otter_efuse_layout_t *layout,
                                             efuse_said_t *said, efuse_notes_t *notes, otter_fault_t *fault);

/** Reads a summary, text or JSON. Same codes. */
OTTER_MUST_CHECK esp_err_t efuse_read_summary(char *text, size_t len, const otter_efuse_layout_t *layout,
                                              efuse_said_t *said, efuse_notes_t *notes, otter_fault_t *fault);

/** What that means for a device. @return ESP_ERR_INVALID_STATE: it contradicts itself */
OTTER_MUST_CHECK esp_err_t efuse_conclude(const efuse_said_t *said, const otter_efuse_layout_t *layout,
                                          efuse_file_t *file, efuse_notes_t *notes, otter_fault_t *fault);
