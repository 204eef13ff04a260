/* What is asked of SD cards: none answers. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdio.h>

#include "sd_protocol_types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* @return ESP_ERR_TIMEOUT, as of an empty slot; ESP_ERR_INVALID_ARG: NULL */
esp_err_t sdmmc_card_init(const sdmmc_host_t *host, sdmmc_card_t *out_card);
esp_err_t sdmmc_get_status(sdmmc_card_t *card);
esp_err_t sdmmc_write_sectors(sdmmc_card_t *card, const void *src, size_t start_sector, size_t sector_count);
esp_err_t sdmmc_read_sectors(sdmmc_card_t *card, void *dst, size_t start_sector, size_t sector_count);
esp_err_t sdmmc_erase_sectors(sdmmc_card_t *card, size_t start_sector, size_t sector_count);
/** Prints what the card says of itself. */
void sdmmc_card_print_info(FILE *stream, const sdmmc_card_t *card);

#ifdef __cplusplus
}
#endif
