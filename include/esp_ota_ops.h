/* ESP-IDF's OTA operations (app_update v5.5): write an application into a slot, select it, confirm or reject it. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_app_desc.h"
#include "esp_app_format.h"
#include "esp_bootloader_desc.h"
#include "esp_err.h"
#include "esp_flash_partitions.h"
#include "esp_image_format.h"
#include "esp_partition.h"
#include "soc/soc_caps.h"

#ifdef __cplusplus
extern "C" {
#endif

#define OTA_SIZE_UNKNOWN           0xffffffff /* erase the whole partition at begin */
#define OTA_WITH_SEQUENTIAL_WRITES 0xfffffffe /* erase nothing at begin; each write erases what it reaches */

/** An open update. Never 0. A handle that is 0, was ended or never existed is refused by every call. */
typedef uint32_t esp_ota_handle_t;

/*
 * Where these differ from ESP-IDF 5.5, and why, is listed in docs/DIFFERENCES.md, "Boot selection and update session".
 * Every function also returns ESP_ERR_INVALID_STATE (or NULL, 0, false) while no device is set
 * (otter_device_set_current). ESP_ERR_FLASH_OP_FAIL and _TIMEOUT, when the medium fails, come from all that touch flash.
 * One handle is used by one task at a time; see docs/THREADS.md.
 */

/**
 * Open an update of `partition`, which will be overwritten.
 * @param image_size  bytes that will come; they are erased now. 0 or OTA_SIZE_UNKNOWN: the whole partition.
 *                    OTA_WITH_SEQUENTIAL_WRITES: nothing is erased now. These two may come sign-extended from int.
 * @param out_handle  written only on success
 * @return ESP_OK
 *         ESP_ERR_INVALID_ARG                 NULL; an app partition that is no OTA slot (factory, test)
 *         ESP_ERR_NOT_FOUND                   not a partition of this device: neither a row of its table, nor data or the
 *                                             primary bootloader registered with esp_partition_register_external
 *         ESP_ERR_OTA_PARTITION_CONFLICT      it is the running one
 *         ESP_ERR_OTA_ROLLBACK_INVALID_STATE  rollback is enabled and the running app is not confirmed yet
 *         ESP_ERR_OTA_ALREADY_IN_PROGRESS     an open update writes there. One that has written nothing yet is closed
 *                                             instead: its handle is unknown from then on. Or it writes the other one of
 *                                             primary and recovery bootloader
 *         ESP_ERR_INVALID_SIZE                image_size is larger than the partition (nothing was erased)
 *         ESP_ERR_NOT_ALLOWED                 the partition is read-only, is the partition table or the only bootloader that
 *                                             starts, which are staged (esp_ota_set_final_partition), or is registered
 *                                             as data and covers them
 *         ESP_ERR_NO_MEM
 */
esp_err_t esp_ota_begin(const esp_partition_t *partition, size_t image_size, esp_ota_handle_t *out_handle);

/**
 * Go on with an update that another run of the firmware began: the first `image_offset` bytes are in flash already.
 * Nothing is erased now. With `erase_size` OTA_WITH_SEQUENTIAL_WRITES writes erase the sectors they enter (not the one
 * that image_offset lies inside of); with any other value the caller says that the rest is blank.
 * @return as esp_ota_begin, and ESP_ERR_INVALID_ARG when image_offset is beyond the partition, is not a multiple of the
 *         flash's write unit (1 on SPI NOR; a sector, where units are programmed once), or the partition is no OTA slot
 */
esp_err_t esp_ota_resume(const esp_partition_t *partition, const size_t erase_size, const size_t image_offset,
                         esp_ota_handle_t *out_handle);

/**
 * The next bytes, in any chunking. Programmed at once, then read back and judged as sectors complete. A write that
 * failed in flash may be repeated with the same bytes, unless its units are programmed once: begin again then. Size 0 does
 * nothing, whatever the handle.
 * @return ESP_OK
 *         ESP_ERR_INVALID_ARG          NULL data, unknown handle
 *         ESP_ERR_NOT_FOUND            a newer esp_ota_begin has replaced this update
 *         ESP_ERR_OTA_VALIDATE_FAILED  the very first byte is no image's (for a partition table: the first two); nothing
 *                                      was erased and the handle stays open
 *         ESP_ERR_INVALID_SIZE         the bytes do not fit into the partition; nothing of them was written
 */
esp_err_t esp_ota_write(esp_ota_handle_t handle, const void *data, size_t size);

/**
 * Bytes at an offset of the partition, in any order; the range must be erased. The first byte is not looked at.
 * @return ESP_OK
 *         ESP_ERR_INVALID_ARG    NULL data, unknown handle
 *         ESP_ERR_NOT_FOUND      a newer esp_ota_begin has replaced this update
 *         ESP_ERR_INVALID_SIZE   the range leaves the partition, or is not made of whole write units of the flash
 *         ESP_ERR_INVALID_STATE  the update erases as it writes in order (OTA_WITH_SEQUENTIAL_WRITES), or an esp_ota_write
 *                                before this left part of a write unit
 */
esp_err_t esp_ota_write_with_offset(esp_ota_handle_t handle, const void *data, size_t size, uint32_t offset);

/**
 * Judge what is in flash and close. Does not select it for booting. The handle is gone in every case but NOT_FOUND.
 * An application or bootloader is verified as the bootloader will; a partition table by the bootloader's check; data not.
 * @return ESP_OK
 *         ESP_ERR_NOT_FOUND            unknown handle
 *         ESP_ERR_INVALID_ARG          nothing was written
 *         ESP_ERR_INVALID_STATE        the last bytes, which did not fill a write unit of the flash, could not be written
 *         ESP_ERR_OTA_VALIDATE_FAILED  it is not what it should be; the reason is logged
 *         ESP_ERR_NO_MEM, and what the copy of esp_ota_set_final_partition returns
 */
esp_err_t esp_ota_end(esp_ota_handle_t handle);

/** Close without judging; flash stays as it is. @return ESP_OK, ESP_ERR_NOT_FOUND (unknown handle) */
esp_err_t esp_ota_abort(esp_ota_handle_t handle);

/**
 * Say what the bytes are for: `final`'s type decides how they are judged, and with `finalize_with_copy` esp_ota_end
 * copies them there from the partition that was given to begin. Before the first write, or after a resume. The last sector
 * of the staging partition must stay free: it takes a journal, by which the next boot finishes a copy that was cut.
 * @return ESP_OK
 *         ESP_ERR_INVALID_ARG             NULL final
 *         ESP_ERR_NOT_FOUND               unknown handle; `final` is not a partition of this device
 *         ESP_ERR_INVALID_STATE           data was written already
 *         ESP_ERR_OTA_PARTITION_CONFLICT  the copy would overwrite the running application or otadata, or the partition
 *                                         overlaps another one
 *         ESP_ERR_OTA_ROLLBACK_INVALID_STATE  rollback: the running application is on trial, and `final` is an app
 *         ESP_ERR_OTA_ALREADY_IN_PROGRESS     another update writes `final`
 *         ESP_ERR_NOT_ALLOWED             `final` is read-only, is the only bootloader, or covers the table
 *         ESP_ERR_NOT_SUPPORTED           what was given to begin cannot stage a copy: it must be an OTA slot, data of
 *                                         subtype undefined, or a bootloader partition of subtype ota; or a copy from or
 *                                         to a registered partition
 *         ESP_ERR_INVALID_SIZE            a partition is not made of whole sectors
 */
esp_err_t esp_ota_set_final_partition(esp_ota_handle_t handle, const esp_partition_t *final,
                                      bool finalize_with_copy);

/**
 * Boot `partition` from the next restart on. It is verified first; contents that esp_ota_end has just compared with checksum
 * and hash are not compared again.
 * With rollback enabled it starts on trial: state NEW.
 * @return ESP_OK
 *         ESP_ERR_INVALID_ARG              NULL; not an app; test and TEE apps; a slot behind a gap in the slot numbers
 *         ESP_ERR_OTA_VALIDATE_FAILED      no good image there
 *         ESP_ERR_NOT_FOUND                no otadata partition; anti-rollback: no app descriptor
 *         ESP_ERR_OTA_SMALL_SEC_VER        anti-rollback: too old for this device; the partition was erased
 *         ESP_ERR_OTA_SELECT_INFO_INVALID  otadata's sequence numbers are used up
 *         ESP_ERR_INVALID_SIZE             otadata is smaller than two sectors
 *         ESP_ERR_NO_MEM                   the image could not be judged
 */
esp_err_t esp_ota_set_boot_partition(const esp_partition_t *partition);

/**
 * What otadata selects, whether or not it can boot: the slot of the active record, else factory, the first slot or test.
 * @return NULL without otadata partition, and if the active record's slot is not in the table
 */
const esp_partition_t *esp_ota_get_boot_partition(void);

/** What runs; decided once, by the boot step. NULL only in a program that was not booted. */
const esp_partition_t *esp_ota_get_running_partition(void);

/**
 * The first OTA slot after `start_from` (NULL: the running one) in slot order, around the end; the first of all if
 * start_from is no slot. Never looks at states or images.
 * @return NULL if there are no OTA slots or start_from is not a partition of this device
 */
const esp_partition_t *esp_ota_get_next_update_partition(const esp_partition_t *start_from);

/**
 * The descriptor of the application in a partition. Neither checksum nor hash is looked at.
 * @return ESP_OK, ESP_ERR_INVALID_ARG (NULL), ESP_ERR_NOT_SUPPORTED (not an app partition; registered on
 *         another flash), ESP_ERR_NOT_FOUND (none there;
 *         app_desc holds what was), ESP_ERR_INVALID_SIZE (the partition is too small for one)
 */
esp_err_t esp_ota_get_partition_description(const esp_partition_t *partition, esp_app_desc_t *app_desc);

/**
 * The descriptor of a second-stage bootloader.
 * @param bootloader_partition  NULL: the one that boots this device
 * @return ESP_OK, ESP_ERR_INVALID_ARG (NULL desc), ESP_ERR_NOT_FOUND (none there; desc holds what was),
 *         ESP_ERR_INVALID_SIZE (the partition is too small for one), ESP_ERR_NOT_SUPPORTED (registered on another flash)
 */
esp_err_t esp_ota_get_bootloader_description(const esp_partition_t *bootloader_partition,
                                             esp_bootloader_desc_t *desc);

/** Number of OTA slots from ota_0 up to the first gap. */
uint8_t esp_ota_get_app_partition_count(void);

/**
 * The state that otadata keeps of a slot; the active record's, if both copies speak of it.
 * @return ESP_OK, ESP_ERR_INVALID_ARG (NULL), ESP_ERR_NOT_SUPPORTED (no OTA slot), ESP_ERR_NOT_FOUND (no otadata, or no
 *         record of this slot)
 */
esp_err_t esp_ota_get_state_partition(const esp_partition_t *partition, esp_ota_img_states_t *ota_state);

/** The slot whose record is INVALID or ABORTED and whose image still verifies; of two the older. NULL if none. */
const esp_partition_t *esp_ota_get_last_invalid_partition(void);

/**
 * Confirm the selected application: it will boot until another is selected. This acts on the active otadata record, which
 * is the running one's unless another was selected since.
 * @return ESP_OK             confirmed, or was already (nothing written)
 *         ESP_ERR_NOT_FOUND  no otadata partition
 *         ESP_FAIL           no active record (the factory application runs)
 *         with anti-rollback also what burning the running application's secure version returns:
 *         ESP_ERR_INVALID_ARG (beyond the eFuse field), ESP_ERR_NOT_SUPPORTED (no eFuses)
 */
esp_err_t esp_ota_mark_app_valid_cancel_rollback(void);

/**
 * Declare the selected application bad; the next restart boots the one before it.
 * @return ESP_OK
 *         ESP_ERR_NOT_FOUND            no otadata partition
 *         ESP_FAIL                     no active record
 *         ESP_ERR_OTA_ROLLBACK_FAILED  there is nothing to go back to; nothing was written
 */
esp_err_t esp_ota_mark_app_invalid_rollback(void);

/** The same, then esp_restart(). Returns only on an error. */
esp_err_t esp_ota_mark_app_invalid_rollback_and_reboot(void);

/** True if another application that verifies would boot if the selected one were declared bad. */
bool esp_ota_check_rollback_is_possible(void);

/**
 * Erase the application before the selected one, and its record.
 * @return ESP_OK, ESP_FAIL (no such record, its slot is missing or is the running one)
 */
esp_err_t esp_ota_erase_last_boot_app_partition(void);

/** Erase the record of the application before the selected one; codes as above. */
esp_err_t esp_ota_invalidate_inactive_ota_data_slot(void);

/** A digest of Secure Boot V2 in the eFuses. */
typedef enum {
    SECURE_BOOT_PUBLIC_KEY_INDEX_0,
    SECURE_BOOT_PUBLIC_KEY_INDEX_1,
    SECURE_BOOT_PUBLIC_KEY_INDEX_2
} esp_ota_secure_boot_public_key_index_t;

/**
 * Revoke a key for good: images that only it has signed neither boot nor update any more. To be called by an application that
 * has confirmed itself (esp_ota_mark_app_valid_cancel_rollback) and is signed by another key.
 * @return ESP_OK               revoked; or it was so already, or is not there
 *         ESP_ERR_INVALID_ARG  no such index
 *         ESP_FAIL             secure boot V2 is not enabled; rollback: what runs is not confirmed; what runs or the bootloader
 *                              is signed by no other key that is trusted; the eFuse cannot be burned
 *         ESP_ERR_NO_MEM       that could not be found out
 */
esp_err_t esp_ota_revoke_secure_boot_public_key(esp_ota_secure_boot_public_key_index_t index);

/**
 * Whether an image suits the current device, by what it begins with: chip, chip revision (the upper limit for applications
 * only) and, with a description, how the flash is read. The reason is logged. To be asked before an update is written;
 * hashes and signatures are for esp_ota_end() and esp_ota_set_boot_partition(), which see the whole image.
 * @param part_type  ESP_PARTITION_TYPE_APP or _BOOTLOADER
 * @param app_desc   of the same image; NULL: how the flash is read is not asked
 * @return ESP_OK
 *         ESP_ERR_INVALID_ARG            no header, or another type
 *         ESP_ERR_INVALID_VERSION        for another chip, or a revision that this one is not
 *         ESP_ERR_OTA_SPI_MODE_MISMATCH  this app and the running one tell modes that differ
 *         ESP_ERR_INVALID_STATE          no device
 */
esp_err_t esp_ota_check_image_validity(esp_partition_type_t part_type, const esp_image_header_t *img_hdr,
                                       const esp_app_desc_t *app_desc);

/** Names of ESP-IDF 4: see esp_app_get_description() and esp_app_get_elf_sha256(). */
const esp_app_desc_t *esp_ota_get_app_description(void)
    __attribute__((deprecated("use esp_app_get_description")));
int esp_ota_get_app_elf_sha256(char *dst, size_t size)
    __attribute__((deprecated("use esp_app_get_elf_sha256")));

#ifdef __cplusplus
}
#endif
