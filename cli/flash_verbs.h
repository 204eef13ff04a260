/* The verbs of `otter flash` and what they share: a partition of an open flash file, an image that is to go into it. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clean_text.h"
#include "otter/image.h"
#include "kinds.h"
#include "linux/linux_device.h"
#include "otter/chip.h"
#include "otter/device.h"
#include "otter/promise.h"
#include "table_csv.h"

#define CHIP_FOUND_OUT                                                                                       \
    "judge as this chip; default: the one in FLASH.efuse, of the bootloader, or of the images"
#define SUBTYPES_OF_PROJECT "a name of the project's own in the CSV; may be given several times"

/** What a change was, for the line that tells how it gets onto a chip. */
typedef struct {
    uint32_t offset;  /* in flash */
    const char *file; /* to be written there; NULL: that line makes no sense */
} flash_changed_t;

/**
 * Changes an open flash, says what was done or why not, and has it all on the medium (flash_end_change()).
 * @param changed  all of the flash file at 0, unless it is set otherwise
 * @return true if it is done
 */
typedef bool (*flash_change_t)(linux_device_t *dev, void *arg, flash_changed_t *changed);

/**
 * Opens a flash file, finishes the copies that a cut has left half done, changes it, closes it, and tells what boots next and
 * how the change gets onto a chip. @return an exit status
 */
int flash_change(const char *path, const linux_device_options_t *options, flash_change_t change, void *arg);

/**
 * Ends a change: all of it is on the medium then. Says why not.
 * @param err  of the change itself
 * @param on   what of the flash file it was, "" for nothing
 */
OTTER_MUST_CHECK bool flash_end_change(linux_device_t *dev, const char *path, const char *on, esp_err_t err);

/** Says why a flash operation failed: "No space left on device (ESP_ERR_FLASH_OP_FAIL): make room on its disk and try again". */
const char *flash_explain(const otter_flash_t *flash, esp_err_t err, otter_fault_t *fault);

/**
 * After a change: prints what boots next and the warnings, in the words of `otter flash info`.
 * @param options  as the flash was opened with
 */
void flash_tell_next(const char *path, const linux_device_options_t *options);

/**
 * Judge the bytes of a file that is to be an app: as the bootloader will, before anything is written.
 * @param chip    whose
 * @param offset  where in flash it will lie
 * @param s       zeroed; holds the verdict; the caller ends it
 * @return the verdict; s->why says why not
 */
OTTER_MUST_CHECK esp_err_t flash_judge_image(otter_image_stream_t *s, const uint8_t *data, size_t len,
                                             const otter_chip_t *chip, const otter_trust_t *trust,
                                             uint32_t offset);

/** The chip id in the header of these bytes. False if they do not start as an image of a known chip. */
OTTER_MUST_CHECK bool flash_image_chip(const uint8_t *data, size_t len, uint16_t *chip_id);

/**
 * Erase the sectors that `len` bytes need, and write them. Where they do not begin with a sector, as a table behind its
 * bootloader in a large one, what else is in it stays.
 * @param offset  a multiple of 4096
 * @return ESP_OK, ESP_ERR_NO_MEM, or what the flash says
 */
OTTER_MUST_CHECK esp_err_t flash_put(otter_flash_t *flash, uint32_t offset, const uint8_t *data, size_t len);

/** Where that ends: from there on flash holds what it held. */
uint32_t flash_put_end(const otter_flash_t *flash, uint32_t offset, uint32_t len);

/**
 * A partition table out of any file that has one, checked by the vendor tool's rules and as the bootloader will.
 * @param flash_size  bytes of flash that it may name
 * @return false, and `why`
 */
OTTER_MUST_CHECK bool flash_load_table(const char *path, const table_options_t *rules, uint32_t flash_size,
                                       uint8_t raw[OTTER_PARTITION_TABLE_LEN],
                                       otter_partition_table_t *entries, table_why_t *why);

/**
 * Would what matters for booting still be there with `data` at `off`? The bootloaders of this chip, the partition table if
 * there is one, apps that boot; with secure boot those that somebody whom the device trusts has signed.
 * @param chip  that judges; the device's own may be unknown
 * @param off  start of a sector; the range lies in the flash
 * @return false, and `why`
 */
OTTER_MUST_CHECK bool flash_accept_raw(const otter_device_t *device, const otter_chip_t *chip, uint32_t off,
                                       const uint8_t *data, uint32_t len, otter_fault_t *fault);

/** Whom a bootloader must be signed by. That of a device without a chip's ROM is nobody's to judge. @param chip  may be NULL */
otter_trust_t flash_bootloader_trust(const otter_device_t *device, const otter_chip_t *chip);

/** The chip of the bootloader that the flash would have then; `otherwise` if it would have none. */
uint16_t flash_chip_of_bytes(otter_flash_t *flash, uint32_t table_offset, uint32_t off, const uint8_t *data,
                             uint32_t len, uint16_t otherwise);

/** Bytes of the whole image that begins at `off`; 0: there is none. */
uint32_t flash_image_length(otter_flash_t *flash, uint32_t off);

/** Makes an image one for `code`'s size of flash, its SHA-256 too. @return false: it is no whole image */
OTTER_MUST_CHECK bool flash_set_image_size(uint8_t *data, size_t len, uint8_t code);

#define FLASH_JUDGE_SIZE (sizeof(((efuse_file_t *)0)->path) + 16)

/** Does an image not suit this chip, for something that the eFuse file says and no option? */
bool flash_efuse_decides(const linux_device_options_t *options, const efuse_file_t *efuse, const char *why);

/** " (says flash.bin.efuse)", to go behind the reason why an image is refused, if that file decides; else "". Returns buf. */
const char *flash_name_judge(const linux_device_options_t *options, const efuse_file_t *efuse,
                             const char *why, char *buf, size_t size);

/** Room for the labels of the longest table, fit for a terminal, with ", " between them. */
#define FLASH_LABELS_SIZE (OTTER_PARTITIONS_MAX * (CLEAN_TEXT_SIZE(16) + 2))

/** Adds a label, fit for a terminal, to the list in buf: "nvs, otadata, ota_0". */
void flash_add_label(char *buf, size_t buf_size, const char *label);
