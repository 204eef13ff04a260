/* ESP-IDF's partition API: find, iterate, read, write, erase, hash. Names and codes as esp_partition v5.5. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    ESP_PARTITION_TYPE_APP = 0x00,
    ESP_PARTITION_TYPE_DATA = 0x01,
    ESP_PARTITION_TYPE_BOOTLOADER = 0x02,
    ESP_PARTITION_TYPE_PARTITION_TABLE = 0x03,
    ESP_PARTITION_TYPE_ANY = 0xFF,
} esp_partition_type_t;

typedef enum {
    ESP_PARTITION_SUBTYPE_BOOTLOADER_PRIMARY = 0x00,
    ESP_PARTITION_SUBTYPE_BOOTLOADER_OTA = 0x01,
    ESP_PARTITION_SUBTYPE_BOOTLOADER_RECOVERY = 0x02,

    ESP_PARTITION_SUBTYPE_PARTITION_TABLE_PRIMARY = 0x00,
    ESP_PARTITION_SUBTYPE_PARTITION_TABLE_OTA = 0x01,

    ESP_PARTITION_SUBTYPE_APP_FACTORY = 0x00,
    ESP_PARTITION_SUBTYPE_APP_OTA_MIN = 0x10,
    ESP_PARTITION_SUBTYPE_APP_OTA_0 = 0x10,
    ESP_PARTITION_SUBTYPE_APP_OTA_1 = 0x11,
    ESP_PARTITION_SUBTYPE_APP_OTA_2 = 0x12,
    ESP_PARTITION_SUBTYPE_APP_OTA_3 = 0x13,
    ESP_PARTITION_SUBTYPE_APP_OTA_4 = 0x14,
    ESP_PARTITION_SUBTYPE_APP_OTA_5 = 0x15,
    ESP_PARTITION_SUBTYPE_APP_OTA_6 = 0x16,
    ESP_PARTITION_SUBTYPE_APP_OTA_7 = 0x17,
    ESP_PARTITION_SUBTYPE_APP_OTA_8 = 0x18,
    ESP_PARTITION_SUBTYPE_APP_OTA_9 = 0x19,
    ESP_PARTITION_SUBTYPE_APP_OTA_10 = 0x1A,
    ESP_PARTITION_SUBTYPE_APP_OTA_11 = 0x1B,
    ESP_PARTITION_SUBTYPE_APP_OTA_12 = 0x1C,
    ESP_PARTITION_SUBTYPE_APP_OTA_13 = 0x1D,
    ESP_PARTITION_SUBTYPE_APP_OTA_14 = 0x1E,
    ESP_PARTITION_SUBTYPE_APP_OTA_15 = 0x1F,
    ESP_PARTITION_SUBTYPE_APP_OTA_MAX = 0x20, /* exclusive bound */
    ESP_PARTITION_SUBTYPE_APP_TEST = 0x20,
    ESP_PARTITION_SUBTYPE_APP_TEE_MIN = 0x30,
    ESP_PARTITION_SUBTYPE_APP_TEE_0 = 0x30,
    ESP_PARTITION_SUBTYPE_APP_TEE_1 = 0x31,
    ESP_PARTITION_SUBTYPE_APP_TEE_MAX = 0x31,

    ESP_PARTITION_SUBTYPE_DATA_OTA = 0x00,
    ESP_PARTITION_SUBTYPE_DATA_PHY = 0x01,
    ESP_PARTITION_SUBTYPE_DATA_NVS = 0x02,
    ESP_PARTITION_SUBTYPE_DATA_COREDUMP = 0x03,
    ESP_PARTITION_SUBTYPE_DATA_NVS_KEYS = 0x04,
    ESP_PARTITION_SUBTYPE_DATA_EFUSE_EM = 0x05,
    ESP_PARTITION_SUBTYPE_DATA_UNDEFINED = 0x06,
    ESP_PARTITION_SUBTYPE_DATA_ESPHTTPD = 0x80,
    ESP_PARTITION_SUBTYPE_DATA_FAT = 0x81,
    ESP_PARTITION_SUBTYPE_DATA_SPIFFS = 0x82,
    ESP_PARTITION_SUBTYPE_DATA_LITTLEFS = 0x83,
    ESP_PARTITION_SUBTYPE_DATA_TEE_OTA = 0x90,

    ESP_PARTITION_SUBTYPE_ANY = 0xFF,
} esp_partition_subtype_t;

#define ESP_PARTITION_SUBTYPE_OTA(i)                                                                         \
    ((esp_partition_subtype_t)(ESP_PARTITION_SUBTYPE_APP_OTA_MIN + ((i)&0xf)))

typedef struct esp_flash_t esp_flash_t;
typedef struct esp_partition_iterator_opaque_ *esp_partition_iterator_t;
typedef uint32_t esp_partition_mmap_handle_t;

typedef enum {
    ESP_PARTITION_MMAP_DATA,
    ESP_PARTITION_MMAP_INST,
    ESP_PARTITION_MMAP_BLOCKS_WRITE, /* a flag beside the others: of no effect, as nothing stands still for a write */
} esp_partition_mmap_memory_t;
typedef esp_partition_mmap_memory_t esp_partition_mmap_flag_t;

/** One partition. Records belong to the library and live as long as the device; compare them by pointer. */
typedef struct {
    esp_flash_t *flash_chip;
    esp_partition_type_t type;
    esp_partition_subtype_t subtype;
    uint32_t address;    /* offset in flash, bytes */
    uint32_t size;       /* bytes */
    uint32_t erase_size; /* bytes */
    char label[17];      /* always terminated */
    bool encrypted;      /* the device has flash encryption, and the flag or the type says so */
    bool readonly;
} esp_partition_t;

/**
 * Partitions that match, in table order. `type` ANY needs `subtype` ANY; `label` NULL matches all and, if given, must
 * outlive the iterator.
 * @return an iterator at the first match, NULL if there is none. The caller releases it, unless esp_partition_next()
 *         already did by returning NULL.
 */
esp_partition_iterator_t esp_partition_find(esp_partition_type_t type, esp_partition_subtype_t subtype,
                                            const char *label);
const esp_partition_t *esp_partition_find_first(esp_partition_type_t type, esp_partition_subtype_t subtype,
                                                const char *label);
const esp_partition_t *esp_partition_get(esp_partition_iterator_t iterator);
esp_partition_iterator_t esp_partition_next(esp_partition_iterator_t iterator);
void esp_partition_iterator_release(esp_partition_iterator_t iterator);

/** The record whose flash, type, subtype, address, size and (if not empty) label are those of `partition`; NULL if none. */
const esp_partition_t *esp_partition_verify(const esp_partition_t *partition);

/**
 * The same look-ups, telling why there is no result (ESP-IDF 6). The result is NULL on failure.
 * @return ESP_OK
 *         ESP_ERR_INVALID_ARG    NULL partition or result; `type` ANY with another `subtype` than ANY
 *         ESP_ERR_NOT_FOUND      nothing matches; or the table has no MD5 record
 *         ESP_ERR_INVALID_STATE  the table's MD5 is wrong; no device is set
 *         ESP_ERR_NO_MEM, or a flash error of loading the table
 */
esp_err_t esp_partition_find_err(esp_partition_type_t type, esp_partition_subtype_t subtype,
                                 const char *label, esp_partition_iterator_t *iterator);
esp_err_t esp_partition_find_first_err(esp_partition_type_t type, esp_partition_subtype_t subtype,
                                       const char *label, const esp_partition_t **partition);
esp_err_t esp_partition_verify_err(const esp_partition_t *partition, const esp_partition_t **out);

/**
 * Read, write, erase inside one partition; offsets and sizes in bytes. Writing clears bits only (NOR).
 * @return ESP_OK (size 0: nothing done)
 *         ESP_ERR_INVALID_ARG   offset beyond the partition; erase: offset not a multiple of erase_size; NULL
 *         ESP_ERR_INVALID_SIZE  offset + size beyond the partition; erase: size not a multiple of erase_size
 *         ESP_ERR_NOT_ALLOWED   write or erase of a read-only partition
 *         ESP_ERR_FLASH_OP_FAIL, ESP_ERR_FLASH_OP_TIMEOUT  the medium failed
 */
esp_err_t esp_partition_read(const esp_partition_t *partition, size_t src_offset, void *dst, size_t size);
esp_err_t esp_partition_write(const esp_partition_t *partition, size_t dst_offset, const void *src,
                              size_t size);
esp_err_t esp_partition_read_raw(const esp_partition_t *partition, size_t src_offset, void *dst, size_t size);
esp_err_t esp_partition_write_raw(const esp_partition_t *partition, size_t dst_offset, const void *src,
                                  size_t size);
esp_err_t esp_partition_erase_range(const esp_partition_t *partition, size_t offset, size_t size);

/**
 * A range of a partition as memory, to read only. It is a copy on the heap, as long as the range, that follows whatever
 * this process writes and erases there by any function of this library. Two tasks must not map or unmap at once.
 * @param memory      of no effect: data and instructions are mapped alike
 * @param out_ptr     the bytes, until esp_partition_munmap()
 * @param out_handle  for esp_partition_munmap(); never 0
 * @return ESP_OK
 *         ESP_ERR_INVALID_ARG    NULL; size 0; offset beyond the partition
 *         ESP_ERR_INVALID_SIZE   offset + size beyond the partition
 *         ESP_ERR_INVALID_STATE  no device is set
 *         ESP_ERR_NO_MEM, ESP_ERR_FLASH_OP_FAIL, ESP_ERR_FLASH_OP_TIMEOUT
 */
esp_err_t esp_partition_mmap(const esp_partition_t *partition, size_t offset, size_t size,
                             esp_partition_mmap_memory_t memory, const void **out_ptr,
                             esp_partition_mmap_handle_t *out_handle);

/** The memory is gone. A handle that is none does nothing. */
void esp_partition_munmap(esp_partition_mmap_handle_t handle);

/* ESP-IDF 4's names of the same. */
typedef esp_partition_mmap_memory_t spi_flash_mmap_memory_t;
typedef esp_partition_mmap_handle_t spi_flash_mmap_handle_t;
#define SPI_FLASH_MMAP_DATA      ESP_PARTITION_MMAP_DATA
#define SPI_FLASH_MMAP_INST      ESP_PARTITION_MMAP_INST
#define spi_flash_munmap(handle) esp_partition_munmap(handle)

/**
 * SHA-256 of a partition: of an app or bootloader the image's appended digest once it has been checked (without one,
 * the hash over the image), of anything else the hash over the whole range. Looks at address, size and type only
 * (of a partition that was registered: at its flash, too).
 * @param sha_256  32 bytes
 * @return ESP_OK, ESP_ERR_INVALID_ARG (NULL, size 0), ESP_ERR_IMAGE_INVALID, ESP_ERR_NO_MEM, ESP_FAIL (read failed)
 */
esp_err_t esp_partition_get_sha256(const esp_partition_t *partition, uint8_t *sha_256);

/** True if both hashes can be had and are equal. */
bool esp_partition_check_identity(const esp_partition_t *partition_1, const esp_partition_t *partition_2);

/**
 * Erase the destination range, then copy. `size` SIZE_MAX: the rest of the source.
 * @return ESP_OK, ESP_ERR_INVALID_ARG (NULL, same partition), ESP_ERR_INVALID_SIZE (a range leaves its partition),
 *         or what erase, read and write return
 */
esp_err_t esp_partition_copy(const esp_partition_t *dest_part, uint32_t dest_offset,
                             const esp_partition_t *src_part, uint32_t src_offset, size_t size);

/**
 * Add a partition that is not in the table, on this or on another flash. Look-ups find it after the table's rows; it can be
 * read, written, erased, mapped, copied and hashed. Updates take one of type data, and the primary bootloader, where no copy
 * is asked of them; it may be deregistered while they are open, but its flash has to live on. Nothing boots from it.
 * @param flash_chip  NULL: the device's. Another one is an otter_flash_t (otter/flash.h) that stays the caller's and lives
 *                    until the partition is deregistered and all of it is unmapped
 * @param label       copied, at most 16 characters; NULL: none
 * @param out_partition  the record; NULL on failure. May be NULL
 * @return ESP_OK
 *         ESP_ERR_INVALID_SIZE   beyond the end of its flash
 *         ESP_ERR_INVALID_ARG    overlaps a partition on the same flash; the other flash's geometry is not valid
 *         ESP_ERR_NO_MEM
 *         ESP_ERR_INVALID_STATE  no device is set; or what loading the table returned
 */
esp_err_t esp_partition_register_external(esp_flash_t *flash_chip, size_t offset, size_t size,
                                          const char *label, esp_partition_type_t type,
                                          esp_partition_subtype_t subtype,
                                          const esp_partition_t **out_partition);

/**
 * Forget a registered partition; its record is gone, what is mapped of it stays until it is unmapped.
 * @return ESP_OK, ESP_ERR_NOT_FOUND (not registered, or NULL), ESP_ERR_INVALID_ARG (it is in the table),
 *         ESP_ERR_INVALID_STATE (no device is set)
 */
esp_err_t esp_partition_deregister_external(const esp_partition_t *partition);

/**
 * Forget all registered partitions and read the table anew; records found before are no longer to be used. The table's old
 * rows stay while an update is open, if the table cannot be loaded, and if the running application is not in it.
 */
void esp_partition_unload_all(void);

/** Sector size of the main flash, bytes. */
uint32_t esp_partition_get_main_flash_sector_size(void);

#ifdef __cplusplus
}
#endif

/* As ESP-IDF 4's header gives along. */
#include "esp_flash.h"
#include "esp_spi_flash.h"
