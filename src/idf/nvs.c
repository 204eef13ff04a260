/* ESP-IDF's nvs_* names: a handle stands for a partition that is ready and a namespace of it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "nvs.h"

#include <stdlib.h>
#include <string.h>

#include "idf/nvs_partitions.h"
#include "otter/bytes.h"
#include "otter/system.h"

/* Handles. */

static esp_err_t open_namespace(nvs_partition_t *partition, const char *name, nvs_open_mode_t mode,
                                nvs_handle_t *handle)
{
    static nvs_handle_t last;
    nvs_opened_t opened = {
        .next = partition->opened, .read_only = mode == NVS_READONLY, .purges = mode == NVS_READWRITE_PURGE};
    esp_err_t err = otter_nvs_namespace(partition->store, name, !opened.read_only, &opened.ns);
    if (err != ESP_OK) {
        return err;
    }
    nvs_opened_t *made = malloc(sizeof(*made));
    if (made == NULL) {
        return ESP_ERR_NO_MEM;
    }
    opened.number = *handle = ++last;
    *made = opened;
    partition->opened = made;
    return ESP_OK;
}

esp_err_t nvs_open_from_partition(const char *part_name, const char *namespace_name,
                                  nvs_open_mode_t open_mode, nvs_handle_t *out_handle)
{
    if (out_handle == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    nvs_partition_t *partition;
    otter_lock(OTTER_LOCK_NVS);
    esp_err_t err = nvs_partition_find(part_name, &partition);
    if (err == ESP_OK) {
        err = open_namespace(partition, namespace_name, open_mode, out_handle);
    }
    otter_unlock(OTTER_LOCK_NVS);
    return err == ESP_ERR_NVS_READ_ONLY ? ESP_ERR_NOT_ALLOWED : err;
}

esp_err_t nvs_open(const char *namespace_name, nvs_open_mode_t open_mode, nvs_handle_t *out_handle)
{
    return nvs_open_from_partition(NVS_DEFAULT_PART_NAME, namespace_name, open_mode, out_handle);
}

void nvs_close(nvs_handle_t handle)
{
    nvs_partition_t *partition;
    nvs_opened_t *opened;
    otter_lock(OTTER_LOCK_NVS);
    if (nvs_partition_of(handle, &partition, &opened) == ESP_OK) {
        nvs_opened_t **link = &partition->opened;
        while (*link != opened) {
            link = &(*link)->next;
        }
        *link = opened->next;
        free(opened);
    }
    otter_unlock(OTTER_LOCK_NVS);
}

/** Takes the lock, which the caller gives back whatever comes. */
static esp_err_t use(nvs_handle_t handle, bool to_change, otter_nvs_t **store, uint8_t *ns)
{
    nvs_partition_t *partition;
    nvs_opened_t *opened;
    otter_lock(OTTER_LOCK_NVS);
    esp_err_t err = nvs_partition_of(handle, &partition, &opened);
    if (err != ESP_OK) {
        return err;
    }
    *store = partition->store;
    *ns = opened->ns;
    return to_change && opened->read_only ? ESP_ERR_NVS_READ_ONLY : ESP_OK;
}

/** After a change, with the lock: a handle that was opened for it leaves nothing behind of what was there before. */
static esp_err_t changed(nvs_handle_t handle, otter_nvs_t *store, esp_err_t err)
{
    nvs_partition_t *partition;
    nvs_opened_t *opened;
    return err == ESP_OK && nvs_partition_of(handle, &partition, &opened) == ESP_OK && opened->purges
               ? otter_nvs_purge(store)
               : err;
}

esp_err_t nvs_commit(nvs_handle_t handle)
{
    otter_nvs_t *store;
    uint8_t ns;
    esp_err_t err = use(handle, false, &store, &ns);
    if (err == ESP_OK) {
        err = otter_nvs_commit(store);
    }
    otter_unlock(OTTER_LOCK_NVS);
    return err;
}

/* Values. */

static esp_err_t set(nvs_handle_t handle, const char *key, nvs_type_t type, const void *bytes, size_t size)
{
    otter_nvs_t *store;
    uint8_t ns;
    esp_err_t err = use(handle, true, &store, &ns);
    if (err == ESP_OK) {
        err = changed(handle, store, otter_nvs_set(store, ns, key, &(otter_nvs_value_t){type, bytes, size}));
    }
    otter_unlock(OTTER_LOCK_NVS);
    return err;
}

static esp_err_t get(nvs_handle_t handle, const char *key, nvs_type_t type, void *bytes, size_t *size)
{
    otter_nvs_t *store;
    uint8_t ns;
    esp_err_t err = use(handle, false, &store, &ns);
    if (err == ESP_OK) {
        err = otter_nvs_get(store, ns, key, type, bytes, size);
    }
    otter_unlock(OTTER_LOCK_NVS);
    return err;
}

/** The low nibble of an integer's type is its size in bytes. */
static esp_err_t set_integer(nvs_handle_t handle, const char *key, nvs_type_t type, uint64_t value)
{
    uint8_t bytes[8];
    le32_put(bytes, (uint32_t)value);
    le32_put(bytes + 4, (uint32_t)(value >> 32));
    return set(handle, key, type, bytes, type & 0x0F);
}

static esp_err_t get_integer(nvs_handle_t handle, const char *key, nvs_type_t type, uint64_t *value)
{
    uint8_t bytes[8] = {0};
    size_t size = sizeof(bytes);
    esp_err_t err = get(handle, key, type, bytes, &size);
    *value = le32_get(bytes) | (uint64_t)le32_get(bytes + 4) << 32;
    return err;
}

/* Sixteen functions that differ in their type alone. NOLINTBEGIN(bugprone-macro-parentheses): a type has none */
#define INTEGER(name, c_type, nvs_type)                                                                      \
    esp_err_t nvs_set_##name(nvs_handle_t handle, const char *key, c_type value)                             \
    {                                                                                                        \
        return set_integer(handle, key, nvs_type, (uint64_t)value);                                          \
    }                                                                                                        \
    esp_err_t nvs_get_##name(nvs_handle_t handle, const char *key, c_type *out_value)                        \
    {                                                                                                        \
        uint64_t value;                                                                                      \
        esp_err_t err =                                                                                      \
            out_value != NULL ? get_integer(handle, key, nvs_type, &value) : ESP_ERR_INVALID_ARG;            \
        if (err == ESP_OK) {                                                                                 \
            *out_value = (c_type)value;                                                                      \
        }                                                                                                    \
        return err;                                                                                          \
    }
/* NOLINTEND(bugprone-macro-parentheses) */

INTEGER(i8, int8_t, NVS_TYPE_I8)
INTEGER(u8, uint8_t, NVS_TYPE_U8)
INTEGER(i16, int16_t, NVS_TYPE_I16)
INTEGER(u16, uint16_t, NVS_TYPE_U16)
INTEGER(i32, int32_t, NVS_TYPE_I32)
INTEGER(u32, uint32_t, NVS_TYPE_U32)
INTEGER(i64, int64_t, NVS_TYPE_I64)
INTEGER(u64, uint64_t, NVS_TYPE_U64)

esp_err_t nvs_set_str(nvs_handle_t handle, const char *key, const char *value)
{
    return value != NULL ? set(handle, key, NVS_TYPE_STR, value, strlen(value) + 1) : ESP_ERR_INVALID_ARG;
}

esp_err_t nvs_set_blob(nvs_handle_t handle, const char *key, const void *value, size_t length)
{
    return set(handle, key, NVS_TYPE_BLOB, value, length);
}

esp_err_t nvs_get_str(nvs_handle_t handle, const char *key, char *out_value, size_t *length)
{
    return length != NULL ? get(handle, key, NVS_TYPE_STR, out_value, length) : ESP_ERR_INVALID_ARG;
}

esp_err_t nvs_get_blob(nvs_handle_t handle, const char *key, void *out_value, size_t *length)
{
    return length != NULL ? get(handle, key, NVS_TYPE_BLOB, out_value, length) : ESP_ERR_INVALID_ARG;
}

esp_err_t nvs_find_key(nvs_handle_t handle, const char *key, nvs_type_t *out_type)
{
    otter_nvs_t *store;
    uint8_t ns;
    nvs_type_t type;
    esp_err_t err = use(handle, false, &store, &ns);
    if (err == ESP_OK) {
        err = otter_nvs_find(store, ns, key, out_type != NULL ? out_type : &type);
    }
    otter_unlock(OTTER_LOCK_NVS);
    return err;
}

esp_err_t nvs_erase_key(nvs_handle_t handle, const char *key)
{
    otter_nvs_t *store;
    uint8_t ns;
    esp_err_t err = use(handle, true, &store, &ns);
    if (err == ESP_OK) {
        err = changed(handle, store, otter_nvs_erase(store, ns, key));
    }
    otter_unlock(OTTER_LOCK_NVS);
    return err;
}

esp_err_t nvs_erase_all(nvs_handle_t handle)
{
    otter_nvs_t *store;
    uint8_t ns;
    esp_err_t err = use(handle, true, &store, &ns);
    if (err == ESP_OK) {
        err = changed(handle, store, otter_nvs_erase_namespace(store, ns));
    }
    otter_unlock(OTTER_LOCK_NVS);
    return err;
}

esp_err_t nvs_purge_all(nvs_handle_t handle)
{
    otter_nvs_t *store;
    uint8_t ns;
    esp_err_t err = use(handle, true, &store, &ns);
    if (err == ESP_OK) {
        err = otter_nvs_purge(store);
    }
    otter_unlock(OTTER_LOCK_NVS);
    return err;
}

/* How much there is. */

esp_err_t nvs_get_stats(const char *part_name, nvs_stats_t *nvs_stats)
{
    if (nvs_stats == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    nvs_partition_t *partition;
    *nvs_stats = (nvs_stats_t){0};
    otter_lock(OTTER_LOCK_NVS);
    esp_err_t err = nvs_partition_find(part_name, &partition) == ESP_OK
                        ? otter_nvs_stats(partition->store, nvs_stats)
                        : ESP_ERR_NVS_NOT_INITIALIZED;
    otter_unlock(OTTER_LOCK_NVS);
    return err;
}

esp_err_t nvs_get_used_entry_count(nvs_handle_t handle, size_t *used_entries)
{
    if (used_entries == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    otter_nvs_t *store;
    uint8_t ns;
    *used_entries = 0;
    esp_err_t err = use(handle, false, &store, &ns);
    if (err == ESP_OK) {
        err = otter_nvs_used_entries(store, ns, used_entries);
    }
    otter_unlock(OTTER_LOCK_NVS);
    return err;
}

/* Iterators: the place of a walk, by names that survive the partition's being closed. */

struct nvs_opaque_iterator_t {
    char label[17];
    bool all; /* namespaces */
    uint8_t ns;
    nvs_type_t type; /* NVS_TYPE_ANY: all */
    otter_nvs_walk_t walk;
    nvs_entry_info_t info; /* of what it stands at */
};

static esp_err_t advance(struct nvs_opaque_iterator_t *it)
{
    nvs_partition_t *partition;
    otter_nvs_item_t item;
    esp_err_t err = nvs_partition_find(it->label, &partition);
    while (err == ESP_OK && (err = otter_nvs_next(partition->store, &it->walk, &item)) == ESP_OK) {
        if (item.ns == OTTER_NVS_NAMES || (!it->all && item.ns != it->ns) ||
            (it->type != NVS_TYPE_ANY && item.type != it->type)) {
            continue;
        }
        it->info.type = item.type;
        memcpy(it->info.key, item.key, sizeof(it->info.key));
        otter_nvs_namespace_name(partition->store, item.ns, it->info.namespace_name);
        return ESP_OK;
    }
    return err;
}

/** The first of what `wanted` describes, in memory of its own. */
static esp_err_t first_of(const struct nvs_opaque_iterator_t *wanted, nvs_iterator_t *out)
{
    struct nvs_opaque_iterator_t *it = malloc(sizeof(*it));
    if (it == NULL) {
        return ESP_ERR_NO_MEM;
    }
    *it = *wanted;
    esp_err_t err = advance(it);
    if (err != ESP_OK) {
        free(it);
        return err;
    }
    *out = it;
    return ESP_OK;
}

esp_err_t nvs_entry_find(const char *part_name, const char *namespace_name, nvs_type_t type,
                         nvs_iterator_t *output_iterator)
{
    if (output_iterator == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    nvs_partition_t *partition;
    struct nvs_opaque_iterator_t wanted = {.all = namespace_name == NULL, .type = type};
    *output_iterator = NULL;
    otter_lock(OTTER_LOCK_NVS);
    esp_err_t err = nvs_partition_find(part_name, &partition);
    if (err == ESP_OK && namespace_name != NULL) {
        err = otter_nvs_namespace(partition->store, namespace_name, false, &wanted.ns);
    }
    if (err == ESP_OK) {
        memcpy(wanted.label, partition->label, sizeof(wanted.label));
        err = first_of(&wanted, output_iterator);
    }
    otter_unlock(OTTER_LOCK_NVS);
    return err;
}

esp_err_t nvs_entry_find_in_handle(nvs_handle_t handle, nvs_type_t type, nvs_iterator_t *output_iterator)
{
    if (output_iterator == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    nvs_partition_t *partition;
    nvs_opened_t *opened;
    *output_iterator = NULL;
    otter_lock(OTTER_LOCK_NVS);
    esp_err_t err = nvs_partition_of(handle, &partition, &opened);
    if (err == ESP_OK) {
        struct nvs_opaque_iterator_t wanted = {.ns = opened->ns, .type = type};
        memcpy(wanted.label, partition->label, sizeof(wanted.label));
        err = first_of(&wanted, output_iterator);
    }
    otter_unlock(OTTER_LOCK_NVS);
    return err;
}

esp_err_t nvs_entry_next(nvs_iterator_t *iterator)
{
    if (iterator == NULL || *iterator == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    otter_lock(OTTER_LOCK_NVS);
    esp_err_t err = advance(*iterator);
    otter_unlock(OTTER_LOCK_NVS);
    if (err != ESP_OK) {
        nvs_release_iterator(*iterator);
        *iterator = NULL;
    }
    return err;
}

esp_err_t nvs_entry_info(const nvs_iterator_t iterator, nvs_entry_info_t *out_info)
{
    if (iterator == NULL || out_info == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *out_info = iterator->info;
    return ESP_OK;
}

void nvs_release_iterator(nvs_iterator_t iterator)
{
    free(iterator);
}
