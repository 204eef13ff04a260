/* A device that lives in a flash file or block device: opens it and its eFuse file, finds out which chip it is, fills it in. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "linux/efuse_file.h"
#include "linux/file_flash.h"
#include "linux/flash_key.h"
#include "otter/chip.h"
#include "otter/device.h"
#include "otter/fault.h"
#include "otter/promise.h"

/** A build option that the command line can override. */
typedef enum {
    LINUX_DEVICE_DEFAULT,
    LINUX_DEVICE_ON,
    LINUX_DEVICE_OFF,
} linux_device_switch_t;

/** All zeros is a good default. */
typedef struct {
    bool lenient;   /* a program that asks for 0 -> 1 silently stays 0; otherwise it fails */
    bool read_only; /* program and erase fail; the file is never changed */
    bool look;      /* with read_only: also while another process runs it (file_flash_options_t.look) */
    bool whole;     /* what the file lacks of the flash that it is for is erased (factory files, cut dumps) */
    uint32_t wait_ms;       /* file_flash_options_t.wait_ms */
    const char *efuse_path; /* of the eFuse file; NULL: beside the flash file, and none of a block device */
    /* file of the key that the flash is encrypted by; NULL: as the eFuse file says */
    const char *flash_key;
    bool boots;    /* the boot step comes, which alone may go on with a first boot that encrypts */
    bool encrypts; /* at that boot plain flash is encrypted, by a new key where its eFuses hold none */
    bool release;  /* that boot burns all bits of the counter: flash encryption stays on for good */
    uint32_t table_offset;          /* of the partition table, bytes; 0: 0x8000 */
    const otter_chip_facts_t *chip; /* the kind of chip; NULL: found out, see linux_device_open() */
    bool has_revision;              /* `revision` is the chip's, whatever the eFuse file says */
    uint16_t revision;              /* major * 100 + minor */
    bool has_blk_revision;          /* the same of the eFuse block's */
    uint16_t blk_revision;
    linux_device_switch_t rollback; /* default: off for chips of Espressif's, as ESP-IDF ships */
    /* it is booted or updated: refused where its apps are signed and the eFuse file, which may say who has to, is not there */
    bool needs_efuse;
    bool anti_rollback;
    bool emulated_efuse; /* the secure version is kept in the partition of subtype efuse */
    bool allow_http;
    otter_dangerous_write_t dangerous_write;
    /* partitions of a table without MD5 record, too: a person sees them, an application does not */
    bool allow_no_md5;
    /* whom the device trusts where its eFuses do not say it has secure boot; NULL: anybody. `data` counts in any case */
    const otter_trust_config_t *trust;
    /* with the processes that use the flash before and after; may be NULL */
    otter_run_flash_t *flash_shared;
    int flash_trace;                            /* file_flash_options_t.trace */
    const otter_run_flash_speed_t *flash_speed; /* file_flash_options_t.speed */
} linux_device_options_t;

/** Must stay where it is between open and close: the device points into it. */
typedef struct {
    otter_device_t device;
    otter_flash_t *flash;
    efuse_file_t efuse;
    flash_cipher_t cipher;      /* of an encrypted flash whose key is known; or it waits for its first boot */
    const char *key_source;     /* where its key is from: a file */
    bool plain_in_spite_of_key; /* a key was given, and the table is readable without it */
    bool reads_noise; /* eFuses say that flash is encrypted, and it is plain: the chip starts nothing */
    bool chip_known;  /* something told which kind of chip this is */
    const char *chip_source; /* where the kind of chip is from: "flash.bin.efuse", "the bootloader" */
} linux_device_t;

/**
 * Open the device that `path` holds. The kind of chip is the first of: options->chip, the eFuse file, the bootloader in
 * the flash, the header of the image that boots, chip linux. A chip whose revision nothing tells is at least one that starts its
 * own bootloader, and is marked so (revision_unknown, blk_revision_unknown).
 * @param fault  says what is wrong and what to do
 * A note of the eFuse file goes to standard error.
 * @return ESP_OK, or the code of file_flash_open() or efuse_file_load(), or ESP_ERR_INVALID_STATE (keys are given, and it has
 *         secure boot; its first boot has begun to encrypt it, and options->boots is false; the key of flash encryption does not
 *         decrypt it; its eFuse file is needed and lost; or anti-rollback, and
 *         the file has hard links, or is a block device and no eFuse file is named), or ESP_ERR_INVALID_SIZE (that key has a
 *         length that the chip's have not); nothing is left open then
 */
OTTER_MUST_CHECK esp_err_t linux_device_open(linux_device_t *dev, const char *path,
                                             const linux_device_options_t *options, otter_fault_t *fault);

/** Whom a device with these eFuses trusts; anybody without secure boot. The V1 scheme's key stays theirs. */
otter_trust_config_t linux_device_trust(const efuse_file_t *efuse);

/**
 * Is the eFuse file there that may say whose images the device takes? A device with secure boot has signed apps, or it would not
 * boot. Without its file it would take and boot anything, so somebody has to say that this is meant.
 * @return ESP_ERR_INVALID_STATE, and what to do: an app is signed, nobody has said whom to trust, and there is no file
 */
OTTER_MUST_CHECK esp_err_t linux_device_check_efuse(linux_device_t *dev, otter_fault_t *fault);

/** Revisions that nothing tells become at least what all images in the slots need, if they agree. */
void linux_device_ask_images(linux_device_t *dev);

/**
 * The same device inside a firmware process: the flash comes as an open, locked descriptor, which is taken over.
 * @param path           of the flash file, to find the eFuse file; NULL: there are no eFuses, unless options->efuse_path
 *                       names them
 * @param options->chip  must be set
 */
OTTER_MUST_CHECK esp_err_t linux_device_adopt(linux_device_t *dev, int fd, const char *path,
                                              const linux_device_options_t *options, otter_fault_t *fault);

/**
 * Forget everything that is remembered of the flash and the eFuses, because another process (the firmware) changed them;
 * the file stays locked all the while. Same arguments and codes as linux_device_open(); on failure it is closed.
 */
OTTER_MUST_CHECK esp_err_t linux_device_refresh(linux_device_t *dev, const char *path,
                                                const linux_device_options_t *options, otter_fault_t *fault);

/** Close, with what is pending written and synced. @return the result of the final sync */
OTTER_MUST_CHECK esp_err_t linux_device_close(linux_device_t *dev);
