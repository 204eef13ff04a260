/* ESP-IDF's serial ports: the first one is the console; what is sent to the others is dropped, and nothing comes from them. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "esp_intr_alloc.h"
#include "freertos/FreeRTOS.h"
#include "freertos/queue.h"
#include "freertos/ringbuf.h"
#include "freertos/semphr.h"
#include "freertos/task.h"
#include "hal/uart_types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define UART_PIN_NO_CHANGE             (-1)
#define UART_FIFO_LEN                  128
#define UART_HW_FIFO_LEN(uart_num)     UART_FIFO_LEN
#define UART_BITRATE_MAX               5000000
#define UART_NUM_0_TXD_DIRECT_GPIO_NUM 1
#define UART_NUM_0_RXD_DIRECT_GPIO_NUM 3

typedef struct {
    int baud_rate; /* kept and given back, as all of this: the console has no speed */
    uart_word_length_t data_bits;
    uart_parity_t parity;
    uart_stop_bits_t stop_bits;
    uart_hw_flowcontrol_t flow_ctrl;
    uint8_t rx_flow_ctrl_thresh;
    union {
        uart_sclk_t source_clk;
        bool use_ref_tick;
    };
    struct {
        uint32_t allow_pd : 1, backup_before_sleep : 1;
    } flags;
} uart_config_t;

typedef enum {
    UART_DATA, /* the only one that comes */
    UART_BREAK,
    UART_BUFFER_FULL,
    UART_FIFO_OVF,
    UART_FRAME_ERR,
    UART_PARITY_ERR,
    UART_DATA_BREAK,
    UART_PATTERN_DET,
    UART_WAKEUP,
    UART_EVENT_MAX,
} uart_event_type_t;

typedef struct {
    uart_event_type_t type;
    size_t size;
    bool timeout_flag;
} uart_event_t;

/* Codes: ESP_FAIL for a port or value that there is not, or without a driver, as in ESP-IDF. Any task may call them. */

/**
 * @param rx_buffer_size  above UART_FIFO_LEN
 * @param uart_queue  gets a queue of uart_event_t, which belongs to the driver; NULL, or queue_size 0: none
 * @return ESP_OK, ESP_FAIL (also: it is installed; no memory)
 */
esp_err_t uart_driver_install(uart_port_t uart_num, int rx_buffer_size, int tx_buffer_size, int queue_size,
                              QueueHandle_t *uart_queue, int intr_alloc_flags);
/** A queue is left as it is, for its task waits for input. */
esp_err_t uart_driver_delete(uart_port_t uart_num);
bool uart_is_driver_installed(uart_port_t uart_num);

esp_err_t uart_param_config(uart_port_t uart_num, const uart_config_t *uart_config);
esp_err_t uart_set_pin(uart_port_t uart_num, int tx_io_num, int rx_io_num, int rts_io_num, int cts_io_num);
esp_err_t uart_set_baudrate(uart_port_t uart_num, uint32_t baudrate);
esp_err_t uart_get_baudrate(uart_port_t uart_num, uint32_t *baudrate);
esp_err_t uart_set_word_length(uart_port_t uart_num, uart_word_length_t data_bit);
esp_err_t uart_set_stop_bits(uart_port_t uart_num, uart_stop_bits_t stop_bits);
esp_err_t uart_set_parity(uart_port_t uart_num, uart_parity_t parity_mode);
esp_err_t uart_set_hw_flow_ctrl(uart_port_t uart_num, uart_hw_flowcontrol_t flow_ctrl, uint8_t rx_thresh);
esp_err_t uart_set_mode(uart_port_t uart_num, uart_mode_t mode);
esp_err_t uart_set_line_inverse(uart_port_t uart_num, uint32_t inverse_mask);
esp_err_t uart_set_rx_timeout(uart_port_t uart_num, uint8_t tout_thresh);
esp_err_t uart_set_rx_full_threshold(uart_port_t uart_num, int threshold);
esp_err_t uart_enable_rx_intr(uart_port_t uart_num);
esp_err_t uart_disable_rx_intr(uart_port_t uart_num);

/** @return how many bytes were taken; -1: ESP_FAIL's reasons */
int uart_write_bytes(uart_port_t uart_num, const void *src, size_t size);
int uart_tx_chars(uart_port_t uart_num, const char *buffer, uint32_t len);
/** Waits until `length` are there, at most that long. @return how many came; -1 */
int uart_read_bytes(uart_port_t uart_num, void *buf, uint32_t length, TickType_t ticks_to_wait);
esp_err_t uart_wait_tx_done(uart_port_t uart_num, TickType_t ticks_to_wait);
/** Drops what was typed. */
esp_err_t uart_flush(uart_port_t uart_num);
esp_err_t uart_flush_input(uart_port_t uart_num);
esp_err_t uart_get_buffered_data_len(uart_port_t uart_num, size_t *size);
esp_err_t uart_get_tx_buffer_free_size(uart_port_t uart_num, size_t *size);

/** No pattern is looked for. @return ESP_ERR_NOT_SUPPORTED */
esp_err_t uart_enable_pattern_det_baud_intr(uart_port_t uart_num, char pattern_chr, uint8_t chr_num,
                                            int chr_tout, int post_idle, int pre_idle);
esp_err_t uart_pattern_queue_reset(uart_port_t uart_num, int queue_length);
/** @return -1 */
int uart_pattern_pop_pos(uart_port_t uart_num);

#ifdef __cplusplus
}
#endif
