/* What an image is for, by its bytes: apps, bootloaders old and new, programs for RAM, the ESP8266's; and who refuses what. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "otter/bytes.h"
#include "otter/image.h"
#include "otter/image_kind.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

enum { DESC_NONE, DESC_APP, DESC_BOOTLOADER };

/** An image to be: segments of 256 bytes each, the first of which may begin with a descriptor. */
typedef struct {
    uint16_t chip_id;
    int desc;
    uint32_t addrs[4]; /* up to the first 0 */
} plan_t;

/** @return its length; checksum right, no hash */
static size_t make_image(const plan_t *plan, uint8_t bytes[2048])
{
    uint8_t checksum = 0xEF;
    size_t len = OTTER_IMAGE_HEADER_SIZE;
    memset(bytes, 0, 2048);
    bytes[0] = ESP_IMAGE_HEADER_MAGIC;
    bytes[8] = 0xEE;
    bytes[12] = (uint8_t)plan->chip_id;
    bytes[13] = (uint8_t)(plan->chip_id >> 8);
    for (; bytes[1] < 4 && plan->addrs[bytes[1]] != 0; bytes[1]++) {
        uint8_t *data = bytes + len + OTTER_IMAGE_SEGMENT_SIZE;
        le32_put(bytes + len, plan->addrs[bytes[1]]);
        le32_put(bytes + len + 4, OTTER_IMAGE_DESC_SIZE);
        if (bytes[1] == 0 && plan->desc == DESC_APP) {
            le32_put(data, ESP_APP_DESC_MAGIC_WORD);
        } else if (bytes[1] == 0 && plan->desc == DESC_BOOTLOADER) {
            memcpy(data, "\x50\0\0\0\7\0\0\0v5.4.1", 14);
        } else {
            memset(data, 0x13, 64);
        }
        for (unsigned i = 0; i < OTTER_IMAGE_DESC_SIZE; i++) {
            checksum ^= data[i];
        }
        len += OTTER_IMAGE_SEGMENT_SIZE + OTTER_IMAGE_DESC_SIZE;
    }
    len = (len / 16 + 1) * 16;
    bytes[len - 1] = checksum;
    return len;
}

static const struct {
    const char *name;
    plan_t plan;
    otter_image_kind_t want;
    esp_err_t as_app; /* verdict of a device that would load it as an app */
} rows[] = {
    {"app", {0x00, DESC_APP, {0x3F400020, 0x40080000}}, OTTER_IMAGE_KIND_APP, ESP_OK},
    {"app of before descriptors", {0x00, DESC_NONE, {0x3F400020, 0x40080000}}, OTTER_IMAGE_KIND_APP, ESP_OK},
    {"app, mapped segment last",
     {0x00, DESC_APP, {0x3FFB0000, 0x40080000, 0x3F400230}},
     OTTER_IMAGE_KIND_APP,
     ESP_OK},
    {"mapped segment last, and no descriptor: until then a RAM program",
     {0x00, DESC_NONE, {0x3FFB0000, 0x40080000, 0x3F400230}},
     OTTER_IMAGE_KIND_RAM,
     ESP_ERR_IMAGE_INVALID},
    {"bootloader",
     {0x05, DESC_BOOTLOADER, {0x3FCD5990, 0x403CC710, 0x403CE710}},
     OTTER_IMAGE_KIND_BOOTLOADER,
     ESP_ERR_IMAGE_INVALID},
    {"bootloader of a chip that nobody knows",
     {0x77, DESC_BOOTLOADER, {0x10000000}},
     OTTER_IMAGE_KIND_BOOTLOADER,
     ESP_FAIL},
    {"bootloader of the virtual device",
     {0xFFFF, DESC_BOOTLOADER, {0x10000000, 0x20000000}},
     OTTER_IMAGE_KIND_BOOTLOADER,
     ESP_ERR_IMAGE_INVALID},
    /* without a descriptor: as published, of ESP-IDF before 5.2 */
    {"ESP32 bootloader",
     {0x00, DESC_NONE, {0x3FFF0030, 0x40078000, 0x40080400}},
     OTTER_IMAGE_KIND_BOOTLOADER,
     ESP_ERR_IMAGE_INVALID},
    {"ESP32-S2 bootloader",
     {0x02, DESC_NONE, {0x3FFE6100, 0x4004C000, 0x40050000}},
     OTTER_IMAGE_KIND_BOOTLOADER,
     ESP_ERR_IMAGE_INVALID},
    {"ESP32-S3 bootloader",
     {0x09, DESC_NONE, {0x3FCD0108, 0x403B6000, 0x403BA000}},
     OTTER_IMAGE_KIND_BOOTLOADER,
     ESP_ERR_IMAGE_INVALID},
    {"ESP32-C3 bootloader",
     {0x05, DESC_NONE, {0x3FCD6100, 0x403CE000, 0x403D0000}},
     OTTER_IMAGE_KIND_BOOTLOADER,
     ESP_ERR_IMAGE_INVALID},
    {"ESP32-C2 bootloader",
     {0x0C, DESC_NONE, {0x3FCD5B70, 0x403AC370, 0x403AEB70}},
     OTTER_IMAGE_KIND_BOOTLOADER,
     ESP_ERR_IMAGE_INVALID},
    {"ESP32-C6 bootloader",
     {0x0D, DESC_NONE, {0x4086C410, 0x4086E610, 0x40875728}},
     OTTER_IMAGE_KIND_BOOTLOADER,
     ESP_ERR_IMAGE_INVALID},
    {"ESP32-H2 bootloader",
     {0x10, DESC_NONE, {0x4083CFD0, 0x4083EFD0, 0x408460E8}},
     OTTER_IMAGE_KIND_BOOTLOADER,
     ESP_ERR_IMAGE_INVALID},
    {"ESP32-P4 bootloader",
     {0x12, DESC_NONE, {0x4FF33CE0, 0x4FF29ED0, 0x4FF2CBD0}},
     OTTER_IMAGE_KIND_BOOTLOADER,
     ESP_ERR_IMAGE_INVALID},
    {"RAM program", {0x00, DESC_NONE, {0x3FFB0000, 0x40080000}}, OTTER_IMAGE_KIND_RAM, ESP_ERR_IMAGE_INVALID},
    {"RAM program with an app's descriptor",
     {0x0D, DESC_APP, {0x40800000, 0x40801000}},
     OTTER_IMAGE_KIND_RAM,
     ESP_ERR_IMAGE_INVALID},
    {"RAM program of a C3",
     {0x05, DESC_NONE, {0x3FC80000, 0x40380000}},
     OTTER_IMAGE_KIND_RAM,
     ESP_ERR_IMAGE_INVALID},
    {"app of the virtual device", {0xFFFF, DESC_APP, {0x10, 0x10000000}}, OTTER_IMAGE_KIND_APP, ESP_OK},
};

/** Judged in pieces of `step` bytes. */
static esp_err_t judge(otter_image_stream_t *s, const uint8_t *bytes, size_t len, const otter_chip_t *chip,
                       size_t step)
{
    const otter_image_rules_t rules = {.chip = chip, .size = (uint32_t)len, .loading = true};
    assert_int_equal(otter_image_stream_begin(s, &rules), ESP_OK);
    for (size_t at = 0; at < len; at += step) {
        otter_image_stream_feed(s, bytes + at, len - at < step ? len - at : step);
    }
    return otter_image_stream_close(s);
}

static void an_image_tells_what_it_is_for(void **state)
{
    (void)state;
    static const size_t steps[] = {1, 7, 2048};
    uint8_t bytes[2048];
    for (size_t i = 0; i < COUNT(rows) * COUNT(steps); i++) {
        const size_t row = i / COUNT(steps);
        otter_image_stream_t s = {0};
        size_t len = make_image(&rows[row].plan, bytes);
        esp_err_t err = judge(&s, bytes, len, NULL, steps[i % COUNT(steps)]);
        if (err != ESP_OK || otter_image_kind(&s.info) != rows[row].want) {
            fail_msg("%s: %s, 0x%x %s", rows[row].name, otter_image_kind_name(otter_image_kind(&s.info)),
                     (unsigned)err, s.fault.why);
        }
        otter_image_stream_end(&s);
    }
}

static void only_an_app_is_loaded_as_one(void **state)
{
    (void)state;
    uint8_t bytes[2048];
    for (size_t i = 0; i < COUNT(rows); i++) {
        const otter_chip_t chip = {.id = rows[i].plan.chip_id == 0x77 ? 0 : rows[i].plan.chip_id};
        otter_image_stream_t s = {0};
        size_t len = make_image(&rows[i].plan, bytes);
        esp_err_t err = judge(&s, bytes, len, &chip, 64);
        if (err != rows[i].as_app) {
            fail_msg("%s: 0x%x %s", rows[i].name, (unsigned)err, s.fault.why);
        }
        bool told = strstr(s.fault.why, otter_image_kind_name(rows[i].want)) != NULL &&
                    strstr(s.fault.why, "not an app") != NULL;
        if (rows[i].as_app == ESP_ERR_IMAGE_INVALID && !told) {
            fail_msg("%s: %s", rows[i].name, s.fault.why);
        }
        otter_image_stream_end(&s);
    }
}

static void what_has_no_segments_is_nothing_to_load(void **state)
{
    (void)state;
    const plan_t nothing = {0};
    const otter_chip_t chip = {.id = 0};
    uint8_t bytes[2048];
    otter_image_stream_t s = {0};
    size_t len = make_image(&nothing, bytes);
    assert_int_equal(judge(&s, bytes, len, NULL, 64), ESP_ERR_IMAGE_INVALID);
    assert_int_equal(judge(&s, bytes, len, &chip, 64), ESP_ERR_IMAGE_INVALID);
    assert_non_null(strstr(s.fault.why, "no segments"));
    otter_image_stream_end(&s);
}

static void the_head_alone_shows_what_is_no_app(void **state)
{
    (void)state;
    uint8_t bytes[2048];
    for (size_t i = 0; i < COUNT(rows); i++) {
        const otter_chip_t chip = {.id = rows[i].plan.chip_id};
        const otter_image_rules_t rules = {.chip = &chip, .size = 0x100000, .loading = true};
        make_image(&rows[i].plan, bytes);
        /* An app's descriptor at the start of a program for RAM is believed until all segments are seen. */
        bool passes = rows[i].want == OTTER_IMAGE_KIND_APP || rows[i].plan.desc == DESC_APP ||
                      rows[i].plan.chip_id == 0x77;
        esp_err_t want = passes ? ESP_OK : ESP_ERR_OTA_VALIDATE_FAILED;
        if (rows[i].plan.chip_id != 0x77) {
            otter_fault_t fault = {0};
            esp_err_t err = otter_image_check_head(bytes, OTTER_IMAGE_GATE_SIZE, &rules, &fault);
            if (err != want || fault.code != err || (err == ESP_OK) != (fault.why[0] == '\0')) {
                fail_msg("%s: 0x%x %s", rows[i].name, (unsigned)err, fault.why);
            }
        }
    }
    /* What may be written to a bootloader partition. */
    const otter_chip_t chip = {.id = 0x05};
    const otter_image_rules_t rules = {.chip = &chip, .size = 0x8000, .bootloader = true};
    const plan_t bootloader = {0x05, DESC_NONE, {0x3FCD6100, 0x403CE000}};
    make_image(&bootloader, bytes);
    assert_int_equal(otter_image_check_head(bytes, OTTER_IMAGE_GATE_SIZE, &rules, NULL), ESP_OK);
}

static void an_esp8266_image_is_named(void **state)
{
    (void)state;
    static const uint32_t loads[] = {0x40100000, 0x3FFE8000, 0x40201010};
    uint8_t bytes[2048] = {ESP_IMAGE_HEADER_MAGIC, 1, 0, 0x40};
    for (size_t i = 0; i < COUNT(loads); i++) {
        const otter_chip_t chip = {.id = 0};
        le32_put(bytes + 4, 0x4010F480);
        le32_put(bytes + 8, loads[i]);
        le32_put(bytes + 12, 0x10000); /* its length, whose low half would be the id of the ESP32 */
        otter_image_stream_t s = {0};
        assert_int_equal(judge(&s, bytes, sizeof(bytes), NULL, sizeof(bytes)), ESP_ERR_IMAGE_INVALID);
        assert_int_equal(otter_image_kind(&s.info), OTTER_IMAGE_KIND_ESP8266);
        assert_non_null(strstr(s.fault.why, "ESP8266"));
        assert_int_equal(judge(&s, bytes, sizeof(bytes), &chip, sizeof(bytes)), ESP_FAIL);
        assert_string_equal(s.fault.why, "image is for ESP8266, this is ESP32");
        otter_image_stream_end(&s);
    }
}

static void what_is_no_image_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *want;
    } files[] = {
        {"\x7f"
         "ELF\1\1\1\0\0\0\0\0\0\0\0\0",
         "an ELF file"},
        {"\xaa\x50\1\2\0\x90\0\0\0\x60\0\0nvs", "a partition table"},
        {"\xea\4\0\0\x04\0\x10\x40\0\0\0\0\0\0\0\0", "an ESP8266 image"},
        {"\x1f\x8b\x08\0\0\0\0\0\0\0\0\0\0\0\0\0", "a gzip file"},
        {"<!DOCTYPE html><h", "a web page"},
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "erased flash"},
        {"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "zeros"},
        {"nothing in particular", NULL},
    };
    for (size_t i = 0; i < COUNT(files); i++) {
        const char *name = otter_image_foreign_name((const uint8_t *)files[i].bytes, 16);
        if (files[i].want == NULL) {
            assert_null(name);
        } else {
            assert_non_null(name);
            assert_int_equal(strncmp(name, files[i].want, strlen(files[i].want)), 0);
        }
    }
    assert_null(otter_image_foreign_name(NULL, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_image_tells_what_it_is_for),
        cmocka_unit_test(only_an_app_is_loaded_as_one),
        cmocka_unit_test(what_has_no_segments_is_nothing_to_load),
        cmocka_unit_test(the_head_alone_shows_what_is_no_app),
        cmocka_unit_test(an_esp8266_image_is_named),
        cmocka_unit_test(what_is_no_image_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
