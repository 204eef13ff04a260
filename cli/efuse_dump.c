/* espefuse dump in all its forms: words or hex digits by block, on a console or in a file, and the bytes themselves. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "efuse_import.h"
#include "otter/bytes.h"
#include "otter/crypto.h"

#define WORD                 4u
#define READ_PROTECTS_CONFIG 8u /* of ESP32's RD_DIS: FLASH_CRYPT_CONFIG, too */

typedef struct {
    uint8_t bytes[OTTER_EFUSE_DUMP_BLOCKS][OTTER_EFUSE_BLOCK_LEN];
    bool has[OTTER_EFUSE_DUMP_BLOCKS];
    uint32_t next; /* block that the next line of hex digits is */
} dump_t;

static uint32_t words_of(const otter_efuse_layout_t *layout, uint32_t block)
{
    return block < 2 ? layout->words[block] : OTTER_EFUSE_BLOCK_LEN / WORD;
}

/** A block of ESP32 with coding scheme 3/4 has three quarters of it. */
static bool is_length_of(const otter_efuse_layout_t *layout, uint32_t block, size_t len)
{
    const size_t whole = (size_t)words_of(layout, block) * WORD;
    return len == whole || (layout->chip_id == 0 && block > 0 && len == whole * 3 / 4);
}

static bool put_block(dump_t *dump, const otter_efuse_layout_t *layout, uint32_t block, const uint8_t *bytes,
                      size_t len)
{
    if (block >= layout->blocks || dump->has[block] || !is_length_of(layout, block, len)) {
        return false;
    }
    memcpy(dump->bytes[block], bytes, len);
    dump->has[block] = true;
    return true;
}

/** "BLOCK0          (       ) [0 ] dump: 05800b00 00000001 ..." @return false: the line is none, or not right */
static bool take_words(dump_t *dump, const otter_efuse_layout_t *layout, const char *line, bool *is_one)
{
    const char *number = strchr(line, '['), *at = strstr(line, "] dump:");
    at = at != NULL ? at + strlen("] dump:") : strstr(line, "] read_regs:");
    uint8_t bytes[OTTER_EFUSE_BLOCK_LEN];
    size_t len = 0;
    *is_one = number != NULL && at != NULL && strncmp(line, "  ", 2) != 0;
    if (!*is_one) {
        return false;
    }
    at = at[0] == ']' ? at + strlen("] read_regs:") : at;
    char *end;
    unsigned long block = strtoul(number + 1, &end, 10);
    for (; *at != '\0' && len < sizeof(bytes); len += WORD) {
        at += strspn(at, " \t");
        if (strspn(at, "0123456789abcdefABCDEF") != 2 * WORD) {
            break;
        }
        le32_put(bytes + len, (uint32_t)strtoul(at, NULL, 16));
        at += 2 * WORD;
    }
    return end != number + 1 && at[strspn(at, " \t")] == '\0' && block < OTTER_EFUSE_DUMP_BLOCKS &&
           put_block(dump, layout, (uint32_t)block, bytes, len);
}

/** "000b80050100000000008494...": the blocks one after the other. */
static bool take_digits(dump_t *dump, const otter_efuse_layout_t *layout, const char *line, bool *is_one)
{
    const size_t digits = strspn(line, "0123456789abcdefABCDEF");
    uint8_t bytes[OTTER_EFUSE_BLOCK_LEN] = {0};
    *is_one = digits >= 2 * WORD && line[digits] == '\0';
    if (!*is_one || digits % 2 != 0 || digits > 2 * sizeof(bytes)) {
        return false;
    }
    for (size_t i = 0; i < digits; i += 2) {
        const char byte[3] = {line[i], line[i + 1], '\0'};
        bytes[i / 2] = (uint8_t)strtoul(byte, NULL, 16);
    }
    return put_block(dump, layout, dump->next++, bytes, digits / 2);
}

/** A line that says nothing of a block: what was asked for around it, and how the chip reads its blocks. */
static bool is_around(const char *line)
{
    return efuse_is_chatter(line) || strstr(line, " err__regs: ") != NULL ||
           strncmp(line, "EFUSE_R", strlen("EFUSE_R")) == 0;
}

static esp_err_t take_lines(dump_t *dump, char *text, const otter_efuse_layout_t *layout,
                            efuse_notes_t *notes, otter_fault_t *fault)
{
    unsigned number = 0;
    bool any = false;
    char *rest = text;
    for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
        bool words, digits = false;
        number++;
        line[strcspn(line, "\r")] = '\0';
        bool taken =
            take_words(dump, layout, line, &words) || (!words && take_digits(dump, layout, line, &digits));
        any = any || words || digits;
        if ((words || digits) && !taken) {
            return otter_fault(fault, ESP_ERR_INVALID_STATE,
                               "line %u is no block of this chip, or one that was there before", number);
        }
        if (!taken && !is_around(line)) {
            efuse_note_line(notes, number, line);
        }
    }
    return any ? ESP_OK : ESP_ERR_NOT_FOUND;
}

static bool is_text(const char *text, size_t len)
{
    bool is = strlen(text) == len;
    for (size_t i = 0; is && i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        is = c < 0x80 && (c >= ' ' || isspace(c));
    }
    return is;
}

/** Bytes of all blocks of a dump in one file. @param quarters  of a block behind the first: 4, or 3 of ESP32's */
static size_t bytes_of_all(const otter_efuse_layout_t *layout, size_t quarters)
{
    size_t sum = 0;
    for (uint32_t i = 0; i < layout->blocks; i++) {
        sum += (size_t)words_of(layout, i) * (i > 0 ? quarters : 4);
    }
    return sum;
}

static bool take_bytes(dump_t *dump, const uint8_t *bytes, size_t len, const otter_efuse_layout_t *layout)
{
    const size_t quarters = layout->chip_id == 0 && len == bytes_of_all(layout, 3) ? 3 : 4;
    bool ok = len == bytes_of_all(layout, quarters);
    for (uint32_t i = 0; ok && i < layout->blocks; i++) {
        const size_t block = (size_t)words_of(layout, i) * (i > 0 ? quarters : 4);
        ok = put_block(dump, layout, i, bytes, block);
        bytes += block;
    }
    return ok;
}

static esp_err_t read_dump(dump_t *dump, const char *text, size_t len, const otter_efuse_layout_t *layout,
                           efuse_notes_t *notes, otter_fault_t *fault)
{
    if (!is_text(text, len)) {
        return take_bytes(dump, (const uint8_t *)text, len, layout)
                   ? ESP_OK
                   : otter_fault(fault, ESP_ERR_INVALID_SIZE,
                                 "it has %zu bytes; a dump of all blocks of this chip has %zu", len,
                                 bytes_of_all(layout, 4));
    }
    char *copy = strdup(text);
    if (copy == NULL) {
        return otter_fault(fault, ESP_ERR_NO_MEM, "out of memory");
    }
    esp_err_t err = take_lines(dump, copy, layout, notes, fault);
    otter_wipe(copy, len);
    free(copy);
    for (uint32_t i = 0; err == ESP_OK && i < layout->blocks; i++) {
        if (!dump->has[i]) {
            err = otter_fault(fault, ESP_ERR_INVALID_STATE,
                              "it lacks block %" PRIu32 " of %u: it is not whole, or of another chip", i,
                              layout->blocks);
        }
    }
    return err;
}

esp_err_t efuse_read_dump(const char *text, size_t len, const otter_efuse_layout_t *layout,
                          efuse_said_t *said, efuse_notes_t *notes, otter_fault_t *fault)
{
    dump_t dump = {0};
    esp_err_t err = read_dump(&dump, text, len, layout, notes, fault);
    err = err == ESP_OK ? efuse_read_blocks(&dump.bytes[0][0], layout, said, notes, fault) : err;
    otter_wipe(&dump, sizeof(dump));
    return err;
}

/** Chip version, as far as its eFuses tell. */
static void read_revision(const uint8_t *dump, const otter_efuse_layout_t *layout, efuse_said_t *said,
                          efuse_notes_t *notes)
{
    const uint32_t high = otter_efuse_field(dump, layout->major_high);
    said->minor = otter_efuse_field(dump, layout->minor) | otter_efuse_field(dump, layout->minor_high)
                                                               << layout->minor.width;
    said->major = otter_efuse_field(dump, layout->major) | high << layout->major.width;
    said->has_major = layout->major.width != 0;
    said->has_minor = layout->minor.width != 0;
    if (layout->chip_id == 0) { /* one bit each for v1 and v2; what makes it a v3 is no eFuse */
        said->has_major = said->has_minor = said->major != 3;
        if (!said->has_major) {
            efuse_note(notes,
                       "a dump does not tell whether this chip is v2 or v3: give --chip-rev, or the summary");
        }
    }
    said->blk_major = otter_efuse_field(dump, layout->blk_major);
    said->blk_minor = otter_efuse_field(dump, layout->blk_minor);
    said->has_blk_major = said->has_blk_minor = layout->blk_major.width != 0;
}

static void read_keys(const uint8_t *dump, const otter_efuse_layout_t *layout, efuse_said_t *said)
{
    const bool newer = said->major >= layout->newer;
    const uint32_t hidden = otter_efuse_field(dump, layout->read_protect);
    for (uint32_t i = 0; i < layout->key_blocks; i++) {
        efuse_block_said_t *block = &said->blocks[i];
        otter_efuse_field_t purpose = layout->purpose;
        purpose.bit = (uint8_t)(purpose.bit + i * purpose.width);
        block->purpose =
            otter_efuse_field(dump, purpose) |
            (newer ? otter_efuse_field(dump, layout->purpose_high[i]) << layout->purpose.width : 0);
        block->readable = block->lower_readable = block->upper_readable = (hidden >> i & 1u) == 0;
        memcpy(block->bytes, dump + (layout->key_block + i) * OTTER_EFUSE_BLOCK_LEN, OTTER_EFUSE_BLOCK_LEN);
    }
    if (layout->long_key.width != 0) { /* a bit for each half of the one block */
        said->blocks[0].upper_readable = (hidden >> 1 & 1u) == 0;
        said->blocks[0].readable = hidden == 0;
    }
    for (uint32_t i = 0; i < OTTER_TRUSTED_KEYS; i++) {
        otter_efuse_field_t revoke = layout->revoke;
        revoke.bit = (uint8_t)(revoke.bit + i);
        said->revoked[i] = otter_efuse_field(dump, revoke) != 0;
    }
    if (newer) {
        said->sha384 = otter_efuse_field(dump, layout->sha384) != 0;
    }
}

esp_err_t efuse_read_blocks(const uint8_t *blocks, const otter_efuse_layout_t *layout, efuse_said_t *said,
                            efuse_notes_t *notes, otter_fault_t *fault)
{
    const otter_efuse_field_t first_words = {0, 0, 32}, esp32_v1 = {0, 196, 1};
    if (otter_efuse_field(blocks, first_words) == UINT32_MAX &&
        otter_efuse_field(blocks, layout->secure_boot)) {
        return otter_fault(fault, ESP_ERR_INVALID_STATE, "every bit reads 1: the chip was not read");
    }
    read_revision(blocks, layout, said, notes);
    said->version_bits = otter_efuse_field(blocks, layout->secure_version);
    said->crypt_count = otter_efuse_field(blocks, layout->crypt_count);
    said->crypt_config = otter_efuse_field(blocks, layout->crypt_config);
    said->has_crypt_config = layout->crypt_config.width != 0 &&
                             (otter_efuse_field(blocks, layout->read_protect) & READ_PROTECTS_CONFIG) == 0;
    said->long_key = otter_efuse_field(blocks, layout->long_key);
    said->secure_boot = otter_efuse_field(blocks, layout->secure_boot) != 0;
    said->secure_boot_v1 = layout->chip_id == 0 && otter_efuse_field(blocks, esp32_v1) != 0;
    said->aggressive_revoke = otter_efuse_field(blocks, layout->aggressive_revoke) != 0;
    read_keys(blocks, layout, said);
    return ESP_OK;
}
