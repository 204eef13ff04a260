/* Slots in which no card is. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sdmmc_cmd.h"

#include <stdatomic.h>

#include "driver/sdmmc_host.h"
#include "driver/sdspi_host.h"
#include "esp_log.h"

static const char TAG[] = "sdmmc";

static esp_err_t no_card(const void *given)
{
    static atomic_flag told = ATOMIC_FLAG_INIT;
    if (!atomic_flag_test_and_set(&told)) {
        ESP_LOGI(TAG, "a stand-in: there is no card in any slot");
    }
    return given != NULL ? ESP_ERR_TIMEOUT : ESP_ERR_INVALID_ARG;
}

esp_err_t sdmmc_host_init(void)
{
    return ESP_OK;
}

esp_err_t sdmmc_host_init_slot(int slot, const sdmmc_slot_config_t *slot_config)
{
    return slot_config != NULL && (slot == SDMMC_HOST_SLOT_0 || slot == SDMMC_HOST_SLOT_1)
               ? ESP_OK
               : ESP_ERR_INVALID_ARG;
}

esp_err_t sdmmc_host_deinit(void)
{
    return ESP_OK;
}

esp_err_t sdspi_host_init(void)
{
    return ESP_OK;
}

esp_err_t sdspi_host_init_device(const sdspi_device_config_t *dev_config, sdspi_dev_handle_t *out_handle)
{
    if (dev_config == NULL || out_handle == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *out_handle = 0;
    return ESP_OK;
}

esp_err_t sdspi_host_deinit(void)
{
    return ESP_OK;
}

esp_err_t sdmmc_card_init(const sdmmc_host_t *host, sdmmc_card_t *out_card)
{
    return out_card != NULL ? no_card(host) : ESP_ERR_INVALID_ARG;
}

esp_err_t sdmmc_get_status(sdmmc_card_t *card)
{
    return no_card(card);
}

esp_err_t sdmmc_write_sectors(sdmmc_card_t *card, const void *src, size_t start_sector, size_t sector_count)
{
    (void)src, (void)start_sector, (void)sector_count;
    return no_card(card);
}

esp_err_t sdmmc_read_sectors(sdmmc_card_t *card, void *dst, size_t start_sector, size_t sector_count)
{
    (void)dst, (void)start_sector, (void)sector_count;
    return no_card(card);
}

esp_err_t sdmmc_erase_sectors(sdmmc_card_t *card, size_t start_sector, size_t sector_count)
{
    (void)start_sector, (void)sector_count;
    return no_card(card);
}

void sdmmc_card_print_info(FILE *stream, const sdmmc_card_t *card)
{
    fprintf(stream, "Name: %.*s\n", (int)sizeof(card->cid.name), card->cid.name);
}
