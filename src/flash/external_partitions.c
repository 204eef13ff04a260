/* The list of partitions registered at run time, in the order of their registration. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "flash/external_partitions.h"

#include <stdlib.h>

#include "otter/bytes.h"
#include "flash/partition_kind.h"
#include "flash/partition_list.h"
#include "otter/promise.h"
#include "otter/system.h"

struct external_partition {
    struct external_partition *next;
    esp_partition_t item;
};

static bool overlaps(const esp_partition_t *a, const esp_partition_t *b)
{
    return a->flash_chip == b->flash_chip && ranges_overlap(a->address, a->size, b->address, b->size);
}

static bool is_taken(const otter_device_t *device, const esp_partition_t *partition)
{
    for (uint32_t i = 0; i < device->partitions.count; i++) {
        if (overlaps(&device->partitions.items[i], partition)) {
            return true;
        }
    }
    for (const struct external_partition *e = device->external; e != NULL; e = e->next) {
        if (overlaps(&e->item, partition)) {
            return true;
        }
    }
    return false;
}

esp_err_t external_partitions_add(otter_device_t *device, const esp_partition_t *partition,
                                  const esp_partition_t **out)
{
    if (!range_fits(partition->address, partition->size, partition->flash_chip->size)) {
        return ESP_ERR_INVALID_SIZE;
    }
    struct external_partition *added = calloc(1, sizeof(*added));
    if (added == NULL) {
        return ESP_ERR_NO_MEM;
    }
    added->item = *partition;
    added->item.encrypted =
        partition->flash_chip->cipher != NULL && kind_is_encrypted(partition->type, partition->subtype);
    otter_lock(OTTER_LOCK_LISTS);
    bool taken = is_taken(device, partition);
    if (!taken) {
        struct external_partition **link = &device->external;
        while (*link != NULL) {
            link = &(*link)->next;
        }
        *link = added;
    }
    otter_unlock(OTTER_LOCK_LISTS);
    if (taken) {
        free(added);
        return ESP_ERR_INVALID_ARG;
    }
    *out = &added->item;
    return ESP_OK;
}

esp_err_t external_partitions_remove(otter_device_t *device, const esp_partition_t *partition)
{
    otter_lock(OTTER_LOCK_LISTS);
    struct external_partition **link = &device->external;
    while (*link != NULL && &(*link)->item != partition) {
        link = &(*link)->next;
    }
    struct external_partition *gone = *link;
    if (gone != NULL) {
        *link = gone->next;
    }
    otter_unlock(OTTER_LOCK_LISTS);
    free(gone);
    return gone != NULL ? ESP_OK : ESP_ERR_NOT_FOUND;
}

void external_partitions_clear(otter_device_t *device)
{
    otter_lock(OTTER_LOCK_LISTS);
    while (device->external != NULL) {
        otter_ignore(external_partitions_remove(device, &device->external->item)); /* it is there */
    }
    otter_unlock(OTTER_LOCK_LISTS);
}

bool external_partitions_contain(const otter_device_t *device, const esp_partition_t *partition)
{
    otter_lock(OTTER_LOCK_LISTS);
    const struct external_partition *e = device->external;
    while (e != NULL && &e->item != partition) {
        e = e->next;
    }
    otter_unlock(OTTER_LOCK_LISTS);
    return e != NULL;
}

const esp_partition_t *external_partitions_find(const otter_device_t *device, const esp_partition_t *after,
                                                esp_partition_type_t type, esp_partition_subtype_t subtype,
                                                const char *label)
{
    otter_lock(OTTER_LOCK_LISTS);
    const struct external_partition *e = device->external;
    bool passed = after == NULL;
    while (e != NULL && !(passed && partition_matches(&e->item, type, subtype, label))) {
        passed = passed || &e->item == after;
        e = e->next;
    }
    otter_unlock(OTTER_LOCK_LISTS);
    return e != NULL ? &e->item : NULL;
}

const esp_partition_t *external_partitions_verify(const otter_device_t *device,
                                                  const esp_partition_t *partition)
{
    const char *label = partition->label[0] != '\0' ? partition->label : NULL;
    const esp_partition_t *item = NULL;
    do {
        item = external_partitions_find(device, item, partition->type, partition->subtype, label);
    } while (item != NULL && !partition_is_at_place_of(item, partition));
    return item;
}
