/* I/O inside one partition of a flash: bounds against the partition, the read-only flag, and signs of life. */
#include <string.h>

#include "base/le.h"
#include "otter/system.h"
#include "ota/update_internal.h"

#define ERASE_STEP 0x10000u /* bytes; chips erase a block of this size at once */

static bool bytes_are_blank(const uint8_t *bytes, uint32_t len)
{
    return len == 0 || (bytes[0] == 0xFF && memcmp(bytes, bytes + 1, len - 1) == 0);
}

/** The table is not trusted: a range must fit its partition, and address + offset must not wrap into another one. */
static esp_err_t check_range(const esp_partition_t *partition, uint32_t offset, uint32_t len)
{
    bool fits = range_fits(offset, len, partition->size) && offset <= UINT32_MAX - partition->address;
    return fits ? ESP_OK : ESP_ERR_INVALID_SIZE;
}

esp_err_t ota_read_range(otter_flash_t *flash, const esp_partition_t *partition, uint32_t offset, void *dst,
                         uint32_t len)
{
    esp_err_t err = check_range(partition, offset, len);
    return err == ESP_OK ? otter_flash_read(flash, partition->address + offset, dst, len) : err;
}

esp_err_t ota_program_range(otter_flash_t *flash, const esp_partition_t *partition, uint32_t offset,
                            const void *src, uint32_t len)
{
    if (partition->readonly) {
        return ESP_ERR_NOT_ALLOWED;
    }
    esp_err_t err = check_range(partition, offset, len);
    return err == ESP_OK ? otter_flash_program(flash, partition->address + offset, src, len) : err;
}

/** One erase call per step. */
static esp_err_t erase_all(otter_flash_t *flash, const esp_partition_t *partition, uint32_t offset,
                           uint32_t len)
{
    esp_err_t err = ESP_OK;
    for (uint32_t done = 0; done < len && err == ESP_OK;) {
        uint32_t step = min_u32(len - done, ERASE_STEP);
        err = otter_flash_erase(flash, partition->address + offset + done, step);
        otter_system_alive();
        done += step;
    }
    return err;
}

/** Length of the sectors from `offset` on that are blank, or of those that are not; flash that cannot be read is not. */
static uint32_t measure_run(otter_flash_t *flash, const esp_partition_t *partition, uint32_t offset,
                            uint32_t len, bool *blank)
{
    const uint32_t sector = flash->erase_size;
    uint32_t run = 0;
    while (run < len) {
        bool now = otter_flash_reads_blank(flash, partition->address + offset + run, sector);
        if (run != 0 && now != *blank) {
            break;
        }
        *blank = now;
        run += sector;
    }
    return run;
}

esp_err_t ota_erase_range(otter_flash_t *flash, const esp_partition_t *partition, uint32_t offset,
                          uint32_t len)
{
    if (partition->readonly) {
        return ESP_ERR_NOT_ALLOWED;
    }
    esp_err_t err = check_range(partition, offset, len);
    if (err != ESP_OK || !flash->stable_reads || ((offset | len) & (flash->erase_size - 1)) != 0) {
        return err == ESP_OK ? erase_all(flash, partition, offset, len) : err;
    }
    for (uint32_t done = 0, run; done < len && err == ESP_OK; done += run) {
        bool blank = false;
        run = measure_run(flash, partition, offset + done, len - done, &blank);
        err = blank ? ESP_OK : erase_all(flash, partition, offset + done, run);
    }
    return err;
}

/* What a sector needs so that it holds the given bytes and nothing behind them. */
typedef enum { NEED_NOTHING, NEED_PROGRAM, NEED_ERASE } need_t;

/** @param old  a whole sector as it is; `len` bytes of it, at least one, are to be `data` */
static need_t need_of(const uint8_t *old, uint32_t sector, const uint8_t *data, uint32_t len)
{
    if (memcmp(old, data, len) == 0 && bytes_are_blank(old + len, sector - len)) {
        return NEED_NOTHING;
    }
    return bytes_are_blank(old, sector) ? NEED_PROGRAM : NEED_ERASE;
}

static esp_err_t satisfy(otter_flash_t *flash, const esp_partition_t *partition, uint32_t offset,
                         const uint8_t *data, uint32_t len, need_t need)
{
    if (need == NEED_NOTHING) {
        return ESP_OK;
    }
    esp_err_t err = ESP_OK;
    if (need == NEED_ERASE) {
        err = erase_all(flash, partition, offset, align_up_u32(len, flash->erase_size));
    }
    return err == ESP_OK ? ota_program_range(flash, partition, offset, data, len) : err;
}

/** Sectors that need the same are handled together. `old` holds them as they are. */
static esp_err_t replace_known(otter_flash_t *flash, const esp_partition_t *partition, uint32_t offset,
                               const uint8_t *data, uint32_t len, const uint8_t *old)
{
    const uint32_t sector = flash->erase_size;
    esp_err_t err = ESP_OK;
    for (uint32_t done = 0, run; done < len && err == ESP_OK; done += run) {
        need_t need = NEED_NOTHING;
        for (run = 0; run < len - done;) {
            uint32_t at = done + run, n = min_u32(len - at, sector);
            need_t now = need_of(old + at, sector, data + at, n);
            if (run != 0 && now != need) {
                break;
            }
            need = now;
            run += n;
        }
        err = satisfy(flash, partition, offset + done, data + done, run, need);
    }
    return err;
}

esp_err_t ota_replace_range(otter_flash_t *flash, const esp_partition_t *partition, uint32_t offset,
                            const uint8_t *data, uint32_t len, uint8_t *buf, uint32_t buf_size)
{
    const uint32_t sector = flash->erase_size;
    if (partition->readonly) {
        return ESP_ERR_NOT_ALLOWED;
    }
    uint32_t span = align_up_u32(len, sector);
    esp_err_t err = check_range(partition, offset, span);
    if (err != ESP_OK) {
        return err;
    }
    if (!flash->stable_reads || buf == NULL || buf_size < sector) {
        return satisfy(flash, partition, offset, data, len, NEED_ERASE);
    }
    for (uint32_t done = 0; done < len && err == ESP_OK;) {
        uint32_t step = min_u32(len - done, align_down_u32(buf_size, sector));
        bool known =
            ota_read_range(flash, partition, offset + done, buf, align_up_u32(step, sector)) == ESP_OK;
        err = known ? replace_known(flash, partition, offset + done, data + done, step, buf)
                    : satisfy(flash, partition, offset + done, data + done, step, NEED_ERASE);
        done += step;
    }
    return err;
}
