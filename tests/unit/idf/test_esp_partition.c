/* ESP-IDF's partition names on the current device: look-ups, I/O inside one partition, copy, hash of data. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "esp_flash_partitions.h"
#include "esp_partition.h"
#include "otter/crypto.h"
#include "support/current_rig.h"

#define FLASH_SIZE 0x400000u

static const esp_partition_t *store, *other, *locked;

static const otter_partition_entry_t entries[] = {
    {1, 0x02, 0x9000, 0x4000, "store", 0},
    {1, 0x06, 0xD000, 0x3000, "other", 0},
    {1, 0x02, 0x10000, 0x2000, "locked", PART_FLAG_READONLY},
    {0, 0x10, 0x20000, 0x10000, "ota_0", 0},
    {0, 0x11, 0x30000, 0x10000, "ota_1", 0},
    {1, 0x06, 0x3FF000, 0x2000, "beyond", 0},
    {1, 0x06, 0xFFFFF000, 0x2000, "wraps", 0},
};

static int setup(void **state)
{
    (void)state;
    int status = open_device(FLASH_SIZE, entries, sizeof(entries) / sizeof(entries[0]));
    store = &device.partitions.items[0];
    other = &device.partitions.items[1];
    locked = &device.partitions.items[2];
    return status;
}

static int teardown(void **state)
{
    (void)state;
    close_device();
    return 0;
}

static void an_iterator_walks_all_matches_and_frees_itself(void **state)
{
    (void)state;
    static const char *const want[] = {"store", "other", "locked", "beyond", "wraps"};
    unsigned seen = 0;
    esp_partition_iterator_t it =
        esp_partition_find(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, NULL);
    for (; it != NULL; it = esp_partition_next(it)) {
        assert_true(seen < 5);
        assert_string_equal(esp_partition_get(it)->label, want[seen++]);
    }
    assert_int_equal(seen, 5);
}

static void an_iterator_may_be_left_early(void **state)
{
    (void)state;
    esp_partition_iterator_t it = esp_partition_find(ESP_PARTITION_TYPE_ANY, ESP_PARTITION_SUBTYPE_ANY, NULL);
    assert_non_null(it);
    esp_partition_iterator_release(it);
    esp_partition_iterator_release(NULL);
    assert_null(esp_partition_next(NULL));
    assert_null(esp_partition_get(NULL));
}

static void find_first_gives_the_one_record(void **state)
{
    (void)state;
    const esp_partition_t *slot =
        esp_partition_find_first(ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_APP_OTA_1, NULL);
    assert_string_equal(slot->label, "ota_1");
    assert_ptr_equal(slot,
                     esp_partition_find_first(ESP_PARTITION_TYPE_ANY, ESP_PARTITION_SUBTYPE_ANY, "ota_1"));
    esp_partition_t copy = *slot;
    assert_ptr_equal(esp_partition_verify(&copy), slot);
    assert_null(esp_partition_verify(NULL));
    assert_null(esp_partition_find(ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_APP_TEST, NULL));
}

static void without_a_device_nothing_is_found(void **state)
{
    (void)state;
    uint8_t hash[32];
    int count;
    otter_device_set_current(NULL);
    assert_null(esp_partition_find_first(ESP_PARTITION_TYPE_ANY, ESP_PARTITION_SUBTYPE_ANY, NULL));
    assert_null(esp_partition_find(ESP_PARTITION_TYPE_ANY, ESP_PARTITION_SUBTYPE_ANY, NULL));
    assert_null(esp_partition_verify(store));
    assert_int_equal(esp_partition_get_sha256(store, hash), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_partition_get_main_flash_sector_size(), 4096);
    assert_int_equal(
        esp_partition_table_verify((const esp_partition_info_t *)(sim.bytes + TABLE_OFFSET), true, &count),
        ESP_ERR_INVALID_STATE);
}

enum op { READ, WRITE, ERASE };

static esp_err_t run_op(enum op op, const esp_partition_t *partition, size_t offset, size_t size)
{
    static uint8_t buf[0x5000];
    switch (op) {
    case READ:
        return esp_partition_read(partition, offset, buf, size);
    case WRITE:
        memset(buf, 0xFF, sizeof(buf));
        return esp_partition_write(partition, offset, buf, size);
    default:
        return esp_partition_erase_range(partition, offset, size);
    }
}

static void io_stays_inside_the_partition(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum op op;
        int partition;
        size_t offset, size;
        esp_err_t want;
    } rows[] = {
        {"read all", READ, 0, 0, 0x4000, ESP_OK},
        {"read one too many", READ, 0, 0, 0x4001, ESP_ERR_INVALID_SIZE},
        {"read the last", READ, 0, 0x3FFF, 1, ESP_OK},
        {"read nothing at the end", READ, 0, 0x4000, 0, ESP_OK},
        {"read behind the end", READ, 0, 0x4001, 0, ESP_ERR_INVALID_ARG},
        {"read, size wraps", READ, 0, 0x10, SIZE_MAX, ESP_ERR_INVALID_SIZE},
        {"read, offset wraps", READ, 0, SIZE_MAX, 0x10, ESP_ERR_INVALID_ARG},
        {"read of read-only", READ, 2, 0, 0x2000, ESP_OK},
        {"write all", WRITE, 0, 0, 0x4000, ESP_OK},
        {"write unaligned", WRITE, 0, 3, 5, ESP_OK},
        {"write one too many", WRITE, 0, 1, 0x4000, ESP_ERR_INVALID_SIZE},
        {"write behind the end", WRITE, 0, 0x4001, 1, ESP_ERR_INVALID_ARG},
        {"write to read-only", WRITE, 2, 0, 4, ESP_ERR_NOT_ALLOWED},
        {"erase all", ERASE, 0, 0, 0x4000, ESP_OK},
        {"erase nothing", ERASE, 0, 0, 0, ESP_OK},
        {"erase one sector", ERASE, 0, 0x1000, 0x1000, ESP_OK},
        {"erase half a sector", ERASE, 0, 0, 0x800, ESP_ERR_INVALID_SIZE},
        {"erase from half a sector", ERASE, 0, 0x800, 0x1000, ESP_ERR_INVALID_ARG},
        {"erase too much", ERASE, 0, 0x1000, 0x4000, ESP_ERR_INVALID_SIZE},
        {"erase behind the end", ERASE, 0, 0x5000, 0x1000, ESP_ERR_INVALID_ARG},
        {"erase read-only", ERASE, 2, 0, 0x1000, ESP_ERR_NOT_ALLOWED},
        {"partition leaves the flash: inside", READ, 5, 0, 0x1000, ESP_OK},
        {"partition leaves the flash: outside", READ, 5, 0x800, 0x1000, ESP_ERR_INVALID_SIZE},
        {"erase where it leaves the flash", ERASE, 5, 0, 0x2000, ESP_ERR_INVALID_SIZE},
        {"partition wraps around 32 bits", READ, 6, 0x1800, 0x10, ESP_ERR_INVALID_SIZE},
    };
    sim.fence_off = 0x9000;
    sim.fence_len = 0x4000;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        esp_err_t got =
            run_op(rows[i].op, &device.partitions.items[rows[i].partition], rows[i].offset, rows[i].size);
        if (got != rows[i].want) {
            fail_msg("%s: %s", rows[i].name, esp_err_to_name(got));
        }
    }
    assert_int_equal(run_op(READ, NULL, 0, 1), ESP_ERR_INVALID_ARG);
    assert_int_equal(run_op(WRITE, NULL, 0, 1), ESP_ERR_INVALID_ARG);
    assert_int_equal(run_op(ERASE, NULL, 0, 0x1000), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_partition_read(store, 0, NULL, 1), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_partition_write(store, 0, NULL, 1), ESP_ERR_INVALID_ARG);
}

static void writing_needs_an_erase_before(void **state)
{
    (void)state;
    char back[6] = "";
    assert_int_equal(esp_partition_write(store, 0x1FFE, "hello", 6), ESP_OK);
    assert_int_equal(esp_partition_write_raw(store, 0x1FFE, "hello", 6), ESP_OK); /* the same bits again */
    assert_int_equal(esp_partition_write(store, 0x1FFE, "HELLO", 6), ESP_OK);     /* clears bits only */
    assert_int_equal(esp_partition_read(store, 0x1FFE, back, 6), ESP_OK);
    assert_string_equal(back, "HELLO");
    assert_int_equal(esp_partition_write(store, 0x1FFE, "hello", 6), ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(esp_partition_erase_range(store, 0x1000, 0x2000), ESP_OK);
    assert_int_equal(esp_partition_write(store, 0x1FFE, "hello", 6), ESP_OK);
    assert_int_equal(esp_partition_read_raw(store, 0x1FFE, back, 6), ESP_OK);
    assert_string_equal(back, "hello");
}

static void copy_erases_the_target_and_takes_any_length(void **state)
{
    (void)state;
    memset(sim.bytes + 0x9000, 0x5A, 0x4000);
    memset(sim.bytes + 0xD000, 0x00, 0x3000);
    assert_int_equal(esp_partition_copy(other, 0x1000, store, 0x10, 0x1100), ESP_OK);
    assert_int_equal(sim.bytes[0xDFFF], 0x00); /* before the range: untouched */
    assert_int_equal(sim.bytes[0xE000], 0x5A);
    assert_int_equal(sim.bytes[0xE000 + 0x10FF], 0x5A);
    assert_int_equal(sim.bytes[0xE000 + 0x1100], 0xFF); /* the last sector is erased whole */

    assert_int_equal(esp_partition_copy(other, 0, store, 0x1000, SIZE_MAX), ESP_OK); /* the rest: 0x3000 */
    assert_int_equal(sim.bytes[0xFFFF], 0x5A);
}

static void copy_refuses_what_does_not_fit(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t to, from;
        size_t size;
        esp_err_t want;
    } rows[] = {
        {"rest of the source is too large", 0, 0, SIZE_MAX, ESP_ERR_INVALID_SIZE},
        {"larger than the source", 0, 0x2000, 0x2001, ESP_ERR_INVALID_SIZE},
        {"larger than the target", 0x1000, 0, 0x2001, ESP_ERR_INVALID_SIZE},
        {"target behind the end", 0x4000, 0, 0, ESP_ERR_INVALID_SIZE},
        {"source behind the end", 0, 0x5000, SIZE_MAX, ESP_ERR_INVALID_SIZE},
        {"target inside a sector", 0x10, 0, 0x1000, ESP_ERR_INVALID_ARG},
        {"nothing", 0, 0, 0, ESP_OK},
    };
    sim.fence_off = 0xD000;
    sim.fence_len = 0x3000;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        esp_err_t got = esp_partition_copy(other, rows[i].to, store, rows[i].from, rows[i].size);
        if (got != rows[i].want) {
            fail_msg("%s: %s", rows[i].name, esp_err_to_name(got));
        }
    }
    assert_int_equal(esp_partition_copy(store, 0, store, 0, 0x1000), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_partition_copy(NULL, 0, store, 0, 0x1000), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_partition_copy(store, 0, NULL, 0, 0x1000), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_partition_copy(locked, 0, other, 0, 0x1000), ESP_ERR_NOT_ALLOWED);
}

static void the_hash_of_data_is_over_the_whole_partition(void **state)
{
    (void)state;
    uint8_t got[32], want[32];
    for (uint32_t i = 0; i < 0x4000; i++) {
        sim.bytes[0x9000 + i] = (uint8_t)(i * 7);
    }
    otter_digest_t sha = {0};
    assert_true(otter_sha256_begin(&sha));
    otter_digest_update(&sha, sim.bytes + 0x9000, 0x4000);
    otter_digest_finish(&sha, want);
    otter_digest_end(&sha);

    esp_partition_t place = {.address = 0x9000, .size = 0x4000, .type = ESP_PARTITION_TYPE_DATA};
    assert_int_equal(esp_partition_get_sha256(&place, got), ESP_OK); /* nothing else is looked at */
    assert_memory_equal(got, want, 32);
    assert_true(esp_partition_check_identity(store, store));
    assert_false(esp_partition_check_identity(store, other));
}

static void a_hash_that_cannot_be_made_is_an_error(void **state)
{
    (void)state;
    uint8_t got[32] = {0x77};
    esp_partition_t empty = {.address = 0x9000, .size = 0, .type = ESP_PARTITION_TYPE_DATA};
    assert_int_equal(esp_partition_get_sha256(&empty, got), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_partition_get_sha256(NULL, got), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_partition_get_sha256(store, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_partition_get_sha256(&device.partitions.items[5], got), ESP_FAIL);
    sim.fail_read_at = sim.reads + 1;
    assert_int_equal(esp_partition_get_sha256(store, got), ESP_FAIL);
    assert_int_equal(got[0], 0x77);
    assert_false(esp_partition_check_identity(store, store));
}

/** Put a recorded image into the slot at `address`. @return its length */
static uint32_t place_image(const char *name, uint32_t address)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/image/%s.bin", TEST_VECTORS, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    memset(sim.bytes + address, 0xFF, 0x10000);
    uint32_t len = (uint32_t)fread(sim.bytes + address, 1, 0x10000, file);
    fclose(file);
    return len;
}

static void the_hash_of_an_app_is_the_images_own(void **state)
{
    (void)state;
    static const struct {
        const char *image;
        bool appended; /* the last 32 bytes are the hash */
        esp_err_t want;
    } rows[] = {
        {"esp32_valid", true, ESP_OK},
        {"esp32s3_valid", true, ESP_OK},
        {"esp32_nohash", false, ESP_OK},
        {"wrong_chip", true, ESP_OK}, /* whose image it is makes no difference */
        {"bad_hash", true, ESP_ERR_IMAGE_INVALID},
        {"bad_data_1bit", true, ESP_ERR_IMAGE_INVALID},
        {"all_ff", true, ESP_ERR_IMAGE_INVALID},
        {"seg_len_16M", true, ESP_ERR_IMAGE_INVALID},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t got[32] = {0}, want[32];
        uint32_t len = place_image(rows[i].image, 0x20000);
        esp_partition_t place = {.address = 0x20000, .size = 0x10000, .type = ESP_PARTITION_TYPE_APP};
        esp_err_t err = esp_partition_get_sha256(&place, got);
        if (err != rows[i].want) {
            fail_msg("%s: %s", rows[i].image, esp_err_to_name(err));
        }
        if (err != ESP_OK) {
            continue;
        }
        otter_digest_t sha = {0};
        assert_true(otter_sha256_begin(&sha));
        otter_digest_update(&sha, sim.bytes + 0x20000, rows[i].appended ? len - 32 : len);
        otter_digest_finish(&sha, want);
        otter_digest_end(&sha);
        assert_memory_equal(got, want, 32);
    }
}

static void equal_apps_are_identical_whatever_follows_them(void **state)
{
    (void)state;
    place_image("esp32_valid", 0x20000);
    uint32_t len = place_image("esp32_valid", 0x30000);
    memset(sim.bytes + 0x30000 + len, 0x00, 0x100);
    const esp_partition_t *a = &device.partitions.items[3], *b = &device.partitions.items[4];
    assert_true(esp_partition_check_identity(a, b));
    place_image("esp32_v110_sec1", 0x30000);
    assert_false(esp_partition_check_identity(a, b));
    memset(sim.bytes + 0x30000, 0xFF, 0x10000);
    assert_false(esp_partition_check_identity(b, b));
}

static void table_verify_uses_the_current_flash(void **state)
{
    (void)state;
    int count = -1;
    const esp_partition_info_t *table = (const esp_partition_info_t *)(sim.bytes + TABLE_OFFSET);
    assert_int_equal(esp_partition_table_verify(table, false, &count), ESP_ERR_INVALID_SIZE);
    assert_int_equal(count, 0);
    assert_int_equal(otter_partition_table_encode(entries, 5, true, sim.bytes + TABLE_OFFSET), ESP_OK);
    assert_int_equal(esp_partition_table_verify(table, false, &count), ESP_OK);
    assert_int_equal(count, 5);
    assert_int_equal(esp_partition_table_verify(NULL, false, &count), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_partition_table_verify(table, false, NULL), ESP_ERR_INVALID_ARG);
}

/* Places that an application must not change by accident, seen from a partition that covers the whole flash. */
static const struct {
    const char *name;
    uint32_t at, len; /* written and erased */
    bool safe;
} places[] = {
    {"bootloader", 0x1000, 0x1000, false},
    {"the table", 0x8000, 0x1000, false},
    {"up to the table", 0x0, 0x9000, false},
    {"just behind the table", 0x9000, 0x1000, true},
    {"what runs, its first sector", 0x20000, 0x1000, false},
    {"what runs, its last sector", 0x2F000, 0x1000, false},
    {"across the beginning of what runs", 0x1F000, 0x2000, false},
    {"right before what runs", 0x1F000, 0x1000, true},
    {"right behind what runs", 0x30000, 0x1000, true},
};

/** A partition over everything, as no table should have it; tables are not trusted. */
static esp_partition_t all_of_flash(void)
{
    esp_partition_t all = *store;
    all.address = 0;
    all.size = FLASH_SIZE;
    return all;
}

static void dangerous_writes_fail_or_are_allowed_as_configured(void **state)
{
    (void)state;
    device.running = &device.partitions.items[3];
    const esp_partition_t all = all_of_flash();
    static const uint8_t zeros[0x9000];
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        uint8_t before[2] = {0x5A, 0x5A};
        uint8_t *at = sim.bytes + places[i].at;
        for (int allowed = 0; allowed < 2; allowed++) {
            device.config.dangerous_write =
                allowed ? OTTER_DANGEROUS_WRITE_ALLOWED : OTTER_DANGEROUS_WRITE_FAILS;
            esp_err_t want = allowed || places[i].safe ? ESP_OK : ESP_ERR_INVALID_ARG;
            memcpy(at, before, sizeof(before));
            esp_err_t err = esp_partition_write(&all, places[i].at, zeros, places[i].len);
            if (err != want || (err != ESP_OK && memcmp(at, before, sizeof(before)) != 0)) {
                fail_msg("write %s, allowed %d: 0x%x", places[i].name, allowed, (unsigned)err);
            }
            err = esp_partition_erase_range(&all, places[i].at, places[i].len);
            if (err != want || (err == ESP_OK ? at[0] != 0xFF : at[1] != before[1])) {
                fail_msg("erase %s, allowed %d: 0x%x", places[i].name, allowed, (unsigned)err);
            }
        }
        assert_int_equal(esp_partition_main_flash_region_safe(places[i].at, places[i].len), places[i].safe);
    }
    /* Nothing is no danger, and a copy is a write. */
    device.config.dangerous_write = OTTER_DANGEROUS_WRITE_FAILS;
    assert_int_equal(esp_partition_write(&all, 0x20000, zeros, 0), ESP_OK);
    assert_int_equal(esp_partition_erase_range(&all, 0x20000, 0), ESP_OK);
    assert_int_equal(esp_partition_copy(&all, 0x20000, store, 0, 0x1000), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_partition_copy(&all, 0x40000, store, 0, 0x1000), ESP_OK);
}

static void dangerous_writes_abort_by_default(void **state)
{
    (void)state;
    device.running = &device.partitions.items[3];
    const esp_partition_t all = all_of_flash();
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            signal(SIGABRT, SIG_DFL); /* cmocka catches it */
            _exit(esp_partition_erase_range(&all, places[i].at, places[i].len) == ESP_OK ? 0 : 1);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        bool aborted = WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
        if (places[i].safe ? status != 0 : !aborted) {
            fail_msg("%s: status 0x%x", places[i].name, (unsigned)status);
        }
    }
}

static void a_row_over_a_read_only_one_does_not_open_it(void **state)
{
    (void)state;
    const esp_partition_t all = all_of_flash();
    assert_int_equal(esp_partition_write(&all, locked->address, "x", 1), ESP_ERR_NOT_ALLOWED);
    assert_int_equal(esp_partition_erase_range(&all, locked->address - 0x1000, 0x2000), ESP_ERR_NOT_ALLOWED);
    assert_false(esp_partition_is_flash_region_writable(locked->address + locked->size - 1, 1));
    assert_true(esp_partition_is_flash_region_writable(locked->address + locked->size, 1));
    assert_false(esp_partition_is_flash_region_writable(0, SIZE_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_iterator_walks_all_matches_and_frees_itself, setup, teardown),
        cmocka_unit_test_setup_teardown(an_iterator_may_be_left_early, setup, teardown),
        cmocka_unit_test_setup_teardown(find_first_gives_the_one_record, setup, teardown),
        cmocka_unit_test_setup_teardown(without_a_device_nothing_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(io_stays_inside_the_partition, setup, teardown),
        cmocka_unit_test_setup_teardown(writing_needs_an_erase_before, setup, teardown),
        cmocka_unit_test_setup_teardown(copy_erases_the_target_and_takes_any_length, setup, teardown),
        cmocka_unit_test_setup_teardown(copy_refuses_what_does_not_fit, setup, teardown),
        cmocka_unit_test_setup_teardown(the_hash_of_data_is_over_the_whole_partition, setup, teardown),
        cmocka_unit_test_setup_teardown(a_hash_that_cannot_be_made_is_an_error, setup, teardown),
        cmocka_unit_test_setup_teardown(the_hash_of_an_app_is_the_images_own, setup, teardown),
        cmocka_unit_test_setup_teardown(equal_apps_are_identical_whatever_follows_them, setup, teardown),
        cmocka_unit_test_setup_teardown(table_verify_uses_the_current_flash, setup, teardown),
        cmocka_unit_test_setup_teardown(dangerous_writes_fail_or_are_allowed_as_configured, setup, teardown),
        cmocka_unit_test_setup_teardown(dangerous_writes_abort_by_default, setup, teardown),
        cmocka_unit_test_setup_teardown(a_row_over_a_read_only_one_does_not_open_it, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
