/* ESP-IDF's non-volatile storage: values by key, in namespaces, in a partition of flash. Names and codes as v5.5. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "esp_attr.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NVS_DEFAULT_PART_NAME  "nvs"
#define NVS_PART_NAME_MAX_SIZE 16 /* bytes of a partition's label */
#define NVS_KEY_NAME_MAX_SIZE  16 /* bytes of a key with its end */
#define NVS_NS_NAME_MAX_SIZE   NVS_KEY_NAME_MAX_SIZE

typedef uint32_t nvs_handle_t; /* never 0 */
typedef nvs_handle_t nvs_handle;

typedef enum {
    NVS_READONLY,
    NVS_READWRITE,
    NVS_READWRITE_PURGE, /* and each change wipes what it leaves behind, as nvs_purge_all() (ESP-IDF 6) */
} nvs_open_mode_t;
typedef nvs_open_mode_t nvs_open_mode;

/** Types as an entry in flash tells them: docs/FORMATS.md, "NVS". */
typedef enum {
    NVS_TYPE_U8 = 0x01,
    NVS_TYPE_I8 = 0x11,
    NVS_TYPE_U16 = 0x02,
    NVS_TYPE_I16 = 0x12,
    NVS_TYPE_U32 = 0x04,
    NVS_TYPE_I32 = 0x14,
    NVS_TYPE_U64 = 0x08,
    NVS_TYPE_I64 = 0x18,
    NVS_TYPE_STR = 0x21,
    NVS_TYPE_BLOB = 0x42,
    NVS_TYPE_ANY = 0xff,
} nvs_type_t;

typedef struct {
    char namespace_name[NVS_NS_NAME_MAX_SIZE];
    char key[NVS_KEY_NAME_MAX_SIZE];
    nvs_type_t type;
} nvs_entry_info_t;

typedef struct {
    size_t used_entries;      /* of 32 bytes each */
    size_t free_entries;      /* all that are not used */
    size_t available_entries; /* free_entries without the page that is kept for moving values */
    size_t total_entries;
    size_t namespace_count;
} nvs_stats_t;

typedef struct nvs_opaque_iterator_t *nvs_iterator_t;

/*
 * Any task may call these at any time: each call is one step (OTTER_LOCK_NVS). What a call of set or erase has returned ESP_OK
 * for is in flash, and stays there whatever happens; nvs_commit() adds the port's barrier, after which it also survives a power
 * cut of a machine whose disk has a cache.
 */

/**
 * Open a namespace of the partition "nvs", or of the one named.
 * @param namespace_name  1 to 15 characters; NVS_READWRITE makes it where it is not there
 * @param out_handle      for nvs_close()
 * @return ESP_OK
 *         ESP_ERR_NVS_NOT_INITIALIZED   nothing was initialised by nvs_flash_init*()
 *         ESP_ERR_NVS_PART_NOT_FOUND    this partition was not
 *         ESP_ERR_NVS_NOT_FOUND         NVS_READONLY, and there is no such namespace
 *         ESP_ERR_NVS_INVALID_NAME, ESP_ERR_NVS_KEY_TOO_LONG  the name is empty or NULL; is too long
 *         ESP_ERR_NVS_NOT_ENOUGH_SPACE  no room for a namespace, or there are 254
 *         ESP_ERR_NOT_ALLOWED           NVS_READWRITE of a read-only partition
 *         ESP_ERR_NO_MEM, ESP_ERR_INVALID_ARG, or what flash says
 */
esp_err_t nvs_open(const char *namespace_name, nvs_open_mode_t open_mode, nvs_handle_t *out_handle);
esp_err_t nvs_open_from_partition(const char *part_name, const char *namespace_name,
                                  nvs_open_mode_t open_mode, nvs_handle_t *out_handle);

/** Ends a handle; one that is none does nothing. */
void nvs_close(nvs_handle_t handle);

/**
 * Set the value of a key, of whatever type it was before. A value that is already there is not written again.
 * @param key     1 to 15 characters
 * @param value   text: at most 4000 bytes with its end; bytes: at most 508,000, and what the partition holds
 * @return ESP_OK
 *         ESP_ERR_NVS_INVALID_HANDLE, ESP_ERR_NVS_READ_ONLY
 *         ESP_ERR_NVS_INVALID_NAME, ESP_ERR_NVS_KEY_TOO_LONG  the key is empty or NULL; is too long
 *         ESP_ERR_NVS_VALUE_TOO_LONG
 *         ESP_ERR_NVS_NOT_ENOUGH_SPACE  old and new value do not fit side by side; the old one is there
 *         ESP_ERR_NVS_INVALID_STATE     flash has failed before: the partition has to be initialised anew
 *         ESP_ERR_INVALID_ARG (NULL), or what flash says
 */
esp_err_t nvs_set_i8(nvs_handle_t handle, const char *key, int8_t value);
esp_err_t nvs_set_u8(nvs_handle_t handle, const char *key, uint8_t value);
esp_err_t nvs_set_i16(nvs_handle_t handle, const char *key, int16_t value);
esp_err_t nvs_set_u16(nvs_handle_t handle, const char *key, uint16_t value);
esp_err_t nvs_set_i32(nvs_handle_t handle, const char *key, int32_t value);
esp_err_t nvs_set_u32(nvs_handle_t handle, const char *key, uint32_t value);
esp_err_t nvs_set_i64(nvs_handle_t handle, const char *key, int64_t value);
esp_err_t nvs_set_u64(nvs_handle_t handle, const char *key, uint64_t value);
esp_err_t nvs_set_str(nvs_handle_t handle, const char *key, const char *value);
esp_err_t nvs_set_blob(nvs_handle_t handle, const char *key, const void *value, size_t length);

/**
 * Get the value of a key; what is pointed to changes only with ESP_OK, and `length` with ESP_ERR_NVS_INVALID_LENGTH.
 * @param length  in: bytes at out_value, out: bytes of the value (a text's with its end). out_value NULL: only asks for it
 * @return ESP_OK
 *         ESP_ERR_NVS_INVALID_HANDLE
 *         ESP_ERR_NVS_NOT_FOUND       no such key; a value of several entries that is damaged
 *         ESP_ERR_NVS_TYPE_MISMATCH   it has another type, where both are integers; else ESP_ERR_NVS_NOT_FOUND
 *         ESP_ERR_NVS_INVALID_LENGTH  out_value is too small
 *         ESP_ERR_NVS_INVALID_NAME, ESP_ERR_NVS_KEY_TOO_LONG, ESP_ERR_INVALID_ARG, or what flash says
 */
esp_err_t nvs_get_i8(nvs_handle_t handle, const char *key, int8_t *out_value);
esp_err_t nvs_get_u8(nvs_handle_t handle, const char *key, uint8_t *out_value);
esp_err_t nvs_get_i16(nvs_handle_t handle, const char *key, int16_t *out_value);
esp_err_t nvs_get_u16(nvs_handle_t handle, const char *key, uint16_t *out_value);
esp_err_t nvs_get_i32(nvs_handle_t handle, const char *key, int32_t *out_value);
esp_err_t nvs_get_u32(nvs_handle_t handle, const char *key, uint32_t *out_value);
esp_err_t nvs_get_i64(nvs_handle_t handle, const char *key, int64_t *out_value);
esp_err_t nvs_get_u64(nvs_handle_t handle, const char *key, uint64_t *out_value);
esp_err_t nvs_get_str(nvs_handle_t handle, const char *key, char *out_value, size_t *length);
esp_err_t nvs_get_blob(nvs_handle_t handle, const char *key, void *out_value, size_t *length);

/** Is there such a key, and of which type? `out_type` may be NULL. @return ESP_OK, ESP_ERR_NVS_NOT_FOUND, as nvs_get_u8() */
esp_err_t nvs_find_key(nvs_handle_t handle, const char *key, nvs_type_t *out_type);

/** @return ESP_OK, ESP_ERR_NVS_NOT_FOUND (no such key), or as nvs_set_u8() */
esp_err_t nvs_erase_key(nvs_handle_t handle, const char *key);

/** All keys of the namespace; the namespace stays. @return ESP_OK, or as nvs_set_u8() */
esp_err_t nvs_erase_all(nvs_handle_t handle);

/**
 * Wipe what erased and replaced values have left in flash, of this namespace and of the others of its partition.
 * @return as nvs_erase_all()
 */
esp_err_t nvs_purge_all(nvs_handle_t handle);

/** @return ESP_OK, ESP_ERR_NVS_INVALID_HANDLE, or what the port's barrier says */
esp_err_t nvs_commit(nvs_handle_t handle);

/** @param part_name  NULL: "nvs". @return ESP_OK, ESP_ERR_INVALID_ARG (NULL stats), ESP_ERR_NVS_NOT_INITIALIZED (zeros) */
esp_err_t nvs_get_stats(const char *part_name, nvs_stats_t *nvs_stats);

/** Entries of one namespace, without the one of its name. @return ESP_OK, ESP_ERR_INVALID_ARG, ESP_ERR_NVS_INVALID_HANDLE */
esp_err_t nvs_get_used_entry_count(nvs_handle_t handle, size_t *used_entries);

/**
 * The values of a partition, or of one namespace, of one type or of all, one after the other. What is set or erased meanwhile may
 * or may not be seen.
 * @param part_name       NULL: "nvs"
 * @param namespace_name  NULL: all
 * @param output_iterator NULL where nothing is found; released by nvs_release_iterator(), or by the nvs_entry_next() that
 *                        finds nothing more
 * @return ESP_OK, ESP_ERR_NVS_NOT_FOUND, ESP_ERR_NVS_NOT_INITIALIZED, ESP_ERR_NO_MEM, ESP_ERR_INVALID_ARG
 */
esp_err_t nvs_entry_find(const char *part_name, const char *namespace_name, nvs_type_t type,
                         nvs_iterator_t *output_iterator);
esp_err_t nvs_entry_find_in_handle(nvs_handle_t handle, nvs_type_t type, nvs_iterator_t *output_iterator);
esp_err_t nvs_entry_next(nvs_iterator_t *iterator);
esp_err_t nvs_entry_info(const nvs_iterator_t iterator, nvs_entry_info_t *out_info);
void nvs_release_iterator(nvs_iterator_t iterator);

#ifdef __cplusplus
}
#endif
