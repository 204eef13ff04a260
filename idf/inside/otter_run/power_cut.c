/* The flash operations of ESP-IDF's code as a chip has them: counted, as long as a chip takes, and torn where power is cut. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <unistd.h>

#include "esp_partition.h"
#include "otter_run.h"
#include "run_clock.h"

esp_err_t __real_esp_partition_write(const esp_partition_t *partition, size_t dst_offset, const void *src,
                                     size_t size);
esp_err_t __real_esp_partition_erase_range(const esp_partition_t *partition, size_t offset, size_t size);

/** One operation begins. @return true: the power goes in it */
static bool begin(bool is_erase, uint32_t off, uint32_t len)
{
    otter_run_shared_t *shared = otter_run_shared();
    if (shared == NULL) {
        return false;
    }
    otter_run_flash_t *flash = &shared->flash;
    const otter_run_op_t op = {
        .number = flash->last.number + 1, .is_erase = is_erase, .off = off, .len = len};
    if (otter_run_trace() >= 0) {
        (void)!write(otter_run_trace(), &op,
                     sizeof(op)); /* whoever reads the list sees that one is missing */
    }
    flash->last = op;
    return flash->cut_at != 0 && op.number >= flash->cut_at;
}

/**
 * The operation that began last takes so long, and whoever asked for it waits; tasks of a higher priority have their turn, as on
 * a chip that suspends an erase.
 * @return true: the power goes in the middle of it, which the runner has said meanwhile
 */
static bool take_time(uint64_t us)
{
    otter_run_shared_t *shared = otter_run_shared();
    if (shared == NULL || us == 0) {
        return false;
    }
    const uint32_t planned = shared->flash.cut_at;
    run_clock_work_until(run_clock_us() + (int64_t)us);
    if (shared->flash.cut_at == planned || shared->flash.cut_at != shared->flash.last.number + 1) {
        return false;
    }
    shared->flash.cut_at = shared->flash.last.number; /* the next one was named when this one had begun */
    return true;
}

static void lose_power(void)
{
    otter_run_tell(OTTER_RUN_SAYS_POWER_LOST);
    _exit(EXIT_SUCCESS); /* no task does another thing */
}

esp_err_t __wrap_esp_partition_write(const esp_partition_t *partition, size_t dst_offset, const void *src,
                                     size_t size)
{
    const otter_run_flash_speed_t *speed = partition != NULL ? otter_run_flash_speed() : NULL;
    const uint32_t off = partition != NULL ? partition->address + (uint32_t)dst_offset : 0;
    bool cut = partition != NULL && begin(false, off, (uint32_t)size);
    if (speed != NULL) {
        cut = take_time(otter_run_program_us(speed, off, (uint32_t)size)) || cut;
    }
    if (cut) {
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
    free(rest);
    lose_power();
}

esp_err_t __wrap_esp_partition_erase_range(const esp_partition_t *partition, size_t offset, size_t size)
{
    if (partition == NULL || partition->readonly || partition->erase_size == 0 || offset > partition->size ||
        size > partition->size - offset || offset % partition->erase_size != 0 ||
        size % partition->erase_size != 0) {
        return __real_esp_partition_erase_range(partition, offset, size); /* says what is wrong */
    }
    const otter_run_flash_speed_t *speed = otter_run_flash_speed();
    size_t waited = offset; /* a block is erased at once, as its first sector */
    for (size_t at = offset; at < offset + size; at += partition->erase_size) {
        const uint32_t off = partition->address + (uint32_t)at;
        bool cut = begin(true, off, partition->erase_size);
        if (speed != NULL && at == waited) {
            const uint32_t piece = otter_run_erase_piece(speed, off, (uint32_t)(offset + size - at));
            cut = take_time(otter_run_erase_us(speed, off, piece)) || cut;
            waited += piece;
        }
        if (cut) {
            tear_sector(partition, at);
        }
        esp_err_t err = __real_esp_partition_erase_range(partition, at, partition->erase_size);
        if (err != ESP_OK) {
            return err;
        }
    }
    return ESP_OK;
}

/* ---- reading ---- */

esp_err_t __real_esp_partition_read(const esp_partition_t *partition, size_t src_offset, void *dst,
                                    size_t size);
const void *__real_bootloader_mmap(uint32_t src_addr, uint32_t size);
esp_err_t __real_bootloader_flash_read(size_t src, void *dest, size_t size, bool allow_decrypt);

static void take_reading_time(size_t size)
{
    const otter_run_flash_speed_t *speed = otter_run_flash_speed();
    if (speed != NULL && speed->read_rate != 0) {
        run_clock_work_until(run_clock_us() + (int64_t)((uint64_t)size * 1000000 / speed->read_rate));
    }
}

esp_err_t __wrap_esp_partition_read(const esp_partition_t *partition, size_t src_offset, void *dst,
                                    size_t size)
{
    take_reading_time(size);
    return __real_esp_partition_read(partition, src_offset, dst, size);
}

esp_err_t __wrap_esp_partition_read_raw(const esp_partition_t *partition, size_t src_offset, void *dst,
                                        size_t size)
{
    return __wrap_esp_partition_read(partition, src_offset, dst, size);
}

/* The image verifier reads all that it maps, once. */
const void *__wrap_bootloader_mmap(uint32_t src_addr, uint32_t size)
{
    take_reading_time(size);
    return __real_bootloader_mmap(src_addr, size);
}

esp_err_t __wrap_bootloader_flash_read(size_t src, void *dest, size_t size, bool allow_decrypt)
{
    take_reading_time(size);
    return __real_bootloader_flash_read(src, dest, size, allow_decrypt);
}
