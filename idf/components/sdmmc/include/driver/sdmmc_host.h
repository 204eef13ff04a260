/* The SD host of a chip: its slots are empty. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "driver/gpio.h"
#include "sd_protocol_types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SDMMC_HOST_SLOT_0               0
#define SDMMC_HOST_SLOT_1               1
#define SDMMC_SLOT_NO_CD                GPIO_NUM_NC
#define SDMMC_SLOT_NO_WP                GPIO_NUM_NC
#define SDMMC_SLOT_WIDTH_DEFAULT        0
#define SDMMC_SLOT_FLAG_INTERNAL_PULLUP (1u << 0)
#define SDMMC_SLOT_FLAG_WP_ACTIVE_HIGH  (1u << 1)

typedef struct {
    gpio_num_t clk, cmd, d0, d1, d2, d3, d4, d5, d6, d7;
    union {
        gpio_num_t gpio_cd, cd;
    };
    union {
        gpio_num_t gpio_wp, wp;
    };
    uint8_t width;
    uint32_t flags;
} sdmmc_slot_config_t;

#define SDMMC_HOST_DEFAULT()                                                                                 \
    {                                                                                                        \
        .flags = SDMMC_HOST_FLAG_1BIT | SDMMC_HOST_FLAG_4BIT, .slot = SDMMC_HOST_SLOT_1,                     \
        .max_freq_khz = SDMMC_FREQ_DEFAULT, .io_voltage = 3.3f, .command_timeout_ms = 0                      \
    }
#define SDMMC_SLOT_CONFIG_DEFAULT()                                                                          \
    {                                                                                                        \
        .clk = GPIO_NUM_14, .cmd = GPIO_NUM_15, .d0 = GPIO_NUM_2, .d1 = GPIO_NUM_4, .d2 = GPIO_NUM_12,       \
        .d3 = GPIO_NUM_13, .d4 = GPIO_NUM_NC, .d5 = GPIO_NUM_NC, .d6 = GPIO_NUM_NC, .d7 = GPIO_NUM_NC,       \
        .gpio_cd = GPIO_NUM_NC, .gpio_wp = GPIO_NUM_NC, .width = SDMMC_SLOT_WIDTH_DEFAULT, .flags = 0        \
    }

/** @return ESP_OK, ESP_ERR_INVALID_ARG (NULL, or no such slot) */
esp_err_t sdmmc_host_init(void);
esp_err_t sdmmc_host_init_slot(int slot, const sdmmc_slot_config_t *slot_config);
esp_err_t sdmmc_host_deinit(void);

#ifdef __cplusplus
}
#endif
