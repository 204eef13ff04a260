/* The pages of an open NVS, from oldest to newest, and its values as entries: found, appended, erased. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "nvs/page.h"

struct otter_nvs {
    nvs_medium_t medium;
    /* what flash said when a change failed: what is in it is not known, so nothing more is changed */
    esp_err_t failed;
    uint32_t erased;      /* values since it was opened */
    uint32_t page_count;  /* of the partition */
    uint32_t order_count; /* pages that hold values */
    uint16_t *order; /* these, from oldest to newest; then those that are free, the next to be used first */
    nvs_page_t pages[];
};

/** Where an entry is that was found. */
typedef struct {
    nvs_page_t *page;
    uint32_t index;
    nvs_entry_t entry;
} nvs_found_t;

/** What is looked for; a walk begins with zeros in `at`. */
typedef struct {
    uint8_t ns;
    const char *key; /* NULL: any, and of any namespace */
    otter_nvs_walk_t at;
} nvs_search_t;

/** The page that is written to, or was last. */
nvs_page_t *nvs_newest_page(otter_nvs_t *nvs);

/** The next entry that a search is for. @return ESP_OK, ESP_ERR_NVS_NOT_FOUND, or what flash says */
OTTER_MUST_CHECK esp_err_t nvs_search(otter_nvs_t *nvs, nvs_search_t *search, nvs_found_t *found);

/** The value of a key: a head that is no part of a blob. @return as nvs_search() */
OTTER_MUST_CHECK esp_err_t nvs_find_value(otter_nvs_t *nvs, uint8_t ns, const char *key, nvs_found_t *found);

/** One part of a blob. @return as nvs_search() */
OTTER_MUST_CHECK esp_err_t nvs_find_part(otter_nvs_t *nvs, uint8_t ns, const char *key, uint8_t part,
                                         nvs_found_t *found);

/**
 * Write a value at the end, on a new page if it must be.
 * @return ESP_OK, ESP_ERR_NVS_NOT_ENOUGH_SPACE, or what flash says
 */
OTTER_MUST_CHECK esp_err_t nvs_append(otter_nvs_t *nvs, const nvs_entry_t *head, const uint8_t *bytes);

/** Begin a new page, the values of another one moved to it where no second page is free. @return as nvs_append() */
OTTER_MUST_CHECK esp_err_t nvs_new_page(otter_nvs_t *nvs, uint32_t entries_needed);

/** Finish what a reset has broken off while values were moved. @return ESP_OK, or as nvs_append() */
OTTER_MUST_CHECK esp_err_t nvs_finish_freeing(otter_nvs_t *nvs);

/** All that was written is on the medium before what follows. */
OTTER_MUST_CHECK esp_err_t nvs_barrier(otter_nvs_t *nvs);

OTTER_MUST_CHECK esp_err_t nvs_erase_found(otter_nvs_t *nvs, const nvs_found_t *found);

/** Remembers that flash has failed. @return err */
esp_err_t nvs_note(otter_nvs_t *nvs, esp_err_t err);
