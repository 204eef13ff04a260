/* NVS blobs: FORMATS.md section 15 has the index and the parts. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "nvs/blob.h"

#include <string.h>

#include "otter/bytes.h"

/* The value of an index, and of a head with bytes. */
enum { AT_SIZE = 0, AT_COUNT = 4, AT_FIRST = 5, AT_BYTES_CRC = 4 };

#define SMALL_ROOM                                                                                           \
    13u /* entries: a blob that needs more does not begin at the end of a page in less than this */

nvs_blob_t nvs_blob_decode(const nvs_entry_t *index)
{
    return (nvs_blob_t){.size = le32_get(index->value + AT_SIZE),
                        .count = index->value[AT_COUNT],
                        .first = index->value[AT_FIRST]};
}

nvs_entry_t nvs_head_of(uint8_t ns, const char *key, uint8_t type, const uint8_t *bytes, uint32_t len)
{
    nvs_entry_t head = {.ns = ns, .type = type, .span = nvs_span_of(len), .part = ENTRY_PART_NONE};
    nvs_set_key(&head, key);
    memset(head.value, ERASED_BYTE, sizeof(head.value));
    le16_put(head.value + AT_SIZE, (uint16_t)len);
    le32_put(head.value + AT_BYTES_CRC, crc32_le(UINT32_MAX, bytes, len));
    return head;
}

/** Entries that are not used, but for the page that values are moved to. */
static uint32_t entries_left(const otter_nvs_t *nvs)
{
    uint32_t left = (nvs->page_count - nvs->order_count - 1) * OTTER_NVS_ENTRIES;
    for (uint32_t i = 0; i < nvs->order_count; i++) {
        left += OTTER_NVS_ENTRIES - nvs->pages[nvs->order[i]].used;
    }
    return left;
}

/** A page with room for the next part; the first one is not to be a crumb. */
static esp_err_t make_room(otter_nvs_t *nvs, uint32_t left, bool is_first)
{
    const uint32_t whole = nvs_span_of(min_u32(left, OTTER_NVS_STRING_MAX));
    const uint32_t least = is_first && whole > SMALL_ROOM ? SMALL_ROOM : min_u32(whole, 2);
    return nvs_page_room(nvs_newest_page(nvs)) < least ? nvs_new_page(nvs, min_u32(whole, 2)) : ESP_OK;
}

static esp_err_t write_parts(otter_nvs_t *nvs, const nvs_entry_t *index, nvs_blob_t *blob,
                             const uint8_t *bytes)
{
    uint32_t done = 0;
    do {
        esp_err_t err = blob->count < ENTRY_PARTS_MAX ? make_room(nvs, blob->size - done, done == 0)
                                                      : ESP_ERR_NVS_NOT_ENOUGH_SPACE;
        if (err != ESP_OK) {
            return err;
        }
        const uint32_t room = (nvs_page_room(nvs_newest_page(nvs)) - 1) * OTTER_NVS_ENTRY_SIZE;
        const uint32_t len = min_u32(min_u32(blob->size - done, OTTER_NVS_STRING_MAX), room);
        nvs_entry_t head = nvs_head_of(index->ns, index->key, ENTRY_BLOB_PART, bytes + done, len);
        head.part = (uint8_t)(blob->first + blob->count);
        err = nvs_append(nvs, &head, bytes + done);
        if (err != ESP_OK) {
            return err;
        }
        blob->count++;
        done += len;
    } while (done < blob->size);
    return ESP_OK;
}

esp_err_t nvs_blob_write(otter_nvs_t *nvs, uint8_t ns, const char *key, uint8_t first, const uint8_t *bytes,
                         uint32_t size)
{
    const uint32_t least = size / OTTER_NVS_ENTRY_SIZE + size / OTTER_NVS_STRING_MAX + 2;
    if (least > entries_left(nvs)) {
        return ESP_ERR_NVS_NOT_ENOUGH_SPACE;
    }
    nvs_blob_t blob = {.size = size, .first = first};
    nvs_entry_t index = nvs_head_of(ns, key, ENTRY_BLOB_INDEX, NULL, 0);
    esp_err_t err = write_parts(nvs, &index, &blob, bytes);
    memset(index.value, ERASED_BYTE, sizeof(index.value));
    le32_put(index.value + AT_SIZE, size);
    index.value[AT_COUNT] = blob.count;
    index.value[AT_FIRST] = first;
    if (err == ESP_OK) {
        err = nvs_append(nvs, &index, NULL);
    }
    if (err == ESP_ERR_NVS_NOT_ENOUGH_SPACE) {
        esp_err_t undone = nvs_blob_erase_parts(nvs, &index);
        err = undone == ESP_OK ? err : undone;
    }
    return err;
}

esp_err_t nvs_read_bytes(otter_nvs_t *nvs, const nvs_found_t *found, uint8_t *bytes)
{
    const uint32_t len = nvs_entry_len(&found->entry);
    esp_err_t err = nvs_page_read(&nvs->medium, found->page, found->index + 1, bytes, len);
    if (err != ESP_OK) {
        return err;
    }
    return crc32_le(UINT32_MAX, bytes, len) == le32_get(found->entry.value + AT_BYTES_CRC)
               ? ESP_OK
               : ESP_ERR_NVS_NOT_FOUND;
}

/** Are the bytes behind a head those that it was written with? */
static esp_err_t check_bytes(otter_nvs_t *nvs, const nvs_found_t *found, uint8_t *unused)
{
    (void)unused;
    const uint32_t len = nvs_entry_len(&found->entry);
    uint32_t crc = UINT32_MAX;
    for (uint32_t done = 0, step; done < len; done += step) {
        uint8_t piece[OTTER_NVS_ENTRY_SIZE];
        step = min_u32(len - done, sizeof(piece));
        esp_err_t err = nvs_page_read(&nvs->medium, found->page,
                                      found->index + 1 + done / OTTER_NVS_ENTRY_SIZE, piece, step);
        if (err != ESP_OK) {
            return err;
        }
        crc = crc32_le(crc, piece, step);
    }
    return crc == le32_get(found->entry.value + AT_BYTES_CRC) ? ESP_OK : ESP_ERR_NVS_NOT_FOUND;
}

esp_err_t nvs_compare_bytes(otter_nvs_t *nvs, const nvs_found_t *found, const uint8_t *bytes)
{
    const uint32_t len = nvs_entry_len(&found->entry);
    for (uint32_t done = 0, step; done < len; done += step) {
        uint8_t piece[OTTER_NVS_ENTRY_SIZE];
        step = min_u32(len - done, sizeof(piece));
        esp_err_t err = nvs_page_read(&nvs->medium, found->page,
                                      found->index + 1 + done / OTTER_NVS_ENTRY_SIZE, piece, step);
        if (err != ESP_OK) {
            return err;
        }
        if (memcmp(piece, bytes + done, step) != 0) {
            return ESP_ERR_NVS_CONTENT_DIFFERS;
        }
    }
    return crc32_le(UINT32_MAX, bytes, len) == le32_get(found->entry.value + AT_BYTES_CRC)
               ? ESP_OK
               : ESP_ERR_NVS_CONTENT_DIFFERS;
}

/** Gives each part of a blob to `take` with where its bytes belong; they are as many as the index says. */
static esp_err_t each_part(otter_nvs_t *nvs, const nvs_entry_t *index,
                           esp_err_t (*take)(otter_nvs_t *nvs, const nvs_found_t *part, uint8_t *bytes),
                           uint8_t *bytes)
{
    const nvs_blob_t blob = nvs_blob_decode(index);
    uint32_t done = 0;
    for (uint32_t i = 0; i < blob.count; i++) {
        nvs_found_t part;
        esp_err_t err = nvs_find_part(nvs, index->ns, index->key, (uint8_t)(blob.first + i), &part);
        if (err == ESP_OK && nvs_entry_len(&part.entry) > blob.size - done) {
            err = ESP_ERR_NVS_NOT_FOUND;
        }
        if (err == ESP_OK && take != NULL) {
            err = take(nvs, &part, bytes != NULL ? bytes + done : NULL);
        }
        if (err != ESP_OK) {
            return err;
        }
        done += nvs_entry_len(&part.entry);
    }
    return done == blob.size ? ESP_OK : ESP_ERR_NVS_NOT_FOUND;
}

esp_err_t nvs_blob_read(otter_nvs_t *nvs, const nvs_entry_t *index, uint8_t *bytes)
{
    return each_part(nvs, index, nvs_read_bytes, bytes);
}

esp_err_t nvs_check_value(otter_nvs_t *nvs, const nvs_found_t *found)
{
    if (found->entry.type == ENTRY_BLOB_INDEX) {
        return each_part(nvs, &found->entry, check_bytes, NULL);
    }
    return nvs_entry_has_data(&found->entry) ? check_bytes(nvs, found, NULL) : ESP_OK;
}

static esp_err_t compare_part(otter_nvs_t *nvs, const nvs_found_t *part, uint8_t *bytes)
{
    return nvs_compare_bytes(nvs, part, bytes);
}

esp_err_t nvs_blob_compare(otter_nvs_t *nvs, const nvs_entry_t *index, const uint8_t *bytes)
{
    return each_part(nvs, index, compare_part, (uint8_t *)(uintptr_t)bytes);
}

/** Two blobs of one key have their parts in ranges that do not meet. */
static bool is_part_of(uint8_t part, nvs_blob_t blob)
{
    return (uint8_t)(part - blob.first) < blob.count;
}

esp_err_t nvs_blob_erase_parts(otter_nvs_t *nvs, const nvs_entry_t *index)
{
    nvs_search_t search = {.ns = index->ns, .key = index->key};
    nvs_found_t found;
    esp_err_t err;
    while ((err = nvs_search(nvs, &search, &found)) == ESP_OK) {
        if (found.entry.type == ENTRY_BLOB_PART && is_part_of(found.entry.part, nvs_blob_decode(index))) {
            err = nvs_erase_found(nvs, &found);
            if (err != ESP_OK) {
                return err;
            }
        }
    }
    return err == ESP_ERR_NVS_NOT_FOUND ? ESP_OK : err;
}

/** @return ESP_OK: it is part of something; ESP_ERR_NVS_NOT_FOUND: there is no index for it; or what flash says */
static esp_err_t find_index_of(otter_nvs_t *nvs, const nvs_entry_t *part)
{
    nvs_search_t search = {.ns = part->ns, .key = part->key};
    nvs_found_t found;
    esp_err_t err;
    do {
        err = nvs_search(nvs, &search, &found);
    } while (err == ESP_OK && (found.entry.type != ENTRY_BLOB_INDEX ||
                               !is_part_of(part->part, nvs_blob_decode(&found.entry))));
    return err;
}

esp_err_t nvs_blob_repair(otter_nvs_t *nvs)
{
    static const uint8_t kinds[] = {ENTRY_BLOB_INDEX, ENTRY_BLOB_PART}; /* in this order */
    for (uint32_t i = 0; i < sizeof(kinds); i++) {
        nvs_search_t search = {.key = NULL};
        nvs_found_t found;
        esp_err_t err;
        while ((err = nvs_search(nvs, &search, &found)) == ESP_OK) {
            if (found.entry.type != kinds[i]) {
                continue;
            }
            err = kinds[i] == ENTRY_BLOB_INDEX ? each_part(nvs, &found.entry, NULL, NULL)
                                               : find_index_of(nvs, &found.entry);
            if (err == ESP_ERR_NVS_NOT_FOUND) {
                nvs_tell(&nvs->medium, "key %s: %s", found.entry.key,
                         kinds[i] == ENTRY_BLOB_INDEX ? "a blob without all of its parts"
                                                      : "part of a blob that is not there");
                err = nvs_erase_found(nvs, &found);
            }
            if (err != ESP_OK) {
                return err;
            }
        }
        if (err != ESP_ERR_NVS_NOT_FOUND) {
            return err;
        }
    }
    return ESP_OK;
}
