/* ESP-IDF's SPI master: transfers succeed, what is sent is lost, what is received are zeros. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "driver/spi_common.h"
#include "freertos/FreeRTOS.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SPI_MASTER_FREQ_8M  (80 * 1000 * 1000 / 10)
#define SPI_MASTER_FREQ_10M (80 * 1000 * 1000 / 8)
#define SPI_MASTER_FREQ_20M (80 * 1000 * 1000 / 4)
#define SPI_MASTER_FREQ_40M (80 * 1000 * 1000 / 2)
#define SPI_MASTER_FREQ_80M (80 * 1000 * 1000)

#define SPI_DEVICE_TXBIT_LSBFIRST (1 << 0)
#define SPI_DEVICE_RXBIT_LSBFIRST (1 << 1)
#define SPI_DEVICE_3WIRE          (1 << 2)
#define SPI_DEVICE_POSITIVE_CS    (1 << 3)
#define SPI_DEVICE_HALFDUPLEX     (1 << 4)
#define SPI_DEVICE_NO_DUMMY       (1 << 6)

#define SPI_TRANS_MODE_DIO       (1 << 0)
#define SPI_TRANS_MODE_QIO       (1 << 1)
#define SPI_TRANS_USE_RXDATA     (1 << 2)
#define SPI_TRANS_USE_TXDATA     (1 << 3)
#define SPI_TRANS_CS_KEEP_ACTIVE (1 << 8)

typedef struct spi_transaction_t spi_transaction_t;
typedef void (*transaction_cb_t)(spi_transaction_t *trans);
typedef struct spi_device_t *spi_device_handle_t;

typedef struct {
    uint8_t command_bits, address_bits, dummy_bits, mode;
    spi_clock_source_t clock_source;
    uint16_t duty_cycle_pos, cs_ena_pretrans;
    uint8_t cs_ena_posttrans;
    int clock_speed_hz; /* above 0 */
    int input_delay_ns;
    int spics_io_num;
    uint32_t flags;
    int queue_size;                   /* transfers that wait for spi_device_get_trans_result() */
    transaction_cb_t pre_cb, post_cb; /* called in the task that transfers */
} spi_device_interface_config_t;

struct spi_transaction_t {
    uint32_t flags;
    uint16_t cmd;
    uint64_t addr;
    size_t length, rxlength; /* bits; rxlength 0: as length */
    void *user;
    union {
        const void *tx_buffer;
        uint8_t tx_data[4];
    };
    union {
        void *rx_buffer;
        uint8_t rx_data[4];
    };
};

/* Codes: ESP_ERR_INVALID_ARG with NULL, or a bus that there is not. */

/** @return ESP_OK, ESP_ERR_INVALID_STATE (the bus is not initialized), ESP_ERR_NO_MEM */
esp_err_t spi_bus_add_device(spi_host_device_t host_id, const spi_device_interface_config_t *dev_config,
                             spi_device_handle_t *handle);
/** @return ESP_OK, ESP_ERR_INVALID_STATE (a transfer waits) */
esp_err_t spi_bus_remove_device(spi_device_handle_t handle);
esp_err_t spi_device_transmit(spi_device_handle_t handle, spi_transaction_t *trans_desc);
esp_err_t spi_device_polling_transmit(spi_device_handle_t handle, spi_transaction_t *trans_desc);
/** Done when it returns; spi_device_get_trans_result() gives it back. @return ESP_OK, ESP_ERR_TIMEOUT (queue_size wait) */
esp_err_t spi_device_queue_trans(spi_device_handle_t handle, spi_transaction_t *trans_desc,
                                 TickType_t ticks_to_wait);
/** The first that waits. @return ESP_OK, ESP_ERR_TIMEOUT (none) */
esp_err_t spi_device_get_trans_result(spi_device_handle_t handle, spi_transaction_t **trans_desc,
                                      TickType_t ticks_to_wait);
esp_err_t spi_device_acquire_bus(spi_device_handle_t device, TickType_t wait);
void spi_device_release_bus(spi_device_handle_t dev);

#ifdef __cplusplus
}
#endif
