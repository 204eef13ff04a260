/* Values that several verbs take, and the options that say of what device a flash file is: called and read in one way. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "host/options.h"
#include "linux/linux_device.h"
#include "otter/promise.h"

/* Kinds; in brackets the type of the target. */
extern const option_kind_t kind_chip;        /* (const otter_chip_facts_t *) */
extern const option_kind_t kind_revision;    /* (uint16_t) major * 100 + minor */
extern const option_kind_t kind_chip_rev;    /* (linux_device_options_t) its revision */
extern const option_kind_t kind_blk_rev;     /* (linux_device_options_t) its blk_revision */
extern const option_kind_t kind_offset;      /* (uint32_t) of the largest flash */
extern const option_kind_t kind_sector;      /* (uint32_t) the same, a multiple of 0x1000 */
extern const option_kind_t kind_rollback;    /* (linux_device_switch_t) */
extern const option_kind_t kind_no_rollback; /* the same, as a switch */
extern const option_kind_t kind_flash_mode;  /* (uint8_t) code of the image header */
extern const option_kind_t kind_flash_size;  /* (uint8_t) the same */
extern const option_kind_t kind_recovery;    /* (table_options_t) its recovery_offset */
extern const option_kind_t kind_subtype;     /* of no target: table_add_subtype() */

/* Rows; `at` is the offset of a linux_device_options_t in the struct that is filled. */
#define AT_DEVICE(at, member) ((at) + offsetof(linux_device_options_t, member))
#define OPTION_CHIP(at, text)                                                                                \
    {                                                                                                        \
        "chip", &kind_chip, AT_DEVICE(at, chip), .help = (text)                                              \
    }
#define OPTION_REVISIONS(at, otherwise)                                                                      \
    {"chip-rev", &kind_chip_rev, (at),                                                                       \
     .help = "its revision, as v3.1 or 301 (`espefuse summary` tells it); default: " otherwise},             \
    {                                                                                                        \
        "blk-rev", &kind_blk_rev, (at), .help = "revision of its eFuse block; default: " otherwise           \
    }
#define OPTION_EFUSE(at)                                                                                     \
    {                                                                                                        \
        "efuse", &option_file, AT_DEVICE(at, efuse_path),                                                    \
            .help = "the eFuse file; default: FLASH.efuse, and none beside a block device"                   \
    }
#define OPTION_FLASH_KEY(at)                                                                                 \
    {                                                                                                        \
        "flash-key", &option_file, AT_DEVICE(at, flash_key),                                                 \
            .help = "the key that FLASH is encrypted by, 32 or 64 bytes (ESP32 also 24, ESP32-C2 16); "      \
                    "default: that of its eFuse file"                                                        \
    }
#define OPTION_ENCRYPT_FLASH(at)                                                                             \
    {"encrypt-flash", &option_switch, AT_DEVICE(at, encrypts),                                               \
     .help = "as with CONFIG_SECURE_FLASH_ENC_ENABLED: flash that is plain is encrypted in place, by "       \
             "the key of its eFuses or a new one (eFuses with a key and an even spi_boot_crypt_cnt "         \
             "ask for that by themselves)"},                                                                 \
    {                                                                                                        \
        "release-mode", &option_switch, AT_DEVICE(at, release),                                              \
            .help = "as with CONFIG_SECURE_FLASH_ENCRYPTION_MODE_RELEASE: that boot burns all bits of "      \
                    "spi_boot_crypt_cnt, and flash encryption stays on for good"                             \
    }
#define OPTION_WAIT(at)                                                                                      \
    {                                                                                                        \
        "wait", &option_seconds, AT_DEVICE(at, wait_ms),                                                     \
            .help = "wait so long while another process has FLASH open (default 60)", .max = 3600            \
    }
#define WAIT_MS 60000 /* by default */
#define OPTION_ROLLBACK(at, text)                                                                            \
    {"rollback", &kind_rollback, AT_DEVICE(at, rollback), .help = (text)},                                   \
    {                                                                                                        \
        "no-rollback", &kind_no_rollback, AT_DEVICE(at, rollback), .help = NULL                              \
    }
#define OPTION_ANTI_ROLLBACK(at)                                                                             \
    {"anti-rollback", &option_switch, AT_DEVICE(at, anti_rollback),                                          \
     .help = "as with CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK"},                                                 \
    {                                                                                                        \
        "emulated-efuse", &option_switch, AT_DEVICE(at, emulated_efuse),                                     \
            .help =                                                                                          \
                "with --anti-rollback the secure version is kept in the partition of type data, subtype "    \
                "efuse, as with CONFIG_BOOTLOADER_EFUSE_SECURE_VERSION_EMULATE"                              \
    }
#define OPTION_TABLE(kind_of, at, text)                                                                      \
    {"table-offset", kind_of, AT_DEVICE(at, table_offset), .help = (text)},                                  \
    {                                                                                                        \
        "offset", kind_of, AT_DEVICE(at, table_offset), .help = NULL                                         \
    }
#define OPTION_TABLE_OFFSET(at)                                                                              \
    OPTION_TABLE(&kind_offset, at, "where the partition table is (default 0x8000)")

#define OPTION_RECOVERY(at)                                                                                  \
    {                                                                                                        \
        "recovery-bootloader-offset", &kind_recovery, (at), .help = "for a recovery bootloader in the table" \
    }

/** "v3.1", "3.1" or "301". False if it is none of these. */
OTTER_MUST_CHECK bool parse_revision(const char *text, uint16_t *revision);

/** An offset in the largest flash, in whole `unit` bytes: a number or a size (host/number.h). */
OTTER_MUST_CHECK bool parse_offset(const char *text, uint32_t unit, uint32_t *offset);

/** "40m" to the code that this chip's header has for it. */
OTTER_MUST_CHECK bool parse_flash_freq(const char *text, const otter_chip_facts_t *chip, uint8_t *code);

/** "linux, esp32, ...": the names of all chips. Returns buf. */
const char *list_chips(char *buf, size_t size);
