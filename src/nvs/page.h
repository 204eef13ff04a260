/* One page of NVS in flash: its head, the states of its entries, and the two ways in which these change. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "nvs/entry.h"
#include "otter/flash.h"

/**
 * What a page's first word is (FORMATS.md section 15); each follows from the one before by clearing bits.
 *
 * 1. A page is written to while it is ACTIVE, from the first entry to the last; the newest page is, or none.
 * 2. An entry is EMPTY, WRITTEN or ERASED, and changes its state in this order only (nvs_page_append, nvs_page_erase_item).
 * 3. A value's head is WRITTEN before its bytes come and its bytes are WRITTEN when all are there; the head is the last of it
 *    that becomes ERASED. So a head that is WRITTEN with all its entries stands for a whole value, and nothing but a head is
 *    ever taken for one.
 * 4. While a page is FREEING its values are copied to the newest page. It is FREEING until all copies are on the medium; then
 *    its head is made worthless before it is erased (nvs_page_discard), so that a torn erase cannot bring it back.
 */
typedef enum {
    PAGE_BLANK = (int)0xFFFFFFFF,
    PAGE_ACTIVE = (int)0xFFFFFFFE,
    PAGE_FULL = (int)0xFFFFFFFC,
    PAGE_FREEING = (int)0xFFFFFFF8,
    PAGE_WORTHLESS =
        0, /* anything else, and a head whose checksum is wrong: to be erased before it is used */
} nvs_page_state_t;

typedef enum { ENTRY_ERASED = 0, ENTRY_WRITTEN = 2, ENTRY_EMPTY = 3 } nvs_entry_state_t;

#define PAGE_STATE_WORDS 8u

/** A page, and what is known of it without reading. */
typedef struct {
    uint32_t address; /* in flash */
    nvs_page_state_t state;
    uint32_t seq;                      /* a higher one is newer */
    bool erased_now;                   /* blank, and since it was opened: nothing hangs in it */
    uint8_t used, next;                /* entries that are WRITTEN; the first that is EMPTY */
    uint32_t states[PAGE_STATE_WORDS]; /* as in flash, or as a repair of it would leave them */
    uint8_t hash[OTTER_NVS_ENTRIES];   /* of the keys of heads that are WRITTEN; else 0 */
} nvs_page_t;

/** Where pages lie, for all functions below. */
typedef struct {
    otter_flash_t *flash;
    uint32_t offset;            /* of the partition, bytes of flash */
    otter_nvs_cipher_t *cipher; /* NULL: entries lie in flash as they are */
    bool read_only;             /* changes are made in the page's memory alone */
    otter_nvs_tell_t tell;      /* NULL: nobody asks */
    void *arg;
} nvs_medium_t;

/** Says what is not right. */
void nvs_tell(const nvs_medium_t *medium, const char *format, ...) __attribute__((format(printf, 2, 3)));

/**
 * Read a page, and have ERASED what is no whole value.
 * @param page  its address is set
 * @return ESP_OK, also for a worthless page; ESP_ERR_NVS_NEW_VERSION_FOUND; or what flash says
 */
OTTER_MUST_CHECK esp_err_t nvs_page_load(const nvs_medium_t *medium, nvs_page_t *page);

/**
 * Count what is WRITTEN in a page, as far as it can be told without a repair.
 * @param values, others  entries that are a value's head; others, its bytes not counted
 */
OTTER_MUST_CHECK esp_err_t nvs_page_count(const nvs_medium_t *medium, uint32_t address, uint32_t *values,
                                          uint32_t *others);

/** A blank or worthless page becomes the ACTIVE one with this number, erased first where it must be. */
OTTER_MUST_CHECK esp_err_t nvs_page_activate(const nvs_medium_t *medium, nvs_page_t *page, uint32_t seq);

OTTER_MUST_CHECK esp_err_t nvs_page_set_state(const nvs_medium_t *medium, nvs_page_t *page,
                                              nvs_page_state_t state);

/** Has the page erased, whatever is in it. */
OTTER_MUST_CHECK esp_err_t nvs_page_discard(const nvs_medium_t *medium, nvs_page_t *page);

nvs_entry_state_t nvs_page_entry_state(const nvs_page_t *page, uint32_t index);

/** Entries that are still EMPTY. */
static inline uint32_t nvs_page_room(const nvs_page_t *page)
{
    return page->state == PAGE_ACTIVE ? OTTER_NVS_ENTRIES - page->next : 0;
}

/** `len` bytes of entries from `index`. */
OTTER_MUST_CHECK esp_err_t nvs_page_read(const nvs_medium_t *medium, const nvs_page_t *page, uint32_t index,
                                         void *bytes, uint32_t len);

/** @return ESP_OK, ESP_ERR_NVS_NOT_FOUND: no entry; or what flash says */
OTTER_MUST_CHECK esp_err_t nvs_page_read_entry(const nvs_medium_t *medium, const nvs_page_t *page,
                                               uint32_t index, nvs_entry_t *entry);

/** Write a value at the end of an ACTIVE page that has room for it; `bytes` are as many as its head says. */
OTTER_MUST_CHECK esp_err_t nvs_page_append(const nvs_medium_t *medium, nvs_page_t *page,
                                           const nvs_entry_t *head, const uint8_t *bytes);

/** The value whose head is at `index` of another page, likewise. @return also ESP_ERR_NVS_NOT_FOUND: it is none any more */
OTTER_MUST_CHECK esp_err_t nvs_page_copy(const nvs_medium_t *medium, nvs_page_t *to, const nvs_page_t *from,
                                         uint32_t index);

/** The value whose head is at `index` becomes ERASED. */
OTTER_MUST_CHECK esp_err_t nvs_page_erase_item(const nvs_medium_t *medium, nvs_page_t *page, uint32_t index,
                                               uint32_t span);

/** The bytes of entries that are ERASED become zeros in flash, also those that were EMPTY when they became so. */
OTTER_MUST_CHECK esp_err_t nvs_page_purge(const nvs_medium_t *medium, const nvs_page_t *page);
