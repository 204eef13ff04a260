/* The agent's record in two sectors of a data partition, written in turn. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "otter/bytes.h"
#include "otter/ddi.h"
#include "otter/flash.h"

/* A sector begins with the record, its number, and the CRC-32 of both; FF fills the last write unit (FORMATS.md section 16). */
#define AT_SEQ      OTTER_DDI_RECORD_SIZE
#define AT_CRC      (AT_SEQ + 4u)
#define STORED_SIZE 352u /* whole write units of any flash that is taken */
_Static_assert(STORED_SIZE % OTTER_DDI_STORE_UNIT_MAX == 0 && STORED_SIZE >= AT_CRC + 4,
               "all of it is programmed at once");

static esp_err_t read_sector(const otter_ddi_store_t *store, int index, uint8_t bytes[STORED_SIZE],
                             bool *whole)
{
    esp_err_t err = otter_flash_read_torn(store->flash, store->offset + (uint32_t)index * store->sector,
                                          bytes, STORED_SIZE);
    *whole = err == ESP_OK && le32_get(bytes + AT_CRC) == crc32_le(0, bytes, AT_CRC);
    return err;
}

esp_err_t otter_ddi_store_open(otter_ddi_store_t *store, otter_flash_t *flash,
                               const esp_partition_t *partition)
{
    uint8_t bytes[STORED_SIZE];
    *store = (otter_ddi_store_t){
        .flash = flash, .offset = partition->address, .sector = flash->erase_size, .newest = -1};
    if (partition->size / 2 < flash->erase_size || partition->address % flash->erase_size != 0) {
        return ESP_ERR_INVALID_SIZE;
    }
    if (flash->write_size > OTTER_DDI_STORE_UNIT_MAX) {
        return ESP_ERR_NOT_SUPPORTED;
    }
    for (int i = 0; i < 2; i++) {
        bool whole;
        esp_err_t err = read_sector(store, i, bytes, &whole);
        if (err != ESP_OK) {
            return err;
        }
        const uint32_t seq = le32_get(bytes + AT_SEQ);
        if (whole && (store->newest < 0 || seq > store->seq)) {
            store->newest = i;
            store->seq = seq;
        }
    }
    return ESP_OK;
}

esp_err_t otter_ddi_store_load(otter_ddi_store_t *store, uint8_t record[OTTER_DDI_RECORD_SIZE])
{
    uint8_t bytes[STORED_SIZE];
    bool whole = false;
    if (store->newest < 0) {
        return ESP_ERR_NOT_FOUND;
    }
    esp_err_t err = read_sector(store, store->newest, bytes, &whole);
    memcpy(record, bytes, OTTER_DDI_RECORD_SIZE);
    return err == ESP_OK && !whole ? ESP_ERR_NOT_FOUND : err;
}

esp_err_t otter_ddi_store_save(otter_ddi_store_t *store, const uint8_t record[OTTER_DDI_RECORD_SIZE])
{
    uint8_t bytes[STORED_SIZE];
    const int older = store->newest == 0 ? 1 : 0;
    const uint32_t off = store->offset + (uint32_t)older * store->sector;
    memset(bytes, ERASED_BYTE, sizeof(bytes));
    memcpy(bytes, record, OTTER_DDI_RECORD_SIZE);
    le32_put(bytes + AT_SEQ, store->seq + 1);
    le32_put(bytes + AT_CRC, crc32_le(0, bytes, AT_CRC));
    esp_err_t err = otter_flash_erase(store->flash, off, store->sector);
    err = err == ESP_OK ? otter_flash_program(store->flash, off, bytes, STORED_SIZE) : err;
    err = err == ESP_OK ? otter_flash_sync(store->flash) : err;
    if (err == ESP_OK) {
        store->newest = older;
        store->seq++;
    }
    return err;
}
