/* Sparse flash is flash: it holds what plain memory by NOR's rules would, whoever shares its sectors; and loses power. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fleet/sparse_flash.h"
#include "sim/sim_medium.h"

#define SIZE    (8 * SPARSE_SECTOR)
#define FLASHES 3

static sparse_pool_t pool;
static sparse_flash_t flash[FLASHES];
static uint8_t model[FLASHES][SIZE];

static int set_up(void **state)
{
    (void)state;
    for (int i = 0; i < FLASHES; i++) {
        if (!sparse_flash_init(&flash[i], &pool, SIZE)) {
            return -1;
        }
        memset(model[i], 0xFF, SIZE);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (int i = 0; i < FLASHES; i++) {
        sparse_flash_free(&flash[i]);
    }
    const bool all_given_back = pool.bytes == 0 && pool.count == 0;
    sparse_pool_free(&pool);
    return all_given_back ? 0 : -1;
}

static void assert_like_model(int which)
{
    static uint8_t now[SIZE];
    assert_int_equal(otter_flash_read(&flash[which].flash, 0, now, SIZE), ESP_OK);
    assert_memory_equal(now, model[which], SIZE);
}

static void whatever_is_done_it_holds_what_plain_memory_would(void **state)
{
    (void)state;
    uint32_t random = 7;
    for (int step = 0; step < 20000; step++) {
        uint8_t piece[600];
        const int which = (int)(sim_medium_random(&random) % FLASHES);
        const uint32_t off = sim_medium_random(&random) % (SIZE - sizeof(piece));
        const uint32_t len = 1 + sim_medium_random(&random) % (uint32_t)sizeof(piece);
        if (sim_medium_random(&random) % 8 == 0) {
            const uint32_t sector = off / SPARSE_SECTOR * SPARSE_SECTOR;
            assert_int_equal(otter_flash_erase(&flash[which].flash, sector, SPARSE_SECTOR), ESP_OK);
            memset(model[which] + sector, 0xFF, SPARSE_SECTOR);
            continue;
        }
        bool sets = false;
        for (uint32_t i = 0; i < len; i++) { /* few kinds of contents, so that sectors are the same */
            piece[i] = (uint8_t)(sim_medium_random(&random) % 16 == 0 ? 0x0F : 0xFF << step % 3);
            sets = sets || (piece[i] & ~model[which][off + i]) != 0;
        }
        const esp_err_t err = otter_flash_program(&flash[which].flash, off, piece, len);
        const bool crosses = off / SPARSE_SECTOR != (off + len - 1) / SPARSE_SECTOR;
        assert_int_equal(err, sets ? ESP_ERR_FLASH_OP_FAIL : ESP_OK);
        if (sets && crosses) { /* the part before the sector's end may be there */
            assert_int_equal(otter_flash_read(&flash[which].flash, 0, model[which], SIZE), ESP_OK);
        } else if (!sets) {
            memcpy(model[which] + off, piece, len);
        }
        if (step % 500 == 0) {
            for (int i = 0; i < FLASHES; i++) {
                assert_like_model(i);
            }
        }
    }
}

static void what_is_the_same_is_there_once(void **state)
{
    (void)state;
    static uint8_t image[4 * SPARSE_SECTOR];
    for (uint32_t i = 0; i < sizeof(image); i++) {
        image[i] = (uint8_t)(i * 7 + i / 256);
    }
    for (int i = 0; i < FLASHES; i++) {
        for (uint32_t at = 0; at < sizeof(image); at += 1000) {
            const uint32_t len = at + 1000 < sizeof(image) ? 1000 : (uint32_t)sizeof(image) - at;
            assert_int_equal(otter_flash_program(&flash[i].flash, at, image + at, len), ESP_OK);
        }
        sparse_flash_power_on(&flash[i]);
        assert_int_equal(pool.bytes, sizeof(image));
    }
    const uint8_t zero = 0;
    assert_int_equal(otter_flash_program(&flash[0].flash, 5, &zero, 1), ESP_OK); /* its own from now on */
    uint8_t now;
    assert_int_equal(otter_flash_read(&flash[1].flash, 5, &now, 1), ESP_OK);
    assert_int_equal(now, image[5]);
    assert_int_equal(pool.bytes, sizeof(image) + SPARSE_SECTOR);
    for (int i = 0; i < FLASHES; i++) {
        assert_int_equal(otter_flash_erase(&flash[i].flash, 0, SIZE), ESP_OK);
    }
    assert_int_equal(pool.bytes, 0);
}

static void a_cut_leaves_the_beginning_of_what_it_hits_and_nothing_after_it(void **state)
{
    (void)state;
    uint8_t piece[256], now[256];
    int none = 0, some = 0, all = 0;
    memset(piece, 0x5A, sizeof(piece));
    for (uint32_t trial = 0; trial < 60; trial++) {
        sparse_flash_power_on(&flash[0]);
        assert_int_equal(otter_flash_erase(&flash[0].flash, 0, SPARSE_SECTOR), ESP_OK);
        flash[0].cut_at = flash[0].ops;
        flash[0].random = trial;
        assert_int_equal(otter_flash_program(&flash[0].flash, 0, piece, sizeof(piece)),
                         ESP_ERR_FLASH_OP_FAIL);
        assert_int_equal(otter_flash_erase(&flash[0].flash, 0, SPARSE_SECTOR), ESP_ERR_FLASH_OP_FAIL);
        assert_int_equal(otter_flash_read(&flash[0].flash, 0, now, 1), ESP_ERR_FLASH_OP_FAIL);
        sparse_flash_power_on(&flash[0]);
        assert_int_equal(otter_flash_read(&flash[0].flash, 0, now, sizeof(now)), ESP_OK);
        size_t done = 0;
        while (done < sizeof(now) && now[done] == 0x5A) {
            done++;
        }
        for (size_t i = done; i < sizeof(now); i++) {
            assert_int_equal(now[i], 0xFF);
        }
        none += done == 0;
        all += done == sizeof(now);
        some += done > 0 && done < sizeof(now);
    }
    assert_true(none > 5 && some > 5 && all > 5);
}

int main(void)
{
#define FLASH_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        FLASH_TEST(whatever_is_done_it_holds_what_plain_memory_would),
        FLASH_TEST(what_is_the_same_is_there_once),
        FLASH_TEST(a_cut_leaves_the_beginning_of_what_it_hits_and_nothing_after_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
