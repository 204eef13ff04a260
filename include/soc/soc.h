/* A chip's registers: there are none, and what is written to one is forgotten. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "esp_assert.h"
#include "esp_bit_defs.h"
#include "soc/soc_caps.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PRO_CPU_NUM 0
#define APP_CPU_NUM 1

#define APB_CLK_FREQ   80000000 /* Hz, as of an ESP32 */
#define REF_CLK_FREQ   1000000
#define UART_CLK_FREQ  APB_CLK_FREQ
#define TIMER_CLK_FREQ (APB_CLK_FREQ / 16)

/** 0. */
uint32_t otter_register_read(uint32_t address);
/** Says once in the log that there is no such thing. */
void otter_register_write(uint32_t address, uint32_t value);

#define REG_READ(address)         otter_register_read((uint32_t)(address))
#define REG_WRITE(address, value) otter_register_write((uint32_t)(address), (uint32_t)(value))
#define REG_GET_BIT(address, bit) (REG_READ(address) & (bit))
#define REG_SET_BIT(address, bit) REG_WRITE((address), REG_READ(address) | (bit))
#define REG_CLR_BIT(address, bit) REG_WRITE((address), REG_READ(address) & ~(uint32_t)(bit))
#define REG_SET_BITS(address, bits, mask)                                                                    \
    REG_WRITE((address), (REG_READ(address) & ~(uint32_t)(mask)) | ((bits) & (mask)))
#define READ_PERI_REG(address)             REG_READ(address)
#define WRITE_PERI_REG(address, value)     REG_WRITE((address), (value))
#define SET_PERI_REG_MASK(address, mask)   REG_SET_BIT((address), (mask))
#define CLEAR_PERI_REG_MASK(address, mask) REG_CLR_BIT((address), (mask))
#define GET_PERI_REG_MASK(address, mask)   REG_GET_BIT((address), (mask))

#ifdef __cplusplus
}
#endif
