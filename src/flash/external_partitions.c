/* The list of partitions registered at run time, in the order of their registration. */
#include "flash/external_partitions.h"

#include <stdlib.h>

#include "base/le.h"
#include "flash/partition_list.h"

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
    if (is_taken(device, partition)) {
        return ESP_ERR_INVALID_ARG;
    }
    struct external_partition *added = calloc(1, sizeof(*added));
    if (added == NULL) {
        return ESP_ERR_NO_MEM;
    }
    added->item = *partition;
    struct external_partition **link = &device->external;
    while (*link != NULL) {
        link = &(*link)->next;
    }
    *link = added;
    *out = &added->item;
    return ESP_OK;
}

esp_err_t external_partitions_remove(otter_device_t *device, const esp_partition_t *partition)
{
    for (struct external_partition **link = &device->external; *link != NULL; link = &(*link)->next) {
        if (&(*link)->item == partition) {
            struct external_partition *gone = *link;
            *link = gone->next;
            free(gone);
            return ESP_OK;
        }
    }
    return ESP_ERR_NOT_FOUND;
}

void external_partitions_clear(otter_device_t *device)
{
    while (device->external != NULL) {
        (void)external_partitions_remove(device, &device->external->item); /* it is there */
    }
}

bool external_partitions_contain(const otter_device_t *device, const esp_partition_t *partition)
{
    const struct external_partition *e = device->external;
    while (e != NULL && &e->item != partition) {
        e = e->next;
    }
    return e != NULL;
}

const esp_partition_t *external_partitions_find(const otter_device_t *device, const esp_partition_t *after,
                                                esp_partition_type_t type, esp_partition_subtype_t subtype,
                                                const char *label)
{
    const struct external_partition *e = device->external;
    bool passed = after == NULL;
    for (; e != NULL; e = e->next) {
        if (passed && partition_matches(&e->item, type, subtype, label)) {
            return &e->item;
        }
        passed = passed || &e->item == after;
    }
    return NULL;
}
