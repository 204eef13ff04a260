/* The names of a chip's ROM: checksums as ESP-IDF's own for Linux computes them, printing, waiting, registers. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "esp_timer.h"
#include "rom/crc.h"
#include "rom/ets_sys.h"
#include "rom/md5_hash.h"
#include "soc/rtc_cntl_reg.h"

static const uint8_t text[] = "123456789";

static void checksums_are_the_roms(void **state)
{
    (void)state;
    assert_int_equal(esp_rom_crc32_le(0, text, 9), 0xCBF43926);
    assert_int_equal(esp_rom_crc32_be(0, text, 9), 0xFC891918);
    assert_int_equal(esp_rom_crc16_le(0, text, 9), 0x906E);
    assert_int_equal(esp_rom_crc16_be(0, text, 9), 0xD64E);
    assert_int_equal(esp_rom_crc8_le(0, text, 9), 0x2F);
    assert_int_equal(esp_rom_crc8_be(0, text, 9), 0x04);
    assert_int_equal(esp_rom_crc32_le(0x12345678, text, 5), 0xB7A7FCF3);
    assert_int_equal(crc32_be(0x12345678, text, 5), 0xA62B2E70);
    assert_int_equal(crc16_le(0x1234, text, 5), 0xB856);
    assert_int_equal(crc16_be(0x1234, text, 5), 0x1C5E);
    assert_int_equal(crc8_le(0x12, text, 5), 0xB0);
    assert_int_equal(crc8_be(0x12, text, 5), 0xFB);
    assert_int_equal(esp_rom_crc16_be(0x1234, text, 0), 0x1234);
}

static void checksums_go_on(void **state)
{
    (void)state;
    assert_int_equal(esp_rom_crc32_be(esp_rom_crc32_be(0, text, 4), text + 4, 5), 0xFC891918);
    assert_int_equal(esp_rom_crc16_le(esp_rom_crc16_le(0, text, 4), text + 4, 5), 0x906E);
    assert_int_equal(esp_rom_crc16_be(esp_rom_crc16_be(0, text, 4), text + 4, 5), 0xD64E);
    assert_int_equal(esp_rom_crc8_le(esp_rom_crc8_le(0, text, 4), text + 4, 5), 0x2F);
    assert_int_equal(esp_rom_crc8_be(esp_rom_crc8_be(0, text, 4), text + 4, 5), 0x04);
}

static void md5_is_rfc_1321s(void **state)
{
    (void)state;
    static const uint8_t want[ESP_ROM_MD5_DIGEST_LEN] = {0x90, 0x01, 0x50, 0x98, 0x3C, 0xD2, 0x4F, 0xB0,
                                                         0xD6, 0x96, 0x3F, 0x7D, 0x28, 0xE1, 0x7F, 0x72};
    uint8_t digest[ESP_ROM_MD5_DIGEST_LEN];
    md5_context_t context;
    MD5Init(&context);
    MD5Update(&context, "a", 1);
    MD5Update(&context, "bc", 2);
    MD5Final(digest, &context);
    assert_memory_equal(digest, want, sizeof(want));
}

static void a_delay_is_at_least_as_long(void **state)
{
    (void)state;
    static const uint32_t times[] = {0, 1, 500, 3500};
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        int64_t before = esp_timer_get_time();
        ets_delay_us(times[i]);
        assert_true(esp_timer_get_time() - before >= times[i]);
    }
}

static void registers_forget(void **state)
{
    (void)state;
    WRITE_PERI_REG(RTC_CNTL_BROWN_OUT_REG, 0);
    REG_SET_BIT(RTC_CNTL_OPTION1_REG, RTC_CNTL_FORCE_DOWNLOAD_BOOT);
    assert_int_equal(REG_READ(RTC_CNTL_OPTION1_REG), 0);
    assert_int_equal(esp_rom_get_cpu_ticks_per_us(), 240);
    esp_rom_set_cpu_ticks_per_us(80);
    assert_int_equal(ets_get_cpu_frequency(), 80);
}

static void printing_counts(void **state)
{
    (void)state;
    assert_int_equal(esp_rom_printf("%d %s\n", 12, "text"), 8);
    assert_int_equal(ets_printf("plain\n"), 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checksums_are_the_roms), cmocka_unit_test(checksums_go_on),
        cmocka_unit_test(md5_is_rfc_1321s),       cmocka_unit_test(a_delay_is_at_least_as_long),
        cmocka_unit_test(registers_forget),       cmocka_unit_test(printing_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
