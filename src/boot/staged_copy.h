/* Copying a staging partition's bytes to where they belong, so that a power cut in the copy is finished at the next boot. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "otter/device.h"
#include "otter/promise.h"

/**
 * May this copy be made? The rules hold for the session that asks for it and for a journal that is found in flash.
 * @param staging, final  records of device->partitions
 * @param len    bytes to copy; 0: not known yet
 * @param boots  the application that runs, or at boot the one that would: never overwritten. NULL: none
 * @param why    the reason of a refusal, for people
 * @return ESP_OK
 *         ESP_ERR_NOT_SUPPORTED  `staging` is neither an OTA slot, nor data of subtype undefined, nor bootloader of subtype
 *                                ota: a journal is not looked for elsewhere; or the flash's sectors are too small for one
 *         ESP_ERR_NOT_ALLOWED    `final` is read-only, is the only bootloader, or covers the table's or bootloader's place
 *         ESP_ERR_OTA_PARTITION_CONFLICT  `final` is or touches `boots`, otadata, staging or another partition
 *         ESP_ERR_INVALID_SIZE   not whole sectors; or `len` does not fit `final`, or leaves staging's last sector not free
 */
OTTER_MUST_CHECK esp_err_t staged_copy_check(const otter_device_t *device, const esp_partition_t *staging,
                                             const esp_partition_t *final, uint32_t len,
                                             const esp_partition_t *boots, otter_fault_t *fault);

/**
 * Copy `len` judged bytes; what remains of `final` is erased. Sectors that are right already are left alone. From the
 * moment the journal is durable `final` will hold the new bytes, whatever happens.
 * @return ESP_OK                the bytes were read back from `final` and are those of `staging`
 *         ESP_ERR_OTA_VALIDATE_FAILED  the bytes must not go there: a table that takes away what is in use, or bytes that
 *                               would be taken for a journal
 *         what staged_copy_check returns; ESP_ERR_NO_MEM; ESP_ERR_FLASH_OP_*: the next boot tries again
 * @param fault  zeros; receives the reason
 */
OTTER_MUST_CHECK esp_err_t staged_copy_run(otter_device_t *device, const esp_partition_t *staging,
                                           const esp_partition_t *final, uint32_t len, otter_fault_t *fault);

/**
 * A bootloader of the table is an image that starts. Subtypes: ESP_PARTITION_SUBTYPE_BOOTLOADER_*.
 * @param missing  what to say where the table has none
 */
bool staged_copy_bootloader_is_whole(const otter_device_t *device, esp_partition_subtype_t subtype,
                                     bool missing);

/** True if a half written primary bootloader does not matter: there is a recovery bootloader, or one outside this flash. */
bool staged_copy_boots_without_primary(const otter_device_t *device);

/**
 * Finish what power cuts left unfinished, before the boot decision. A journal that breaks a rule, or whose source is not
 * what it was, is cleared and never followed; so is one that was not committed or closed to the end, where flash does not
 * read stably. Reloads the partition list after a table was copied.
 * @param boots  as above
 * @return ESP_OK, or the first error of a copy that could not be finished (its journal stays)
 */
OTTER_MUST_CHECK esp_err_t staged_copy_finish_all(otter_device_t *device, const esp_partition_t *boots);

/**
 * Nothing proves the table: look through the whole flash for the journal of its copy, finish that, and reload the list.
 * @return ESP_OK (the table is the new one now), ESP_ERR_NOT_FOUND (no such journal), ESP_ERR_NO_MEM, ESP_ERR_FLASH_OP_*
 */
OTTER_MUST_CHECK esp_err_t staged_copy_rescue_table(otter_device_t *device);

/**
 * `partition` is about to be overwritten: a copy that was staged in it is finished first, and a journal that would write to
 * it is cleared.
 * @return ESP_OK, ESP_ERR_FLASH_OP_*, ESP_ERR_NO_MEM
 */
OTTER_MUST_CHECK esp_err_t staged_copy_release(otter_device_t *device, const esp_partition_t *partition);

/** What otter_device_config_t.copies points to: those of the functions above that write, for programs that name them. */
struct otter_staged_copies {
    esp_err_t (*check)(const otter_device_t *device, const esp_partition_t *staging,
                       const esp_partition_t *final, uint32_t len, const esp_partition_t *boots,
                       otter_fault_t *fault);
    esp_err_t (*run)(otter_device_t *device, const esp_partition_t *staging, const esp_partition_t *final,
                     uint32_t len, otter_fault_t *fault);
    esp_err_t (*finish_all)(otter_device_t *device, const esp_partition_t *boots);
    esp_err_t (*rescue_table)(otter_device_t *device);
    esp_err_t (*release)(otter_device_t *device, const esp_partition_t *partition);
};
