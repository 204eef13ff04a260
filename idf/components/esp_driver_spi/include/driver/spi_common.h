/* ESP-IDF's names for SPI buses. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "esp_intr_alloc.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { SPI1_HOST = 0, SPI2_HOST, SPI3_HOST, SPI_HOST_MAX } spi_host_device_t;
#define HSPI_HOST SPI2_HOST
#define VSPI_HOST SPI3_HOST

typedef enum { SPI_DMA_DISABLED = 0, SPI_DMA_CH1, SPI_DMA_CH2, SPI_DMA_CH_AUTO } spi_dma_chan_t;
typedef spi_dma_chan_t spi_common_dma_t;
typedef enum { SPI_CLK_SRC_DEFAULT = 0, SPI_CLK_SRC_APB, SPI_CLK_SRC_XTAL } spi_clock_source_t;

typedef struct {
    union {
        int mosi_io_num, data0_io_num;
    };
    union {
        int miso_io_num, data1_io_num;
    };
    int sclk_io_num;
    union {
        int quadwp_io_num, data2_io_num;
    };
    union {
        int quadhd_io_num, data3_io_num;
    };
    int data4_io_num, data5_io_num, data6_io_num, data7_io_num;
    int max_transfer_sz; /* bytes; 0: 4092 */
    uint32_t flags;
    int intr_flags;
} spi_bus_config_t;

#define SPI_MAX_DMA_LEN          4092
#define SPICOMMON_BUSFLAG_MASTER (1 << 0)

/** Says that this is a stand-in. @return ESP_OK, ESP_ERR_INVALID_ARG, ESP_ERR_INVALID_STATE (it is initialized) */
esp_err_t spi_bus_initialize(spi_host_device_t host_id, const spi_bus_config_t *bus_config,
                             spi_dma_chan_t dma_chan);
/** @return ESP_OK, ESP_ERR_INVALID_ARG, ESP_ERR_INVALID_STATE (not initialized, or it has devices) */
esp_err_t spi_bus_free(spi_host_device_t host_id);

#ifdef __cplusplus
}
#endif
