/* Clocks and resets of a chip's peripherals: there is nothing to switch. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

typedef enum {
    PERIPH_LEDC_MODULE,
    PERIPH_UART0_MODULE,
    PERIPH_UART1_MODULE,
    PERIPH_UART2_MODULE,
    PERIPH_I2C0_MODULE,
    PERIPH_I2C1_MODULE,
    PERIPH_I2S0_MODULE,
    PERIPH_I2S1_MODULE,
    PERIPH_TIMG0_MODULE,
    PERIPH_TIMG1_MODULE,
    PERIPH_RMT_MODULE,
    PERIPH_SPI2_MODULE,
    PERIPH_SPI3_MODULE,
    PERIPH_PCNT_MODULE,
    PERIPH_WIFI_MODULE,
    PERIPH_BT_MODULE,
    PERIPH_MODULE_MAX
} periph_module_t;

static inline void periph_module_enable(periph_module_t periph)
{
    (void)periph;
}

static inline void periph_module_disable(periph_module_t periph)
{
    (void)periph;
}

static inline void periph_module_reset(periph_module_t periph)
{
    (void)periph;
}
