/* ESP-IDF's types of serial ports. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { UART_NUM_0, UART_NUM_1, UART_NUM_2, UART_NUM_MAX } uart_port_t;

typedef enum {
    UART_MODE_UART = 0,
    UART_MODE_RS485_HALF_DUPLEX,
    UART_MODE_IRDA,
    UART_MODE_RS485_COLLISION_DETECT,
    UART_MODE_RS485_APP_CTRL,
} uart_mode_t;

typedef enum {
    UART_DATA_5_BITS = 0,
    UART_DATA_6_BITS,
    UART_DATA_7_BITS,
    UART_DATA_8_BITS,
    UART_DATA_BITS_MAX,
} uart_word_length_t;

typedef enum {
    UART_STOP_BITS_1 = 1,
    UART_STOP_BITS_1_5,
    UART_STOP_BITS_2,
    UART_STOP_BITS_MAX,
} uart_stop_bits_t;

typedef enum { UART_PARITY_DISABLE = 0, UART_PARITY_EVEN = 2, UART_PARITY_ODD = 3 } uart_parity_t;

typedef enum {
    UART_HW_FLOWCTRL_DISABLE = 0,
    UART_HW_FLOWCTRL_RTS,
    UART_HW_FLOWCTRL_CTS,
    UART_HW_FLOWCTRL_CTS_RTS,
    UART_HW_FLOWCTRL_MAX,
} uart_hw_flowcontrol_t;

/** There is no clock to choose. */
typedef enum {
    UART_SCLK_DEFAULT = 0,
    UART_SCLK_APB,
    UART_SCLK_REF_TICK,
    UART_SCLK_RTC,
    UART_SCLK_XTAL
} uart_sclk_t;

#ifdef __cplusplus
}
#endif
