/* Between flash.c and the port: the cipher of a flash, where a place has it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "flash/flash_access.h"

#include <string.h>

#include "otter/bytes.h"
#include "otter/device.h"
#include "otter/promise.h"

#define BLOCK OTTER_FLASH_CIPHER_BLOCK

/** True if the partition holds the offset; how far it is from there to where that may change goes down to `reach`. */
static bool holds(const esp_partition_t *partition, uint32_t off, uint32_t *reach)
{
    if (off < partition->address) {
        *reach = min_u32(*reach, partition->address - off);
        return false;
    }
    if (off - partition->address >= partition->size) {
        return false;
    }
    *reach = min_u32(*reach, partition->size - (off - partition->address));
    return true;
}

/**
 * Is what lies at `off` encrypted? Rows of a table may overlap: what one says is encrypted is.
 * @param reach  bytes that are asked for; goes down to those of which the same is true
 */
static bool is_encrypted(const otter_flash_t *flash, flash_way_t way, uint32_t off, uint32_t *reach)
{
    const otter_partition_list_t *list = flash->partitions;
    if (flash->cipher == NULL || way != FLASH_BY_PLACE) {
        return flash->cipher != NULL && way != FLASH_AS_IT_IS;
    }
    const esp_partition_t plain = {.address = flash->plain.off, .size = flash->plain.len};
    if (plain.size != 0 && holds(&plain, off, reach)) {
        return false;
    }
    if (list == NULL || list->count == 0) {
        return true;
    }
    bool encrypted = off < list->boot_end;
    if (encrypted) {
        *reach = min_u32(*reach, list->boot_end - off);
    }
    for (uint32_t i = 0; i < list->count; i++) {
        encrypted |= holds(&list->items[i], off, reach) && list->items[i].encrypted;
    }
    return encrypted;
}

bool flash_access_fits(const otter_flash_t *flash, flash_way_t way, uint32_t off, uint32_t len)
{
    if (((off | len) & (flash->write_size - 1)) != 0) {
        return false;
    }
    for (uint32_t done = 0, reach; done < len; done += reach) {
        reach = len - done;
        if (is_encrypted(flash, way, off + done, &reach) && ((off + done) | reach) % BLOCK != 0) {
            return false;
        }
    }
    return true;
}

/** Blocks that lie in [off, off + len) only in part, or all of them, as many as the buffer takes: through the buffer. */
static esp_err_t read_in_buffer(const otter_flash_t *flash, uint32_t off, uint8_t *dst, uint32_t len)
{
    const otter_flash_cipher_t *cipher = flash->cipher;
    const uint32_t first = align_down_u32(off, BLOCK), inside = off - first;
    const uint32_t all = align_up_u32(inside + len, BLOCK);
    OTTER_ASSERT(all <= cipher->buffer.size);
    esp_err_t err = flash->ops->read(flash->dev, first, cipher->buffer.bytes, all);
    if (err == ESP_OK && !cipher->crypt(cipher->ctx, true, first, cipher->buffer.bytes, all)) {
        err = ESP_ERR_FLASH_OP_FAIL;
    }
    if (err == ESP_OK) {
        memcpy(dst, cipher->buffer.bytes + inside, len);
    }
    return err;
}

/** What is not whole blocks at the ends through the buffer, the rest in place. */
static esp_err_t read_decrypted(const otter_flash_t *flash, uint32_t off, uint8_t *dst, uint32_t len)
{
    const otter_flash_cipher_t *cipher = flash->cipher;
    const uint32_t head = min_u32(len, (BLOCK - off % BLOCK) % BLOCK);
    const uint32_t whole = align_down_u32(len - head, BLOCK), tail = len - head - whole;
    esp_err_t err = head != 0 ? read_in_buffer(flash, off, dst, head) : ESP_OK;
    if (err == ESP_OK && whole != 0) {
        err = flash->ops->read(flash->dev, off + head, dst + head, whole);
        if (err == ESP_OK && !cipher->crypt(cipher->ctx, true, off + head, dst + head, whole)) {
            err = ESP_ERR_FLASH_OP_FAIL;
        }
    }
    return err == ESP_OK && tail != 0 ? read_in_buffer(flash, off + head + whole, dst + head + whole, tail)
                                      : err;
}

esp_err_t flash_access_read(const otter_flash_t *flash, flash_way_t way, uint32_t off, uint8_t *dst,
                            uint32_t len)
{
    esp_err_t err = ESP_OK;
    for (uint32_t done = 0, reach; done < len && err == ESP_OK; done += reach) {
        reach = len - done;
        err = is_encrypted(flash, way, off + done, &reach)
                  ? read_decrypted(flash, off + done, dst + done, reach)
                  : flash->ops->read(flash->dev, off + done, dst + done, reach);
    }
    return err;
}

static esp_err_t program(const otter_flash_t *flash, uint32_t off, const uint8_t *src, uint32_t len)
{
    const uint32_t unit = flash->write_once ? flash->write_size : len;
    esp_err_t err = ESP_OK;
    for (uint32_t from = 0, to; from < len && err == ESP_OK; from = to) {
        const bool blank = flash->write_once && bytes_are_erased(src + from, unit);
        for (to = from + unit; to < len && bytes_are_erased(src + to, unit) == blank;) {
            to += unit;
        }
        err = blank ? ESP_OK : flash->ops->program(flash->dev, off + from, src + from, to - from);
    }
    return err;
}

static esp_err_t program_encrypted(const otter_flash_t *flash, uint32_t off, const uint8_t *src, uint32_t len)
{
    const otter_flash_cipher_t *cipher = flash->cipher;
    const uint32_t most = align_down_u32(cipher->buffer.size, max_u32(BLOCK, flash->write_size));
    OTTER_ASSERT(most != 0);
    esp_err_t err = ESP_OK;
    for (uint32_t done = 0, step; done < len && err == ESP_OK; done += step) {
        step = min_u32(len - done, most);
        memcpy(cipher->buffer.bytes, src + done, step);
        err = cipher->crypt(cipher->ctx, false, off + done, cipher->buffer.bytes, step)
                  ? program(flash, off + done, cipher->buffer.bytes, step)
                  : ESP_ERR_FLASH_OP_FAIL;
    }
    return err;
}

esp_err_t flash_access_program(const otter_flash_t *flash, flash_way_t way, uint32_t off, const uint8_t *src,
                               uint32_t len)
{
    esp_err_t err = ESP_OK;
    for (uint32_t done = 0, reach; done < len && err == ESP_OK; done += reach) {
        reach = len - done;
        err = is_encrypted(flash, way, off + done, &reach)
                  ? program_encrypted(flash, off + done, src + done, reach)
                  : program(flash, off + done, src + done, reach);
    }
    return err;
}
