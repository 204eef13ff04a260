/* The core side of the flash seam: bounds, alignment and locking once, counters, and who watches for writes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "otter/flash.h"

#include <inttypes.h>
#include <string.h>

#include "otter/bytes.h"
#include "flash/flash_access.h"
#include "flash/flash_map.h"
#include "otter/promise.h"
#include "otter/system.h"

static bool is_power_of_two(uint32_t v)
{
    return v != 0 && (v & (v - 1)) == 0;
}

esp_err_t otter_flash_check_geometry(const otter_flash_t *flash, otter_fault_t *fault)
{
    const uint32_t erase = flash->erase_size, write = flash->write_size;
    if (!is_power_of_two(erase) || !is_power_of_two(write) || write > erase) {
        return otter_fault(fault, ESP_ERR_INVALID_ARG,
                           "a flash cannot erase %" PRIu32 " bytes and write %" PRIu32
                           " at once: both are powers of two, the second one is not larger",
                           erase, write);
    }
    if (flash->write_once && (write == 1 || flash->stable_reads)) {
        return otter_fault(fault, ESP_ERR_INVALID_ARG,
                           "flash that is programmed once has write units of more than a byte, and what a "
                           "power cut has left there does not read stably");
    }
    if (flash->block_size != 0 && (!is_power_of_two(flash->block_size) || flash->block_size <= erase)) {
        return otter_fault(fault, ESP_ERR_INVALID_ARG,
                           "a flash cannot erase blocks of %" PRIu32 " bytes beside sectors of %" PRIu32
                           ": a block is a larger power of two",
                           flash->block_size, erase);
    }
    const otter_flash_cipher_t *cipher = flash->cipher;
    const uint32_t block = max_u32(OTTER_FLASH_CIPHER_BLOCK, write);
    if (cipher != NULL && (erase < block || cipher->buffer.bytes == NULL || cipher->buffer.size < block)) {
        return otter_fault(
            fault, ESP_ERR_INVALID_ARG,
            "flash that is encrypted needs a buffer of %" PRIu32 " bytes, and sectors as large", block);
    }
    if (flash->size == 0 || flash->size > OTTER_FLASH_SIZE_MAX || flash->size % erase != 0) {
        return otter_fault(fault, ESP_ERR_INVALID_ARG,
                           "a flash has at most 2 GiB in whole sectors of %" PRIu32 " bytes, not %" PRIu32
                           " bytes",
                           erase, flash->size);
    }
    return ESP_OK;
}

/** The codes are those of ESP-IDF's partition layer: INVALID_ARG if the start is outside, INVALID_SIZE if the end is. */
static esp_err_t check_range(const otter_flash_t *flash, uint32_t off, uint32_t len)
{
    if (off > flash->size) {
        return ESP_ERR_INVALID_ARG;
    }
    return range_fits(off, len, flash->size) ? ESP_OK : ESP_ERR_INVALID_SIZE;
}

/** Also of an operation that fails: part of it may have happened. */
static void end_watches(otter_flash_t *flash, uint32_t off, uint32_t len)
{
    for (uint32_t i = 0; i < OTTER_FLASH_WATCHES; i++) {
        if (ranges_overlap(off, len, flash->watches[i].off, flash->watches[i].len)) {
            flash->watches[i].ticket = 0;
        }
    }
}

/** What the port answered, which is one of three codes, of a reading one of four: see otter_flash_ops_t. */
static esp_err_t answer(esp_err_t err)
{
    OTTER_ASSERT(err == ESP_OK || otter_flash_failed(err));
    return err;
}

static esp_err_t read_range(otter_flash_t *flash, flash_way_t way, uint32_t off, void *dst, uint32_t len)
{
    esp_err_t err = check_range(flash, off, len);
    if (err != ESP_OK || len == 0) {
        return err;
    }
    otter_lock(OTTER_LOCK_FLASH);
    flash->stats.bytes_read += len;
    err = flash_access_read(flash, way, off, dst, len);
    otter_unlock(OTTER_LOCK_FLASH);
    return err == ESP_ERR_INVALID_CRC ? err : answer(err);
}

esp_err_t otter_flash_read(otter_flash_t *flash, uint32_t off, void *dst, uint32_t len)
{
    return read_range(flash, FLASH_BY_PLACE, off, dst, len);
}

esp_err_t otter_flash_read_raw(otter_flash_t *flash, uint32_t off, void *dst, uint32_t len)
{
    return read_range(flash, FLASH_AS_IT_IS, off, dst, len);
}

esp_err_t otter_flash_read_decrypted(otter_flash_t *flash, uint32_t off, void *dst, uint32_t len)
{
    return read_range(flash, FLASH_CIPHERED, off, dst, len);
}

esp_err_t otter_flash_read_torn(otter_flash_t *flash, uint32_t off, void *dst, uint32_t len)
{
    esp_err_t err = otter_flash_read(flash, off, dst, len);
    if (err == ESP_ERR_INVALID_CRC) {
        memset(dst, 0, len);
        err = ESP_OK;
    }
    return err;
}

static esp_err_t program_range(otter_flash_t *flash, flash_way_t way, uint32_t off, const void *src,
                               uint32_t len)
{
    esp_err_t err = check_range(flash, off, len);
    if (err != ESP_OK || len == 0) {
        return err;
    }
    if (!flash_access_fits(flash, way, off, len)) {
        return ESP_ERR_INVALID_SIZE;
    }
    otter_lock(OTTER_LOCK_FLASH);
    end_watches(flash, off, len);
    flash->stats.programs++;
    err = flash_access_program(flash, way, off, src, len);
    flash_map_refresh(flash, off, len); /* also after a failure: part of it may have happened */
    otter_unlock(OTTER_LOCK_FLASH);
    return answer(err);
}

esp_err_t otter_flash_program(otter_flash_t *flash, uint32_t off, const void *src, uint32_t len)
{
    return program_range(flash, FLASH_BY_PLACE, off, src, len);
}

esp_err_t otter_flash_program_raw(otter_flash_t *flash, uint32_t off, const void *src, uint32_t len)
{
    return program_range(flash, FLASH_AS_IT_IS, off, src, len);
}

esp_err_t otter_flash_program_encrypted(otter_flash_t *flash, uint32_t off, const void *src, uint32_t len)
{
    return program_range(flash, FLASH_CIPHERED, off, src, len);
}

static esp_err_t erase_range(otter_flash_t *flash, esp_err_t (*op)(void *dev, uint32_t off, uint32_t len),
                             uint32_t off, uint32_t len)
{
    esp_err_t err = check_range(flash, off, len);
    if (err != ESP_OK || len == 0) {
        return err;
    }
    if ((off & (flash->erase_size - 1)) != 0) {
        return ESP_ERR_INVALID_ARG;
    }
    if ((len & (flash->erase_size - 1)) != 0) {
        return ESP_ERR_INVALID_SIZE;
    }
    otter_lock(OTTER_LOCK_FLASH);
    end_watches(flash, off, len);
    flash->stats.sectors_erased += len / flash->erase_size;
    err = op(flash->dev, off, len);
    flash_map_refresh(flash, off, len);
    otter_unlock(OTTER_LOCK_FLASH);
    return answer(err);
}

esp_err_t otter_flash_erase(otter_flash_t *flash, uint32_t off, uint32_t len)
{
    return erase_range(flash, flash->ops->erase, off, len);
}

esp_err_t otter_flash_erase_begin(otter_flash_t *flash, uint32_t off, uint32_t len)
{
    /* What is mapped is read again behind each change, which would wait. */
    bool can = flash->ops->erase_begin != NULL && flash->maps == NULL;
    return erase_range(flash, can ? flash->ops->erase_begin : flash->ops->erase, off, len);
}

bool otter_flash_is_busy(otter_flash_t *flash)
{
    otter_lock(OTTER_LOCK_FLASH);
    bool busy = flash->ops->is_busy != NULL && flash->ops->is_busy(flash->dev);
    otter_unlock(OTTER_LOCK_FLASH);
    return busy;
}

bool otter_flash_reads_blank(otter_flash_t *flash, uint32_t off, uint32_t len)
{
    uint8_t part[256];
    for (uint32_t done = 0; done < len; done += (uint32_t)sizeof(part)) {
        uint32_t n = min_u32(len - done, (uint32_t)sizeof(part));
        if (otter_flash_read_raw(flash, off + done, part, n) != ESP_OK || !bytes_are_erased(part, n)) {
            return false;
        }
    }
    return true;
}

esp_err_t otter_flash_sync(otter_flash_t *flash)
{
    otter_lock(OTTER_LOCK_FLASH);
    esp_err_t err = flash->ops->sync != NULL ? flash->ops->sync(flash->dev) : ESP_OK;
    otter_unlock(OTTER_LOCK_FLASH);
    return answer(err);
}

/** A ticket's place among the watches follows from its number, so the youngest take the places of the oldest. */
static bool is_watched(const otter_flash_t *flash, uint32_t ticket, uint32_t off)
{
    uint32_t i = ticket % OTTER_FLASH_WATCHES;
    return ticket != 0 && flash->watches[i].ticket == ticket && flash->watches[i].off == off;
}

uint32_t otter_flash_watch(otter_flash_t *flash, uint32_t ticket, uint32_t off, uint32_t len)
{
    otter_lock(OTTER_LOCK_FLASH);
    if (ticket == 0) {
        flash->last_ticket += flash->last_ticket == UINT32_MAX ? 2 : 1;
        ticket = flash->last_ticket;
        flash->watches[ticket % OTTER_FLASH_WATCHES].ticket = ticket;
        flash->watches[ticket % OTTER_FLASH_WATCHES].off = off;
    } else if (!is_watched(flash, ticket, off)) {
        ticket = 0;
    }
    if (ticket != 0) {
        flash->watches[ticket % OTTER_FLASH_WATCHES].len = len;
    }
    otter_unlock(OTTER_LOCK_FLASH);
    return ticket;
}

bool otter_flash_is_unwritten(const otter_flash_t *flash, uint32_t ticket, uint32_t off)
{
    otter_lock(OTTER_LOCK_FLASH);
    bool is = is_watched(flash, ticket, off);
    otter_unlock(OTTER_LOCK_FLASH);
    return is;
}
