/* What programs call of a chip's ROM, and its registers, of which there are none. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "esp_log.h"
#include "esp_rom_crc.h"
#include "esp_rom_md5.h"
#include "esp_rom_sys.h"
#include "esp_system.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "otter/bytes.h"
#include "otter/system.h"
#include "soc/soc.h"

/* ---- CRCs ---- */

/** From the highest bit on; a register of `width` bits. */
static uint32_t crc_be(uint32_t crc, const uint8_t *buf, uint32_t len, unsigned width, uint32_t polynomial)
{
    uint32_t reg = ~crc << (32 - width); /* its bits lie at the top */
    polynomial <<= 32 - width;
    for (uint32_t i = 0; i < len; i++) {
        reg ^= (uint32_t)buf[i] << 24;
        for (int bit = 0; bit < 8; bit++) {
            reg = reg << 1 ^ ((reg & 0x80000000) != 0 ? polynomial : 0);
        }
    }
    return ~reg >> (32 - width);
}

/** From the lowest bit on; the polynomial is mirrored. */
static uint32_t crc_le(uint32_t crc, const uint8_t *buf, uint32_t len, uint32_t mask, uint32_t polynomial)
{
    uint32_t reg = ~crc & mask;
    for (uint32_t i = 0; i < len; i++) {
        reg ^= buf[i];
        for (int bit = 0; bit < 8; bit++) {
            reg = reg >> 1 ^ ((reg & 1) != 0 ? polynomial : 0);
        }
    }
    return ~reg & mask;
}

uint32_t esp_rom_crc32_le(uint32_t crc, const uint8_t *buf, uint32_t len)
{
    return crc32_le(crc, buf, len);
}

uint32_t esp_rom_crc32_be(uint32_t crc, const uint8_t *buf, uint32_t len)
{
    return crc_be(crc, buf, len, 32, 0x04C11DB7);
}

uint16_t esp_rom_crc16_le(uint16_t crc, const uint8_t *buf, uint32_t len)
{
    return (uint16_t)crc_le(crc, buf, len, 0xFFFF, 0x8408);
}

uint16_t esp_rom_crc16_be(uint16_t crc, const uint8_t *buf, uint32_t len)
{
    return (uint16_t)crc_be(crc, buf, len, 16, 0x1021);
}

uint8_t esp_rom_crc8_le(uint8_t crc, const uint8_t *buf, uint32_t len)
{
    return (uint8_t)crc_le(crc, buf, len, 0xFF, 0xE0);
}

uint8_t esp_rom_crc8_be(uint8_t crc, const uint8_t *buf, uint32_t len)
{
    return (uint8_t)crc_be(crc, buf, len, 8, 0x07);
}

/* ---- MD5 ---- */

void esp_rom_md5_init(md5_context_t *context)
{
    *context = (md5_context_t){0};
    if (!otter_md5_begin(&context->digest)) {
        esp_system_abort("esp_rom_md5_init: out of memory");
    }
}

void esp_rom_md5_update(md5_context_t *context, const void *buf, uint32_t len)
{
    otter_digest_update(&context->digest, buf, len);
}

void esp_rom_md5_final(uint8_t *digest, md5_context_t *context)
{
    otter_digest_finish(&context->digest, digest);
    otter_digest_end(&context->digest);
}

/* ---- console, time, reset ---- */

int esp_rom_vprintf(const char *fmt, va_list ap)
{
    char *text = NULL;
    int len = vasprintf(&text, fmt, ap);
    if (len >= 0) {
        otter_console_write(text, (size_t)len);
        free(text);
    }
    return len;
}

int esp_rom_printf(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int len = esp_rom_vprintf(fmt, ap);
    va_end(ap);
    return len;
}

void esp_rom_output_to_channels(char c)
{
    otter_console_write(&c, 1);
}

void esp_rom_install_uart_printf(void)
{
}

void esp_rom_delay_us(uint32_t us)
{
    const int64_t until = otter_now_us() + us;
    if (us >= 2000) {
        otter_sleep_ms(us / 1000 - 1);
    }
    while (otter_now_us() < until) {
        otter_task_yield();
    }
}

soc_reset_reason_t esp_rom_get_reset_reason(int cpu_no)
{
    (void)cpu_no;
    switch (esp_reset_reason()) {
    case ESP_RST_SW:
    case ESP_RST_PANIC:
        return RESET_REASON_CPU0_SW;
    case ESP_RST_TASK_WDT:
        return RESET_REASON_CORE_MWDT0;
    case ESP_RST_DEEPSLEEP:
        return RESET_REASON_CORE_DEEP_SLEEP;
    case ESP_RST_BROWNOUT:
        return RESET_REASON_SYS_BROWN_OUT;
    default:
        return RESET_REASON_CHIP_POWER_ON;
    }
}

void esp_rom_software_reset_system(void)
{
    otter_system_restart();
}

void esp_rom_software_reset_cpu(int cpu_no)
{
    (void)cpu_no;
    otter_system_restart();
}

static atomic_uint ticks_per_us = 240;

uint32_t esp_rom_get_cpu_ticks_per_us(void)
{
    return atomic_load(&ticks_per_us);
}

void esp_rom_set_cpu_ticks_per_us(uint32_t ticks)
{
    atomic_store(&ticks_per_us, ticks);
}

/* ---- registers ---- */

uint32_t otter_register_read(uint32_t address)
{
    (void)address;
    return 0;
}

void otter_register_write(uint32_t address, uint32_t value)
{
    static atomic_flag told = ATOMIC_FLAG_INIT;
    if (!atomic_flag_test_and_set(&told)) {
        ESP_LOGI("soc", "a stand-in without registers: 0x%08x = 0x%x is forgotten, and all others will be",
                 (unsigned)address, (unsigned)value);
    }
}
