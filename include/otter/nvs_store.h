/* ESP-IDF's non-volatile storage of one partition, for programs that name their flash: ESP-IDF's own names are in nvs.h. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "nvs.h"
#include "otter/fault.h"
#include "otter/flash.h"
#include "otter/promise.h"

#ifdef __cplusplus
extern "C" {
#endif

#define OTTER_NVS_PAGE_SIZE  4096u   /* bytes; what is erased at once */
#define OTTER_NVS_ENTRY_SIZE 32u     /* bytes */
#define OTTER_NVS_ENTRIES    126u    /* of a page */
#define OTTER_NVS_STRING_MAX 4000u   /* bytes of a text with its end */
#define OTTER_NVS_BLOB_MAX   508000u /* bytes */

/**
 * One partition that is open. It holds some 300 bytes of the heap for each page. One task at a time; what is written to the
 * partition by others meanwhile is not seen.
 */
typedef struct otter_nvs otter_nvs_t;

/** Takes one line about something that is not right; it is gone after the call. */
typedef void (*otter_nvs_tell_t)(void *arg, const char *line);

#define OTTER_NVS_KEYS_LEN 64u /* bytes: the key of the values, then the key of their places */
#define OTTER_NVS_KEYS_CRC (OTTER_NVS_KEYS_LEN + 4u) /* bytes with their CRC, as a partition of keys begins */

/** What entries are encrypted with; one task at a time. Its owner keeps it until the partition is closed. */
typedef struct otter_nvs_cipher {
    /**
     * One entry in place.
     * @param place  of the entry, bytes from the start of the partition
     * @return false: out of memory
     */
    bool (*run)(struct otter_nvs_cipher *cipher, bool decrypt, uint32_t place,
                uint8_t entry[OTTER_NVS_ENTRY_SIZE]);
    /** Wipes the keys, and is gone. */
    void (*end)(struct otter_nvs_cipher *cipher);
} otter_nvs_cipher_t;

/** ESP-IDF's: XTS-AES-256. Only a program that names it needs the crypto seam for NVS. @return NULL: out of memory */
OTTER_MUST_CHECK otter_nvs_cipher_t *otter_nvs_cipher_new(const uint8_t keys[OTTER_NVS_KEYS_LEN]);

/** True of keys with their right CRC. Any thread. */
OTTER_MUST_CHECK bool otter_nvs_keys_are_whole(const uint8_t raw[OTTER_NVS_KEYS_CRC]);

/** Where it lies. The flash erases at most 4096 bytes at once, and programs at most 4, these more than once. */
typedef struct {
    otter_flash_t *flash;
    uint32_t offset, size;      /* bytes of flash, multiples of OTTER_NVS_PAGE_SIZE */
    bool read_only;             /* nothing is repaired in flash; what a repair would give is what is read */
    otter_nvs_cipher_t *cipher; /* NULL: nothing is encrypted */
    otter_nvs_tell_t tell;      /* of what opening finds half done or damaged; NULL: nobody asks */
    void *arg;
} otter_nvs_place_t;

/**
 * Read a partition, and repair what a reset or a power cut has left half done. An erased one becomes usable.
 * @param out  NULL on failure
 * @return ESP_OK
 *         ESP_ERR_NOT_SUPPORTED          the flash cannot hold it (see otter_nvs_place_t)
 *         ESP_ERR_INVALID_SIZE           it does not lie in the flash in whole pages
 *         ESP_ERR_NVS_NO_FREE_PAGES      no page is free to move values to; not with read_only
 *         ESP_ERR_NVS_NEW_VERSION_FOUND  a page of a format that is not known here
 *         ESP_ERR_NVS_WRONG_ENCRYPTION   nothing that is written can be read: it has other keys, or none; nothing was changed
 *         ESP_ERR_NO_MEM, or what flash says
 */
OTTER_MUST_CHECK esp_err_t otter_nvs_open(const otter_nvs_place_t *place, otter_nvs_t **out,
                                          otter_fault_t *fault);

/** Nothing is lost: all that was written is in flash. NULL does nothing. */
void otter_nvs_close(otter_nvs_t *nvs);

/**
 * The number of a namespace.
 * @param create  make it where it is not there
 * @param ns      1 to 254
 * @return as nvs_open()
 */
OTTER_MUST_CHECK esp_err_t otter_nvs_namespace(otter_nvs_t *nvs, const char *name, bool create, uint8_t *ns);

/** The name of a namespace; "" where no name has this number, or it cannot be read. */
void otter_nvs_namespace_name(otter_nvs_t *nvs, uint8_t ns, char name[NVS_NS_NAME_MAX_SIZE]);

/** A value to be set: integers as little-endian bytes of their size, a text with its end. */
typedef struct {
    nvs_type_t type;
    const void *bytes;
    size_t size;
} otter_nvs_value_t;

/** @return as nvs_set_u8() */
OTTER_MUST_CHECK esp_err_t otter_nvs_set(otter_nvs_t *nvs, uint8_t ns, const char *key,
                                         const otter_nvs_value_t *value);

/**
 * @param bytes  room for *size bytes; NULL: none is wanted
 * @param size   in: bytes at `bytes`; out: of the value
 * @return as nvs_get_str()
 */
OTTER_MUST_CHECK esp_err_t otter_nvs_get(otter_nvs_t *nvs, uint8_t ns, const char *key, nvs_type_t type,
                                         void *bytes, size_t *size);

/** @return as nvs_find_key() */
OTTER_MUST_CHECK esp_err_t otter_nvs_find(otter_nvs_t *nvs, uint8_t ns, const char *key, nvs_type_t *type);

/** @return as nvs_erase_key() */
OTTER_MUST_CHECK esp_err_t otter_nvs_erase(otter_nvs_t *nvs, uint8_t ns, const char *key);

/** @return as nvs_erase_all() */
OTTER_MUST_CHECK esp_err_t otter_nvs_erase_namespace(otter_nvs_t *nvs, uint8_t ns);

/**
 * Wipe what values that were erased or replaced have left in flash, of all namespaces. @return as nvs_erase_all(), but for the
 * handle
 */
OTTER_MUST_CHECK esp_err_t otter_nvs_purge(otter_nvs_t *nvs);

/**
 * The port's barrier: what was set and erased survives a power cut, also where the medium has a cache.
 * @return ESP_OK, or what flash says
 */
OTTER_MUST_CHECK esp_err_t otter_nvs_commit(otter_nvs_t *nvs);

/**
 * Read all values to their last byte, and look for two of one key.
 * @param tell   called for each that is not right
 * @param count  of these
 * @return ESP_OK, or what flash says
 */
OTTER_MUST_CHECK esp_err_t otter_nvs_check(otter_nvs_t *nvs, otter_nvs_tell_t tell, void *arg,
                                           uint32_t *count);

/** Where a walk over the values is; zeros: before the first. */
typedef struct {
    uint32_t page, entry;
} otter_nvs_walk_t;

/** One value on such a walk. */
typedef struct {
    uint8_t ns; /* OTTER_NVS_NAMES: the name of a namespace, of type U8; its value is the number */
    char key[NVS_KEY_NAME_MAX_SIZE];
    nvs_type_t type;
    uint32_t entries; /* that this part of it takes */
} otter_nvs_item_t;

#define OTTER_NVS_NAMES 0u

/** The next value, also names of namespaces. @return ESP_OK, ESP_ERR_NVS_NOT_FOUND: there is none, or what flash says */
OTTER_MUST_CHECK esp_err_t otter_nvs_next(otter_nvs_t *nvs, otter_nvs_walk_t *walk, otter_nvs_item_t *item);

/** @return ESP_OK, or what flash says */
OTTER_MUST_CHECK esp_err_t otter_nvs_stats(otter_nvs_t *nvs, nvs_stats_t *stats);

/** Entries that a namespace takes, without that of its name. @return ESP_OK, or what flash says */
OTTER_MUST_CHECK esp_err_t otter_nvs_used_entries(otter_nvs_t *nvs, uint8_t ns, size_t *count);

#ifdef __cplusplus
}
#endif
