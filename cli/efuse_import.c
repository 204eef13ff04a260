/* From what a chip says of its eFuses to what a device is: keys by their purposes, and what is told of the rest. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "efuse_import.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clean_text.h"
#include "otter/crypto.h"

#define XTS_FIRST OTTER_PURPOSE_XTS_AES_256_KEY_1
#define XTS_LAST  OTTER_PURPOSE_XTS_AES_128_KEY
#define C2_HALF                                                                                              \
    (OTTER_EFUSE_BLOCK_LEN / 2) /* of an ESP32-C2's key block: the key of flash encryption, then the digest */

void efuse_note(efuse_notes_t *notes, const char *format, ...)
{
    char line[256], clean[CLEAN_TEXT_SIZE(sizeof(line))];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    clean_text(clean, line, sizeof(line));
    char *longer = realloc(notes->text, notes->len + strlen(clean) + 2);
    if (longer != NULL) {
        notes->text = longer;
        notes->len += (size_t)sprintf(longer + notes->len, "%s\n", clean);
    }
}

void efuse_note_line(efuse_notes_t *notes, unsigned number, const char *line)
{
    size_t digits = 0;
    for (const char *p = line; *p != '\0'; p++) {
        digits += isxdigit((unsigned char)*p) != 0;
    }
    efuse_note(notes, "line %u not understood: %.80s", number, digits < 24 ? line : "(hex digits)");
}

bool efuse_is_chatter(const char *line)
{
    static const char *const begins[] = {
        "espefuse",    "===",     "Connecting", "Detecting chip", "Chip type",
        "Serial port", "Loading", "Note:",      "Chip is",        "Connected to"};
    bool is = line[strspn(line, " \t.")] == '\0';
    for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++) {
        is = is || strncmp(line, begins[i], strlen(begins[i])) == 0;
    }
    return is;
}

const otter_chip_facts_t *efuse_import_chip(const char *text, size_t len)
{
    static const char *const marks[] = {"Detecting chip type... ", "Chip type: ", "Chip is ",
                                        "Loading eFuses for "};
    for (size_t i = 0; strlen(text) == len && i < sizeof(marks) / sizeof(marks[0]); i++) {
        const char *at = strstr(text, marks[i]);
        at = at != NULL ? at + strlen(marks[i]) : "";
        at += strspn(at, " ");
        char name[24] = "";
        for (size_t n = 0; n < sizeof(name) - 1 && at[n] != '\0' && strchr(" \r\n(,", at[n]) == NULL; n++) {
            name[n] = at[n];
        }
        const otter_chip_facts_t *chip = name[0] != '\0' ? otter_chip_by_name(name) : NULL;
        if (chip != NULL) {
            return chip;
        }
    }
    return NULL;
}

static bool is_blank(const uint8_t *bytes, size_t len)
{
    uint8_t any = 0;
    for (size_t i = 0; i < len; i++) {
        any |= bytes[i];
    }
    return any == 0;
}

static esp_err_t put_digest(efuse_file_t *file, uint32_t key, const uint8_t *digest, bool readable,
                            efuse_notes_t *notes, otter_fault_t *fault)
{
    if (!readable) {
        return otter_fault(
            fault, ESP_ERR_INVALID_STATE,
            "digest %" PRIu32 " of secure boot is read-protected, so nobody can tell whom it trusts", key);
    }
    if (file->keys[key].present) {
        efuse_note(notes, "digest %" PRIu32 " is in two key blocks; the first one counts", key);
        return ESP_OK;
    }
    file->keys[key].present = true;
    memcpy(file->keys[key].digest, digest, OTTER_KEY_DIGEST_LEN);
    return ESP_OK;
}

/** A key that hardware uses: what it is for is known, and its value where the chip gives it away. */
static void put_key(efuse_file_t *file, uint32_t index, const efuse_block_said_t *said, efuse_notes_t *notes)
{
    otter_efuse_block_t *block = &file->blocks[index];
    const char *name = efuse_file_purpose(said->purpose);
    const bool crypt = (said->purpose >= XTS_FIRST && said->purpose <= XTS_LAST) ||
                       said->purpose == OTTER_PURPOSE_XTS_AES_128_DERIVED;
    block->purpose = (otter_efuse_purpose_t)said->purpose;
    block->present = said->readable && !is_blank(said->bytes, sizeof(said->bytes));
    if (block->present) {
        memcpy(block->key, said->bytes, sizeof(block->key));
    }
    efuse_note(notes, "key block %" PRIu32 ": %s%s; %s", index, name,
               crypt ? ", the key of flash encryption" : "",
               block->present    ? "its value is readable, and imported (it is shown nowhere)"
               : !said->readable ? "read-protected: what it is for is known, its value is not"
                                 : "without a value");
}

static esp_err_t put_block(efuse_file_t *file, uint32_t index, const efuse_block_said_t *said,
                           efuse_notes_t *notes, otter_fault_t *fault)
{
    const uint32_t digest = said->purpose - OTTER_PURPOSE_SECURE_BOOT_DIGEST0;
    if (digest < OTTER_TRUSTED_KEYS) {
        return put_digest(file, digest, said->bytes, said->readable, notes, fault);
    }
    if (said->purpose == OTTER_PURPOSE_USER) {
        if (!is_blank(said->bytes, sizeof(said->bytes)) || !said->readable) {
            efuse_note(notes, "key block %" PRIu32 ": the user's own, not imported", index);
        }
        return ESP_OK;
    }
    if (efuse_file_purpose(said->purpose) == NULL) {
        efuse_note(notes, "key block %" PRIu32 ": purpose %" PRIu32 " not understood, not imported", index,
                   said->purpose);
        return ESP_OK;
    }
    put_key(file, index, said, notes);
    return ESP_OK;
}

/** ESP32's key of flash encryption; with 3/4 coding it has 24 bytes, of which the chip reads some twice. */
static void put_esp32_key(const efuse_block_said_t *said, efuse_file_t *file, efuse_notes_t *notes)
{
    static const size_t quarter = OTTER_EFUSE_BLOCK_LEN / 4;
    otter_efuse_block_t *block = &file->blocks[0];
    block->present = said->readable && !is_blank(said->bytes, sizeof(said->bytes));
    efuse_note(notes, "the key of flash encryption is %s",
               block->present    ? "readable, and imported (it is shown nowhere)"
               : !said->readable ? "read-protected: its value is not known"
                                 : "without a value");
    if (!block->present) {
        return;
    }
    if (is_blank(said->bytes + 3 * quarter, quarter)) { /* back to front, as blocks are */
        memcpy(block->key, said->bytes + quarter, quarter);
        memcpy(block->key + quarter, said->bytes, 3 * quarter);
    } else {
        memcpy(block->key, said->bytes, sizeof(block->key));
    }
}

/** ESP32-C2's key of flash encryption: its one block, or half of it, beside which its digest of secure boot is. */
static void put_c2_key(const efuse_said_t *said, efuse_file_t *file, efuse_notes_t *notes)
{
    const bool whole = said->long_key != 0;
    const efuse_block_said_t *block = &said->blocks[0];
    const size_t len = whole ? OTTER_EFUSE_BLOCK_LEN : C2_HALF;
    const efuse_block_said_t key = {.purpose = whole ? OTTER_PURPOSE_XTS_AES_128_KEY
                                                     : OTTER_PURPOSE_XTS_AES_128_DERIVED,
                                    .readable = whole ? block->readable : block->lower_readable};
    if (said->crypt_count == 0 && !whole && key.readable && is_blank(block->bytes, len)) {
        return;
    }
    efuse_block_said_t own = key;
    memcpy(own.bytes, block->bytes, len);
    put_key(file, 0, &own, notes);
    otter_wipe(&own, sizeof(own));
}

/** The keys of ESP32 and ESP32-C2 have their places, and no purposes. */
static esp_err_t put_placed_keys(const efuse_said_t *said, bool esp32, efuse_file_t *file,
                                 efuse_notes_t *notes, otter_fault_t *fault)
{
    const efuse_block_said_t *digest = &said->blocks[esp32 ? 1 : 0];
    const bool readable = esp32 ? digest->readable : digest->upper_readable;
    uint8_t bytes[OTTER_KEY_DIGEST_LEN] = {0};
    if (!esp32) {
        put_c2_key(said, file, notes);
    } else if (said->crypt_count != 0 || !said->blocks[0].readable ||
               !is_blank(said->blocks[0].bytes, OTTER_EFUSE_BLOCK_LEN)) {
        put_esp32_key(&said->blocks[0], file, notes);
    }
    if (!esp32 && said->long_key != 0) { /* all of the block is a key of flash encryption */
        return !said->secure_boot ? ESP_OK
                                  : otter_fault(fault, ESP_ERR_INVALID_STATE,
                                                "its one key block is a key of flash encryption, so secure "
                                                "boot trusts nobody");
    }
    memcpy(bytes, digest->bytes + (esp32 ? 0 : C2_HALF), esp32 ? OTTER_KEY_DIGEST_LEN : C2_HALF);
    if (said->secure_boot_v1) {
        efuse_note(notes, "Secure Boot V1: its public key is in bootloader and app, not in eFuses; give it: "
                          "otter efuse burn FLASH secure_boot_v1_key KEY");
        return ESP_OK;
    }
    if (!said->secure_boot && (!readable || is_blank(bytes, sizeof(bytes)))) {
        return ESP_OK;
    }
    return put_digest(file, 0, bytes, readable, notes, fault);
}

static void put_numbers(const efuse_said_t *said, efuse_file_t *file)
{
    file->has_revision = said->has_major && said->has_minor;
    file->chip.revision = file->has_revision ? (uint16_t)(said->major * 100 + said->minor) : 0;
    file->has_blk_revision = said->has_blk_major && said->has_blk_minor;
    file->chip.blk_revision =
        file->has_blk_revision ? (uint16_t)(said->blk_major * 100 + said->blk_minor) : 0;
    for (uint32_t bits = said->version_bits; bits != 0; bits &= bits - 1) {
        file->secure_version++;
    }
    file->secure_boot = said->secure_boot || said->secure_boot_v1;
    file->scheme = said->secure_boot_v1 && !said->secure_boot ? OTTER_SIGNED_V1 : OTTER_SIGNED_NOT;
    file->aggressive_revoke = said->aggressive_revoke;
    file->sha384 = said->sha384;
    file->crypt_count = said->crypt_count;
}

/** Which parts of its key an ESP32 changes. A chip that does not encrypt yet gets what ESP-IDF burns. */
static void put_crypt_config(const efuse_said_t *said, efuse_file_t *file, efuse_notes_t *notes)
{
    file->has_crypt_config = said->has_crypt_config && (said->crypt_config != 0 || said->crypt_count != 0);
    file->crypt_config = file->has_crypt_config ? said->crypt_config : 0;
    if (said->crypt_count != 0 && !said->has_crypt_config) {
        efuse_note(notes, "FLASH_CRYPT_CONFIG cannot be read: taken for 15, as ESP-IDF burns it");
    }
}

esp_err_t efuse_conclude(const efuse_said_t *said, const otter_efuse_layout_t *layout, efuse_file_t *file,
                         efuse_notes_t *notes, otter_fault_t *fault)
{
    const bool placed = layout->purpose.width == 0;
    esp_err_t err = ESP_OK;
    file->has_chip = true;
    file->chip.id = layout->chip_id;
    put_numbers(said, file);
    for (uint32_t i = 0; i < OTTER_TRUSTED_KEYS; i++) {
        file->keys[i].revoked = said->revoked[i];
    }
    for (uint32_t i = 0; err == ESP_OK && !placed && i < layout->key_blocks; i++) {
        err = put_block(file, i, &said->blocks[i], notes, fault);
    }
    if (layout->crypt_config.width != 0) {
        put_crypt_config(said, file, notes);
    }
    if (err == ESP_OK && placed) {
        err = put_placed_keys(said, layout->chip_id == 0, file, notes, fault);
    }
    return err;
}
