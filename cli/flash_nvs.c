/* What `otter flash info` tells of NVS: how full it is, and which namespaces are there. `otter nvs` tells the values. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "flash_nvs.h"

#include <stdio.h>
#include <string.h>

#include "clean_text.h"
#include "json.h"
#include "otter/nvs_store.h"

/** One partition. */
typedef struct {
    const esp_partition_t *partition;
    bool blank;
    esp_err_t err;
    otter_fault_t fault; /* why there is no store */
    otter_nvs_t *store;
    nvs_stats_t stats;
} look_t;

/** The first partition of NVS from `index` in the list. @return false: there is none */
static bool look_at_next(const flash_report_t *r, uint32_t *index, look_t *look)
{
    const otter_partition_list_t *list = &r->dev.device.partitions;
    *look = (look_t){0};
    while (*index < list->count && (list->items[*index].type != ESP_PARTITION_TYPE_DATA ||
                                    list->items[*index].subtype != ESP_PARTITION_SUBTYPE_DATA_NVS)) {
        ++*index;
    }
    if (*index == list->count) {
        return false;
    }
    look->partition = &list->items[(*index)++];
    const otter_nvs_place_t place = {.flash = r->dev.flash,
                                     .offset = look->partition->address,
                                     .size = look->partition->size,
                                     .read_only = true};
    look->blank = otter_flash_reads_blank(place.flash, place.offset, place.size);
    look->err = look->blank ? ESP_FAIL : otter_nvs_open(&place, &look->store, &look->fault);
    if (look->err == ESP_OK) {
        look->err = otter_nvs_stats(look->store, &look->stats);
    }
    if (look->err != ESP_OK) {
        otter_nvs_close(look->store);
        look->store = NULL;
    }
    return true;
}

/** Calls `take` with each namespace's name, made fit for a terminal. */
static void each_namespace(const look_t *look, void (*take)(void *arg, const char *name), void *arg)
{
    otter_nvs_walk_t walk = {0};
    otter_nvs_item_t item;
    while (otter_nvs_next(look->store, &walk, &item) == ESP_OK) {
        char clean[CLEAN_TEXT_SIZE(NVS_NS_NAME_MAX_SIZE)];
        if (item.ns == OTTER_NVS_NAMES) {
            take(arg, clean_text(clean, item.key, sizeof(item.key)));
        }
    }
}

static void print_name(void *arg, const char *name)
{
    const char **before = arg;
    printf("%s%s", *before, name);
    *before = ", ";
}

void flash_nvs_print(const flash_report_t *r)
{
    look_t look;
    for (uint32_t index = 0, shown = 0; look_at_next(r, &index, &look); shown++) {
        char label[CLEAN_TEXT_SIZE(16)];
        clean_text(label, look.partition->label, 16);
        printf("%s  %-*s ", shown == 0 ? "\nvalues that firmware keeps (`otter nvs show` lists them)\n" : "",
               clean_width(label, 16), label);
        if (look.store == NULL) {
            printf("%s\n", look.blank ? "blank" : otter_fault_text(&look.fault, look.err));
            continue;
        }
        const char *before = look.stats.namespace_count > 0 ? "; namespaces: " : "";
        printf("%zu of %zu entries used", look.stats.used_entries, look.stats.total_entries);
        each_namespace(&look, print_name, &before);
        printf("\n");
        otter_nvs_close(look.store);
    }
}

static void add_name(void *arg, const char *name)
{
    cJSON_AddItemToArray(arg, cJSON_CreateString(name));
}

cJSON *flash_nvs_json(const flash_report_t *r)
{
    look_t look;
    cJSON *all = cJSON_CreateArray();
    for (uint32_t index = 0; look_at_next(r, &index, &look);) {
        cJSON *object = cJSON_CreateObject(), *names = cJSON_CreateArray();
        const bool is_known = look.store != NULL;
        json_text(object, "label", look.partition->label, 16);
        json_bool(object, "blank", true, look.blank);
        json_string(object, "problem",
                    is_known || look.blank ? NULL : otter_fault_text(&look.fault, look.err));
        json_number(object, "entries_used", is_known, (double)look.stats.used_entries);
        json_number(object, "entries_total", is_known, (double)look.stats.total_entries);
        if (is_known) {
            each_namespace(&look, add_name, names);
            otter_nvs_close(look.store);
        }
        json_item(object, "namespaces", names);
        cJSON_AddItemToArray(all, object);
    }
    return all;
}
