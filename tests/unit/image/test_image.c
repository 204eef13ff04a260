/* The image judge against the verdicts recorded from ESP-IDF's own code, in every chunking; and truncation everywhere. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "otter/image.h"
#include "sim/sim_flash.h"
#include "support/ota_rig.h"

#define FLASH_SIZE 0x400000u

/* ---- the recorded verdicts ---- */

/*
 * Verdicts of other versions that differ from the version we report (5.5), and why ours is what it is. Every other
 * recorded verdict, of any version, must be ours.
 */
static const struct difference {
    const char *image, *version, *why;
} differences[] = {
    {"s3_efuse_blk_min200", "v4.4.8", "eFuse block revisions are checked since 5.1"},
    {"s3_efuse_blk_max50", "v4.4.8", "eFuse block revisions are checked since 5.1"},
    {"seg0_short", "HEAD", "only the development branch asks for 256 bytes in segment 0"},
};

static bool is_named_difference(const char *image, const char *version)
{
    for (size_t i = 0; i < sizeof(differences) / sizeof(differences[0]); i++) {
        if (strcmp(differences[i].image, image) == 0 && strcmp(differences[i].version, version) == 0) {
            return true;
        }
    }
    return false;
}

static cJSON *expected;

static int load_expected(void **state)
{
    (void)state;
    uint32_t len;
    uint8_t *text = rig_load("image", "expected.json", &len);
    expected = cJSON_Parse((const char *)text);
    free(text);
    return expected == NULL;
}

static int free_expected(void **state)
{
    (void)state;
    cJSON_Delete(expected);
    return 0;
}

static uint32_t number(const cJSON *item)
{
    assert_non_null(item);
    return cJSON_IsString(item) ? (uint32_t)strtoul(item->valuestring, NULL, 0) : (uint32_t)item->valuedouble;
}

static const cJSON *member(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

/** One recorded image on its recorded device: the flash holds it, everything else reads 0xFF. */
typedef struct {
    const char *name;
    const cJSON *row;
    uint8_t *bytes;
    uint32_t len;
    otter_chip_t chip;
    otter_image_rules_t rules;
} vector_t;

static vector_t load_vector(const cJSON *row, const char *name)
{
    vector_t v = {.name = name, .row = row};
    char file[128];
    snprintf(file, sizeof(file), "%s.bin", name);
    v.bytes = rig_load("image", file, &v.len);
    const cJSON *device = member(row, "device");
    const otter_chip_facts_t *facts = otter_chip_by_name(member(row, "target")->valuestring);
    assert_non_null(facts);
    v.chip.id = facts->id;
    v.chip.revision = (uint16_t)number(member(device, "chip_rev"));
    v.chip.blk_revision = (uint16_t)number(member(device, "efuse_blk_rev"));
    v.rules.flash_offset = number(member(device, "partition_offset"));
    v.rules.size = number(member(device, "partition_size"));
    return v;
}

typedef struct {
    esp_err_t err;
    uint32_t image_len;
    char why[OTTER_WHY_MAX];
} verdict_t;

/** Feeds pieces of the length that `next` gives, up to the partition's end. */
static verdict_t judge_in_pieces(const vector_t *v, const otter_image_rules_t *rules, size_t (*next)(void))
{
    uint32_t span = rules->size < 0x20000 ? rules->size : 0x20000; /* no recorded image is longer */
    uint8_t *flash = malloc(span);
    assert_non_null(flash);
    memset(flash, 0xFF, span);
    memcpy(flash, v->bytes, v->len < span ? v->len : span);

    otter_image_stream_t s = {0};
    verdict_t out = {.err = otter_image_stream_begin(&s, rules)};
    if (out.err == ESP_OK) {
        for (size_t at = 0; at < span && s.verdict == ESP_ERR_NOT_FINISHED;) {
            size_t n = next();
            n = n < span - at ? n : span - at;
            uint8_t *exact = malloc(n); /* a buffer of exactly n bytes: the sanitizer sees a step beside it */
            memcpy(exact, flash + at, n);
            otter_image_stream_feed(&s, exact, n);
            free(exact);
            at += n;
        }
        out.err = otter_image_stream_close(&s);
    }
    out.image_len = out.err == ESP_OK ? s.info.image_len : 0;
    memcpy(out.why, s.fault.why, sizeof(out.why));
    otter_image_stream_end(&s);
    free(flash);
    return out;
}

static verdict_t judge_in_flash(const vector_t *v, const otter_image_rules_t *rules)
{
    sim_flash_t sim;
    assert_true(sim_flash_init(&sim, FLASH_SIZE));
    memcpy(sim.bytes + rules->flash_offset, v->bytes, v->len);
    otter_image_info_t info;
    otter_fault_t fault = {0};
    verdict_t out = {.err = otter_image_verify(&sim.flash, rules, &info, &fault)};
    assert_int_equal(fault.code, out.err);
    memcpy(out.why, fault.why, sizeof(out.why));
    out.image_len = info.image_len;
    assert_int_equal(out.why[0] == '\0', out.err == ESP_OK);

    /* Asked again, with what the first time compared or without, the answer is the same. */
    otter_image_info_t again;
    otter_image_rules_t known = *rules;
    known.known = out.err == ESP_OK && !rules->no_checks && !rules->bootloader;
    assert_int_equal(otter_image_verify(&sim.flash, &known, &again, NULL), out.err);
    assert_memory_equal(&again, &info, sizeof(info));
    sim_flash_free(&sim);
    return out;
}

static uint32_t random_state;

static uint32_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state;
}

static size_t whole(void)
{
    return SIZE_MAX;
}

static size_t one_byte(void)
{
    return 1;
}

static size_t random_piece(void)
{
    uint32_t r = next_random();
    return r % 4 == 0 ? 1 + r / 4 % 5000 : 1 + r / 4 % 40;
}

static void check_verdict(const vector_t *v, const char *how, verdict_t got, esp_err_t want,
                          uint32_t want_len)
{
    if (got.err != want || got.image_len != want_len) {
        fail_msg("%s, %s: got 0x%x length %u (%s), recorded 0x%x length %u", v->name, how, (unsigned)got.err,
                 got.image_len, got.why, (unsigned)want, want_len);
    }
}

static void check_every_way(const vector_t *v, const otter_image_rules_t *rules, esp_err_t want,
                            uint32_t want_len)
{
    check_verdict(v, "whole", judge_in_pieces(v, rules, whole), want, want_len);
    check_verdict(v, "byte by byte", judge_in_pieces(v, rules, one_byte), want, want_len);
    for (int i = 0; i < 8; i++) {
        check_verdict(v, "random pieces", judge_in_pieces(v, rules, random_piece), want, want_len);
    }
    check_verdict(v, "in flash", judge_in_flash(v, rules), want, want_len);
}

/** Our verdict for a row is the 5.5 column; the other columns are compared with it, differences being named. */
static unsigned check_columns(const vector_t *v, const cJSON *verify, esp_err_t ours, uint32_t our_len)
{
    unsigned count = 0;
    const cJSON *column;
    cJSON_ArrayForEach(column, verify)
    {
        bool same = (esp_err_t)number(cJSON_GetArrayItem(column, 0)) == ours &&
                    number(cJSON_GetArrayItem(column, 1)) == our_len;
        if (same == is_named_difference(v->name, column->string)) {
            fail_msg("%s: verdict of %s %s", v->name, column->string,
                     same ? "is ours, but named as a difference" : "differs and is not named");
        }
        count++;
    }
    return count;
}

static void every_recorded_verdict_is_ours(void **state)
{
    (void)state;
    unsigned count = 0;
    const cJSON *row;
    cJSON_ArrayForEach(row, member(expected, "images"))
    {
        const cJSON *verify = member(row, "verify");
        if (verify == NULL) {
            continue; /* the bootloader image has none */
        }
        vector_t v = load_vector(row, row->string);
        v.rules.chip = &v.chip;
        const cJSON *want = member(verify, "v5.5.5") ? member(verify, "v5.5.5") : member(verify, "v6.0.2");
        esp_err_t want_err = (esp_err_t)number(cJSON_GetArrayItem(want, 0));
        uint32_t want_len = number(cJSON_GetArrayItem(want, 1));
        check_every_way(&v, &v.rules, want_err, want_len);
        count += check_columns(&v, verify, want_err, want_len);
        free(v.bytes);
    }
    cJSON_ArrayForEach(row, member(expected, "partition_size_cases"))
    {
        const char *name = member(row, "image")->valuestring;
        vector_t v = load_vector(member(member(expected, "images"), name), name);
        v.rules.chip = &v.chip;
        v.rules.size = number(member(row, "partition_size"));
        esp_err_t want = (esp_err_t)number(member(row, "ret"));
        check_every_way(&v, &v.rules, want, want == ESP_OK ? 784 : 0);
        count++;
        free(v.bytes);
    }
    print_message("%u recorded verdicts hold\n", count);
    assert_int_equal(count, 185);
}

static void metadata_are_read_without_judging_contents(void **state)
{
    (void)state;
    unsigned count = 0;
    const cJSON *row;
    cJSON_ArrayForEach(row, member(expected, "images"))
    {
        const cJSON *want = member(row, "get_metadata_v6.0.2");
        if (!cJSON_IsArray(want)) {
            continue;
        }
        vector_t v = load_vector(row, row->string);
        v.rules.chip = &v.chip;
        v.rules.no_checks = true;
        check_every_way(&v, &v.rules, (esp_err_t)number(cJSON_GetArrayItem(want, 0)),
                        number(cJSON_GetArrayItem(want, 1)));
        count++;
        free(v.bytes);
    }
    assert_true(count > 40);
}

/* ---- what the vectors do not say ---- */

static vector_t load_named(const char *name)
{
    vector_t v = load_vector(member(member(expected, "images"), name), name);
    return v;
}

static void a_truncated_image_never_passes(void **state)
{
    (void)state;
    vector_t v = load_named("esp32_valid");
    for (size_t len = 0; len < v.len; len++) {
        otter_image_rules_t in_file = {.chip = &v.chip, .size = (uint32_t)len};
        otter_image_rules_t in_partition = {.chip = &v.chip, .size = 0x100000};
        const otter_image_rules_t *both[] = {&in_file, &in_partition};
        for (int i = 0; i < 2; i++) {
            otter_image_stream_t s = {0};
            assert_int_equal(otter_image_stream_begin(&s, both[i]), ESP_OK);
            otter_image_stream_feed(&s, v.bytes, len);
            assert_int_equal(otter_image_stream_close(&s), ESP_ERR_IMAGE_INVALID);
            assert_true(s.fault.why[0] != '\0');
            otter_image_stream_end(&s);
        }
    }
    free(v.bytes);
}

static void every_flipped_bit_of_a_hashed_image_is_seen(void **state)
{
    (void)state;
    vector_t v = load_named("esp32_valid");
    otter_image_rules_t rules = {.chip = &v.chip, .size = (uint32_t)v.len};
    otter_image_stream_t s = {0};
    for (size_t bit = 0; bit < v.len * 8; bit++) {
        v.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(otter_image_stream_begin(&s, &rules), ESP_OK);
        otter_image_stream_feed(&s, v.bytes, v.len);
        /* The flag "a hash is appended" has seven other non-zero values, and one bit takes the hash away. */
        bool harmless = bit / 8 == 23 && bit % 8 == 0;
        assert_int_equal(otter_image_stream_close(&s) == ESP_OK, harmless);
        v.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    otter_image_stream_end(&s);
    free(v.bytes);
}

static void random_bytes_behind_a_good_header_are_survived(void **state)
{
    (void)state;
    vector_t v = load_named("esp32c6_mmu16k");
    otter_image_rules_t rules = {.chip = &v.chip, .size = (uint32_t)v.len, .flash_offset = 0x10000};
    otter_image_stream_t s = {0};
    for (int round = 0; round < 20000; round++) {
        uint8_t mutated[1024];
        memcpy(mutated, v.bytes, sizeof(mutated));
        for (int i = 0; i < 6; i++) {
            mutated[next_random() % 400] = (uint8_t)next_random();
        }
        rules.no_checks = round % 2 != 0;
        rules.loading = round % 3 == 0;
        rules.chip = round % 5 == 0 ? NULL : &v.chip;
        assert_int_equal(otter_image_stream_begin(&s, &rules), ESP_OK);
        otter_image_stream_feed(&s, mutated, sizeof(mutated));
        assert_int_not_equal(otter_image_stream_close(&s), ESP_ERR_NOT_FINISHED);
        assert_true(s.pos <= rules.size);
    }
    otter_image_stream_end(&s);
    free(v.bytes);
}

/** Byte 180 of the descriptor may say anything; what no chip of this kind has counts as 64 KB. */
static void a_page_that_the_chip_has_not_is_its_default(void **state)
{
    (void)state;
    vector_t v = load_named("esp32c6_mmu16k");
    const otter_image_rules_t rules = {
        .chip = &v.chip, .size = (uint32_t)v.len, .flash_offset = 0x10000, .no_checks = true};
    otter_image_stream_t s = {0};
    for (unsigned log2 = 0; log2 < 256; log2++) {
        v.bytes[OTTER_IMAGE_DESC_OFFSET + 180] = (uint8_t)log2;
        assert_int_equal(otter_image_stream_begin(&s, &rules), ESP_OK);
        otter_image_stream_feed(&s, v.bytes, v.len);
        assert_int_equal(s.info.mmu_page_size, log2 >= 13 && log2 <= 16 ? 1u << log2 : 0x10000u);
    }
    otter_image_stream_end(&s);
    free(v.bytes);
}

static void loading_refuses_addresses_outside_memory(void **state)
{
    (void)state;
    static const struct {
        const char *image;
        bool loading;
        esp_err_t want;
    } rows[] = {
        {"bad_ram_addr", false, ESP_OK},  {"bad_ram_addr", true, ESP_ERR_IMAGE_INVALID},
        {"esp32_valid", true, ESP_OK},    {"esp32_drom_irom_64k", true, ESP_OK},
        {"esp32s3_valid", true, ESP_OK},  {"esp32c6_mmu16k", true, ESP_OK},
        {"segments_16_ok", true, ESP_OK},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        vector_t v = load_named(rows[i].image);
        v.rules.chip = &v.chip;
        v.rules.loading = rows[i].loading;
        verdict_t got = judge_in_pieces(&v, &v.rules, whole);
        if (got.err != rows[i].want) {
            fail_msg("%s: 0x%x (%s)", rows[i].image, (unsigned)got.err, got.why);
        }
        free(v.bytes);
    }
}

static void the_descriptor_is_told(void **state)
{
    (void)state;
    vector_t v = load_named("esp32_v120_sec3");
    otter_image_rules_t rules = {.size = (uint32_t)v.len}; /* no chip: the image's own facts */
    otter_image_stream_t s = {0};
    assert_int_equal(otter_image_stream_begin(&s, &rules), ESP_OK);
    assert_int_equal(otter_image_stream_feed(&s, v.bytes, v.len), ESP_OK);
    assert_true(s.info.has_desc && s.info.hash_valid && s.info.checksum_valid);
    assert_int_equal(s.info.desc.secure_version, 3);
    assert_string_equal(s.info.desc.version, "1.2.0");
    assert_int_equal(s.info.segments_seen, 4);
    assert_int_equal(s.info.image_len, 784);
    otter_image_stream_end(&s);
    otter_image_stream_end(&s);
    free(v.bytes);
}

static void a_bootloader_is_judged_without_hash_and_descriptor(void **state)
{
    (void)state;
    uint32_t len;
    uint8_t *bytes = rig_load("image", "esp32c3_bootloader.bin", &len);
    otter_chip_t chip = {.id = ESP_CHIP_ID_ESP32C3, .revision = 3};
    otter_image_rules_t rules = {.chip = &chip, .size = (uint32_t)len, .bootloader = true};
    otter_image_stream_t s = {0};
    bytes[len - 1] ^= 1; /* esptool may have rewritten its header: the hash does not count */
    assert_int_equal(otter_image_stream_begin(&s, &rules), ESP_OK);
    assert_int_equal(otter_image_stream_feed(&s, bytes, len), ESP_OK);
    rules.bootloader = false;
    assert_int_equal(otter_image_stream_begin(&s, &rules), ESP_OK);
    assert_int_equal(otter_image_stream_feed(&s, bytes, len), ESP_ERR_IMAGE_INVALID);
    otter_image_stream_end(&s);
    free(bytes);
}

static void the_gate_judges_a_header_alone(void **state)
{
    (void)state;
    static const struct {
        const char *image;
        esp_err_t want, as_bootloader;
    } rows[] = {
        {"esp32_valid", ESP_OK, ESP_OK},
        {"bad_magic", ESP_ERR_OTA_VALIDATE_FAILED, ESP_ERR_OTA_VALIDATE_FAILED},
        {"wrong_chip", ESP_ERR_INVALID_VERSION, ESP_ERR_INVALID_VERSION},
        {"min_rev_301", ESP_ERR_INVALID_VERSION, ESP_ERR_INVALID_VERSION},
        {"max_rev_299", ESP_ERR_INVALID_VERSION, ESP_OK},
        {"min_rev_ffff", ESP_ERR_INVALID_VERSION, ESP_ERR_INVALID_VERSION},
        {"max_rev_0_ok", ESP_OK, ESP_OK},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        vector_t v = load_named(rows[i].image);
        for (int bootloader = 0; bootloader < 2; bootloader++) {
            otter_fault_t fault = {0};
            esp_err_t want = bootloader ? rows[i].as_bootloader : rows[i].want;
            assert_int_equal(otter_image_check_header(v.bytes, &v.chip, bootloader, &fault), want);
            assert_int_equal(fault.why[0] == '\0', want == ESP_OK);
            assert_int_equal(fault.code, want);
        }
        free(v.bytes);
    }
}

/* ---- images in flash ---- */

static void what_is_known_is_not_read_again_but_judged(void **state)
{
    (void)state;
    vector_t v = load_named("esp32_drom_irom_64k");
    v.rules.chip = &v.chip;
    sim_flash_t sim;
    assert_true(sim_flash_init(&sim, FLASH_SIZE));
    memcpy(sim.bytes + v.rules.flash_offset, v.bytes, v.len);

    otter_image_info_t first, second;
    assert_int_equal(otter_image_verify(&sim.flash, &v.rules, &first, NULL), ESP_OK);
    uint64_t cost = sim.flash.stats.bytes_read;
    assert_true(cost >= v.len && cost <= v.len + 8192);
    otter_image_rules_t rules = v.rules;
    rules.known = true;
    assert_int_equal(otter_image_verify(&sim.flash, &rules, &second, NULL), ESP_OK);
    assert_true(sim.flash.stats.bytes_read - cost < 1024);
    assert_memory_equal(&first, &second, sizeof(first));

    otter_chip_t newer = v.chip; /* the rules of the chip are judged each time */
    newer.revision = 9999;
    rules.chip = &newer;
    assert_int_equal(otter_image_verify(&sim.flash, &rules, NULL, NULL), ESP_FAIL);

    rules.chip = &v.chip; /* and so is where segments go */
    rules.loading = true;
    cost = sim.flash.stats.bytes_read;
    assert_int_equal(otter_image_verify(&sim.flash, &rules, NULL, NULL), ESP_OK);
    assert_true(sim.flash.stats.bytes_read - cost < 1024);

    rules.known = false; /* who does not say so has it read, like the bootloader */
    cost = sim.flash.stats.bytes_read;
    assert_int_equal(otter_image_verify(&sim.flash, &rules, NULL, NULL), ESP_OK);
    assert_true(sim.flash.stats.bytes_read - cost >= v.len);
    sim_flash_free(&sim);
    free(v.bytes);
}

static void a_failing_flash_is_told_as_such(void **state)
{
    (void)state;
    vector_t v = load_named("esp32_drom_irom_64k");
    v.rules.chip = &v.chip;
    sim_flash_t sim;
    assert_true(sim_flash_init(&sim, FLASH_SIZE));
    memcpy(sim.bytes + v.rules.flash_offset, v.bytes, v.len);
    otter_image_info_t info;
    for (uint32_t at = 0; at < 2; at++) {
        sim.fail_read_at = sim.reads + at;
        otter_fault_t fault = {0};
        assert_int_equal(otter_image_verify(&sim.flash, &v.rules, &info, &fault), ESP_ERR_FLASH_OP_FAIL);
        assert_int_equal(info.image_len, 0);
        assert_non_null(strstr(fault.why, "ESP_ERR_FLASH_OP_FAIL"));
    }
    sim.fail_read_at = UINT32_MAX;
    v.rules.flash_offset = FLASH_SIZE - 16; /* a partition that ends beyond the flash */
    assert_int_not_equal(otter_image_verify(&sim.flash, &v.rules, NULL, NULL), ESP_OK);
    sim_flash_free(&sim);
    free(v.bytes);
}

int main(void)
{
    const char *given = getenv("SEED");
    random_state = given != NULL ? (uint32_t)strtoul(given, NULL, 0) : (uint32_t)time(NULL);
    random_state |= 1;
    print_message("SEED=%u\n", random_state);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_recorded_verdict_is_ours),
        cmocka_unit_test(metadata_are_read_without_judging_contents),
        cmocka_unit_test(a_truncated_image_never_passes),
        cmocka_unit_test(every_flipped_bit_of_a_hashed_image_is_seen),
        cmocka_unit_test(random_bytes_behind_a_good_header_are_survived),
        cmocka_unit_test(a_page_that_the_chip_has_not_is_its_default),
        cmocka_unit_test(loading_refuses_addresses_outside_memory),
        cmocka_unit_test(the_descriptor_is_told),
        cmocka_unit_test(a_bootloader_is_judged_without_hash_and_descriptor),
        cmocka_unit_test(the_gate_judges_a_header_alone),
        cmocka_unit_test(what_is_known_is_not_read_again_but_judged),
        cmocka_unit_test(a_failing_flash_is_told_as_such),
    };
    return cmocka_run_group_tests(tests, load_expected, free_expected);
}
