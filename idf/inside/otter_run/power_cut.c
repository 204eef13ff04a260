/* Counts the flash operations of ESP-IDF's code as a chip has them, and tears the one in which `otter run` cuts the power. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <unistd.h>

#include "esp_partition.h"
#include "otter_run.h"

esp_err_t __real_esp_partition_write(const esp_partition_t *partition, size_t dst_offset, const void *src,
                                     size_t size);
esp_err_t __real_esp_partition_erase_range(const esp_partition_t *partition, size_t offset, size_t size);

/** One operation begins. @return true: the power goes in it */
static bool begin(bool is_erase, uint32_t off, uint32_t len)
{
    static int trace = -2; /* not looked up */
    otter_run_shared_t *shared = otter_run_shared();
    if (shared == NULL) {
        return false;
    }
    if (trace == -2) {
        const char *text = getenv(OTTER_RUN_ENV_TRACE);
        trace = text != NULL ? atoi(text) : -1;
    }
    otter_run_flash_t *flash = &shared->flash;
    const otter_run_op_t op = {
        .number = flash->last.number + 1, .is_erase = is_erase, .off = off, .len = len};
    if (trace >= 0) {
        (void)!write(trace, &op, sizeof(op)); /* whoever reads the list sees that one is missing */
    }
    flash->last = op;
    return flash->cut_at != 0 && op.number >= flash->cut_at;
}

static void lose_power(void)
{
    otter_run_tell(OTTER_RUN_SAYS_POWER_LOST);
    _exit(EXIT_SUCCESS); /* no task does another thing */
}

esp_err_t __wrap_esp_partition_write(const esp_partition_t *partition, size_t dst_offset, const void *src,
                                     size_t size)
{
    if (partition != NULL && begin(false, partition->address + (uint32_t)dst_offset, (uint32_t)size)) {
        (void)__real_esp_partition_write(partition, dst_offset, src, size / 2);
        lose_power();
    }
    return __real_esp_partition_write(partition, dst_offset, src, size);
}

/* ESP-IDF's own _write_raw calls _write in its own file, where --wrap does not reach. */
esp_err_t __wrap_esp_partition_write_raw(const esp_partition_t *partition, size_t dst_offset, const void *src,
                                         size_t size)
{
    return __wrap_esp_partition_write(partition, dst_offset, src, size);
}

/** Half of a sector is erased: by programming zeros no, so it goes through a look at the bytes behind the half. */
static void tear_sector(const esp_partition_t *partition, size_t offset)
{
    const size_t sector = partition->erase_size;
    const void *bytes;
    esp_partition_mmap_handle_t handle;
    uint8_t *rest = malloc(sector / 2);
    if (rest != NULL && esp_partition_mmap(partition, offset + sector / 2, sector / 2,
                                           ESP_PARTITION_MMAP_DATA, &bytes, &handle) == ESP_OK) {
        __builtin_memcpy(rest, bytes, sector / 2);
        (void)__real_esp_partition_erase_range(partition, offset, sector);
        (void)__real_esp_partition_write(partition, offset + sector / 2, rest, sector / 2);
    }
    lose_power();
}

esp_err_t __wrap_esp_partition_erase_range(const esp_partition_t *partition, size_t offset, size_t size)
{
    if (partition == NULL || partition->readonly || partition->erase_size == 0 || offset > partition->size ||
        size > partition->size - offset || offset % partition->erase_size != 0 ||
        size % partition->erase_size != 0) {
        return __real_esp_partition_erase_range(partition, offset, size); /* says what is wrong */
    }
    for (size_t at = offset; at < offset + size; at += partition->erase_size) {
        if (begin(true, partition->address + (uint32_t)at, partition->erase_size)) {
            tear_sector(partition, at);
        }
        esp_err_t err = __real_esp_partition_erase_range(partition, at, partition->erase_size);
        if (err != ESP_OK) {
            return err;
        }
    }
    return ESP_OK;
}
