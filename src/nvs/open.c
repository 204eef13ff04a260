/* Opening an NVS: pages in their order, and the repair of what a reset has left half done. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "nvs/blob.h"
#include "nvs/store.h"
#include "otter/bytes.h"

static esp_err_t check_place(const otter_nvs_place_t *place, otter_fault_t *fault)
{
    const otter_flash_t *flash = place->flash;
    if (flash->erase_size > OTTER_NVS_PAGE_SIZE || flash->write_size > 4 || flash->write_once) {
        return otter_fault(
            fault, ESP_ERR_NOT_SUPPORTED,
            "NVS changes bits in place: it needs flash that erases 4096 bytes or less at once and "
            "programs 4 or less, as often as it likes");
    }
    if (place->size == 0 || place->size % OTTER_NVS_PAGE_SIZE != 0 ||
        place->offset % OTTER_NVS_PAGE_SIZE != 0 || !range_fits(place->offset, place->size, flash->size)) {
        return otter_fault(fault, ESP_ERR_INVALID_SIZE,
                           "NVS lies in whole pages of 4096 bytes, not in 0x%" PRIx32 " bytes at 0x%" PRIx32,
                           place->size, place->offset);
    }
    return ESP_OK;
}

static otter_nvs_t *new_store(const otter_nvs_place_t *place)
{
    const uint32_t count = place->size / OTTER_NVS_PAGE_SIZE;
    otter_nvs_t *nvs = calloc(1, sizeof(*nvs) + count * sizeof(nvs->pages[0]));
    uint16_t *order = calloc(count, sizeof(*order));
    if (nvs == NULL || order == NULL) {
        free(nvs);
        free(order);
        return NULL;
    }
    nvs->medium = (nvs_medium_t){.flash = place->flash,
                                 .offset = place->offset,
                                 .cipher = place->cipher,
                                 .read_only = place->read_only,
                                 .tell = place->tell,
                                 .arg = place->arg};
    nvs->page_count = count;
    nvs->order = order;
    for (uint32_t i = 0; i < count; i++) {
        nvs->pages[i].address = place->offset + i * OTTER_NVS_PAGE_SIZE;
        nvs->order[i] = (uint16_t)i;
    }
    return nvs;
}

static bool is_in_use(const nvs_page_t *page)
{
    return page->state != PAGE_BLANK && page->state != PAGE_WORTHLESS;
}

/** Pages in use come first, from old to new, then the others as they lie. */
static bool comes_before(const nvs_page_t *a, const nvs_page_t *b)
{
    return is_in_use(a) && (!is_in_use(b) || a->seq < b->seq);
}

/** Inserts one page after the other: they are few, or in their order already. */
static void sort_pages(otter_nvs_t *nvs)
{
    for (uint32_t i = 0; i < nvs->page_count; i++) {
        uint32_t to = i;
        for (; to > 0 && comes_before(&nvs->pages[i], &nvs->pages[nvs->order[to - 1]]); to--) {
            nvs->order[to] = nvs->order[to - 1];
        }
        nvs->order[to] = (uint16_t)i;
        nvs->order_count += is_in_use(&nvs->pages[i]) ? 1 : 0;
    }
}

/** The head of the newest value. @return ESP_OK, ESP_ERR_NVS_NOT_FOUND: its page has none; or what flash says */
static esp_err_t find_last_value(otter_nvs_t *nvs, nvs_found_t *last)
{
    last->page = nvs_newest_page(nvs);
    for (last->index = OTTER_NVS_ENTRIES; last->index-- > 0;) {
        if (last->page->hash[last->index] == 0) {
            continue;
        }
        esp_err_t err = nvs_page_read_entry(&nvs->medium, last->page, last->index, &last->entry);
        if (err != ESP_OK || last->entry.type != ENTRY_BLOB_PART) {
            return err;
        }
    }
    return ESP_ERR_NVS_NOT_FOUND;
}

/** All that a value replaces: one, unless somebody else wrote this. */
static esp_err_t erase_older(otter_nvs_t *nvs, const nvs_found_t *last)
{
    nvs_search_t search = {.ns = last->entry.ns, .key = last->entry.key};
    nvs_found_t found;
    esp_err_t err;
    while ((err = nvs_search(nvs, &search, &found)) == ESP_OK) {
        if (found.entry.type == ENTRY_BLOB_PART || (found.page == last->page && found.index == last->index)) {
            continue;
        }
        nvs_tell(&nvs->medium, "key %s, the newest value: the one that it replaces is still there",
                 last->entry.key);
        err = nvs_erase_found(nvs, &found);
        if (err != ESP_OK) {
            return err;
        }
    }
    return err == ESP_ERR_NVS_NOT_FOUND ? ESP_OK : err;
}

/**
 * A reset may have come before all of the newest value had, as far as a cache or a repair that was broken off itself let it; or
 * before the one was erased that it replaces.
 */
static esp_err_t repair_last_value(otter_nvs_t *nvs)
{
    nvs_found_t last;
    esp_err_t err;
    while ((err = find_last_value(nvs, &last)) == ESP_OK &&
           (err = nvs_check_value(nvs, &last)) == ESP_ERR_NVS_NOT_FOUND) {
        nvs_tell(&nvs->medium, "key %s, the newest value: it did not come as a whole", last.entry.key);
        err = nvs_erase_found(nvs, &last);
        if (err != ESP_OK) {
            return err;
        }
    }
    if (err != ESP_OK) {
        return err == ESP_ERR_NVS_NOT_FOUND ? ESP_OK : err;
    }
    return erase_older(nvs, &last);
}

/** What one repair erases may leave more for another: parts of a blob that was replaced, for example. */
static esp_err_t repair(otter_nvs_t *nvs)
{
    esp_err_t err = nvs_finish_freeing(nvs);
    uint32_t erased;
    do {
        erased = nvs->erased;
        if (err == ESP_OK) {
            err = repair_last_value(nvs);
        }
        if (err == ESP_OK) {
            err = nvs_blob_repair(nvs);
        }
    } while (err == ESP_OK && nvs->erased != erased);
    return err;
}

/** @return false: no page is left to which values can be moved */
static bool has_free_page(const otter_nvs_t *nvs)
{
    return nvs->page_count > 1 && nvs->order_count < nvs->page_count;
}

/**
 * With other keys nothing that is written can be read, and a repair would erase all of it. A reset alone leaves one such entry on
 * a new partition.
 */
static esp_err_t check_keys(const otter_nvs_t *nvs, otter_fault_t *fault)
{
    uint32_t values = 0, others = 0;
    for (uint32_t i = 0; i < nvs->page_count && values == 0; i++) {
        esp_err_t err = nvs_page_count(&nvs->medium, nvs->pages[i].address, &values, &others);
        if (err != ESP_OK) {
            return otter_fault(fault, err, "the NVS page at 0x%" PRIx32 " cannot be read",
                               nvs->pages[i].address);
        }
    }
    return values > 0 || others < 2
               ? ESP_OK
               : otter_fault(fault, ESP_ERR_NVS_WRONG_ENCRYPTION,
                             nvs->medium.cipher == NULL
                                 ? "none of the %" PRIu32
                                   " NVS entries is one: they look encrypted, and need their keys"
                                 : "none of the %" PRIu32
                                   " NVS entries is one: they have other keys, or none",
                             others);
}

static esp_err_t load(otter_nvs_t *nvs, otter_fault_t *fault)
{
    esp_err_t key_err = check_keys(nvs, fault);
    if (key_err != ESP_OK) {
        return key_err;
    }
    for (uint32_t i = 0; i < nvs->page_count; i++) {
        esp_err_t err = nvs_page_load(&nvs->medium, &nvs->pages[i]);
        if (err != ESP_OK) {
            return otter_fault(fault, err,
                               err == ESP_ERR_NVS_NEW_VERSION_FOUND
                                   ? "the NVS page at 0x%" PRIx32 " is of a newer format"
                                   : "the NVS page at 0x%" PRIx32 " cannot be read or repaired",
                               nvs->pages[i].address);
        }
    }
    sort_pages(nvs);
    esp_err_t err = nvs->order_count > 0 ? repair(nvs) : ESP_OK;
    if (err != ESP_OK || nvs->medium.read_only) {
        return err;
    }
    if (nvs->order_count == 0 && nvs->page_count > 1) {
        err = nvs_new_page(nvs, 0);
    }
    return err == ESP_OK && !has_free_page(nvs)
               ? otter_fault(fault, ESP_ERR_NVS_NO_FREE_PAGES,
                             "no NVS page of %" PRIu32
                             " is free: this is no NVS, or it has less than two pages",
                             nvs->page_count)
               : err;
}

esp_err_t otter_nvs_open(const otter_nvs_place_t *place, otter_nvs_t **out, otter_fault_t *fault)
{
    *out = NULL;
    esp_err_t err = check_place(place, fault);
    if (err != ESP_OK) {
        return err;
    }
    otter_nvs_t *nvs = new_store(place);
    if (nvs == NULL) {
        return ESP_ERR_NO_MEM;
    }
    err = load(nvs, fault);
    if (err != ESP_OK) {
        otter_nvs_close(nvs);
        return err;
    }
    *out = nvs;
    return ESP_OK;
}

void otter_nvs_close(otter_nvs_t *nvs)
{
    if (nvs != NULL) {
        free(nvs->order);
        free(nvs);
    }
}
