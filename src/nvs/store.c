/* The pages of an open NVS: looking through them, and moving on from one to the next. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "nvs/store.h"

#include <inttypes.h>
#include <string.h>

#include "otter/bytes.h"

nvs_page_t *nvs_newest_page(otter_nvs_t *nvs)
{
    return nvs->order_count > 0 ? &nvs->pages[nvs->order[nvs->order_count - 1]] : NULL;
}

esp_err_t nvs_note(otter_nvs_t *nvs, esp_err_t err)
{
    if (otter_flash_failed(err)) {
        nvs->failed = err;
    }
    return err;
}

esp_err_t nvs_search(otter_nvs_t *nvs, nvs_search_t *search, nvs_found_t *found)
{
    const uint8_t hash = search->key != NULL ? nvs_key_hash(search->ns, search->key) : 0;
    for (; search->at.page < nvs->order_count; search->at = (otter_nvs_walk_t){search->at.page + 1, 0}) {
        nvs_page_t *page = &nvs->pages[nvs->order[search->at.page]];
        while (search->at.entry < OTTER_NVS_ENTRIES) {
            const uint32_t index = search->at.entry++;
            if (page->hash[index] == 0 || (search->key != NULL && page->hash[index] != hash)) {
                continue;
            }
            *found = (nvs_found_t){.page = page, .index = index};
            esp_err_t err = nvs_page_read_entry(&nvs->medium, page, index, &found->entry);
            if (err != ESP_OK && err != ESP_ERR_NVS_NOT_FOUND) {
                return err;
            }
            if (err == ESP_OK && (search->key == NULL || (found->entry.ns == search->ns &&
                                                          strcmp(found->entry.key, search->key) == 0))) {
                return ESP_OK;
            }
        }
    }
    return ESP_ERR_NVS_NOT_FOUND;
}

esp_err_t nvs_find_value(otter_nvs_t *nvs, uint8_t ns, const char *key, nvs_found_t *found)
{
    nvs_search_t search = {.ns = ns, .key = key};
    esp_err_t err;
    do {
        err = nvs_search(nvs, &search, found);
    } while (err == ESP_OK && found->entry.type == ENTRY_BLOB_PART);
    return err;
}

esp_err_t nvs_find_part(otter_nvs_t *nvs, uint8_t ns, const char *key, uint8_t part, nvs_found_t *found)
{
    nvs_search_t search = {.ns = ns, .key = key};
    esp_err_t err;
    do {
        err = nvs_search(nvs, &search, found);
    } while (err == ESP_OK && (found->entry.type != ENTRY_BLOB_PART || found->entry.part != part));
    return err;
}

esp_err_t nvs_barrier(otter_nvs_t *nvs)
{
    return nvs->medium.read_only ? ESP_OK : nvs_note(nvs, otter_flash_sync(nvs->medium.flash));
}

esp_err_t nvs_erase_found(otter_nvs_t *nvs, const nvs_found_t *found)
{
    nvs->erased++;
    return nvs_note(nvs, nvs_page_erase_item(&nvs->medium, found->page, found->index, found->entry.span));
}

/** The first free page becomes the newest. */
static esp_err_t activate_free(otter_nvs_t *nvs)
{
    const nvs_page_t *newest = nvs_newest_page(nvs);
    const uint32_t seq = newest != NULL ? newest->seq + 1 : 0;
    OTTER_ASSERT(nvs->order_count < nvs->page_count);
    nvs_page_t *page = &nvs->pages[nvs->order[nvs->order_count]];
    esp_err_t err = nvs_page_activate(&nvs->medium, page, seq);
    nvs->order_count += err == ESP_OK ? 1 : 0;
    return err;
}

/** No page is ACTIVE when one is FREEING, unless it is that with the copies. */
static esp_err_t close_newest(otter_nvs_t *nvs)
{
    nvs_page_t *newest = nvs_newest_page(nvs);
    esp_err_t err = ESP_OK;
    if (newest->state == PAGE_ACTIVE) {
        err = nvs_page_set_state(&nvs->medium, newest, PAGE_FULL);
    }
    return err == ESP_OK ? nvs_barrier(nvs) : err;
}

/** Copies what is WRITTEN on one page to the newest. */
static esp_err_t copy_values(otter_nvs_t *nvs, const nvs_page_t *from)
{
    nvs_page_t *to = nvs_newest_page(nvs);
    for (uint32_t i = 0; i < OTTER_NVS_ENTRIES; i++) {
        esp_err_t err = from->hash[i] != 0 ? nvs_page_copy(&nvs->medium, to, from, i) : ESP_OK;
        if (err != ESP_OK) {
            return err == ESP_ERR_NVS_NOT_FOUND ? ESP_ERR_FLASH_OP_FAIL : err; /* it could be read before */
        }
    }
    return ESP_OK;
}

/** Empties the page at `place` of the order into the newest, which is new. */
static esp_err_t empty_page(otter_nvs_t *nvs, uint32_t place)
{
    const uint16_t number = nvs->order[place];
    nvs_page_t *page = &nvs->pages[number];
    esp_err_t err = copy_values(nvs, page);
    if (err == ESP_OK) {
        err = nvs_barrier(nvs);
    }
    if (err == ESP_OK) {
        err = nvs_page_discard(&nvs->medium, page);
    }
    if (err == ESP_OK) { /* a page that is FREEING still would cost the newest what comes next */
        err = nvs_barrier(nvs);
    }
    if (err == ESP_OK) {
        nvs->order_count--;
        memmove(nvs->order + place, nvs->order + place + 1,
                (nvs->page_count - place - 1) * sizeof(*nvs->order));
        nvs->order[nvs->page_count - 1] = number; /* behind the other free ones: each is used in its turn */
    }
    return err;
}

/** The place of a page that is FREEING; order_count: there is none. */
static uint32_t find_freeing(const otter_nvs_t *nvs)
{
    uint32_t place = 0;
    while (place < nvs->order_count && nvs->pages[nvs->order[place]].state != PAGE_FREEING) {
        place++;
    }
    return place;
}

/** Of who only looks: all values that were to be moved are still there, and are the newest. */
static void take_for_newest(otter_nvs_t *nvs, uint32_t place)
{
    const uint16_t number = nvs->order[place];
    nvs->pages[number].state = PAGE_FULL;
    memmove(nvs->order + place, nvs->order + place + 1, (nvs->order_count - place - 1) * sizeof(*nvs->order));
    nvs->order[nvs->order_count - 1] = number;
}

esp_err_t nvs_finish_freeing(otter_nvs_t *nvs)
{
    esp_err_t err = ESP_OK;
    bool is_first = true; /* there is never more than one, unless somebody else wrote this */
    for (uint32_t place; (place = find_freeing(nvs)) < nvs->order_count && err == ESP_OK; is_first = false) {
        nvs_page_t *newest = nvs_newest_page(nvs);
        nvs_tell(&nvs->medium, "page 0x%" PRIx32 ": moving its values was broken off",
                 nvs->pages[nvs->order[place]].address);
        if (is_first && newest->state == PAGE_ACTIVE) { /* holds some of the copies and nothing else */
            err = nvs_page_discard(&nvs->medium, newest);
            nvs->order_count--;
        } else if (newest->state == PAGE_ACTIVE) {
            err = close_newest(nvs);
        }
        if (err == ESP_OK && nvs->medium.read_only) {
            take_for_newest(nvs, place);
        } else if (err == ESP_OK) {
            err = nvs->order_count < nvs->page_count ? activate_free(nvs) : ESP_ERR_NVS_NO_FREE_PAGES;
            err = err == ESP_OK ? empty_page(nvs, place) : err;
        }
    }
    return err;
}

/** The page that is worth most to be emptied: its place in the order. */
static uint32_t emptiest_page(const otter_nvs_t *nvs)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < nvs->order_count; i++) {
        if (nvs->pages[nvs->order[i]].used < nvs->pages[nvs->order[best]].used) {
            best = i;
        }
    }
    return best;
}

/** Values of the emptiest page move to a new one, which has their page's unused entries left. */
static esp_err_t empty_emptiest(otter_nvs_t *nvs, uint32_t entries_needed)
{
    const uint32_t place = emptiest_page(nvs);
    nvs_page_t *page = &nvs->pages[nvs->order[place]];
    if (OTTER_NVS_ENTRIES - (uint32_t)page->used < entries_needed) {
        return ESP_ERR_NVS_NOT_ENOUGH_SPACE;
    }
    esp_err_t err = close_newest(nvs);
    if (err == ESP_OK) {
        err = nvs_page_set_state(&nvs->medium, page, PAGE_FREEING);
    }
    if (err == ESP_OK) { /* nor are there copies of a page that is not FREEING */
        err = nvs_barrier(nvs);
    }
    if (err == ESP_OK) {
        err = activate_free(nvs);
    }
    return err == ESP_OK ? empty_page(nvs, place) : err;
}

esp_err_t nvs_new_page(otter_nvs_t *nvs, uint32_t entries_needed)
{
    nvs_page_t *newest = nvs_newest_page(nvs);
    const uint32_t free_pages = nvs->page_count - nvs->order_count;
    if (free_pages < 2) {
        return free_pages == 0 ? ESP_ERR_NVS_NOT_ENOUGH_SPACE
                               : nvs_note(nvs, empty_emptiest(nvs, entries_needed));
    }
    esp_err_t err = ESP_OK;
    if (newest != NULL && newest->state == PAGE_ACTIVE) {
        err = nvs_page_set_state(&nvs->medium, newest, PAGE_FULL);
    }
    return nvs_note(nvs, err == ESP_OK ? activate_free(nvs) : err);
}

esp_err_t nvs_append(otter_nvs_t *nvs, const nvs_entry_t *head, const uint8_t *bytes)
{
    if (head->span > nvs_page_room(nvs_newest_page(nvs))) {
        esp_err_t err = nvs_new_page(nvs, head->span);
        if (err != ESP_OK) {
            return err;
        }
    }
    return nvs_note(nvs, nvs_page_append(&nvs->medium, nvs_newest_page(nvs), head, bytes));
}
