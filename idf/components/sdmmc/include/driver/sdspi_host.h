/* SD cards behind SPI: there is none. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "driver/gpio.h"
#include "sd_protocol_types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SDSPI_DEFAULT_HOST 1 /* SPI2_HOST */
#define SDSPI_DEFAULT_DMA  3 /* SPI_DMA_CH_AUTO */
#define SDSPI_SLOT_NO_CS   GPIO_NUM_NC
#define SDSPI_SLOT_NO_CD   GPIO_NUM_NC
#define SDSPI_SLOT_NO_WP   GPIO_NUM_NC
#define SDSPI_SLOT_NO_INT  GPIO_NUM_NC

typedef int sdspi_dev_handle_t;

typedef struct {
    int host_id; /* a spi_host_device_t */
    gpio_num_t gpio_cs, gpio_cd, gpio_wp, gpio_int;
} sdspi_device_config_t;

/* Of ESP-IDF 4, with the pins of the bus. */
typedef struct {
    gpio_num_t gpio_miso, gpio_mosi, gpio_sck, gpio_cs, gpio_cd, gpio_wp, gpio_int;
    int dma_channel;
} sdspi_slot_config_t;

#define SDSPI_HOST_DEFAULT()                                                                                 \
    {                                                                                                        \
        .flags = SDMMC_HOST_FLAG_SPI, .slot = SDSPI_DEFAULT_HOST, .max_freq_khz = SDMMC_FREQ_DEFAULT,        \
        .io_voltage = 3.3f, .command_timeout_ms = 0                                                          \
    }
#define SDSPI_DEVICE_CONFIG_DEFAULT()                                                                        \
    {                                                                                                        \
        .host_id = SDSPI_DEFAULT_HOST, .gpio_cs = GPIO_NUM_13, .gpio_cd = GPIO_NUM_NC,                       \
        .gpio_wp = GPIO_NUM_NC, .gpio_int = GPIO_NUM_NC                                                      \
    }
#define SDSPI_SLOT_CONFIG_DEFAULT()                                                                          \
    {                                                                                                        \
        .gpio_miso = GPIO_NUM_2, .gpio_mosi = GPIO_NUM_15, .gpio_sck = GPIO_NUM_14, .gpio_cs = GPIO_NUM_13,  \
        .gpio_cd = GPIO_NUM_NC, .gpio_wp = GPIO_NUM_NC, .gpio_int = GPIO_NUM_NC,                             \
        .dma_channel = SDSPI_DEFAULT_DMA                                                                     \
    }

/** @return ESP_OK, ESP_ERR_INVALID_ARG (NULL) */
esp_err_t sdspi_host_init(void);
esp_err_t sdspi_host_init_device(const sdspi_device_config_t *dev_config, sdspi_dev_handle_t *out_handle);
esp_err_t sdspi_host_deinit(void);

#ifdef __cplusplus
}
#endif
