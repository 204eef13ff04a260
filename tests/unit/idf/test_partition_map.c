/* Mapped partitions: bytes that stay where they are and follow what happens to the flash. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_ota_ops.h"
#include "esp_partition.h"
#include "support/current_rig.h"

static const esp_partition_t *store, *slot;

static const otter_partition_entry_t entries[] = {
    {1, 0x02, 0x9000, 0x4000, "store", 0},
    {0, 0x10, 0x20000, 0x10000, "ota_0", 0},
    {1, 0x06, 0x3F000, 0x2000, "beyond", 0},
};

static int setup(void **state)
{
    (void)state;
    int status = open_device(0x40000, entries, 3);
    store = &device.partitions.items[0];
    slot = &device.partitions.items[1];
    return status;
}

static int teardown(void **state)
{
    (void)state;
    otter_device_deinit(&device); /* closes what a test left open */
    assert_null(sim.flash.maps);
    close_device();
    return 0;
}

static const uint8_t *map(const esp_partition_t *partition, size_t offset, size_t size,
                          esp_partition_mmap_handle_t *handle)
{
    const void *bytes;
    assert_int_equal(esp_partition_mmap(partition, offset, size, ESP_PARTITION_MMAP_DATA, &bytes, handle),
                     ESP_OK);
    assert_int_not_equal(*handle, 0);
    return bytes;
}

static void a_map_has_the_bytes_of_its_range(void **state)
{
    (void)state;
    esp_partition_mmap_handle_t first, second;
    memcpy(sim.bytes + 0x9FFE, "across", 6);
    const uint8_t *all = map(store, 0, 0x4000, &first);
    const uint8_t *part = map(store, 0xFFE, 6, &second);
    assert_memory_equal(all, sim.bytes + 0x9000, 0x4000);
    assert_memory_equal(part, "across", 6);
    assert_int_not_equal(first, second);
    esp_partition_munmap(first);
    assert_memory_equal(part, "across", 6);
    esp_partition_munmap(first); /* gone already */
    spi_flash_munmap(second);    /* ESP-IDF 4's name */
    esp_partition_munmap(0);
}

static void a_map_follows_writes_and_erases(void **state)
{
    (void)state;
    static const struct {
        size_t offset, size;
    } ranges[] = {{0, 0x4000}, {0x1004, 4}, {0x0FFF, 2}, {0x1008, 0x100}, {0x2000, 1}};
    const uint8_t *maps[5];
    esp_partition_mmap_handle_t handles[5];
    for (size_t i = 0; i < 5; i++) {
        maps[i] = map(store, ranges[i].offset, ranges[i].size, &handles[i]);
    }
    for (int step = 0; step < 4; step++) {
        esp_err_t err = step == 0   ? esp_partition_write(store, 0x1000, "0123456789abcdef", 16)
                        : step == 1 ? otter_flash_program(&sim.flash, 0xB000, "z", 1)
                        : step == 2 ? esp_partition_erase_range(store, 0x1000, 0x1000)
                                    : esp_partition_erase_range(store, 0, 0x4000);
        assert_int_equal(err, ESP_OK);
        for (size_t i = 0; i < 5; i++) {
            assert_memory_equal(maps[i], sim.bytes + 0x9000 + ranges[i].offset, ranges[i].size);
        }
    }
}

static void a_map_of_a_slot_follows_an_update(void **state)
{
    (void)state;
    esp_partition_mmap_handle_t handle;
    esp_ota_handle_t update;
    uint8_t image[64] = {0xE9};
    const uint8_t *bytes = map(slot, 0, sizeof(image), &handle);
    assert_int_equal(esp_ota_begin(slot, OTA_WITH_SEQUENTIAL_WRITES, &update), ESP_OK);
    assert_int_equal(esp_ota_write(update, image, sizeof(image)), ESP_OK);
    assert_memory_equal(bytes, image, sizeof(image));
    assert_int_equal(esp_ota_abort(update), ESP_OK);
}

static void a_map_that_cannot_be_is_refused(void **state)
{
    (void)state;
    const esp_partition_t *beyond = &device.partitions.items[2];
    static const struct {
        const char *name;
        int partition;
        size_t offset, size;
        esp_err_t want;
    } rows[] = {
        {"no bytes", 0, 0, 0, ESP_ERR_INVALID_ARG},
        {"behind the end", 0, 0x4001, 1, ESP_ERR_INVALID_ARG},
        {"one too many", 0, 0, 0x4001, ESP_ERR_INVALID_SIZE},
        {"size wraps", 0, 1, SIZE_MAX, ESP_ERR_INVALID_SIZE},
        {"no partition", 1, 0, 1, ESP_ERR_INVALID_ARG},
        {"a row that leaves the flash", 2, 0, 0x2000, ESP_ERR_INVALID_SIZE},
        {"behind the flash", 2, 0x1001, 1, ESP_ERR_INVALID_ARG},
    };
    const esp_partition_t *partitions[] = {store, NULL, beyond};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const void *bytes = &sim;
        esp_partition_mmap_handle_t handle = 77;
        esp_err_t err = esp_partition_mmap(partitions[rows[i].partition], rows[i].offset, rows[i].size,
                                           ESP_PARTITION_MMAP_INST, &bytes, &handle);
        if (err != rows[i].want || bytes != &sim || handle != 77) {
            fail_msg("%s: %s", rows[i].name, esp_err_to_name(err));
        }
    }
    const void *bytes;
    esp_partition_mmap_handle_t handle;
    assert_int_equal(esp_partition_mmap(store, 0, 1, ESP_PARTITION_MMAP_DATA, NULL, &handle),
                     ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_partition_mmap(store, 0, 1, ESP_PARTITION_MMAP_DATA, &bytes, NULL),
                     ESP_ERR_INVALID_ARG);
    sim.fail_read_at = 0;
    assert_int_equal(esp_partition_mmap(store, 0, 1, ESP_PARTITION_MMAP_DATA, &bytes, &handle),
                     ESP_ERR_FLASH_OP_FAIL);
    otter_device_set_current(NULL);
    sim.fail_read_at = UINT32_MAX;
    assert_int_equal(esp_partition_mmap(store, 0, 1, ESP_PARTITION_MMAP_DATA, &bytes, &handle),
                     ESP_ERR_INVALID_STATE);
    esp_partition_munmap(1);
}

static void what_cannot_be_read_again_stays_as_it_was(void **state)
{
    (void)state;
    esp_partition_mmap_handle_t handle;
    const uint8_t *bytes = map(store, 0, 4, &handle);
    sim.fail_read_at = 0;
    assert_int_equal(esp_partition_write(store, 0, "abcd", 4), ESP_OK);
    assert_memory_equal(bytes, "\xFF\xFF\xFF\xFF", 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_map_has_the_bytes_of_its_range, setup, teardown),
        cmocka_unit_test_setup_teardown(a_map_follows_writes_and_erases, setup, teardown),
        cmocka_unit_test_setup_teardown(a_map_of_a_slot_follows_an_update, setup, teardown),
        cmocka_unit_test_setup_teardown(a_map_that_cannot_be_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_read_again_stays_as_it_was, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
