/* What ESP-IDF's image verifier reads through: the flash file that esp_partition has mapped. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "bootloader_flash_priv.h"
#include "esp_partition.h"
#include "esp_private/partition_linux.h"

/** The mapped flash, and its size in bytes. @return NULL: it is not there */
static const uint8_t *flash(size_t *size)
{
    static const uint8_t *start;
    if (start == NULL) {
        const void *bytes;
        esp_partition_mmap_handle_t handle;
        const esp_partition_t *any =
            esp_partition_find_first(ESP_PARTITION_TYPE_ANY, ESP_PARTITION_SUBTYPE_ANY, NULL);
        if (any == NULL ||
            esp_partition_mmap(any, 0, any->size, ESP_PARTITION_MMAP_DATA, &bytes, &handle) != ESP_OK) {
            return NULL;
        }
        start = (const uint8_t *)bytes - any->address;
    }
    *size = esp_partition_get_file_mmap_ctrl_act()->flash_file_size;
    return start;
}

uint32_t bootloader_mmap_get_free_pages(void)
{
    return UINT32_MAX / SPI_FLASH_MMU_PAGE_SIZE; /* nothing is mapped piece by piece here */
}

const void *bootloader_mmap(uint32_t src_addr, uint32_t size)
{
    size_t have;
    const uint8_t *start = flash(&have);
    return start != NULL && src_addr <= have && size <= have - src_addr ? start + src_addr : NULL;
}

void bootloader_munmap(const void *mapping)
{
    (void)mapping;
}

esp_err_t bootloader_flash_read(size_t src, void *dest, size_t size, bool allow_decrypt)
{
    (void)allow_decrypt;
    size_t have;
    const uint8_t *start = flash(&have);
    if (start == NULL || src > have || size > have - src) {
        return ESP_ERR_FLASH_OP_FAIL;
    }
    memcpy(dest, start + src, size);
    return ESP_OK;
}
