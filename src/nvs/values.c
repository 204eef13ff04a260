/* The values of an open NVS by namespace and key: otter/nvs_store.h. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "nvs/blob.h"
#include "nvs/store.h"
#include "otter/bytes.h"

#define NAMESPACES_MAX 254u

static esp_err_t check_key(const char *key)
{
    if (key == NULL || key[0] == '\0') {
        return ESP_ERR_NVS_INVALID_NAME;
    }
    return memchr(key, '\0', NVS_KEY_NAME_MAX_SIZE) != NULL ? ESP_OK : ESP_ERR_NVS_KEY_TOO_LONG;
}

static esp_err_t check_writable(const otter_nvs_t *nvs)
{
    if (nvs->medium.read_only) {
        return ESP_ERR_NVS_READ_ONLY;
    }
    return nvs->failed == ESP_OK ? ESP_OK : ESP_ERR_NVS_INVALID_STATE;
}

/** The type that users know. */
static nvs_type_t type_of(const nvs_entry_t *entry)
{
    return entry->type == ENTRY_BLOB_INDEX || entry->type == ENTRY_BLOB_V1 ? NVS_TYPE_BLOB
                                                                           : (nvs_type_t)entry->type;
}

static size_t size_of(const nvs_entry_t *entry)
{
    if (entry->type == ENTRY_BLOB_INDEX) {
        return nvs_blob_decode(entry).size;
    }
    return nvs_entry_has_data(entry) ? nvs_entry_len(entry) : nvs_integer_size(entry->type);
}

/* Erasing. */

static esp_err_t erase_value(otter_nvs_t *nvs, const nvs_found_t *found)
{
    esp_err_t err = nvs_erase_found(nvs, found);
    return err == ESP_OK && found->entry.type == ENTRY_BLOB_INDEX ? nvs_blob_erase_parts(nvs, &found->entry)
                                                                  : err;
}

esp_err_t otter_nvs_erase(otter_nvs_t *nvs, uint8_t ns, const char *key)
{
    nvs_found_t found;
    esp_err_t err = check_writable(nvs);
    if (err == ESP_OK) {
        err = check_key(key);
    }
    if (err == ESP_OK) {
        err = nvs_find_value(nvs, ns, key, &found);
    }
    return err == ESP_OK ? erase_value(nvs, &found) : err;
}

esp_err_t otter_nvs_erase_namespace(otter_nvs_t *nvs, uint8_t ns)
{
    nvs_search_t search = {.key = NULL};
    nvs_found_t found;
    esp_err_t err = check_writable(nvs);
    while (err == ESP_OK && (err = nvs_search(nvs, &search, &found)) == ESP_OK) {
        err = found.entry.ns == ns ? nvs_erase_found(nvs, &found) : ESP_OK;
    }
    return err == ESP_ERR_NVS_NOT_FOUND ? ESP_OK : err;
}

esp_err_t otter_nvs_purge(otter_nvs_t *nvs)
{
    esp_err_t err = check_writable(nvs);
    err = err == ESP_OK ? nvs_barrier(nvs) : err; /* what is wiped must be erased after any cut */
    for (uint32_t i = 0; err == ESP_OK && i < nvs->order_count; i++) {
        err = nvs_note(nvs, nvs_page_purge(&nvs->medium, &nvs->pages[nvs->order[i]]));
    }
    return err;
}

/* Setting. */

static esp_err_t check_value(const otter_nvs_value_t *value)
{
    if (value->bytes == NULL && value->size > 0) {
        return ESP_ERR_INVALID_ARG;
    }
    if (value->type == NVS_TYPE_STR || value->type == NVS_TYPE_BLOB) {
        return value->size <= (value->type == NVS_TYPE_STR ? OTTER_NVS_STRING_MAX : OTTER_NVS_BLOB_MAX)
                   ? ESP_OK
                   : ESP_ERR_NVS_VALUE_TOO_LONG;
    }
    return value->size != 0 && value->size == nvs_integer_size(value->type) ? ESP_OK : ESP_ERR_INVALID_ARG;
}

static nvs_entry_t integer_of(uint8_t ns, const char *key, const otter_nvs_value_t *value)
{
    nvs_entry_t head = {.ns = ns, .type = (uint8_t)value->type, .span = 1, .part = ENTRY_PART_NONE};
    nvs_set_key(&head, key);
    memset(head.value, ERASED_BYTE, sizeof(head.value));
    memcpy(head.value, value->bytes, value->size);
    return head;
}

/** @return ESP_OK: it is what is there already; ESP_ERR_NVS_CONTENT_DIFFERS or _NOT_FOUND: no; or what flash says */
static esp_err_t compare(otter_nvs_t *nvs, const nvs_found_t *old, const otter_nvs_value_t *value)
{
    const nvs_entry_t *entry = &old->entry;
    if (type_of(entry) != value->type || size_of(entry) != value->size || entry->type == ENTRY_BLOB_V1) {
        return ESP_ERR_NVS_CONTENT_DIFFERS;
    }
    if (entry->type == ENTRY_BLOB_INDEX) {
        return nvs_blob_compare(nvs, entry, value->bytes);
    }
    if (nvs_entry_has_data(entry)) {
        return nvs_compare_bytes(nvs, old, value->bytes);
    }
    return memcmp(entry->value, value->bytes, value->size) == 0 ? ESP_OK : ESP_ERR_NVS_CONTENT_DIFFERS;
}

/** Writes it beside an old value, which `old` is the head of, or NULL. */
static esp_err_t write_new(otter_nvs_t *nvs, uint8_t ns, const char *key, const otter_nvs_value_t *value,
                           const nvs_entry_t *old)
{
    if (value->type == NVS_TYPE_BLOB) {
        const bool turn = old != NULL && old->type == ENTRY_BLOB_INDEX && nvs_blob_decode(old).first == 0;
        return nvs_blob_write(nvs, ns, key, turn ? ENTRY_VERSION_1 : 0, value->bytes, (uint32_t)value->size);
    }
    nvs_entry_t head = value->type == NVS_TYPE_STR
                           ? nvs_head_of(ns, key, ENTRY_TEXT, value->bytes, (uint32_t)value->size)
                           : integer_of(ns, key, value);
    return nvs_append(nvs, &head, value->bytes);
}

static esp_err_t set_value(otter_nvs_t *nvs, uint8_t ns, const char *key, const otter_nvs_value_t *value)
{
    nvs_found_t old;
    esp_err_t err = nvs_find_value(nvs, ns, key, &old);
    const bool replaces = err == ESP_OK;
    err = replaces ? compare(nvs, &old, value) : err;
    if (err != ESP_ERR_NVS_CONTENT_DIFFERS && err != ESP_ERR_NVS_NOT_FOUND) {
        return err;
    }
    err = write_new(nvs, ns, key, value, replaces ? &old.entry : NULL);
    if (err != ESP_OK || !replaces) {
        return err;
    }
    err = nvs_barrier(nvs);
    if (err == ESP_OK) {
        err = nvs_find_value(nvs, ns, key, &old); /* the older one comes first, wherever it has moved */
    }
    return err == ESP_OK ? erase_value(nvs, &old) : err;
}

esp_err_t otter_nvs_set(otter_nvs_t *nvs, uint8_t ns, const char *key, const otter_nvs_value_t *value)
{
    esp_err_t err = check_writable(nvs);
    if (err == ESP_OK) {
        err = check_key(key);
    }
    if (err == ESP_OK) {
        err = check_value(value);
    }
    return err == ESP_OK ? set_value(nvs, ns, key, value) : err;
}

/* Getting. */

static esp_err_t read_value(otter_nvs_t *nvs, const nvs_found_t *found, void *bytes)
{
    if (found->entry.type == ENTRY_BLOB_INDEX) {
        return nvs_blob_read(nvs, &found->entry, bytes);
    }
    if (nvs_entry_has_data(&found->entry)) {
        return nvs_read_bytes(nvs, found, bytes);
    }
    memcpy(bytes, found->entry.value, size_of(&found->entry));
    return ESP_OK;
}

esp_err_t otter_nvs_get(otter_nvs_t *nvs, uint8_t ns, const char *key, nvs_type_t type, void *bytes,
                        size_t *size)
{
    nvs_found_t found;
    esp_err_t err = check_key(key);
    if (err == ESP_OK) {
        err = nvs_find_value(nvs, ns, key, &found);
    }
    if (err != ESP_OK) {
        return err;
    }
    if (type_of(&found.entry) != type) {
        const bool both = nvs_integer_size(type) != 0 && nvs_integer_size(found.entry.type) != 0;
        return both ? ESP_ERR_NVS_TYPE_MISMATCH : ESP_ERR_NVS_NOT_FOUND;
    }
    const size_t room = *size, needed = size_of(&found.entry);
    if (bytes == NULL || needed > room) {
        *size = needed;
        return bytes == NULL ? ESP_OK : ESP_ERR_NVS_INVALID_LENGTH;
    }
    err = read_value(nvs, &found, bytes);
    *size = err == ESP_OK ? needed : room;
    return err;
}

esp_err_t otter_nvs_find(otter_nvs_t *nvs, uint8_t ns, const char *key, nvs_type_t *type)
{
    nvs_found_t found;
    esp_err_t err = check_key(key);
    if (err == ESP_OK) {
        err = nvs_find_value(nvs, ns, key, &found);
    }
    if (err == ESP_OK) {
        *type = type_of(&found.entry);
    }
    return err;
}

/* Namespaces. */

/** The lowest number that no namespace has; 0: they are all taken. */
static esp_err_t free_number(otter_nvs_t *nvs, uint8_t *number)
{
    uint32_t taken[8] = {1}; /* 0 are the names themselves */
    nvs_search_t search = {.key = NULL};
    nvs_found_t found;
    esp_err_t err;
    while ((err = nvs_search(nvs, &search, &found)) == ESP_OK) {
        if (found.entry.ns == OTTER_NVS_NAMES) {
            taken[found.entry.value[0] / 32] |= 1u << found.entry.value[0] % 32;
        }
    }
    uint32_t i = 1;
    while (i <= NAMESPACES_MAX && (taken[i / 32] >> i % 32 & 1) != 0) {
        i++;
    }
    *number = i <= NAMESPACES_MAX ? (uint8_t)i : 0;
    return err == ESP_ERR_NVS_NOT_FOUND ? ESP_OK : err;
}

esp_err_t otter_nvs_namespace(otter_nvs_t *nvs, const char *name, bool create, uint8_t *ns)
{
    size_t size = sizeof(*ns);
    esp_err_t err = otter_nvs_get(nvs, OTTER_NVS_NAMES, name, NVS_TYPE_U8, ns, &size);
    if (err != ESP_ERR_NVS_NOT_FOUND || !create) {
        return err;
    }
    err = free_number(nvs, ns);
    if (err == ESP_OK && *ns == 0) {
        err = ESP_ERR_NVS_NOT_ENOUGH_SPACE;
    }
    return err == ESP_OK
               ? otter_nvs_set(nvs, OTTER_NVS_NAMES, name, &(otter_nvs_value_t){NVS_TYPE_U8, ns, sizeof(*ns)})
               : err;
}

void otter_nvs_namespace_name(otter_nvs_t *nvs, uint8_t ns, char name[NVS_NS_NAME_MAX_SIZE])
{
    nvs_search_t search = {.key = NULL};
    nvs_found_t found;
    name[0] = '\0';
    while (name[0] == '\0' && nvs_search(nvs, &search, &found) == ESP_OK) {
        if (found.entry.ns == OTTER_NVS_NAMES && found.entry.type == NVS_TYPE_U8 &&
            found.entry.value[0] == ns) {
            memcpy(name, found.entry.key, sizeof(found.entry.key));
        }
    }
}

esp_err_t otter_nvs_commit(otter_nvs_t *nvs)
{
    return nvs_barrier(nvs);
}

/* Looking at all. */

esp_err_t otter_nvs_next(otter_nvs_t *nvs, otter_nvs_walk_t *walk, otter_nvs_item_t *item)
{
    nvs_search_t search = {.at = *walk};
    nvs_found_t found;
    esp_err_t err;
    do {
        err = nvs_search(nvs, &search, &found);
    } while (err == ESP_OK && found.entry.type == ENTRY_BLOB_PART);
    *walk = search.at;
    if (err == ESP_OK) {
        *item = (otter_nvs_item_t){
            .ns = found.entry.ns, .type = type_of(&found.entry), .entries = found.entry.span};
        memcpy(item->key, found.entry.key, sizeof(item->key));
    }
    return err;
}

esp_err_t otter_nvs_check(otter_nvs_t *nvs, otter_nvs_tell_t tell, void *arg, uint32_t *count)
{
    const nvs_medium_t to = {.tell = tell, .arg = arg};
    nvs_search_t search = {.key = NULL};
    nvs_found_t found, first;
    esp_err_t err;
    *count = 0;
    while ((err = nvs_search(nvs, &search, &found)) == ESP_OK) {
        if (found.entry.type == ENTRY_BLOB_PART) {
            continue;
        }
        err = nvs_check_value(nvs, &found);
        if (err == ESP_ERR_NVS_NOT_FOUND) {
            nvs_tell(&to, "key %s: its bytes are not those that were written", found.entry.key);
            ++*count;
        } else if (err != ESP_OK) {
            return err;
        }
        err = nvs_find_value(nvs, found.entry.ns, found.entry.key, &first);
        if (err != ESP_OK) {
            return err;
        }
        if (first.page != found.page || first.index != found.index) {
            nvs_tell(&to, "key %s: it is there twice, and the older one counts", found.entry.key);
            ++*count;
        }
    }
    return err == ESP_ERR_NVS_NOT_FOUND ? ESP_OK : err;
}

esp_err_t otter_nvs_used_entries(otter_nvs_t *nvs, uint8_t ns, size_t *count)
{
    nvs_search_t search = {.key = NULL};
    nvs_found_t found;
    esp_err_t err;
    *count = 0;
    while ((err = nvs_search(nvs, &search, &found)) == ESP_OK) {
        *count += found.entry.ns == ns ? found.entry.span : 0u;
    }
    return err == ESP_ERR_NVS_NOT_FOUND ? ESP_OK : err;
}

esp_err_t otter_nvs_stats(otter_nvs_t *nvs, nvs_stats_t *stats)
{
    *stats = (nvs_stats_t){.total_entries = (size_t)nvs->page_count * OTTER_NVS_ENTRIES};
    for (uint32_t i = 0; i < nvs->order_count; i++) {
        stats->used_entries += nvs->pages[nvs->order[i]].used;
    }
    stats->free_entries = stats->total_entries - stats->used_entries;
    stats->available_entries =
        stats->free_entries > OTTER_NVS_ENTRIES ? stats->free_entries - OTTER_NVS_ENTRIES : 0;
    return otter_nvs_used_entries(nvs, OTTER_NVS_NAMES, &stats->namespace_count);
}
