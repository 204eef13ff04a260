/* What names the speed of a flash, and how long each operation of one takes (port/linux/flash_speed.h, file_flash.h). */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "linux/file_flash.h"
#include "linux/flash_speed.h"
#include "linux/steady_clock.h"

#define SIZE (64u * 4096)

static char path[256];

static const char *in_folder(const char *name)
{
    const char *folder = getenv("TMPDIR");
    snprintf(path, sizeof(path), "%s/%s.%ld", folder != NULL ? folder : ".", name, (long)getpid());
    return path;
}

static void presets_have_the_times_of_a_data_sheet(void **state)
{
    (void)state;
    otter_run_flash_speed_t speed, again;
    char text[FLASH_SPEED_TEXT_SIZE];
    assert_int_equal(flash_speed_load("NOR", &speed, NULL), ESP_OK);
    assert_int_equal(speed.sector_us, 45000);
    assert_int_equal(speed.block64_us, 150000);
    assert_int_equal(speed.page_us, 400);
    assert_int_equal(flash_speed_load("nor-worst", &again, NULL), ESP_OK);
    assert_true(again.sector_us > speed.sector_us);
    flash_speed_encode(&speed, text);
    assert_true(otter_run_flash_speed_decode(text, &again));
    assert_memory_equal(&again, &speed, sizeof(speed));
    assert_false(otter_run_flash_speed_decode("sector=1", &again));
}

static void a_file_says_each_number_once_and_with_a_unit(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text, *why; /* why NULL: it is good */
        otter_run_flash_speed_t speed;
    } rows[] = {
        {"all",
         "# W25Q128JV\nsector_erase = 45 ms # typical\n\nblock32_erase=120ms\nblock64_erase = 0.15 s\r\n"
         "page_program = 0.7 ms\nbyte_program = 30 us\nread = 20 MB/s\n",
         NULL,
         {45000, 120000, 150000, 700, 30, 20000000}},
        {"the needed ones",
         "sector_erase = 1 us\npage_program = 100 s",
         NULL,
         {1, 0, 0, 100000000, 100000000, 0}},
        {"nothing", "", "sector_erase is missing, a time as 45 ms", {0}},
        {"half", "sector_erase = 45 ms\n", "page_program is missing, a time as 0.4 ms", {0}},
        {"no unit",
         "sector_erase = 45\n",
         "line 1: sector_erase wants a time as 45 ms (1 us to 100 s), not '45'",
         {0}},
        {"a unit of something else", "\nread = 20 ms\n", "line 2: read wants a rate as 20 MB/s", {0}},
        {"negative", "sector_erase = -1 ms\n", "line 1: sector_erase wants", {0}},
        {"zero", "sector_erase = 0 ms\n", "line 1: sector_erase wants", {0}},
        {"too long", "sector_erase = 101 s\n", "line 1: sector_erase wants", {0}},
        {"huge", "sector_erase = 99999999999999999999999999 ms\n", "line 1: sector_erase wants", {0}},
        {"not a number", "sector_erase = 1e3 ms\n", "line 1: sector_erase wants", {0}},
        {"a point alone", "sector_erase = 1. ms\n", "line 1: sector_erase wants", {0}},
        {"twice",
         "sector_erase = 1 ms\nsector_erase = 2 ms\n",
         "line 2: sector_erase comes a second time",
         {0}},
        {"another name", "sector = 1 ms\n", "line 1: no such name as 'sector'", {0}},
        {"no equals sign", "sector_erase 1 ms\n", "line 1 is no `name = number unit`", {0}},
        {"a byte longer than a page",
         "sector_erase = 1 ms\npage_program = 1 ms\nbyte_program = 2 ms\n",
         "byte_program is longer than page_program",
         {0}},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        FILE *out = fopen(in_folder("speed"), "w");
        assert_non_null(out);
        assert_int_equal(fwrite(rows[i].text, 1, strlen(rows[i].text), out), strlen(rows[i].text));
        assert_int_equal(fclose(out), 0);
        otter_run_flash_speed_t speed;
        otter_fault_t fault = {0};
        esp_err_t err = flash_speed_load(path, &speed, &fault);
        unlink(path);
        if ((err == ESP_OK) != (rows[i].why == NULL) ||
            (rows[i].why != NULL && strstr(fault.why, rows[i].why) == NULL)) {
            fail_msg("%s: %s %s", rows[i].name, esp_err_to_name(err), fault.why);
        }
        if (err == ESP_OK) {
            assert_memory_equal(&speed, &rows[i].speed, sizeof(speed));
        }
    }
    otter_fault_t fault = {0};
    otter_run_flash_speed_t speed;
    assert_int_equal(flash_speed_load("NAND", &speed, &fault), ESP_ERR_NOT_FOUND);
    assert_non_null(strstr(fault.why, "'NAND' is no preset (NOR, NOR-WORST), and no file to read"));
}

typedef enum { ERASE, PROGRAM, READ } what_t;

static void each_operation_takes_what_the_chip_takes(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        what_t what;
        uint32_t off, len;
        int64_t us;
    } rows[] = {
        {"a sector", ERASE, 0, 0x1000, 45000},
        {"32 KiB at their place", ERASE, 0x8000, 0x8000, 120000},
        {"32 KiB between", ERASE, 0x1000, 0x8000, 8 * 45000},
        {"64 KiB at their place", ERASE, 0x10000, 0x10000, 150000},
        {"64 KiB between", ERASE, 0x8000, 0x10000, 240000},
        {"a sector, 32 KiB and a sector", ERASE, 0x7000, 0xA000, 45000 + 120000 + 45000},
        {"a page", PROGRAM, 0x100, 0x100, 400},
        {"one byte", PROGRAM, 0x100, 1, 30},
        {"a page between two", PROGRAM, 0x180, 0x100, 2 * (30 + 370 * 127 / 255)},
        {"a sector", PROGRAM, 0, 0x1000, 16 * 400},
        {"reading", READ, 0, 0x10000, 0x10000 / 20},
    };
    static uint8_t bytes[0x10000];
    otter_run_flash_speed_t speed;
    assert_int_equal(flash_speed_load("NOR", &speed, NULL), ESP_OK);
    assert_int_equal(file_flash_create(in_folder("flash"), SIZE, NULL), ESP_OK);
    otter_flash_t *flash = NULL;
    const file_flash_options_t options = {.speed = &speed};
    assert_int_equal(file_flash_open(path, &options, &flash, NULL), ESP_OK);
    assert_false(flash->stable_reads); /* it stands for a chip */
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        steady_clock_wait_until(steady_clock_us() + 1000000); /* it is free */
        const int64_t before = steady_clock_us();
        esp_err_t err = rows[i].what == ERASE ? otter_flash_erase(flash, rows[i].off, rows[i].len)
                        : rows[i].what == PROGRAM
                            ? otter_flash_program(flash, rows[i].off, bytes, rows[i].len)
                            : otter_flash_read(flash, rows[i].off, bytes, rows[i].len);
        assert_int_equal(err, ESP_OK);
        assert_int_equal(otter_flash_sync(flash), ESP_OK); /* waits until it is free again */
        if (steady_clock_us() - before != rows[i].us) {
            fail_msg("%s took %lld us", rows[i].name, (long long)(steady_clock_us() - before));
        }
    }
    assert_int_equal(file_flash_close(flash), ESP_OK);
    assert_int_equal(unlink(path), 0);
}

static void an_erase_that_was_begun_is_waited_for_by_what_comes_next(void **state)
{
    (void)state;
    otter_run_flash_speed_t speed;
    uint8_t byte = 0;
    otter_flash_t *flash = NULL;
    assert_int_equal(flash_speed_load("NOR", &speed, NULL), ESP_OK);
    assert_int_equal(file_flash_create(in_folder("flash"), SIZE, NULL), ESP_OK);
    const file_flash_options_t options = {.speed = &speed};
    assert_int_equal(file_flash_open(path, &options, &flash, NULL), ESP_OK);
    assert_int_equal(flash->block_size, 0x10000);
    assert_int_equal(otter_flash_program(flash, 0x10005, &byte, 1), ESP_OK);
    steady_clock_wait_until(steady_clock_us() + 1000000);
    const int64_t before = steady_clock_us();
    assert_false(otter_flash_is_busy(flash));
    assert_int_equal(otter_flash_erase_begin(flash, 0x10000, 0x10000), ESP_OK);
    assert_int_equal(steady_clock_us(), before);
    assert_true(otter_flash_is_busy(flash));
    steady_clock_wait_until(before + 149000);
    assert_true(otter_flash_is_busy(flash));
    assert_int_equal(otter_flash_program(flash, 0x20000, &byte, 1), ESP_OK);
    assert_int_equal(steady_clock_us(), before + 150000 + 30);
    assert_false(otter_flash_is_busy(flash));
    assert_int_equal(otter_flash_read(flash, 0x10005, &byte, 1), ESP_OK);
    assert_int_equal(byte, 0xFF);
    assert_int_equal(otter_flash_erase_begin(flash, 0x10100, 0x1000), ESP_ERR_INVALID_ARG);
    assert_int_equal(otter_flash_erase_begin(flash, SIZE, 0x1000), ESP_ERR_INVALID_SIZE);
    assert_int_equal(file_flash_close(flash), ESP_OK);
    assert_int_equal(unlink(path), 0);
}

static jmp_buf power_lost;

static void lose_power(void)
{
    longjmp(power_lost, 1);
}

/** How the next look at a flash comes about whose erase is under way. */
typedef enum { PROGRAMS, READS, ASKS, SYNCS } look_t;

static esp_err_t look_at(otter_flash_t *flash, look_t look)
{
    uint8_t byte = 0;
    return look == PROGRAMS ? otter_flash_program(flash, 0x20000, &byte, 1)
           : look == READS  ? otter_flash_read(flash, 0, &byte, 1)
           : look == SYNCS  ? otter_flash_sync(flash)
                            : (esp_err_t)otter_flash_is_busy(flash);
}

static void power_that_goes_in_an_erase_that_was_begun_tears_that_erase(void **state)
{
    (void)state;
    static const look_t looks[] = {PROGRAMS, READS, ASKS, SYNCS};
    otter_run_flash_speed_t speed;
    assert_int_equal(flash_speed_load("NOR", &speed, NULL), ESP_OK);
    for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) {
        static uint8_t zeros[0x10000], bytes[0x20000];
        otter_run_flash_t shared = {.cut_at = 0};
        otter_flash_t *flash = NULL;
        assert_int_equal(file_flash_create(in_folder("flash"), SIZE, NULL), ESP_OK);
        const file_flash_options_t options = {.speed = &speed, .shared = &shared};
        assert_int_equal(file_flash_open(path, &options, &flash, NULL), ESP_OK);
        file_flash_plan_cut(flash, lose_power);
        assert_int_equal(otter_flash_program(flash, 0x10000, zeros, sizeof(zeros)), ESP_OK);
        assert_int_equal(otter_flash_erase_begin(flash, 0x10000, 0x10000), ESP_OK);
        const uint32_t number = shared.last.number;
        shared.cut_at = number + 1; /* by a time, which the runner sees pass while the chip erases */
        if (setjmp(power_lost) == 0) {
            fail_msg("look %d: no cut, %d", (int)looks[i], (int)look_at(flash, looks[i]));
        }
        assert_int_equal(shared.cut_at, number);
        assert_int_equal(shared.last.number, number);
        shared.cut_at = 0;
        file_flash_plan_cut(flash, NULL);
        assert_int_equal(otter_flash_read(flash, 0x10000, bytes, 0x20000), ESP_OK);
        for (uint32_t at = 0; at < 0x20000; at++) { /* half of the sectors, half of one, and nothing else */
            assert_int_equal(bytes[at], at < 0x8800 || at >= 0x10000 ? 0xFF : 0);
        }
        assert_int_equal(file_flash_close(flash), ESP_OK);
        assert_int_equal(unlink(path), 0);
    }
}

static void power_that_goes_behind_an_erase_that_was_begun_tears_what_comes_next(void **state)
{
    (void)state;
    otter_run_flash_speed_t speed;
    static uint8_t zeros[0x1000], bytes[0x1000];
    otter_run_flash_t shared = {.cut_at = 0};
    otter_flash_t *flash = NULL;
    assert_int_equal(flash_speed_load("NOR", &speed, NULL), ESP_OK);
    assert_int_equal(file_flash_create(in_folder("flash"), SIZE, NULL), ESP_OK);
    const file_flash_options_t options = {.speed = &speed, .shared = &shared};
    assert_int_equal(file_flash_open(path, &options, &flash, NULL), ESP_OK);
    file_flash_plan_cut(flash, lose_power);
    assert_int_equal(otter_flash_erase_begin(flash, 0x10000, 0x10000), ESP_OK);
    steady_clock_wait_until(steady_clock_us() + 200000);
    shared.cut_at = shared.last.number + 1;
    if (setjmp(power_lost) == 0) {
        fail_msg("no cut, %d", (int)otter_flash_program(flash, 0x20000, zeros, sizeof(zeros)));
    }
    shared.cut_at = 0;
    file_flash_plan_cut(flash, NULL);
    assert_int_equal(otter_flash_read(flash, 0x20000, bytes, sizeof(bytes)), ESP_OK);
    assert_memory_equal(bytes, zeros, 0x800);
    assert_int_equal(bytes[0x800], 0xFF);
    assert_int_equal(file_flash_close(flash), ESP_OK);
    assert_int_equal(unlink(path), 0);
}

static void flash_of_other_sectors_takes_time_too(void **state)
{
    (void)state;
    otter_run_flash_speed_t speed;
    otter_flash_t *flash = NULL;
    assert_int_equal(flash_speed_load("NOR", &speed, NULL), ESP_OK);
    assert_int_equal(file_flash_create(in_folder("flash"), SIZE, NULL), ESP_OK);
    const file_flash_geometry_t geometry = {.sector_size = 0x20000, .write_unit = 32, .write_once = true};
    otter_run_flash_t shared = {.cut_at = 0};
    const file_flash_options_t counted = {.speed = &speed, .strict = true, .shared = &shared};
    assert_int_equal(file_flash_open(path, &counted, &flash, NULL), ESP_OK);
    assert_int_equal(file_flash_shape(flash, &geometry, NULL), ESP_OK);
    assert_int_equal(flash->block_size, 0);
    steady_clock_wait_until(steady_clock_us() + 1000000);
    const int64_t before = steady_clock_us();
    assert_int_equal(otter_flash_erase(flash, 0, 0x20000), ESP_OK);
    assert_int_equal(steady_clock_us(), before + 300000);
    assert_int_equal(shared.last.number, 1);
    assert_int_equal(file_flash_close(flash), ESP_OK);
    assert_int_equal(unlink(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(presets_have_the_times_of_a_data_sheet),
        cmocka_unit_test(a_file_says_each_number_once_and_with_a_unit),
        cmocka_unit_test(each_operation_takes_what_the_chip_takes),
        cmocka_unit_test(an_erase_that_was_begun_is_waited_for_by_what_comes_next),
        cmocka_unit_test(power_that_goes_in_an_erase_that_was_begun_tears_that_erase),
        cmocka_unit_test(power_that_goes_behind_an_erase_that_was_begun_tears_what_comes_next),
        cmocka_unit_test(flash_of_other_sectors_takes_time_too),
    };
    steady_clock_take();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
