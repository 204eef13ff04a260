/* What is typed comes by the driver of a serial port, and by its events. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "console.h"

#include <stdio.h>

#include "driver/uart.h"
#include "driver/uart_vfs.h"
#include "driver/usb_serial_jtag.h"
#include "driver/usb_serial_jtag_vfs.h"

void console_by_uart(void)
{
    char word[6] = "";
    uart_event_t event;
    QueueHandle_t events = NULL;
    const uart_config_t config = {.baud_rate = 9600,
                                  .data_bits = UART_DATA_8_BITS,
                                  .parity = UART_PARITY_DISABLE,
                                  .stop_bits = UART_STOP_BITS_1};
    printf("uart without a driver %d\n", uart_read_bytes(UART_NUM_0, word, 1, 0));
    ESP_ERROR_CHECK(uart_param_config(UART_NUM_0, &config));
    ESP_ERROR_CHECK(uart_set_pin(UART_NUM_0, UART_PIN_NO_CHANGE, UART_PIN_NO_CHANGE, UART_PIN_NO_CHANGE,
                                 UART_PIN_NO_CHANGE));
    printf("small buffer %d\n", uart_driver_install(UART_NUM_0, 128, 0, 0, NULL, 0));
    ESP_ERROR_CHECK(uart_driver_install(UART_NUM_0, 1024, 0, 8, &events, 0));
    printf("twice %d\n", uart_driver_install(UART_NUM_0, 1024, 0, 0, NULL, 0));
    bool came = xQueueReceive(events, &event, pdMS_TO_TICKS(10000)) == pdTRUE;
    printf("event %d of %d bytes\n", came ? (int)event.type : -1, (int)event.size);
    int got = uart_read_bytes(UART_NUM_0, word, 5, pdMS_TO_TICKS(10000));
    printf("uart read %d: %s\n", got, word);
    uart_write_bytes(UART_NUM_0, "by uart\n", 8);

    ESP_ERROR_CHECK(uart_driver_install(UART_NUM_1, 256, 0, 0, NULL, 0));
    TickType_t begin = xTaskGetTickCount();
    got = uart_read_bytes(UART_NUM_1, word, 5, pdMS_TO_TICKS(50));
    printf("port 1 read %d, waited %d, took %d\n", got, xTaskGetTickCount() - begin >= pdMS_TO_TICKS(50),
           uart_write_bytes(UART_NUM_1, "lost", 4));
    printf("port 3 %d\n", uart_set_baudrate(UART_NUM_MAX, 9600));
}

void console_by_usb(void)
{
    char text[8] = "";
    usb_serial_jtag_driver_config_t config = USB_SERIAL_JTAG_DRIVER_CONFIG_DEFAULT();
    ESP_ERROR_CHECK(usb_serial_jtag_driver_install(&config));
    usb_serial_jtag_vfs_use_driver();
    usb_serial_jtag_vfs_set_rx_line_endings(ESP_LINE_ENDINGS_LF);
    int got = usb_serial_jtag_read_bytes(text, sizeof(text) - 1, pdMS_TO_TICKS(10000));
    printf("usb read %d: %s\n", got, text);
    printf("at the end %d\n", usb_serial_jtag_read_bytes(text, 1, pdMS_TO_TICKS(20)));
    usb_serial_jtag_write_bytes("by usb\n", 7, portMAX_DELAY);
}
