/* One device: its flash, identity, eFuses, partitions and what it runs. Any number can live in one process. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "esp_app_desc.h"
#include "esp_err.h"
#include "esp_partition.h"
#include "otter/build_options.h"
#include "otter/chip.h"
#include "otter/efuse.h"
#include "otter/fault.h"
#include "otter/flash.h"
#include "otter/partition_table.h"
#include "otter/report.h"
#include "otter/trust.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The code for copies from staging partitions (docs/DESIGN.md). Only a program that names it links it. */
typedef struct otter_staged_copies otter_staged_copies_t;
extern const otter_staged_copies_t otter_staged_copies;

/** The code for a secure version that is kept in flash. Only a program that names it links it. */
typedef struct otter_emulated_efuses otter_emulated_efuses_t;
extern const otter_emulated_efuses_t otter_emulated_efuses;

/** The code for the first boot of a device with flash encryption. Only a program that names it links it. */
typedef struct otter_first_encryption otter_first_encryption_t;
extern const otter_first_encryption_t otter_first_encryption;

/** ESP-IDF decides these when it builds; here each device has its own. */
typedef struct {
    uint32_t table_offset; /* CONFIG_PARTITION_TABLE_OFFSET; 0 means 0x8000 */
    bool allow_no_md5;     /* true: as without CONFIG_PARTITION_TABLE_MD5 */
    bool rollback;         /* CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE */
    bool anti_rollback;    /* CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK; needs rollback */
    bool allow_http;       /* CONFIG_ESP_HTTPS_OTA_ALLOW_HTTP */
    bool require_hash;     /* app images without SHA-256 are neither installed nor selected */
    otter_dangerous_write_t dangerous_write;
    /* CONFIG_SECURE_BOOT, CONFIG_SECURE_SIGNED_APPS_NO_SECURE_BOOT and which scheme; or the caller's own keys */
    otter_trust_config_t trust;
    /**
     * &otter_staged_copies: esp_ota_set_final_partition() with copy works, and the boot step finishes copies that a power cut
     * left unfinished. NULL: neither, and the code for it is not linked. Application and loader of a device have it both or
     * neither: a loader without it boots nothing while there is an unfinished copy (ESP_ERR_NOT_SUPPORTED), and changes nothing
     * of it.
     */
    const otter_staged_copies_t *copies;
    /**
     * &otter_emulated_efuses: as with CONFIG_BOOTLOADER_EFUSE_SECURE_VERSION_EMULATE, the secure version is kept in the
     * partition of type data, subtype efuse, which needs two sectors; without it nothing boots where anti_rollback is on
     * (ESP_ERR_NOT_FOUND). It is never below what the device's eFuses say. Whom the device trusts is in its eFuses, never in
     * flash. NULL: all of it is in eFuses. Application and loader have it both or neither.
     */
    const otter_emulated_efuses_t *emulated_efuses;
    /**
     * &otter_first_encryption: where a cipher waits for the flash (otter_flash_t.waiting), the boot step encrypts in place what
     * ESP-IDF's bootloader would, also after power cuts in it, burns the crypt count, and the flash has its cipher. NULL: such a
     * flash does not boot (ESP_ERR_NOT_SUPPORTED), and nothing of it changes.
     */
    const otter_first_encryption_t *first_encryption;
} otter_device_config_t;

/** Partitions as the application sees them, in table order. Records never move while the list is loaded. */
typedef struct otter_partition_list {
    esp_partition_t items[OTTER_PARTITIONS_MAX];
    uint32_t count;
    uint32_t boot_end; /* the bootloader and the table lie before this offset */
    esp_err_t status;  /* of loading; every look-up in a list that did not load finds nothing */
    bool proven;       /* the table has an MD5, and it is right: no cut has torn it */
} otter_partition_list_t;

/** What somebody has hung on a device, and goes with it: otter_device_deinit() calls `drop` of each. */
typedef struct otter_attached {
    struct otter_attached *next;
    void (*drop)(struct otter_attached *attached);
} otter_attached_t;

struct otter_update;        /* an open update: otter/update.h */
struct otter_https_options; /* otter/https_update.h */
struct external_partition;  /* src/flash/external_partitions.h */
struct flash_map;           /* src/flash/flash_map.h */

typedef struct otter_device {
    otter_flash_t *flash;
    otter_chip_t chip;
    otter_efuse_t efuse; /* all NULL: secure version 0, burning is ESP_ERR_NOT_SUPPORTED */
    otter_device_config_t config;

    otter_partition_list_t partitions;
    struct external_partition *external; /* registered at run time; not known to booting */
    struct flash_map *maps;              /* what esp_partition_mmap gave out */
    uint32_t last_map_handle;
    /* esp_flash_set_dangerous_write_protection(): whatever config.dangerous_write says, all is allowed */
    bool guard_lifted;
    const esp_partition_t *running; /* set by the boot step; does not change until restart */
    /* confirming or rejecting it failed half-way: no update until it is confirmed, or a restart */
    bool verdict_lost;
    uint32_t verified; /* ticket of the watch on the app image that was last found good (otter_flash_watch) */
    otter_trust_t verified_by; /* and whom it had to be signed by */
    struct otter_update *updates;
    otter_attached_t *attached;
    uint32_t last_update_handle, replaced_handle;
    otter_update_report_t report; /* of the last HTTPS update */
    bool report_begun;            /* there was one since the device was brought up */
    /** Memory that survives a reset but not a power cut (RTC memory), at any alignment; the port's. NULL: there is none. */
    void *retained;
    uint32_t retained_size; /* bytes */
    /** Who follows its HTTPS update; NULL: nobody. Set by begin: otter/https_update.h. */
    const struct otter_https_options *https;
    /** Why the last call of esp_ota_begin, _resume, _write, _set_final_partition or _end failed; zeros when it did not. */
    otter_fault_t fault;
} otter_device_t;

/**
 * Prepare a device on `flash`, which stays the caller's: load the partition table and nothing else. A table that does
 * not load is not an error here: `partitions.status` keeps it and every look-up finds nothing, as in ESP-IDF.
 * @param efuse  copied; NULL for none
 * @return ESP_OK; else the device is there and can be given to otter_device_deinit(), but it has no partitions and does not
 *         boot, and device->fault says why:
 *         ESP_ERR_INVALID_ARG    the flash's geometry breaks a rule of otter/flash.h
 *         ESP_ERR_NOT_SUPPORTED  it erases more than OTTER_FLASH_ERASE_MAX bytes at once; or it erases more than 4096, and
 *                                otadata or an OTA slot is not made of whole sectors. A table without MD5 may be half written:
 *                                of such a one the boot step says so, unless it finds the copy that a cut left unfinished
 */
esp_err_t otter_device_init(otter_device_t *device, otter_flash_t *flash, const otter_chip_t *chip,
                            const otter_efuse_t *efuse, const otter_device_config_t *config);

/** Drops open updates, mapped ranges, registered partitions and what is attached. Flash and eFuses stay the caller's. */
void otter_device_deinit(otter_device_t *device);

/**
 * Whom the bootloader of this device trusts with one image, for the rules of its verdict; without secure boot anybody.
 * @param bootloader  the image is a second-stage bootloader, which the V1 scheme signs in another way
 * @return trust that takes no image, and says why, where it cannot be found out
 */
otter_trust_t otter_trust_to_boot(const otter_device_t *device, bool bootloader);

/** First match in table order, or the first after `after` when it is not NULL. Wildcards as esp_partition_find(). */
const esp_partition_t *otter_partition_list_find(const otter_partition_list_t *list,
                                                 const esp_partition_t *after, esp_partition_type_t type,
                                                 esp_partition_subtype_t subtype, const char *label);

/** The device behind ESP-IDF's one-device names (esp_ota_begin, esp_partition_find, ...); NULL before it is set. */
void otter_device_set_current(otter_device_t *device);
otter_device_t *otter_device_current(void);

#ifdef __cplusplus
}
#endif
