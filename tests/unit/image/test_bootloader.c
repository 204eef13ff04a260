/* Which bootloader a flash has: at its chip's place, at another's, none, broken, or something that is none. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "otter/bytes.h"
#include "esp_app_format.h"
#include "otter/bootloader.h"
#include "sim/sim_flash.h"
#include "support/bootloader_image.h"

#define TABLE     0x8000u
#define ESP32_IN  0x40080000u
#define ESP32_XIP 0x400D0020u
#define C3_IN     0x403CE000u

static sim_flash_t sim;

static int setup(void **state)
{
    (void)state;
    return sim_flash_init(&sim, 0x10000) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    sim_flash_free(&sim);
    return 0;
}

static void put(uint32_t offset, uint16_t chip, uint32_t load_addr)
{
    make_bootloader_image(sim.bytes + offset, chip, load_addr, 0x20);
}

static void every_place_of_a_chip_is_known_once(void **state)
{
    (void)state;
    uint32_t offsets[OTTER_BOOTLOADER_PLACES_MAX];
    assert_int_equal(otter_bootloader_places(offsets), 3);
    assert_int_equal(offsets[0], 0);
    assert_int_equal(offsets[1], 0x1000);
    assert_int_equal(offsets[2], 0x2000);
}

static void a_place_is_told_by_what_lies_there(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint16_t chip;
        uint32_t load_addr;
        otter_bootloader_kind_t want;
    } rows[] = {
        {"a bootloader", ESP_CHIP_ID_ESP32, ESP32_IN, OTTER_BOOTLOADER_IMAGE},
        {"an application maps flash", ESP_CHIP_ID_ESP32, ESP32_XIP, OTTER_BOOTLOADER_APP},
        {"a chip that nobody knows", 0x7777, ESP32_IN, OTTER_BOOTLOADER_OTHER},
    };
    assert_int_equal(otter_bootloader_look(&sim.flash, 0x1000, TABLE).kind, OTTER_BOOTLOADER_BLANK);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        print_message("%s\n", rows[i].name);
        put(0x1000, rows[i].chip, rows[i].load_addr);
        otter_bootloader_place_t place = otter_bootloader_look(&sim.flash, 0x1000, TABLE);
        assert_int_equal(place.kind, rows[i].want);
        assert_int_equal(place.offset, 0x1000);
        assert_true((place.chip != NULL) == (rows[i].want != OTTER_BOOTLOADER_OTHER));
    }
    memset(sim.bytes + 0x1000, 0, 64);
    assert_int_equal(otter_bootloader_look(&sim.flash, 0x1000, TABLE).kind, OTTER_BOOTLOADER_OTHER);
    put(0x1000, ESP_CHIP_ID_ESP32, ESP32_IN);
    sim.bytes[0x1000 + 1] = 17; /* segments */
    assert_int_equal(otter_bootloader_look(&sim.flash, 0x1000, TABLE).kind, OTTER_BOOTLOADER_OTHER);
    assert_int_equal(otter_bootloader_look(&sim.flash, 0x1000, 0x1000).kind, OTTER_BOOTLOADER_BLANK);
    assert_int_equal(otter_bootloader_look(&sim.flash, 0x1000, 0x800).kind, OTTER_BOOTLOADER_BLANK);
}

static void the_one_at_home_is_found_before_one_elsewhere(void **state)
{
    (void)state;
    otter_bootloader_place_t found = {.offset = 7};
    assert_false(otter_bootloader_find(&sim.flash, TABLE, &found));
    assert_int_equal(found.offset, 7);
    put(0, ESP_CHIP_ID_ESP32, ESP32_IN);
    assert_true(otter_bootloader_find(&sim.flash, TABLE, &found));
    assert_int_equal(found.offset, 0);
    assert_string_equal(found.chip->name, "esp32");
    put(0x1000, ESP_CHIP_ID_ESP32, ESP32_IN);
    assert_true(otter_bootloader_find(&sim.flash, TABLE, &found));
    assert_int_equal(found.offset, 0x1000);
    put(0, ESP_CHIP_ID_ESP32C3, C3_IN); /* both at home: the first */
    assert_true(otter_bootloader_find(&sim.flash, TABLE, &found));
    assert_string_equal(found.chip->name, "esp32c3");
}

static void it_is_judged_as_its_rom_does(void **state)
{
    (void)state;
    otter_image_stream_t s = {0};
    put(0x1000, ESP_CHIP_ID_ESP32, ESP32_IN);
    otter_bootloader_place_t place = otter_bootloader_look(&sim.flash, 0x1000, TABLE);
    assert_int_equal(otter_bootloader_verify(&s, &sim.flash, &place, NULL, TABLE, NULL), ESP_OK);
    assert_int_equal(s.info.image_len, BOOTLOADER_IMAGE_LEN);
    assert_int_equal(otter_image_flash_size(&s.info.header), 0x400000);
    assert_int_equal(otter_image_flash_mhz(&s.info.header, place.chip), 40);
    assert_string_equal(otter_image_flash_mode(&s.info.header), "DIO");
    sim.bytes[0x1000 + 40] ^= 1;
    assert_int_equal(otter_bootloader_verify(&s, &sim.flash, &place, NULL, TABLE, NULL),
                     ESP_ERR_IMAGE_INVALID);
    assert_non_null(strstr(s.fault.why, "checksum"));
    /* It looks at the chip itself. */
    otter_chip_t chip = {.id = ESP_CHIP_ID_ESP32, .revision = 299};
    sim.bytes[0x1000 + 40] ^= 1;
    le16_put(sim.bytes + 0x1000 + 15, 300);
    assert_int_equal(otter_bootloader_verify(&s, &sim.flash, &place, &chip, TABLE, NULL), ESP_FAIL);
    assert_non_null(strstr(s.fault.why, "v3.0"));
    chip.revision = 300;
    assert_int_equal(otter_bootloader_verify(&s, &sim.flash, &place, &chip, TABLE, NULL), ESP_OK);
    sim.bytes[0x1000 + 40] ^= 1;
    /* It may not reach into the table. */
    sim.bytes[0x1000 + 40] ^= 1;
    assert_int_equal(otter_bootloader_verify(&s, &sim.flash, &place, NULL, 0x1040, NULL),
                     ESP_ERR_IMAGE_INVALID);
    otter_image_stream_end(&s);
}

static void header_codes_without_a_meaning_have_no_value(void **state)
{
    (void)state;
    const otter_chip_facts_t *c6 = otter_chip_by_name("esp32c6");
    esp_image_header_t header = {.spi_mode = 6, .spi_speed = 1, .spi_size = 8};
    assert_null(otter_image_flash_mode(&header));
    assert_int_equal(otter_image_flash_size(&header), 0);
    assert_int_equal(otter_image_flash_mhz(&header, c6), 0); /* the C6 has no code 1 */
    header.spi_speed = 7;
    assert_int_equal(otter_image_flash_mhz(&header, c6), 0);
    header.spi_speed = 0xF;
    assert_int_equal(otter_image_flash_mhz(&header, otter_chip_by_name("esp32")), 80);
    header.spi_size = 7;
    assert_int_equal(otter_image_flash_size(&header), 128u << 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_place_of_a_chip_is_known_once),
        cmocka_unit_test_setup_teardown(a_place_is_told_by_what_lies_there, setup, teardown),
        cmocka_unit_test_setup_teardown(the_one_at_home_is_found_before_one_elsewhere, setup, teardown),
        cmocka_unit_test_setup_teardown(it_is_judged_as_its_rom_does, setup, teardown),
        cmocka_unit_test(header_codes_without_a_meaning_have_no_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
