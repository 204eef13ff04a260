/* ESP-IDF's partition API: look-ups in the current device's list, I/O that stays inside one partition. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_partition.h"

#include <stdlib.h>
#include <string.h>

#include "otter/bytes.h"
#include "esp_flash_partitions.h"
#include "esp_log.h"
#include "flash/external_partitions.h"
#include "flash/flash_map.h"
#include "flash/partition_list.h"
#include "otter/device.h"
#include "otter/system.h"

static const char TAG[] = "partition";

struct esp_partition_iterator_opaque_ {
    esp_partition_type_t type;
    esp_partition_subtype_t subtype;
    const char *label; /* the caller's */
    const esp_partition_t *current;
};

/** The rows of the table come first, then what was registered at run time. */
static const esp_partition_t *find_after(const otter_device_t *device, const esp_partition_t *after,
                                         esp_partition_type_t type, esp_partition_subtype_t subtype,
                                         const char *label)
{
    otter_lock(OTTER_LOCK_LISTS);
    const esp_partition_t *found = NULL;
    if (external_partitions_contain(device, after)) {
        found = external_partitions_find(device, after, type, subtype, label);
    } else {
        found = otter_partition_list_find(&device->partitions, after, type, subtype, label);
        found = found != NULL ? found : external_partitions_find(device, NULL, type, subtype, label);
    }
    otter_unlock(OTTER_LOCK_LISTS);
    return found;
}

esp_err_t esp_partition_find_first_err(esp_partition_type_t type, esp_partition_subtype_t subtype,
                                       const char *label, const esp_partition_t **partition)
{
    if (partition == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *partition = NULL;
    if (type == ESP_PARTITION_TYPE_ANY && subtype != ESP_PARTITION_SUBTYPE_ANY) {
        return ESP_ERR_INVALID_ARG;
    }
    const otter_device_t *device = otter_device_current();
    if (device == NULL) {
        return ESP_ERR_INVALID_STATE;
    }
    otter_lock(OTTER_LOCK_LISTS);
    esp_err_t err = device->partitions.status;
    if (err == ESP_OK) {
        *partition = find_after(device, NULL, type, subtype, label);
        err = *partition != NULL ? ESP_OK : ESP_ERR_NOT_FOUND;
    }
    otter_unlock(OTTER_LOCK_LISTS);
    return err;
}

const esp_partition_t *esp_partition_find_first(esp_partition_type_t type, esp_partition_subtype_t subtype,
                                                const char *label)
{
    const esp_partition_t *partition;
    (void)esp_partition_find_first_err(type, subtype, label, &partition); /* NULL says enough here */
    return partition;
}

esp_err_t esp_partition_find_err(esp_partition_type_t type, esp_partition_subtype_t subtype,
                                 const char *label, esp_partition_iterator_t *iterator)
{
    if (iterator == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *iterator = NULL;
    const esp_partition_t *first;
    esp_err_t err = esp_partition_find_first_err(type, subtype, label, &first);
    if (err != ESP_OK) {
        return err;
    }
    esp_partition_iterator_t made = malloc(sizeof(*made));
    if (made == NULL) {
        return ESP_ERR_NO_MEM;
    }
    *made = (struct esp_partition_iterator_opaque_){type, subtype, label, first};
    *iterator = made;
    return ESP_OK;
}

esp_partition_iterator_t esp_partition_find(esp_partition_type_t type, esp_partition_subtype_t subtype,
                                            const char *label)
{
    esp_partition_iterator_t iterator;
    (void)esp_partition_find_err(type, subtype, label, &iterator); /* NULL says enough here */
    return iterator;
}

const esp_partition_t *esp_partition_get(esp_partition_iterator_t iterator)
{
    return iterator != NULL ? iterator->current : NULL;
}

esp_partition_iterator_t esp_partition_next(esp_partition_iterator_t iterator)
{
    if (iterator == NULL) {
        return NULL;
    }
    const otter_device_t *device = otter_device_current();
    iterator->current = device != NULL ? find_after(device, iterator->current, iterator->type,
                                                    iterator->subtype, iterator->label)
                                       : NULL;
    if (iterator->current == NULL) {
        esp_partition_iterator_release(iterator);
        return NULL;
    }
    return iterator;
}

void esp_partition_iterator_release(esp_partition_iterator_t iterator)
{
    free(iterator);
}

esp_err_t esp_partition_verify_err(const esp_partition_t *partition, const esp_partition_t **out)
{
    if (partition == NULL || out == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *out = NULL;
    const char *label = partition->label[0] != '\0' ? partition->label : NULL;
    const esp_partition_t *found;
    esp_err_t err = esp_partition_find_first_err(partition->type, partition->subtype, label, &found);
    while (err == ESP_OK && found != NULL && !partition_is_at_place_of(found, partition)) {
        found = find_after(otter_device_current(), found, partition->type, partition->subtype, label);
    }
    if (err == ESP_OK && found == NULL) {
        err = ESP_ERR_NOT_FOUND;
    }
    *out = found;
    return err;
}

const esp_partition_t *esp_partition_verify(const esp_partition_t *partition)
{
    const esp_partition_t *found = NULL;
    (void)esp_partition_verify_err(partition, &found); /* NULL says enough here */
    return found;
}

uint32_t esp_partition_get_main_flash_sector_size(void)
{
    const otter_device_t *device = otter_device_current();
    return device != NULL ? device->flash->erase_size : 4096;
}

/**
 * Where in flash [offset, offset + size) of a partition lies. The table is not trusted: address + offset must not wrap
 * into another partition; the flash layer checks its own end.
 */
static esp_err_t locate(const esp_partition_t *partition, size_t offset, size_t size, uint32_t *address)
{
    if (partition == NULL || partition->flash_chip == NULL || offset > partition->size) {
        return ESP_ERR_INVALID_ARG;
    }
    if (size > partition->size - offset || offset > UINT32_MAX - partition->address) {
        return ESP_ERR_INVALID_SIZE;
    }
    *address = partition->address + (uint32_t)offset;
    return ESP_OK;
}

static esp_err_t locate_writable(const esp_partition_t *partition, size_t offset, size_t size,
                                 uint32_t *address)
{
    if (partition != NULL && partition->readonly) {
        return ESP_ERR_NOT_ALLOWED;
    }
    return locate(partition, offset, size, address);
}

/**
 * May an application change this range of its partition's flash? The table is not trusted: rows may overlap.
 * @return ESP_OK, ESP_ERR_NOT_ALLOWED (belongs to a read-only row, too), ESP_ERR_INVALID_ARG (dangerous); or it aborts
 */
static esp_err_t check_region(const esp_partition_t *partition, uint32_t address, size_t size)
{
    const otter_device_t *device = otter_device_current();
    if (device == NULL || partition->flash_chip != device->flash) {
        return ESP_OK;
    }
    if (!esp_partition_is_flash_region_writable(address, size)) {
        return ESP_ERR_NOT_ALLOWED;
    }
    otter_lock(OTTER_LOCK_LISTS);
    otter_dangerous_write_t answer =
        device->guard_lifted ? OTTER_DANGEROUS_WRITE_ALLOWED : device->config.dangerous_write;
    otter_unlock(OTTER_LOCK_LISTS);
    if (answer == OTTER_DANGEROUS_WRITE_ALLOWED || esp_partition_main_flash_region_safe(address, size)) {
        return ESP_OK;
    }
    ESP_LOGE(TAG,
             "partition %s: in the %u bytes at 0x%x is some of the bootloader, the table or what runs; the "
             "option SPI_FLASH_DANGEROUS_WRITE_ALLOWED lets an application write there",
             partition->label, (unsigned)size, (unsigned)address);
    if (answer == OTTER_DANGEROUS_WRITE_ABORTS) {
        abort();
    }
    return ESP_ERR_INVALID_ARG;
}

/** @param decrypt  through the cipher, if the flash has one */
static esp_err_t read_range(const esp_partition_t *partition, bool decrypt, size_t offset, void *dst,
                            size_t size)
{
    uint32_t address;
    esp_err_t err = locate(partition, offset, size, &address);
    if (err != ESP_OK || size == 0) {
        return err;
    }
    if (dst == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    return decrypt ? otter_flash_read_decrypted(partition->flash_chip, address, dst, (uint32_t)size)
                   : otter_flash_read_raw(partition->flash_chip, address, dst, (uint32_t)size);
}

/** @param encrypt  through the cipher, if the flash has one */
static esp_err_t write_range(const esp_partition_t *partition, bool encrypt, size_t offset, const void *src,
                             size_t size)
{
    uint32_t address;
    esp_err_t err = locate_writable(partition, offset, size, &address);
    if (err != ESP_OK || size == 0) {
        return err;
    }
    if (src == NULL ||
        (encrypt && partition->flash_chip->cipher != NULL && address % OTTER_FLASH_CIPHER_BLOCK != 0)) {
        return ESP_ERR_INVALID_ARG;
    }
    err = check_region(partition, address, size);
    if (err != ESP_OK) {
        return err;
    }
    return encrypt ? otter_flash_program_encrypted(partition->flash_chip, address, src, (uint32_t)size)
                   : otter_flash_program_raw(partition->flash_chip, address, src, (uint32_t)size);
}

esp_err_t esp_partition_read(const esp_partition_t *partition, size_t src_offset, void *dst, size_t size)
{
    return read_range(partition, partition != NULL && partition->encrypted, src_offset, dst, size);
}

esp_err_t esp_partition_write(const esp_partition_t *partition, size_t dst_offset, const void *src,
                              size_t size)
{
    return write_range(partition, partition != NULL && partition->encrypted, dst_offset, src, size);
}

esp_err_t esp_partition_read_raw(const esp_partition_t *partition, size_t src_offset, void *dst, size_t size)
{
    return read_range(partition, false, src_offset, dst, size);
}

esp_err_t esp_partition_write_raw(const esp_partition_t *partition, size_t dst_offset, const void *src,
                                  size_t size)
{
    return write_range(partition, false, dst_offset, src, size);
}

esp_err_t esp_partition_erase_range(const esp_partition_t *partition, size_t offset, size_t size)
{
    uint32_t address;
    esp_err_t err = locate_writable(partition, offset, size, &address);
    if (err != ESP_OK) {
        return err;
    }
    uint32_t sector = partition->flash_chip->erase_size;
    if (size % sector != 0) {
        return ESP_ERR_INVALID_SIZE;
    }
    if (offset % sector != 0) {
        return ESP_ERR_INVALID_ARG;
    }
    err = size > 0 ? check_region(partition, address, size) : ESP_OK;
    return err == ESP_OK ? otter_flash_erase(partition->flash_chip, address, (uint32_t)size) : err;
}

esp_err_t esp_partition_mmap(const esp_partition_t *partition, size_t offset, size_t size,
                             esp_partition_mmap_memory_t memory, const void **out_ptr,
                             esp_partition_mmap_handle_t *out_handle)
{
    (void)memory; /* data or instructions: one copy serves both */
    otter_device_t *device = otter_device_current();
    uint32_t address;
    esp_err_t err = locate(partition, offset, size, &address);
    if (err != ESP_OK) {
        return err;
    }
    if (size == 0 || out_ptr == NULL || out_handle == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (device == NULL) {
        return ESP_ERR_INVALID_STATE;
    }
    flash_map_t *map;
    err = flash_map_open(partition->flash_chip, partition->encrypted ? FLASH_CIPHERED : FLASH_AS_IT_IS,
                         address, (uint32_t)size, &map);
    if (err != ESP_OK) {
        return err;
    }
    otter_lock(OTTER_LOCK_LISTS);
    map->handle = ++device->last_map_handle;
    map->next = device->maps;
    device->maps = map;
    otter_unlock(OTTER_LOCK_LISTS);
    *out_ptr = map->bytes;
    *out_handle = map->handle;
    return ESP_OK;
}

void esp_partition_munmap(esp_partition_mmap_handle_t handle)
{
    otter_device_t *device = otter_device_current();
    if (device == NULL) {
        return;
    }
    otter_lock(OTTER_LOCK_LISTS);
    flash_map_t **link = &device->maps;
    while (*link != NULL && (*link)->handle != handle) {
        link = &(*link)->next;
    }
    flash_map_t *map = *link;
    if (map != NULL) {
        *link = map->next;
    }
    otter_unlock(OTTER_LOCK_LISTS);
    flash_map_close(map);
}

/** `size` of a copy once SIZE_MAX is resolved and both ranges are known to fit. */
static esp_err_t resolve_copy_size(const esp_partition_t *dest, uint32_t dest_offset,
                                   const esp_partition_t *src, uint32_t src_offset, size_t *size)
{
    if (dest_offset > dest->size || src_offset > src->size) {
        return ESP_ERR_INVALID_SIZE;
    }
    if (*size == SIZE_MAX) {
        *size = src->size - src_offset;
    }
    return *size <= src->size - src_offset && *size <= dest->size - dest_offset ? ESP_OK
                                                                                : ESP_ERR_INVALID_SIZE;
}

static esp_err_t copy_bytes(const esp_partition_t *dest, uint32_t dest_offset, const esp_partition_t *src,
                            uint32_t src_offset, uint32_t size, uint8_t *buf, uint32_t buf_size)
{
    for (uint32_t done = 0; done < size;) {
        uint32_t step = min_u32(size - done, buf_size);
        esp_err_t err = esp_partition_read(src, src_offset + done, buf, step);
        if (err == ESP_OK) {
            err = esp_partition_write(dest, dest_offset + done, buf, step);
        }
        if (err != ESP_OK) {
            return err;
        }
        done += step;
    }
    return ESP_OK;
}

esp_err_t esp_partition_copy(const esp_partition_t *dest_part, uint32_t dest_offset,
                             const esp_partition_t *src_part, uint32_t src_offset, size_t size)
{
    if (dest_part == NULL || src_part == NULL || dest_part == src_part || dest_part->flash_chip == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = resolve_copy_size(dest_part, dest_offset, src_part, src_offset, &size);
    if (err != ESP_OK) {
        return err;
    }
    uint32_t sector = dest_part->flash_chip->erase_size;
    size_t tail = size % sector != 0 ? sector - size % sector : 0; /* the last sector is erased whole */
    if (tail > dest_part->size - dest_offset - size) {
        return ESP_ERR_INVALID_SIZE;
    }
    err = esp_partition_erase_range(dest_part, dest_offset, size + tail);
    if (err != ESP_OK) {
        return err;
    }
    uint8_t *buf = malloc(sector);
    if (buf == NULL) {
        return ESP_ERR_NO_MEM;
    }
    err = copy_bytes(dest_part, dest_offset, src_part, src_offset, (uint32_t)size, buf, sector);
    free(buf);
    return err;
}
