/* What a chip keeps in eFuses, in a text file beside the flash file: flash.bin.efuse, one "name=value" a line. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "linux/file_flash.h"
#include "otter/chip.h"
#include "otter/efuse.h"
#include "otter/fault.h"
#include "otter/promise.h"

/*
 * Names: chip (as otter_chip_by_name), revision, blk_revision (major * 100 + minor), secure_version (0 to 32), what
 * FORMATS.md section 11 says of secure boot and key blocks, and how the flash erases and programs; in any case, with blanks
 * around name and value. Lines end with LF, CR LF or CR; a byte order mark, empty lines and lines that begin with # are fine.
 * Unknown names are kept and told, but for those that look like a slip in a known one, which are refused: a fact that is
 * overlooked may be the one that keeps an old version out. So is a name that is there twice with two values. A missing file is
 * a chip of unknown kind with nothing burned.
 */
typedef struct {
    char path[4096]; /* "": there is none */
    bool exists;
    bool has_chip, has_revision, has_blk_revision;
    otter_chip_t chip; /* id OTTER_CHIP_LINUX and revision 0 where the file says nothing */
    uint32_t secure_version;
    file_flash_geometry_t geometry;  /* zeros where the file says nothing */
    bool secure_boot;                /* images must be signed by one of `keys`, or by v1_key */
    bool aggressive_revoke;          /* of the ROM, which looks at bootloaders only */
    bool sha384;                     /* secure boot's hash: ECDSA P-384 */
    otter_signature_scheme_t scheme; /* OTTER_SIGNED_NOT: the file does not say */
    otter_efuse_key_t keys[OTTER_TRUSTED_KEYS];
    otter_efuse_block_t blocks[OTTER_EFUSE_BLOCKS];
    bool has_crypt_config;
    uint32_t crypt_config; /* FLASH_CRYPT_CONFIG of an ESP32, 0 to 15 */
    uint32_t crypt_count;  /* SPI_BOOT_CRYPT_CNT: flash is encrypted where an odd number of its bits is set */
    /* not of the file: bits that a first boot burns where it is in release mode; 0: one */
    uint32_t crypt_final;
    bool has_v1_key;
    uint8_t v1_key[OTTER_V1_KEY_LEN];
    char note[160]; /* one line about a name that nobody knows, "" for none */
} efuse_file_t;

/**
 * Read the eFuse file that belongs to a flash file. It lies beside the flash file itself, behind all symbolic links that
 * `flash_path` may be; another one beside such a link is refused.
 * @return ESP_OK (also when there is none), ESP_ERR_INVALID_STATE (a line cannot be read, or there are two files: fault
 *         says which), ESP_FAIL (the file cannot be read)
 */
OTTER_MUST_CHECK esp_err_t efuse_file_load(efuse_file_t *file, const char *flash_path, otter_fault_t *fault);

/**
 * The same with the eFuse file's own path.
 * @param path  "": there is none, and nothing can be burned; a flash in a block device has nothing beside it that would last
 */
OTTER_MUST_CHECK esp_err_t efuse_file_load_named(efuse_file_t *file, const char *path, otter_fault_t *fault);

/** Write it whole through a temporary name and sync: the old or the new content, never a mixture. */
OTTER_MUST_CHECK esp_err_t efuse_file_save(const efuse_file_t *file);

/**
 * Burn one eFuse, in memory: efuse_file_save() makes it so. What is burned only grows, and stays.
 * @param name, value  as in the file
 * @return ESP_OK, also where nothing changes; ESP_ERR_NOT_FOUND (no such eFuse), ESP_ERR_INVALID_STATE (no such value, or the
 *         hardware would refuse it: a bit would go back, a block be written twice, the chip has no such eFuse); nothing has
 *         changed then
 */
OTTER_MUST_CHECK esp_err_t efuse_file_burn(efuse_file_t *file, const char *name, const char *value,
                                           otter_fault_t *fault);

/** The same of all that another one says. */
OTTER_MUST_CHECK esp_err_t efuse_file_grow(efuse_file_t *file, const efuse_file_t *more,
                                           otter_fault_t *fault);

/** True if both say the same. */
bool efuse_file_is_same(const efuse_file_t *a, const efuse_file_t *b);

/** The number of a purpose that espefuse has a name for. @return false: there is none */
OTTER_MUST_CHECK bool efuse_file_purpose_number(const char *name, uint32_t *number);

/** espefuse's name of a key block's purpose; NULL: there is none. */
const char *efuse_file_purpose(uint32_t number);

/** The eFuse seam on this file; `file` must live as long as the seam is used. */
otter_efuse_t efuse_file_seam(efuse_file_t *file);
