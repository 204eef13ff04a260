/* NVS on simulator flash: a model beside it over long lives, and a power cut in every flash operation of each change. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "otter/nvs_store.h"
#include "sim/sim_flash.h"
#include "support/long_run.h"

static otter_nvs_cipher_t *cipher; /* NULL: not encrypted */

#define FLASH_SIZE 0x14000u
#define AT         0x4000u
#define KEYS       24u
#define BYTES_MAX  6000u

static sim_flash_t sim, golden; /* the second one: how it was before a change */

static otter_nvs_place_t place_of(uint32_t pages)
{
    return (otter_nvs_place_t){
        .flash = &sim.flash, .offset = AT, .size = pages * OTTER_NVS_PAGE_SIZE, .cipher = cipher};
}

static otter_nvs_t *open_store(uint32_t pages)
{
    otter_nvs_t *nvs;
    otter_fault_t fault = {0};
    otter_nvs_place_t place = place_of(pages);
    esp_err_t err = otter_nvs_open(&place, &nvs, &fault);
    if (err != ESP_OK) {
        fail_msg("cannot open: 0x%x %s", (unsigned)err, fault.why);
    }
    return nvs;
}

/* A model: what each key has. */

typedef struct {
    bool there;
    nvs_type_t type;
    uint32_t size;
    uint32_t seed; /* of its bytes */
} model_value_t;

typedef struct {
    model_value_t values[KEYS];
} model_t;

/** A change of one key. */
typedef struct {
    uint32_t key;
    model_value_t to;
} change_t;

static void name_key(uint32_t key, char name[NVS_KEY_NAME_MAX_SIZE])
{
    snprintf(name, NVS_KEY_NAME_MAX_SIZE, "key%u", (unsigned)key);
}

static void make_bytes(const model_value_t *value, uint8_t bytes[BYTES_MAX])
{
    uint32_t random = value->seed;
    for (uint32_t i = 0; i < value->size; i++) {
        random = random * 1664525u + 1013904223u;
        bytes[i] =
            (random >> 28) < 3 ? 0xFF : (uint8_t)(1 + (random >> 24) % 255); /* entries of FF among them */
    }
    if (value->size > 96) {
        memset(bytes + 32, 0xFF, 64);
    }
    if (value->type == NVS_TYPE_STR) {
        bytes[value->size - 1] = '\0';
    }
}

static esp_err_t change_store(otter_nvs_t *nvs, uint8_t ns, const change_t *change)
{
    char name[NVS_KEY_NAME_MAX_SIZE];
    static uint8_t bytes[BYTES_MAX];
    name_key(change->key, name);
    if (!change->to.there) {
        esp_err_t err = otter_nvs_erase(nvs, ns, name);
        return err == ESP_ERR_NVS_NOT_FOUND ? ESP_OK : err;
    }
    make_bytes(&change->to, bytes);
    return otter_nvs_set(nvs, ns, name, &(otter_nvs_value_t){change->to.type, bytes, change->to.size});
}

/** NULL, or what is not as the model says. */
static const char *compare_key(otter_nvs_t *nvs, uint8_t ns, uint32_t key, const model_value_t *want)
{
    static uint8_t bytes[BYTES_MAX], wanted[BYTES_MAX];
    char name[NVS_KEY_NAME_MAX_SIZE];
    nvs_type_t type;
    size_t size = sizeof(bytes);
    name_key(key, name);
    esp_err_t err = otter_nvs_find(nvs, ns, name, &type);
    if (err != ESP_OK || !want->there) {
        return err == (want->there ? ESP_OK : ESP_ERR_NVS_NOT_FOUND) ? NULL : "is there, or is not";
    }
    if (type != want->type || otter_nvs_get(nvs, ns, name, type, bytes, &size) != ESP_OK) {
        return "has another type, or cannot be read";
    }
    make_bytes(want, wanted);
    return size == want->size && memcmp(bytes, wanted, size) == 0 ? NULL : "has other bytes";
}

/** Each key is as the model says; `changing` may also have its other value, and the model learns which. */
static void compare_all(otter_nvs_t *nvs, uint8_t ns, model_t *model, const change_t *changing,
                        const char *replay)
{
    for (uint32_t key = 0; key < KEYS; key++) {
        const char *wrong = compare_key(nvs, ns, key, &model->values[key]);
        if (wrong != NULL && changing != NULL && changing->key == key) {
            wrong = compare_key(nvs, ns, key, &changing->to);
            model->values[key] = changing->to;
        }
        if (wrong != NULL) {
            fail_msg("%s: key%u %s", replay, (unsigned)key, wrong);
        }
    }
}

static change_t draw_change(uint32_t *random, uint32_t bytes_max)
{
    static const nvs_type_t types[] = {NVS_TYPE_U8,  NVS_TYPE_I16, NVS_TYPE_U32,  NVS_TYPE_I64,
                                       NVS_TYPE_STR, NVS_TYPE_STR, NVS_TYPE_BLOB, NVS_TYPE_BLOB};
    uint32_t draw[4];
    for (int i = 0; i < 4; i++) {
        *random = *random * 1664525u + 1013904223u;
        draw[i] = *random >> 8;
    }
    change_t change = {.key = draw[0] % KEYS,
                       .to = {.there = draw[1] % 7 != 0, .type = types[draw[2] % 8], .seed = draw[3]}};
    const bool is_long = change.to.type == NVS_TYPE_STR || change.to.type == NVS_TYPE_BLOB;
    change.to.size =
        is_long ? 1 + draw[1] / 7 % (draw[1] % 3 == 0 ? bytes_max : 80) : (uint32_t)change.to.type & 0x0F;
    if (change.to.type == NVS_TYPE_STR && change.to.size > OTTER_NVS_STRING_MAX) {
        change.to.size = OTTER_NVS_STRING_MAX;
    }
    return change;
}

static int set_up(void **state)
{
    (void)state;
    return sim_flash_init(&sim, FLASH_SIZE) && sim_flash_init(&golden, FLASH_SIZE) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    sim_flash_free(&sim);
    sim_flash_free(&golden);
    return 0;
}

static void a_long_life_keeps_what_a_model_keeps(void **state)
{
    (void)state;
    static const struct {
        uint32_t pages, bytes_max;
    } rows[] = {{2, 60}, {3, 300}, {6, 2500}, {16, BYTES_MAX}};
    for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
        uint32_t random = 17 + (uint32_t)row;
        uint32_t full = 0;
        model_t model = {0};
        uint8_t ns;
        assert_int_equal(otter_flash_erase(&sim.flash, AT, FLASH_SIZE - AT), ESP_OK);
        sim.fence_off = AT;
        sim.fence_len = rows[row].pages * OTTER_NVS_PAGE_SIZE;
        otter_nvs_t *nvs = open_store(rows[row].pages);
        assert_int_equal(otter_nvs_namespace(nvs, "life", true, &ns), ESP_OK);
        for (uint32_t step = 0; step < 3000; step++) {
            char replay[64];
            change_t change = draw_change(&random, rows[row].bytes_max);
            esp_err_t err = change_store(nvs, ns, &change);
            if (err == ESP_OK) {
                model.values[change.key] = change.to;
            } else {
                assert_int_equal(err, ESP_ERR_NVS_NOT_ENOUGH_SPACE);
                full++;
            }
            if (step % 37 == 0) {
                otter_nvs_close(nvs);
                nvs = open_store(rows[row].pages);
            }
            snprintf(replay, sizeof(replay), "%u pages, step %u", (unsigned)rows[row].pages, (unsigned)step);
            if (step % 5 == 0) {
                compare_all(nvs, ns, &model, NULL, replay);
            }
        }
        assert_true(full < 1500);
        otter_nvs_close(nvs);
    }
    sim.fence_len = 0;
}

/** All but the heads of pages is for who has the keys, and nobody else changes it. */
static void other_keys_read_nothing_and_erase_nothing(void **state)
{
    (void)state;
    static uint8_t keys[OTTER_NVS_KEYS_LEN] = "the right ones";
    static uint8_t before[3 * OTTER_NVS_PAGE_SIZE];
    static const char text[] = "a text that is not to be found in flash";
    uint8_t ns;
    assert_int_equal(otter_flash_erase(&sim.flash, AT, FLASH_SIZE - AT), ESP_OK);
    for (int wrong = 0; wrong < 3; wrong++) { /* 0: right; 1: other keys; 2: none */
        keys[40] = (uint8_t)wrong;
        cipher = wrong < 2 ? otter_nvs_cipher_new(keys) : NULL;
        otter_nvs_place_t place = place_of(3);
        otter_nvs_t *nvs;
        esp_err_t err = otter_nvs_open(&place, &nvs, NULL);
        assert_int_equal(err, wrong == 0 ? ESP_OK : ESP_ERR_NVS_WRONG_ENCRYPTION);
        if (wrong == 0) {
            assert_int_equal(otter_nvs_namespace(nvs, "app", true, &ns), ESP_OK);
            assert_int_equal(
                otter_nvs_set(nvs, ns, "text", &(otter_nvs_value_t){NVS_TYPE_STR, text, sizeof(text)}),
                ESP_OK);
            memcpy(before, sim.bytes + AT, sizeof(before));
            assert_null(memmem(before, sizeof(before), "not to be", 9));
            assert_null(memmem(before, sizeof(before), "app", 3));
        }
        otter_nvs_close(nvs);
        if (cipher != NULL) {
            cipher->end(cipher);
            cipher = NULL;
        }
        assert_memory_equal(before, sim.bytes + AT, sizeof(before));
    }
}

/* Cuts. */

/** Power comes back, perhaps to go again while what was broken off is repaired. */
static otter_nvs_t *recover(uint32_t pages, uint32_t cut_again, sim_tear_t tear)
{
    otter_nvs_place_t place = place_of(pages);
    otter_nvs_t *nvs;
    sim_flash_power_on(&sim);
    if (cut_again != UINT32_MAX) {
        sim.cut_at = sim.ops + cut_again;
        sim.tear = tear;
        if (otter_nvs_open(&place, &nvs, NULL) == ESP_OK) {
            otter_nvs_close(nvs);
        }
        sim_flash_power_on(&sim);
    }
    return open_store(pages);
}

/** Who only looks sees the same as who repairs, and changes nothing. */
static void look_at(uint32_t pages, const model_t *model, const change_t *change, const char *replay)
{
    otter_nvs_place_t place = place_of(pages);
    otter_nvs_t *nvs;
    uint8_t ns;
    model_t copy = *model;
    sim_flash_power_on(&sim);
    const uint32_t ops = sim.ops;
    place.read_only = true;
    assert_int_equal(otter_nvs_open(&place, &nvs, NULL), ESP_OK);
    assert_int_equal(otter_nvs_namespace(nvs, "life", false, &ns), ESP_OK);
    compare_all(nvs, ns, &copy, change, replay);
    assert_int_equal(otter_nvs_erase(nvs, ns, "key1"), ESP_ERR_NVS_READ_ONLY);
    otter_nvs_close(nvs);
    assert_int_equal(sim.ops, ops);
}

/** One change, cut in one operation: it has happened, or it has not, and goes on. @return false: it has no such operation */
static bool cut_one(uint32_t pages, const model_t *before, const change_t *change, uint32_t cut,
                    sim_tear_t tear, uint32_t cut_again, uint32_t step)
{
    char replay[128];
    uint8_t ns;
    model_t model = *before;
    snprintf(replay, sizeof(replay), "pages %u step %u cut %u tear %d again %d", (unsigned)pages,
             (unsigned)step, (unsigned)cut, (int)tear, (int)cut_again);
    otter_nvs_t *nvs = open_store(pages);
    assert_int_equal(otter_nvs_namespace(nvs, "life", false, &ns), ESP_OK);
    sim.cut_at = sim.ops + cut;
    sim.tear = tear;
    sim.random = sim.noise = 1 + cut + 977 * step;
    sim.cut_fired = false;
    esp_err_t err = change_store(nvs, ns, change);
    const bool fired = sim.cut_fired;
    if (fired == (err == ESP_OK)) {
        fail_msg("%s: 0x%x", replay, (unsigned)err);
    }
    otter_nvs_close(nvs);
    if (fired) {
        look_at(pages, &model, change, replay);
        nvs = recover(pages, cut_again, tear);
        assert_int_equal(otter_nvs_namespace(nvs, "life", false, &ns), ESP_OK);
        compare_all(nvs, ns, &model, change, replay);
        if (change_store(nvs, ns, change) != ESP_OK) {
            fail_msg("%s: not the second time either", replay);
        }
        model.values[change->key] = change->to;
        compare_all(nvs, ns, &model, NULL, replay);
        otter_nvs_close(nvs);
        nvs = open_store(pages);
        compare_all(nvs, ns, &model, NULL, replay);
        otter_nvs_close(nvs);
    }
    return fired;
}

static void a_cut_in_any_operation_loses_nothing(void **state)
{
    (void)state;
    static const struct {
        uint32_t pages, bytes_max, steps;
        bool encrypted;
    } rows[] = {{3, 200, 400, false}, {5, 5000, 200, false}, {3, 200, 40, true}};
    static const uint8_t keys[OTTER_NVS_KEYS_LEN] =
        "sixty-four bytes that nobody else has, half of them for places.";
    uint32_t trials = 0;
    for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
        const uint32_t pages = rows[row].pages, every = long_run_wanted() ? 1 : full_run_wanted() ? 5 : 40;
        uint32_t random = 4711;
        cipher = rows[row].encrypted ? otter_nvs_cipher_new(keys) : NULL;
        assert_true(!rows[row].encrypted || cipher != NULL);
        model_t model = {0};
        uint8_t ns;
        assert_int_equal(otter_flash_erase(&sim.flash, AT, FLASH_SIZE - AT), ESP_OK);
        otter_nvs_t *nvs = open_store(pages);
        assert_int_equal(otter_nvs_namespace(nvs, "life", true, &ns), ESP_OK);
        otter_nvs_close(nvs);
        for (uint32_t step = 0; step < rows[row].steps; step++) {
            change_t change = draw_change(&random, rows[row].bytes_max);
            sim_flash_copy(&golden, &sim);
            nvs = open_store(pages);
            assert_int_equal(otter_nvs_namespace(nvs, "life", false, &ns), ESP_OK);
            const bool fits = change_store(nvs, ns, &change) == ESP_OK;
            otter_nvs_close(nvs);
            for (uint32_t cut = 0, fired = 1; fits && step % every == 0 && fired; cut++) {
                for (int tear = 0; tear < SIM_TEAR_COUNT && fired; tear++) {
                    for (uint32_t again = 0; again < 4 && fired; again++) {
                        sim_flash_copy(&sim, &golden);
                        fired = cut_one(pages, &model, &change, cut, (sim_tear_t)tear,
                                        again == 3 ? UINT32_MAX : again, step);
                        trials++;
                    }
                }
            }
            sim_flash_copy(&sim, &golden);
            nvs = open_store(pages);
            if (fits && change_store(nvs, ns, &change) == ESP_OK) {
                model.values[change.key] = change.to;
            }
            otter_nvs_close(nvs);
        }
        if (cipher != NULL) {
            cipher->end(cipher);
            cipher = NULL;
        }
    }
    printf("%u trials\n", (unsigned)trials);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_long_life_keeps_what_a_model_keeps),
        cmocka_unit_test(other_keys_read_nothing_and_erase_nothing),
        cmocka_unit_test(a_cut_in_any_operation_loses_nothing),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
