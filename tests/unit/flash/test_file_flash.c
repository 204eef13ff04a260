/* The file flash against the RAM flash as model: the same operations give the same bytes, in the file too. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "linux/file_flash.h"
#include "sim/sim_flash.h"

#define SIZE (64u * 4096)

static uint32_t writebacks; /* that were started */

/* In the C library's place: only counts. */
int sync_file_range(int fd, off_t offset, off_t bytes, unsigned flags)
{
    (void)fd;
    (void)offset;
    writebacks += bytes > 0 && flags == SYNC_FILE_RANGE_WRITE;
    return 0;
}

static uint32_t flushes; /* of the medium */

/* In the C library's place: does it, and counts. */
int fdatasync(int fd)
{
    flushes++;
    return fsync(fd);
}

static char path[256];
static const file_flash_options_t strict = {.strict = true};

static int make_file(void **state)
{
    (void)state;
    otter_fault_t fault;
    const char *folder = getenv("TMPDIR");
    snprintf(path, sizeof(path), "%s/test_file_flash.%ld.bin", folder != NULL ? folder : ".", (long)getpid());
    return file_flash_create(path, SIZE, &fault) == ESP_OK ? 0 : -1;
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

static otter_flash_t *open_flash(const file_flash_options_t *options)
{
    otter_fault_t fault = {0};
    otter_flash_t *flash = NULL;
    esp_err_t err = file_flash_open(path, options, &flash, &fault);
    if (err != ESP_OK) {
        fail_msg("open: %s %s", esp_err_to_name(err), fault.why);
    }
    return flash;
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

/** One random operation on both; their results must agree. */
static void step_both(otter_flash_t *flash, sim_flash_t *model, uint32_t *seed, uint8_t *buf)
{
    uint32_t off = next_random(seed) % SIZE;
    uint32_t len = 1 + next_random(seed) % (next_random(seed) % 8 == 0 ? 20000 : 600);
    if (len > SIZE - off) {
        len = SIZE - off;
    }
    switch (next_random(seed) % 6) {
    case 0: {
        uint32_t start = off / 4096 * 4096;
        uint32_t sectors = 1 + next_random(seed) % 5;
        len = sectors * 4096 > SIZE - start ? SIZE - start : sectors * 4096;
        assert_int_equal(otter_flash_erase(flash, start, len), otter_flash_erase(&model->flash, start, len));
        /* Often what follows an erase is a program of its beginning: the path that merges both. */
        if (next_random(seed) % 2 == 0) {
            uint32_t n = 1 + next_random(seed) % len;
            memset(buf, (int)(next_random(seed) & 0xFF), n);
            assert_int_equal(otter_flash_program(flash, start, buf, n),
                             otter_flash_program(&model->flash, start, buf, n));
        }
        break;
    }
    case 1:
    case 2:
        memset(buf, (int)(next_random(seed) & 0xFF), len);
        assert_int_equal(otter_flash_program(flash, off, buf, len),
                         otter_flash_program(&model->flash, off, buf, len));
        break;
    case 3:
        assert_int_equal(otter_flash_sync(flash), ESP_OK);
        break;
    default:
        assert_int_equal(otter_flash_read(flash, off, buf, len), ESP_OK);
        assert_memory_equal(buf, model->bytes + off, len);
    }
}

static void random_operations_match_the_model(void **state)
{
    (void)state;
    uint32_t seed = 20261121;
    print_message("seed %u\n", seed);
    sim_flash_t model;
    assert_true(sim_flash_init(&model, SIZE));
    uint8_t *buf = malloc(SIZE);
    otter_flash_t *flash = open_flash(&strict);
    for (int i = 0; i < 20000; i++) {
        step_both(flash, &model, &seed, buf);
    }
    assert_int_equal(file_flash_close(flash), ESP_OK);

    FILE *in = fopen(path, "rb");
    assert_int_equal(fread(buf, 1, SIZE, in), SIZE);
    fclose(in);
    assert_memory_equal(buf, model.bytes, SIZE);
    free(buf);
    sim_flash_free(&model);
}

/** Opens the flash as the next process does that shares `shared` with those before it. */
static otter_flash_t *next_process(otter_run_flash_t *shared)
{
    const file_flash_options_t options = {.strict = true, .shared = shared};
    otter_fault_t fault = {0};
    otter_flash_t *flash = NULL;
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(file_flash_adopt(fd, &options, &flash, &fault), ESP_OK);
    return flash;
}

static void what_has_returned_survives_a_killed_process(void **state)
{
    (void)state;
    uint32_t seed = 20261129;
    print_message("seed %u\n", seed);
    sim_flash_t model;
    assert_true(sim_flash_init(&model, SIZE));
    uint8_t *buf = malloc(SIZE);
    static otter_flash_t *killed[400]; /* nobody closes them, so what they remember is gone */
    otter_run_flash_t shared = {0};
    otter_flash_t *flash = next_process(&shared);
    for (size_t i = 0; i < sizeof(killed) / sizeof(killed[0]); i++) {
        for (uint32_t steps = next_random(&seed) % 8; steps > 0; steps--) {
            step_both(flash, &model, &seed, buf);
        }
        killed[i] = flash;
        flash = next_process(&shared);
        assert_int_equal(otter_flash_read(flash, 0, buf, SIZE), ESP_OK);
        assert_memory_equal(buf, model.bytes, SIZE);
    }
    assert_int_equal(file_flash_close(flash), ESP_OK);
    FILE *in = fopen(path, "rb");
    assert_int_equal(fread(buf, 1, SIZE, in), SIZE);
    fclose(in);
    assert_memory_equal(buf, model.bytes, SIZE);
    for (size_t i = 0; i < sizeof(killed) / sizeof(killed[0]); i++) {
        assert_int_equal(ESP_OK, file_flash_close(killed[i]));
    }
    free(buf);
    sim_flash_free(&model);
}

static void an_erase_that_nobody_remembered_is_not_believed(void **state)
{
    (void)state;
    otter_run_flash_t shared = {0};
    otter_flash_t *flash = next_process(&shared);
    uint8_t *zeros = calloc(1, SIZE), *found = malloc(SIZE);
    assert_int_equal(otter_flash_program(flash, 0, zeros, SIZE), ESP_OK);
    assert_int_equal(file_flash_close(flash), ESP_OK);
    /* One that was, and then a bit of it changed: from, to, check. */
    flash = next_process(&shared);
    assert_int_equal(otter_flash_erase(flash, 4096, 3 * 4096), ESP_OK);
    uint64_t good = shared.erase;
    assert_int_equal(ESP_OK, file_flash_close(flash));
    flash = next_process(NULL);
    assert_int_equal(otter_flash_program(flash, 0, zeros, SIZE), ESP_OK);
    assert_int_equal(ESP_OK, file_flash_close(flash));

    uint32_t seed = 1;
    for (int i = 0; i < 64 + 200; i++) {
        uint64_t random = (uint64_t)next_random(&seed) << 40 ^ (uint64_t)next_random(&seed) << 20;
        shared.erase = i < 64 ? good ^ 1ull << i : i % 2 == 0 ? random ^ next_random(&seed) : ~random;
        uint64_t word = shared.erase;
        flash = next_process(&shared);
        assert_int_equal(otter_flash_read(flash, 0, found, SIZE), ESP_OK);
        assert_int_equal(ESP_OK, file_flash_close(flash));
        if (memcmp(found, zeros, SIZE) != 0) {
            fail_msg("0x%llx erased something", (unsigned long long)word);
        }
    }
    shared.erase = good;
    flash = next_process(&shared);
    assert_true(otter_flash_reads_blank(flash, 4096, 3 * 4096));
    assert_int_equal(ESP_OK, file_flash_close(flash));
    free(zeros);
    free(found);
}

static void lenient_flash_ands_like_a_chip(void **state)
{
    (void)state;
    const file_flash_options_t lenient = {.strict = false};
    otter_flash_t *flash = open_flash(&lenient);
    assert_int_equal(otter_flash_erase(flash, 0, 4096), ESP_OK);
    assert_int_equal(otter_flash_program(flash, 10, "\x0F", 1), ESP_OK);
    assert_int_equal(otter_flash_program(flash, 10, "\x3C", 1), ESP_OK);
    uint8_t byte = 0;
    assert_int_equal(otter_flash_read(flash, 10, &byte, 1), ESP_OK);
    assert_int_equal(byte, 0x0C);
    assert_int_equal(file_flash_close(flash), ESP_OK);
}

static void second_opener_is_refused(void **state)
{
    (void)state;
    otter_flash_t *flash = open_flash(&strict);
    otter_flash_t *second = NULL;
    otter_fault_t fault;
    assert_int_equal(file_flash_open(path, &strict, &second, &fault), ESP_ERR_INVALID_STATE);
    assert_null(second);
    assert_non_null(strstr(fault.why, " has it open"));
    assert_int_equal(ESP_OK, file_flash_close(flash));
    assert_int_equal(ESP_OK, file_flash_close(open_flash(&strict)));
}

static void read_only_flash_changes_nothing(void **state)
{
    (void)state;
    const file_flash_options_t read_only = {.read_only = true};
    otter_flash_t *flash = open_flash(&read_only);
    assert_int_equal(otter_flash_erase(flash, 0, 4096), ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(otter_flash_program(flash, 0, "x", 1), ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(file_flash_close(flash), ESP_OK);
}

static void a_file_that_is_only_read_may_be_shorter_than_its_flash(void **state)
{
    (void)state;
    const file_flash_options_t read_only = {.read_only = true};
    uint8_t buf[8192], want[8192];
    otter_flash_t *flash = open_flash(&strict);
    memset(want, 0xFF, sizeof(want));
    memset(want, 0x5A, 100);
    assert_int_equal(otter_flash_program(flash, 4096, want, 100), ESP_OK);
    assert_int_equal(ESP_OK, file_flash_close(flash));
    assert_int_equal(truncate(path, 4096 + 101), 0);

    flash = open_flash(&read_only);
    assert_int_equal(flash->size, 8192);
    assert_int_equal(file_flash_length(flash), 4096 + 101);
    assert_int_equal(otter_flash_read(flash, 4096, buf, 4096), ESP_OK);
    assert_memory_equal(buf, want, 4096);
    assert_int_equal(otter_flash_read(flash, 4096, buf, 4097), ESP_ERR_INVALID_SIZE);
    file_flash_extend(flash, 16384);
    file_flash_extend(flash, 4096); /* never shorter */
    assert_int_equal(otter_flash_read(flash, 4096, buf, 8192), ESP_OK);
    assert_memory_equal(buf, want, 8192);
    assert_int_equal(otter_flash_read(flash, 12288, buf, 4096), ESP_OK);
    assert_memory_equal(buf, want + 4096, 4096);
    assert_int_equal(ESP_OK, file_flash_close(flash));
}

static void bounds_are_checked_by_the_core(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t off, len;
        esp_err_t read, erase;
    } rows[] = {
        {"whole", 0, SIZE, ESP_OK, ESP_OK},
        {"nothing at the end", SIZE, 0, ESP_OK, ESP_OK},
        {"beyond", SIZE + 1, 0, ESP_ERR_INVALID_ARG, ESP_ERR_INVALID_ARG},
        {"one too long", 4096, SIZE - 4095, ESP_ERR_INVALID_SIZE, ESP_ERR_INVALID_SIZE},
        {"wraps", 4096, UINT32_MAX, ESP_ERR_INVALID_SIZE, ESP_ERR_INVALID_SIZE},
        {"unaligned start", 1, 4096, ESP_OK, ESP_ERR_INVALID_ARG},
        {"unaligned length", 0, 4095, ESP_OK, ESP_ERR_INVALID_SIZE},
    };
    otter_flash_t *flash = open_flash(&strict);
    uint8_t *buf = malloc(SIZE);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        print_message("%s\n", rows[i].name);
        assert_int_equal(otter_flash_read(flash, rows[i].off, buf, rows[i].len), rows[i].read);
        assert_int_equal(otter_flash_erase(flash, rows[i].off, rows[i].len), rows[i].erase);
    }
    free(buf);
    assert_int_equal(ESP_OK, file_flash_close(flash));
}

static void files_that_are_no_flash_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        long size;
    } rows[] = {{"empty", 0}, {"not a multiple of the sector", 5000}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        print_message("%s\n", rows[i].name);
        assert_int_equal(truncate(path, rows[i].size), 0);
        otter_flash_t *flash = NULL;
        otter_fault_t fault;
        assert_int_equal(file_flash_open(path, &strict, &flash, &fault), ESP_ERR_INVALID_SIZE);
        assert_null(flash);
    }
    otter_flash_t *flash = NULL;
    otter_fault_t fault;
    assert_int_equal(file_flash_open("no such file", &strict, &flash, &fault), ESP_ERR_NOT_FOUND);
    assert_int_equal(file_flash_open("/dev/null", &strict, &flash, &fault), ESP_ERR_NOT_FOUND);
    assert_int_equal(file_flash_create(path, 4096, &fault), ESP_ERR_INVALID_STATE);
    assert_int_equal(file_flash_create("never made", 4097, &fault), ESP_ERR_INVALID_SIZE);
}

static void a_watch_ends_when_its_range_is_written(void **state)
{
    (void)state;
    otter_flash_t *flash = open_flash(&strict);
    uint32_t watch = otter_flash_watch(flash, 0, 8192, 5000);
    assert_int_not_equal(watch, 0);
    assert_true(otter_flash_is_unwritten(flash, watch, 8192));
    assert_false(otter_flash_is_unwritten(flash, watch, 4096)); /* it begins elsewhere */
    assert_false(otter_flash_is_unwritten(flash, 0, 8192));
    assert_int_equal(otter_flash_erase(flash, 4096, 4096), ESP_OK);
    assert_int_equal(otter_flash_program(flash, 8192 + 5000, "\xFF", 1), ESP_OK);
    assert_true(otter_flash_is_unwritten(flash, watch, 8192));
    assert_int_equal(otter_flash_watch(flash, watch, 4096, 6000), 0);
    assert_int_equal(otter_flash_watch(flash, watch, 8192, 6000), watch);
    assert_int_equal(otter_flash_program(flash, 8192 + 5000, "\xFF", 1), ESP_OK);
    assert_false(otter_flash_is_unwritten(flash, watch, 8192));
    assert_int_equal(otter_flash_watch(flash, watch, 8192, 7000), 0);
    assert_int_equal(ESP_OK, file_flash_close(flash));
}

static void the_oldest_watch_gives_way_to_one_too_many(void **state)
{
    (void)state;
    otter_flash_t *flash = open_flash(&strict);
    flash->last_ticket = UINT32_MAX - 1; /* and no ticket is 0 */
    uint32_t watches[OTTER_FLASH_WATCHES + 1];
    for (uint32_t i = 0; i <= OTTER_FLASH_WATCHES; i++) {
        watches[i] = otter_flash_watch(flash, 0, 4096 * i, 4096);
        assert_int_not_equal(watches[i], 0);
    }
    uint32_t left = 0;
    for (uint32_t i = 0; i <= OTTER_FLASH_WATCHES; i++) {
        left += otter_flash_is_unwritten(flash, watches[i], 4096 * i);
    }
    assert_true(left < OTTER_FLASH_WATCHES + 1 && left >= OTTER_FLASH_WATCHES - 1);
    assert_true(otter_flash_is_unwritten(flash, watches[OTTER_FLASH_WATCHES], 4096 * OTTER_FLASH_WATCHES));
    assert_int_equal(ESP_OK, file_flash_close(flash));
}

/** As an update writes: the image in order, and after each piece a mark at another place. */
static void writeback_starts_while_an_update_writes(void **state)
{
    (void)state;
    enum { STEP = 8 << 20, LARGE = 3 * STEP + (1 << 20), PIECE = 0x10000 };
    static const uint8_t piece[PIECE], mark[4];
    otter_fault_t fault;
    assert_int_equal(ESP_OK, file_flash_create(path, LARGE, &fault));
    otter_flash_t *flash = open_flash(&strict);
    writebacks = 0;
    for (uint32_t at = 0; at < LARGE - PIECE; at += PIECE) {
        assert_int_equal(ESP_OK, otter_flash_erase(flash, at, PIECE));
        assert_int_equal(ESP_OK, otter_flash_program(flash, at, piece, PIECE));
        assert_int_equal(ESP_OK,
                         otter_flash_program(flash, LARGE - 4096 + at / PIECE * 4, mark, sizeof(mark)));
    }
    assert_int_equal(writebacks, LARGE / STEP);
    assert_int_equal(ESP_OK, file_flash_close(flash));
}

static void the_medium_is_flushed_once_for_what_was_written_and_not_for_nothing(void **state)
{
    (void)state;
    uint8_t byte = 0;
    otter_flash_t *flash = open_flash(&strict);
    flushes = 0;
    assert_int_equal(otter_flash_sync(flash), ESP_OK); /* of what the process before may have left */
    assert_int_equal(flushes, 1);
    assert_int_equal(otter_flash_sync(flash), ESP_OK);
    assert_int_equal(otter_flash_read(flash, 0, &byte, 1), ESP_OK);
    assert_int_equal(otter_flash_sync(flash), ESP_OK);
    assert_int_equal(flushes, 1);
    assert_int_equal(otter_flash_erase(flash, 0, 4096), ESP_OK); /* not in the file before the sync */
    assert_int_equal(otter_flash_sync(flash), ESP_OK);
    assert_int_equal(flushes, 2);
    assert_int_equal(otter_flash_program(flash, 0, &byte, 1), ESP_OK);
    assert_int_equal(otter_flash_sync(flash), ESP_OK);
    assert_int_equal(flushes, 3);
    (void)file_flash_descriptor(flash); /* whoever got it may have written */
    assert_int_equal(file_flash_close(flash), ESP_OK);
    assert_int_equal(flushes, 4);
}

/** A program that does not know of remembered erases (otter/run_protocol.h) is started with the file as the flash is. */
static void an_erase_that_a_killed_process_remembered_is_in_the_file_before_the_next_program(void **state)
{
    (void)state;
    uint8_t bytes[16] = {0};
    otter_run_flash_t shared = {0};
    otter_flash_t *killed = next_process(&shared), *flash;
    assert_int_equal(otter_flash_program(killed, 4096, bytes, sizeof(bytes)), ESP_OK);
    assert_int_equal(otter_flash_erase(killed, 4096, 4096), ESP_OK);
    assert_int_not_equal(shared.erase, 0);
    flash = next_process(&shared); /* the runner's */
    assert_int_equal(pread(file_flash_descriptor(flash), bytes, sizeof(bytes), 4096), sizeof(bytes));
    for (size_t i = 0; i < sizeof(bytes); i++) {
        assert_int_equal(bytes[i], 0xFF);
    }
    assert_int_equal(shared.erase, 0);
    assert_int_equal(file_flash_close(flash), ESP_OK);
    assert_int_equal(file_flash_close(killed), ESP_OK);
}

static const file_flash_geometry_t once = {.sector_size = 0x20000, .write_unit = 32, .write_once = true};

static void a_unit_that_is_programmed_once_takes_no_second_program(void **state)
{
    (void)state;
    uint8_t unit[32], blank[32];
    otter_fault_t fault;
    otter_flash_t *flash =
        open_flash(&(file_flash_options_t){0}); /* not strict: this kind of flash always is */
    memset(unit, 0xA5, sizeof(unit));
    memset(blank, 0xFF, sizeof(blank));
    assert_int_equal(file_flash_shape(flash, &once, &fault), ESP_OK);
    assert_int_equal(otter_flash_erase(flash, 0, 0x20000), ESP_OK);
    assert_int_equal(otter_flash_program(flash, 0, unit, sizeof(unit)), ESP_OK);
    assert_int_equal(otter_flash_program(flash, 64, unit, sizeof(unit)), ESP_OK);
    assert_int_equal(otter_flash_program(flash, 32, unit, sizeof(unit)), ESP_OK);
    assert_int_equal(otter_flash_program(flash, 0, unit, sizeof(unit)), ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(otter_flash_program(flash, 64, blank, sizeof(blank)), ESP_OK); /* changes nothing */
    assert_int_equal(otter_flash_program(flash, 96, unit, 16), ESP_ERR_INVALID_SIZE);
    assert_int_equal(otter_flash_erase(flash, 0x1000, 0x20000), ESP_ERR_INVALID_ARG);
    assert_int_equal(otter_flash_erase(flash, 0, 0x1000), ESP_ERR_INVALID_SIZE);
    assert_int_equal(file_flash_close(flash), ESP_OK);
}

/** However much of it is programmed when the process is killed: that, and behind it erased bytes. */
static void a_large_sector_is_erased_as_a_whole(void **state)
{
    (void)state;
    enum { SECTOR = 0x20000 };
    static uint8_t old[SECTOR], now[SECTOR];
    otter_fault_t fault;
    otter_flash_t *flash = open_flash(&strict);
    assert_int_equal(file_flash_shape(flash, &once, &fault), ESP_OK);
    memset(old, 0x5A, sizeof(old));
    assert_int_equal(otter_flash_program(flash, 0, old, sizeof(old)), ESP_OK);
    assert_int_equal(otter_flash_erase(flash, 0, SECTOR), ESP_OK);
    assert_int_equal(otter_flash_program(flash, 0, old, 0x8000), ESP_OK);
    const int fd = open(path, O_RDONLY);
    assert_int_equal(pread(fd, now, sizeof(now), 0), SECTOR);
    close(fd);
    memset(old + 0x8000, 0xFF, sizeof(old) - 0x8000);
    assert_memory_equal(now, old, sizeof(now));
    assert_int_equal(file_flash_close(flash), ESP_OK);
}

static void a_geometry_that_no_flash_has_is_refused(void **state)
{
    (void)state;
    static const struct {
        file_flash_geometry_t geometry;
        esp_err_t err;
    } rows[] = {
        {{0}, ESP_OK},
        {{.sector_size = 0x20000, .write_unit = 256}, ESP_OK},
        {{.sector_size = 0x800}, ESP_ERR_INVALID_ARG},
        {{.sector_size = 0x3000}, ESP_ERR_INVALID_ARG},
        {{.sector_size = 0x40000}, ESP_ERR_INVALID_ARG},
        {{.write_unit = 24}, ESP_ERR_INVALID_ARG},
        {{.write_unit = 512}, ESP_ERR_INVALID_ARG},
        {{.write_once = true}, ESP_ERR_INVALID_ARG},
    };
    otter_fault_t fault;
    otter_flash_t *flash = open_flash(&strict);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(file_flash_shape(flash, &rows[i].geometry, &fault), rows[i].err);
    }
    assert_int_equal(file_flash_close(flash), ESP_OK);
    assert_int_equal(truncate(path, SIZE - 4096), 0); /* no whole sectors of 128 KiB */
    flash = open_flash(&strict);
    assert_int_equal(file_flash_shape(flash, &once, &fault), ESP_ERR_INVALID_ARG);
    assert_int_equal(file_flash_close(flash), ESP_OK);
    flash = open_flash(&(file_flash_options_t){.read_only = true});
    assert_int_equal(file_flash_shape(flash, &once, &fault), ESP_OK);
    assert_int_equal(flash->size, SIZE);
    assert_int_equal(file_flash_close(flash), ESP_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(random_operations_match_the_model, make_file, remove_file),
        cmocka_unit_test_setup_teardown(what_has_returned_survives_a_killed_process, make_file, remove_file),
        cmocka_unit_test_setup_teardown(an_erase_that_nobody_remembered_is_not_believed, make_file,
                                        remove_file),
        cmocka_unit_test_setup_teardown(lenient_flash_ands_like_a_chip, make_file, remove_file),
        cmocka_unit_test_setup_teardown(second_opener_is_refused, make_file, remove_file),
        cmocka_unit_test_setup_teardown(read_only_flash_changes_nothing, make_file, remove_file),
        cmocka_unit_test_setup_teardown(a_file_that_is_only_read_may_be_shorter_than_its_flash, make_file,
                                        remove_file),
        cmocka_unit_test_setup_teardown(bounds_are_checked_by_the_core, make_file, remove_file),
        cmocka_unit_test_setup_teardown(files_that_are_no_flash_are_refused, make_file, remove_file),
        cmocka_unit_test_setup_teardown(a_watch_ends_when_its_range_is_written, make_file, remove_file),
        cmocka_unit_test_setup_teardown(the_oldest_watch_gives_way_to_one_too_many, make_file, remove_file),
        cmocka_unit_test_setup_teardown(the_medium_is_flushed_once_for_what_was_written_and_not_for_nothing,
                                        make_file, remove_file),
        cmocka_unit_test_setup_teardown(
            an_erase_that_a_killed_process_remembered_is_in_the_file_before_the_next_program, make_file,
            remove_file),
        cmocka_unit_test_setup_teardown(a_unit_that_is_programmed_once_takes_no_second_program, make_file,
                                        remove_file),
        cmocka_unit_test_setup_teardown(a_large_sector_is_erased_as_a_whole, make_file, remove_file),
        cmocka_unit_test_setup_teardown(a_geometry_that_no_flash_has_is_refused, make_file, remove_file),
        cmocka_unit_test_teardown(writeback_starts_while_an_update_writes, remove_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
