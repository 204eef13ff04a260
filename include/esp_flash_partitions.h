/* The flash formats behind partitions and OTA selection, under ESP-IDF's names: table records, otadata entries. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "esp_types.h"
#include "sdkconfig.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ESP_PARTITION_MAGIC      0x50AA /* bytes AA 50 */
#define ESP_PARTITION_MAGIC_MD5  0xEBEB
#define ESP_PARTITION_MD5_OFFSET 16 /* of the digest in the MD5 record */

#define ESP_PARTITION_TABLE_OFFSET         CONFIG_PARTITION_TABLE_OFFSET
#define ESP_PRIMARY_PARTITION_TABLE_OFFSET CONFIG_PARTITION_TABLE_OFFSET
#define ESP_PARTITION_TABLE_SIZE           0x1000 /* the sector the table occupies */
#define ESP_PARTITION_TABLE_MAX_LEN        0xC00  /* bytes of it that hold records; a signature may follow */
#define ESP_PARTITION_TABLE_MAX_ENTRIES    (ESP_PARTITION_TABLE_MAX_LEN / 32) /* MD5 and end record included */

#ifdef CONFIG_BOOTLOADER_OFFSET_IN_FLASH
#define ESP_BOOTLOADER_OFFSET CONFIG_BOOTLOADER_OFFSET_IN_FLASH
#else
#define ESP_BOOTLOADER_OFFSET 0x1000 /* ESP32's and the virtual device's */
#endif
#define ESP_PRIMARY_BOOTLOADER_OFFSET ESP_BOOTLOADER_OFFSET
#define ESP_BOOTLOADER_DIGEST_OFFSET  0x0
#define ESP_BOOTLOADER_SIZE           (ESP_PARTITION_TABLE_OFFSET - ESP_PRIMARY_BOOTLOADER_OFFSET)

#define PART_TYPE_APP                        0x00
#define PART_SUBTYPE_FACTORY                 0x00
#define PART_SUBTYPE_OTA_FLAG                0x10
#define PART_SUBTYPE_OTA_MASK                0x0f
#define PART_SUBTYPE_TEST                    0x20
#define PART_SUBTYPE_TEE_0                   0x30
#define PART_SUBTYPE_TEE_1                   0x31
#define PART_TYPE_DATA                       0x01
#define PART_SUBTYPE_DATA_OTA                0x00
#define PART_SUBTYPE_DATA_RF                 0x01
#define PART_SUBTYPE_DATA_WIFI               0x02
#define PART_SUBTYPE_DATA_NVS_KEYS           0x04
#define PART_SUBTYPE_DATA_EFUSE_EM           0x05
#define PART_SUBTYPE_DATA_TEE_OTA            0x90
#define PART_TYPE_BOOTLOADER                 0x02
#define PART_SUBTYPE_BOOTLOADER_PRIMARY      0x00
#define PART_SUBTYPE_BOOTLOADER_OTA          0x01
#define PART_SUBTYPE_BOOTLOADER_RECOVERY     0x02
#define PART_TYPE_PARTITION_TABLE            0x03
#define PART_SUBTYPE_PARTITION_TABLE_PRIMARY 0x00
#define PART_SUBTYPE_PARTITION_TABLE_OTA     0x01
#define PART_TYPE_END                        0xff
#define PART_SUBTYPE_END                     0xff

#define PART_FLAG_ENCRYPTED (1u << 0)
#define PART_FLAG_READONLY  (1u << 1)

/** State of an otadata entry; other values boot and are never changed. */
typedef enum {
    ESP_OTA_IMG_NEW = 0x0U,              /* selected, never booted (rollback enabled) */
    ESP_OTA_IMG_PENDING_VERIFY = 0x1U,   /* booted once, not yet confirmed */
    ESP_OTA_IMG_VALID = 0x2U,            /* confirmed */
    ESP_OTA_IMG_INVALID = 0x3U,          /* declared bad by the application */
    ESP_OTA_IMG_ABORTED = 0x4U,          /* restarted before it was confirmed */
    ESP_OTA_IMG_UNDEFINED = 0xFFFFFFFFU, /* not tracked */
} esp_ota_img_states_t;

/** One otadata entry as it lies in flash (little-endian), at the start of each of the partition's two sectors. */
typedef struct {
    uint32_t ota_seq;
    uint8_t seq_label[20];
    uint32_t ota_state;
    uint32_t crc; /* of the four bytes of ota_seq only */
} esp_ota_select_entry_t;

/** A range of flash, bytes. */
typedef struct {
    uint32_t offset;
    uint32_t size;
} esp_partition_pos_t;

/** One partition table record as it lies in flash (little-endian). */
typedef struct {
    uint16_t magic;
    uint8_t type;
    uint8_t subtype;
    esp_partition_pos_t pos;
    uint8_t label[16]; /* zero-padded; may use all 16 bytes */
    uint32_t flags;    /* PART_FLAG_*; others are ignored */
} esp_partition_info_t;

#ifndef __cplusplus
static_assert(sizeof(esp_ota_select_entry_t) == 32, "flash format");
static_assert(offsetof(esp_ota_select_entry_t, ota_state) == 24, "flash format");
static_assert(offsetof(esp_ota_select_entry_t, crc) == 28, "flash format");
static_assert(sizeof(esp_partition_info_t) == 32, "flash format");
static_assert(offsetof(esp_partition_info_t, pos) == 4, "flash format");
static_assert(offsetof(esp_partition_info_t, label) == 12, "flash format");
static_assert(offsetof(esp_partition_info_t, flags) == 28, "flash format");
#endif

/**
 * The bootloader's check of a table: bounds against the current device's flash, MD5 if there is one, end record.
 * Overlap and alignment are not its concern.
 * @param partition_table  ESP_PARTITION_TABLE_MAX_LEN bytes
 * @param num_partitions   how many records at the start of the table callers walk (0 on failure)
 * @return ESP_OK
 *         ESP_ERR_INVALID_STATE  unknown magic, wrong or second MD5, no end record; no device is set
 *         ESP_ERR_INVALID_SIZE   a partition leaves the flash
 *         ESP_ERR_INVALID_ARG    NULL
 */
esp_err_t esp_partition_table_verify(const esp_partition_info_t *partition_table, bool log_errors,
                                     int *num_partitions);

/**
 * False if a partition of the current device's table that is read-only begins in [addr, addr + size), or the range in it.
 * Bytes from the start of the main flash. True without a device.
 */
bool esp_partition_is_flash_region_writable(size_t addr, size_t size);

/**
 * False if [addr, addr + size) has anything of what lies up to the end of the partition table, or of the running
 * application. What becomes of a write there: CONFIG_SPI_FLASH_DANGEROUS_WRITE_ABORTS, _FAILS or _ALLOWED. True without a device.
 */
bool esp_partition_main_flash_region_safe(size_t addr, size_t size);

#ifdef __cplusplus
}
#endif
