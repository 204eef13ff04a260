/* Bytes too many for one entry's value: parts on any pages, and an index that makes them a blob. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "nvs/store.h"

/** What an index says. */
typedef struct {
    uint32_t size;
    uint8_t count, first; /* of parts: numbers first, first + 1, ... */
} nvs_blob_t;

nvs_blob_t nvs_blob_decode(const nvs_entry_t *index);

/**
 * Write a new blob beside what the key has now, which stays.
 * @param first  0 or ENTRY_VERSION_1: not what the old blob has
 * @return ESP_OK; ESP_ERR_NVS_NOT_ENOUGH_SPACE: nothing of it is left; or what flash says
 */
OTTER_MUST_CHECK esp_err_t nvs_blob_write(otter_nvs_t *nvs, uint8_t ns, const char *key, uint8_t first,
                                          const uint8_t *bytes, uint32_t size);

/** Read it. @return ESP_OK, ESP_ERR_NVS_NOT_FOUND: a part is missing or damaged; or what flash says */
OTTER_MUST_CHECK esp_err_t nvs_blob_read(otter_nvs_t *nvs, const nvs_entry_t *index, uint8_t *bytes);

/** Are these its bytes? @return as nvs_blob_read(), and ESP_ERR_NVS_CONTENT_DIFFERS */
OTTER_MUST_CHECK esp_err_t nvs_blob_compare(otter_nvs_t *nvs, const nvs_entry_t *index, const uint8_t *bytes);

/** The parts that an index had. */
OTTER_MUST_CHECK esp_err_t nvs_blob_erase_parts(otter_nvs_t *nvs, const nvs_entry_t *index);

/** Erases an index without all of its parts, and parts without an index. */
OTTER_MUST_CHECK esp_err_t nvs_blob_repair(otter_nvs_t *nvs);

/** The bytes behind a head, as they are on its page. @return as nvs_blob_read() */
OTTER_MUST_CHECK esp_err_t nvs_read_bytes(otter_nvs_t *nvs, const nvs_found_t *found, uint8_t *bytes);
OTTER_MUST_CHECK esp_err_t nvs_compare_bytes(otter_nvs_t *nvs, const nvs_found_t *found,
                                             const uint8_t *bytes);

/** Is a value whole, to its last byte? @return as nvs_blob_read() */
OTTER_MUST_CHECK esp_err_t nvs_check_value(otter_nvs_t *nvs, const nvs_found_t *found);

/** A head for `len` bytes that follow it. */
nvs_entry_t nvs_head_of(uint8_t ns, const char *key, uint8_t type, const uint8_t *bytes, uint32_t len);
