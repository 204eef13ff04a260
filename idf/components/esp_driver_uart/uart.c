/* Serial ports: the first one is standard input and output. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "driver/uart.h"

#include <pthread.h>

#include "console_bytes.h"
#include "driver/uart_vfs.h"
#include "esp_log.h"

static const char TAG[] = "uart";

#define WATCHER_STACK 16384
#define WATCHER_PRIO  5
#define TELL_AGAIN_MS 20 /* who has not read yet is told of more that has come */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards the ports */
static struct {
    bool installed;
    uint32_t baud_rate;
} ports[UART_NUM_MAX] = {{.baud_rate = 115200}, {.baud_rate = 115200}, {.baud_rate = 115200}};
static QueueHandle_t console_events; /* made once, and kept */

static bool is_port(uart_port_t uart_num)
{
    return (unsigned)uart_num < UART_NUM_MAX;
}

static bool is_installed(uart_port_t uart_num)
{
    if (!is_port(uart_num)) {
        return false;
    }
    (void)pthread_mutex_lock(&lock); /* it is a plain one: this cannot fail */
    bool installed = ports[uart_num].installed;
    (void)pthread_mutex_unlock(&lock);
    return installed;
}

bool uart_is_driver_installed(uart_port_t uart_num)
{
    return is_installed(uart_num);
}

/* ---- the events of the console ---- */

static void watch(void *arg)
{
    size_t told = 0;
    while (console_wait_for_bytes()) {
        size_t there = console_bytes_there();
        if (there > told) {
            const uart_event_t event = {.type = UART_DATA, .size = there - told};
            (void)xQueueSend((QueueHandle_t)arg, &event, portMAX_DELAY);
        }
        vTaskDelay(pdMS_TO_TICKS(TELL_AGAIN_MS));
        told = console_bytes_there() < there ? 0 : there;
    }
    vTaskDelete(NULL);
}

/** @return NULL: no memory */
static QueueHandle_t event_queue(uart_port_t uart_num, int queue_size)
{
    if (uart_num != UART_NUM_0) {
        return xQueueCreate((UBaseType_t)queue_size, sizeof(uart_event_t));
    }
    if (console_events == NULL) {
        console_events = xQueueCreate((UBaseType_t)queue_size, sizeof(uart_event_t));
        if (console_events != NULL &&
            xTaskCreate(watch, "uart", WATCHER_STACK, console_events, WATCHER_PRIO, NULL) != pdPASS) {
            vQueueDelete(console_events);
            console_events = NULL;
        }
    }
    return console_events;
}

esp_err_t uart_driver_install(uart_port_t uart_num, int rx_buffer_size, int tx_buffer_size, int queue_size,
                              QueueHandle_t *uart_queue, int intr_alloc_flags)
{
    (void)intr_alloc_flags;
    if (!is_port(uart_num) || rx_buffer_size <= UART_FIFO_LEN ||
        (tx_buffer_size != 0 && tx_buffer_size <= UART_FIFO_LEN)) {
        return ESP_FAIL;
    }
    (void)pthread_mutex_lock(&lock);
    bool ok = !ports[uart_num].installed;
    if (ok && uart_queue != NULL && queue_size > 0) {
        *uart_queue = event_queue(uart_num, queue_size);
        ok = *uart_queue != NULL;
    }
    ports[uart_num].installed = ports[uart_num].installed || ok;
    (void)pthread_mutex_unlock(&lock);
    if (ok) {
        ESP_LOGI(TAG,
                 uart_num == UART_NUM_0 ? "a stand-in: port %d is the console"
                                        : "a stand-in: at port %d nobody listens, and nothing comes from it",
                 (int)uart_num);
    }
    return ok ? ESP_OK : ESP_FAIL;
}

esp_err_t uart_driver_delete(uart_port_t uart_num)
{
    if (!is_port(uart_num)) {
        return ESP_FAIL;
    }
    (void)pthread_mutex_lock(&lock);
    ports[uart_num].installed = false;
    (void)pthread_mutex_unlock(&lock);
    return ESP_OK;
}

/* ---- what is set, and has no effect ---- */

static esp_err_t accept(uart_port_t uart_num)
{
    return is_port(uart_num) ? ESP_OK : ESP_FAIL;
}

esp_err_t uart_set_baudrate(uart_port_t uart_num, uint32_t baudrate)
{
    if (!is_port(uart_num) || baudrate == 0 || baudrate > UART_BITRATE_MAX) {
        return ESP_FAIL;
    }
    (void)pthread_mutex_lock(&lock);
    ports[uart_num].baud_rate = baudrate;
    (void)pthread_mutex_unlock(&lock);
    return ESP_OK;
}

esp_err_t uart_get_baudrate(uart_port_t uart_num, uint32_t *baudrate)
{
    if (!is_port(uart_num) || baudrate == NULL) {
        return ESP_FAIL;
    }
    (void)pthread_mutex_lock(&lock);
    *baudrate = ports[uart_num].baud_rate;
    (void)pthread_mutex_unlock(&lock);
    return ESP_OK;
}

esp_err_t uart_param_config(uart_port_t uart_num, const uart_config_t *uart_config)
{
    return uart_config != NULL && uart_config->baud_rate > 0
               ? uart_set_baudrate(uart_num, (uint32_t)uart_config->baud_rate)
               : ESP_FAIL;
}

esp_err_t uart_set_pin(uart_port_t uart_num, int tx_io_num, int rx_io_num, int rts_io_num, int cts_io_num)
{
    (void)tx_io_num, (void)rx_io_num, (void)rts_io_num, (void)cts_io_num;
    return accept(uart_num);
}

esp_err_t uart_set_word_length(uart_port_t uart_num, uart_word_length_t data_bit)
{
    return data_bit < UART_DATA_BITS_MAX ? accept(uart_num) : ESP_FAIL;
}

esp_err_t uart_set_stop_bits(uart_port_t uart_num, uart_stop_bits_t stop_bits)
{
    return stop_bits < UART_STOP_BITS_MAX ? accept(uart_num) : ESP_FAIL;
}

esp_err_t uart_set_parity(uart_port_t uart_num, uart_parity_t parity_mode)
{
    (void)parity_mode;
    return accept(uart_num);
}

esp_err_t uart_set_hw_flow_ctrl(uart_port_t uart_num, uart_hw_flowcontrol_t flow_ctrl, uint8_t rx_thresh)
{
    (void)rx_thresh;
    return flow_ctrl < UART_HW_FLOWCTRL_MAX ? accept(uart_num) : ESP_FAIL;
}

esp_err_t uart_set_mode(uart_port_t uart_num, uart_mode_t mode)
{
    (void)mode;
    return is_installed(uart_num) ? ESP_OK : ESP_FAIL;
}

esp_err_t uart_set_line_inverse(uart_port_t uart_num, uint32_t inverse_mask)
{
    (void)inverse_mask;
    return accept(uart_num);
}

esp_err_t uart_set_rx_timeout(uart_port_t uart_num, uint8_t tout_thresh)
{
    (void)tout_thresh;
    return accept(uart_num);
}

esp_err_t uart_set_rx_full_threshold(uart_port_t uart_num, int threshold)
{
    return threshold > 0 && threshold < UART_FIFO_LEN ? accept(uart_num) : ESP_ERR_INVALID_ARG;
}

esp_err_t uart_enable_rx_intr(uart_port_t uart_num)
{
    return accept(uart_num);
}

esp_err_t uart_disable_rx_intr(uart_port_t uart_num)
{
    return accept(uart_num);
}

/* ---- bytes ---- */

int uart_write_bytes(uart_port_t uart_num, const void *src, size_t size)
{
    if (!is_installed(uart_num) || src == NULL) {
        return -1;
    }
    return uart_num == UART_NUM_0 ? console_write_bytes(src, size) : (int)size;
}

int uart_tx_chars(uart_port_t uart_num, const char *buffer, uint32_t len)
{
    return uart_write_bytes(uart_num, buffer, len);
}

int uart_read_bytes(uart_port_t uart_num, void *buf, uint32_t length, TickType_t ticks_to_wait)
{
    if (!is_installed(uart_num) || buf == NULL) {
        return -1;
    }
    if (uart_num == UART_NUM_0) {
        return console_read_bytes(buf, length, ticks_to_wait);
    }
    vTaskDelay(ticks_to_wait);
    return 0;
}

esp_err_t uart_wait_tx_done(uart_port_t uart_num, TickType_t ticks_to_wait)
{
    (void)ticks_to_wait;
    return is_installed(uart_num) ? ESP_OK : ESP_FAIL;
}

esp_err_t uart_flush_input(uart_port_t uart_num)
{
    if (!is_installed(uart_num)) {
        return ESP_FAIL;
    }
    if (uart_num == UART_NUM_0) {
        console_flush();
    }
    return ESP_OK;
}

esp_err_t uart_flush(uart_port_t uart_num)
{
    return uart_flush_input(uart_num);
}

esp_err_t uart_get_buffered_data_len(uart_port_t uart_num, size_t *size)
{
    if (!is_installed(uart_num) || size == NULL) {
        return ESP_FAIL;
    }
    *size = uart_num == UART_NUM_0 ? console_bytes_there() : 0;
    return ESP_OK;
}

esp_err_t uart_get_tx_buffer_free_size(uart_port_t uart_num, size_t *size)
{
    if (!is_installed(uart_num) || size == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *size = UART_FIFO_LEN;
    return ESP_OK;
}

esp_err_t uart_enable_pattern_det_baud_intr(uart_port_t uart_num, char pattern_chr, uint8_t chr_num,
                                            int chr_tout, int post_idle, int pre_idle)
{
    (void)uart_num, (void)pattern_chr, (void)chr_num, (void)chr_tout, (void)post_idle, (void)pre_idle;
    return ESP_ERR_NOT_SUPPORTED;
}

esp_err_t uart_pattern_queue_reset(uart_port_t uart_num, int queue_length)
{
    (void)uart_num, (void)queue_length;
    return ESP_ERR_NOT_SUPPORTED;
}

int uart_pattern_pop_pos(uart_port_t uart_num)
{
    (void)uart_num;
    return -1;
}

/* ---- through files: nothing is to be done ---- */

void uart_vfs_dev_register(void)
{
}

int uart_vfs_dev_port_set_rx_line_endings(int uart_num, esp_line_endings_t mode)
{
    (void)mode;
    return uart_num >= 0 && uart_num < UART_NUM_MAX ? 0 : -1;
}

int uart_vfs_dev_port_set_tx_line_endings(int uart_num, esp_line_endings_t mode)
{
    return uart_vfs_dev_port_set_rx_line_endings(uart_num, mode);
}

void uart_vfs_dev_use_nonblocking(int uart_num)
{
    (void)uart_num;
}

void uart_vfs_dev_use_driver(int uart_num)
{
    (void)uart_num;
}
