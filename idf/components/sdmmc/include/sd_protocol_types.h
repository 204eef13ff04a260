/* ESP-IDF's words for SD cards and the slots that hold them. There is no card. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SDMMC_FREQ_DEFAULT   20000 /* kHz, as the others */
#define SDMMC_FREQ_HIGHSPEED 40000
#define SDMMC_FREQ_PROBING   400

#define SDMMC_HOST_FLAG_1BIT (1u << 0)
#define SDMMC_HOST_FLAG_4BIT (1u << 1)
#define SDMMC_HOST_FLAG_8BIT (1u << 2)
#define SDMMC_HOST_FLAG_SPI  (1u << 3)
#define SDMMC_HOST_FLAG_DDR  (1u << 4)

typedef struct {
    uint32_t flags;
    int slot;
    int max_freq_khz;
    float io_voltage;
    int command_timeout_ms;
} sdmmc_host_t;

typedef struct {
    int mfg_id, oem_id, revision, serial, date;
    char name[8];
} sdmmc_cid_t;

typedef struct {
    int csd_ver, mmc_ver, capacity, sector_size, read_block_len, card_command_class, tr_speed;
} sdmmc_csd_t;

typedef struct {
    sdmmc_host_t host;
    sdmmc_cid_t cid;
    sdmmc_csd_t csd;
    int max_freq_khz, real_freq_khz;
    uint32_t is_mem : 1, is_sdio : 1, is_mmc : 1, num_io_functions : 3;
} sdmmc_card_t;

#ifdef __cplusplus
}
#endif
