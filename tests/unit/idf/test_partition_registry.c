/* Partitions registered at run time, look-ups that tell why, and reading the table anew. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_ota_ops.h"
#include "esp_partition.h"
#include "otter/crypto.h"
#include "support/current_rig.h"

#define FLASH_SIZE 0x100000u
#define OTHER_SIZE 0x20000u
#define ANY        ESP_PARTITION_TYPE_ANY, ESP_PARTITION_SUBTYPE_ANY

static sim_flash_t second; /* another chip */

static const otter_partition_entry_t entries[] = {
    {1, 0x00, 0x9000, 0x2000, "otadata", 0},
    {0, 0x10, 0x20000, 0x10000, "ota_0", 0},
    {0, 0x11, 0x30000, 0x10000, "ota_1", 0},
};

static int setup(void **state)
{
    (void)state;
    return sim_flash_init(&second, OTHER_SIZE) ? open_device(FLASH_SIZE, entries, 3) : -1;
}

static int teardown(void **state)
{
    (void)state;
    close_device();
    sim_flash_free(&second);
    return 0;
}

static const esp_partition_t *add(esp_flash_t *flash, size_t offset, size_t size, const char *label)
{
    const esp_partition_t *added;
    assert_int_equal(esp_partition_register_external(flash, offset, size, label, ESP_PARTITION_TYPE_DATA,
                                                     ESP_PARTITION_SUBTYPE_DATA_FAT, &added),
                     ESP_OK);
    return added;
}

static void registering_judges_place_and_flash(void **state)
{
    (void)state;
    otter_flash_t broken = {.ops = sim.flash.ops, .size = 0x1000, .erase_size = 3000, .write_size = 1};
    add(&second.flash, 0x8000, 0x1000, "taken");
    const struct {
        const char *name;
        esp_flash_t *flash;
        size_t offset, size;
        esp_err_t want;
    } rows[] = {
        {"free on the device's flash", NULL, 0x40000, 0x1000, ESP_OK},
        {"now taken", NULL, 0x40000, 0x1000, ESP_ERR_INVALID_ARG},
        {"the same, named", &sim.flash, 0x40FFF, 2, ESP_ERR_INVALID_ARG},
        {"over a row of the table", NULL, 0x2F000, 0x2000, ESP_ERR_INVALID_ARG},
        {"the same place on another chip", &second.flash, 0x1000, 0x2000, ESP_OK},
        {"over a registered one there", &second.flash, 0x7FFF, 2, ESP_ERR_INVALID_ARG},
        {"up to the end", &second.flash, OTHER_SIZE - 0x1000, 0x1000, ESP_OK},
        {"one beyond the end", &second.flash, OTHER_SIZE - 0x2000, 0x2001, ESP_ERR_INVALID_SIZE},
        {"behind the end", &second.flash, OTHER_SIZE + 1, 0, ESP_ERR_INVALID_SIZE},
        {"size wraps", &second.flash, 0x9000, SIZE_MAX, ESP_ERR_INVALID_SIZE},
        {"offset wraps", NULL, SIZE_MAX, 2, ESP_ERR_INVALID_SIZE},
        {"a flash that cannot be", &broken, 0, 0x1000, ESP_ERR_INVALID_ARG},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const esp_partition_t *out = &device.partitions.items[0];
        esp_err_t err =
            esp_partition_register_external(rows[i].flash, rows[i].offset, rows[i].size, "x",
                                            ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_FAT, &out);
        if (err != rows[i].want || (out != NULL) != (err == ESP_OK)) {
            fail_msg("%s: %s", rows[i].name, esp_err_to_name(err));
        }
    }
    assert_int_equal(esp_partition_register_external(NULL, 0x50000, 0x1000, NULL, ESP_PARTITION_TYPE_DATA,
                                                     ESP_PARTITION_SUBTYPE_DATA_FAT, NULL),
                     ESP_OK); /* neither label nor result is needed */
}

static void a_registered_partition_is_found_behind_the_table(void **state)
{
    (void)state;
    static const char *const want[] = {"otadata", "ota_0", "ota_1", "sixteen_letters_", "late"};
    const esp_partition_t *first = add(&second.flash, 0, 0x4000, "sixteen_letters_and_more");
    const esp_partition_t *last = add(NULL, 0x40000, 0x1000, "late");
    unsigned seen = 0;
    for (esp_partition_iterator_t it = esp_partition_find(ANY, NULL); it != NULL;
         it = esp_partition_next(it)) {
        assert_true(seen < 5);
        assert_string_equal(esp_partition_get(it)->label, want[seen++]);
    }
    assert_int_equal(seen, 5);
    assert_ptr_equal(esp_partition_find_first(ANY, "late"), last);

    esp_partition_t copy = *first;
    assert_ptr_equal(esp_partition_verify(&copy), first);
    copy.flash_chip = &sim.flash;
    assert_null(esp_partition_verify(&copy));
}

static void a_partition_on_another_chip_is_read_written_erased_copied_and_hashed_there(void **state)
{
    (void)state;
    const esp_partition_t *here = add(NULL, 0x40000, 0x2000, "here");
    const esp_partition_t *there = add(&second.flash, 0x2000, 0x2000, "there");
    uint8_t back[5], hash[32], want[32];
    assert_int_equal(esp_partition_erase_range(there, 0, 0x2000), ESP_OK);
    assert_int_equal(esp_partition_write(there, 0x10, "bytes", 5), ESP_OK);
    assert_memory_equal(second.bytes + 0x2010, "bytes", 5);
    assert_int_equal(esp_partition_copy(here, 0, there, 0, 0x2000), ESP_OK);
    assert_memory_equal(sim.bytes + 0x40010, "bytes", 5);
    assert_int_equal(esp_partition_read(here, 0x10, back, 5), ESP_OK);
    assert_memory_equal(back, "bytes", 5);

    otter_digest_t sha = {0};
    assert_true(otter_sha256_begin(&sha));
    otter_digest_update(&sha, second.bytes + 0x2000, 0x2000);
    otter_digest_finish(&sha, want);
    otter_digest_end(&sha);
    assert_int_equal(esp_partition_get_sha256(there, hash), ESP_OK);
    assert_memory_equal(hash, want, 32);
    assert_true(esp_partition_check_identity(here, there));
}

static const esp_partition_t *add_as(esp_flash_t *flash, size_t offset, esp_partition_type_t type,
                                     esp_partition_subtype_t subtype)
{
    const esp_partition_t *added;
    assert_int_equal(
        esp_partition_register_external(flash, offset, 0x4000, "registered", type, subtype, &added), ESP_OK);
    return added;
}

static void updates_take_registered_data_and_no_application(void **state)
{
    (void)state;
    const struct {
        const char *name;
        esp_flash_t *flash;
        size_t offset;
        esp_partition_type_t type;
        esp_partition_subtype_t subtype;
        esp_err_t want;
    } rows[] = {
        {"data", NULL, 0x40000, ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_FAT, ESP_OK},
        {"data on another flash", &second.flash, 0, ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_FAT,
         ESP_OK},
        {"an application's slot", NULL, 0x44000, ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_APP_OTA_2,
         ESP_ERR_NOT_FOUND},
        {"one on another flash", &second.flash, 0x10000, ESP_PARTITION_TYPE_APP,
         ESP_PARTITION_SUBTYPE_APP_OTA_2, ESP_ERR_NOT_FOUND},
        {"the bootloader, as data", NULL, 0x1000, ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_FAT,
         ESP_ERR_NOT_ALLOWED},
        {"the table, as data", NULL, 0x5000, ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_FAT,
         ESP_ERR_NOT_ALLOWED},
        {"a type of its own", NULL, 0x48000, (esp_partition_type_t)0x40, (esp_partition_subtype_t)0,
         ESP_ERR_NOT_FOUND},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const esp_partition_t *p = add_as(rows[i].flash, rows[i].offset, rows[i].type, rows[i].subtype);
        esp_ota_handle_t handle = 0;
        print_message("%s\n", rows[i].name);
        assert_int_equal(esp_ota_begin(p, OTA_SIZE_UNKNOWN, &handle), rows[i].want);
        assert_int_equal(esp_ota_get_app_partition_count(), 2);
        if (rows[i].want == ESP_OK) {
            assert_int_equal(esp_ota_abort(handle), ESP_OK);
        }
        assert_int_equal(esp_partition_deregister_external(p), ESP_OK);
    }
}

static void whoever_copies_a_bootloader_by_hand_is_let(void **state)
{
    (void)state;
    const esp_partition_t *bootloader = add_as(NULL, 0x1000, ESP_PARTITION_TYPE_BOOTLOADER,
                                               ESP_PARTITION_SUBTYPE_BOOTLOADER_PRIMARY),
                          *data =
                              add_as(NULL, 0x40000, ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_FAT);
    const esp_partition_t *const finals[] = {data, bootloader};
    for (size_t i = 0; i < 2; i++) {
        esp_ota_handle_t handle = 0;
        assert_int_equal(
            esp_ota_begin(esp_ota_get_next_update_partition(NULL), OTA_WITH_SEQUENTIAL_WRITES, &handle),
            ESP_OK);
        assert_int_equal(esp_ota_set_final_partition(handle, finals[i], false), ESP_OK);
        assert_int_equal(device.guard_lifted, finals[i] == bootloader);
        assert_int_equal(esp_ota_abort(handle), ESP_OK);
    }
}

static void a_registered_slot_elsewhere_has_no_description(void **state)
{
    (void)state;
    const esp_partition_t *slot =
        add_as(&second.flash, 0x10000, ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_APP_OTA_2);
    esp_app_desc_t desc;
    esp_bootloader_desc_t bootloader;
    assert_int_equal(esp_ota_get_partition_description(slot, &desc), ESP_ERR_NOT_SUPPORTED);
    assert_int_equal(esp_ota_get_bootloader_description(slot, &bootloader), ESP_ERR_NOT_SUPPORTED);
}

/** Writes 5000 bytes in odd pieces to a partition that the application gives up meanwhile. */
static void update_registered(const esp_partition_t *p, const uint8_t *there, size_t image_size)
{
    static uint8_t data[5000], old[16] = "old";
    for (size_t i = 0; i < sizeof(data); i++) {
        data[i] = (uint8_t)(i * 7 + image_size);
    }
    esp_ota_handle_t handle, second_one;
    assert_int_equal(esp_partition_erase_range(p, 0, p->size), ESP_OK);
    assert_int_equal(esp_partition_write(p, 0x3FF0, old, sizeof(old)), ESP_OK);
    assert_int_equal(esp_ota_begin(p, image_size, &handle), ESP_OK);
    assert_int_equal(esp_ota_write(handle, data, 1), ESP_OK);
    assert_int_equal(esp_ota_begin(p, image_size, &second_one), ESP_ERR_OTA_ALREADY_IN_PROGRESS);
    assert_int_equal(esp_partition_deregister_external(p), ESP_OK);
    for (size_t at = 1; at < sizeof(data); at += 333) {
        size_t len = sizeof(data) - at < 333 ? sizeof(data) - at : 333;
        assert_int_equal(esp_ota_write(handle, data + at, len), ESP_OK);
    }
    assert_int_equal(esp_ota_end(handle), ESP_OK);
    assert_memory_equal(there, data, sizeof(data));
    assert_int_equal(there[sizeof(data)], 0xFF);
    assert_int_equal(there[0x3FF0], image_size == 0 ? 0xFF : 'o');
}

static void a_registered_partition_is_updated_where_it_is(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 5000, OTA_WITH_SEQUENTIAL_WRITES};
    for (uint32_t unit = 1; unit <= 16; unit *= 16) {
        second.flash.write_size = unit;
        for (size_t i = 0; i < 3; i++) {
            update_registered(add(NULL, 0x40000, 0x4000, "here"), sim.bytes + 0x40000, sizes[i]);
            update_registered(add(&second.flash, 0x8000, 0x4000, "there"), second.bytes + 0x8000, sizes[i]);
        }
    }
}

/** As flash inside some controllers has: 128 KiB. */
static void data_goes_to_another_flash_with_large_sectors(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 100000, OTA_WITH_SEQUENTIAL_WRITES};
    static uint8_t data[100000];
    second.flash.erase_size = OTHER_SIZE;
    for (size_t i = 0; i < 6; i++) {
        memset(data, (int)i, sizeof(data));
        second.flash.stable_reads = i >= 3;
        esp_ota_handle_t handle;
        const esp_partition_t *p = add(&second.flash, 0, OTHER_SIZE, "there");
        assert_int_equal(esp_ota_begin(p, sizes[i % 3], &handle), ESP_OK);
        for (size_t at = 0; at < sizeof(data); at += 10000) {
            assert_int_equal(esp_ota_write(handle, data + at, 10000), ESP_OK);
        }
        assert_int_equal(esp_ota_end(handle), ESP_OK);
        assert_memory_equal(second.bytes, data, sizeof(data));
        assert_int_equal(second.bytes[sizeof(data)], 0xFF);
        assert_int_equal(esp_partition_deregister_external(p), ESP_OK);
    }
}

static void a_registered_final_says_what_the_bytes_are_and_takes_no_copy(void **state)
{
    (void)state;
    const esp_partition_t *slot = &device.partitions.items[2];
    const esp_partition_t *data = add(&second.flash, 0, 0x4000, "there");
    const esp_partition_t *app =
        add_as(&second.flash, 0x10000, ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_APP_OTA_2);
    const struct {
        const char *name;
        const esp_partition_t *staging, *final;
        bool copy;
        esp_err_t set, end;
    } rows[] = {
        {"meant for data", slot, data, false, ESP_OK, ESP_OK},
        {"meant for an application", slot, app, false, ESP_OK, ESP_ERR_OTA_VALIDATE_FAILED},
        {"data meant for an application", data, slot, false, ESP_OK, ESP_ERR_OTA_VALIDATE_FAILED},
        {"a copy to there", slot, data, true, ESP_ERR_NOT_SUPPORTED, 0},
        {"a copy from there", data, slot, true, ESP_ERR_NOT_SUPPORTED, 0},
        {"a copy to itself is none", data, data, true, ESP_OK, ESP_OK},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        esp_ota_handle_t handle;
        print_message("%s\n", rows[i].name);
        assert_int_equal(esp_ota_begin(rows[i].staging, OTA_SIZE_UNKNOWN, &handle), ESP_OK);
        assert_int_equal(esp_ota_set_final_partition(handle, rows[i].final, rows[i].copy), rows[i].set);
        if (rows[i].set != ESP_OK) {
            assert_int_equal(esp_ota_abort(handle), ESP_OK);
            continue;
        }
        static const uint8_t bytes[] = {0xE9, 1, 2, 3};
        assert_int_equal(esp_ota_write(handle, bytes, sizeof(bytes)), ESP_OK);
        assert_int_equal(esp_ota_end(handle), rows[i].end);
    }
}

static void only_what_was_registered_can_be_deregistered(void **state)
{
    (void)state;
    const esp_partition_t *a = add(NULL, 0x40000, 0x1000, "a");
    const esp_partition_t *b = add(NULL, 0x41000, 0x1000, "b");
    esp_partition_t copy = *a;
    assert_int_equal(esp_partition_deregister_external(NULL), ESP_ERR_NOT_FOUND);
    assert_int_equal(esp_partition_deregister_external(&copy), ESP_ERR_NOT_FOUND);
    assert_int_equal(esp_partition_deregister_external(&device.partitions.items[1]), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_partition_deregister_external(a), ESP_OK);
    assert_null(esp_partition_find_first(ANY, "a"));
    assert_ptr_equal(esp_partition_find_first(ANY, "b"), b);
    assert_int_equal(esp_partition_deregister_external(a), ESP_ERR_NOT_FOUND);
    add(NULL, 0x40000, 0x1000, "again"); /* the place is free */
}

static void look_ups_tell_why(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        esp_partition_type_t type;
        esp_partition_subtype_t subtype;
        const char *label;
        esp_err_t want;
    } rows[] = {
        {"all", ANY, NULL, ESP_OK},
        {"by type", ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_ANY, NULL, ESP_OK},
        {"by label", ANY, "ota_1", ESP_OK},
        {"any type of one subtype", ESP_PARTITION_TYPE_ANY, ESP_PARTITION_SUBTYPE_APP_OTA_0, NULL,
         ESP_ERR_INVALID_ARG},
        {"no such subtype", ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_APP_TEST, NULL, ESP_ERR_NOT_FOUND},
        {"no such label", ANY, "ota_", ESP_ERR_NOT_FOUND},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const esp_partition_t *first = &device.partitions.items[2];
        esp_partition_iterator_t it = (esp_partition_iterator_t)&device;
        esp_err_t err = esp_partition_find_first_err(rows[i].type, rows[i].subtype, rows[i].label, &first);
        esp_err_t err_it = esp_partition_find_err(rows[i].type, rows[i].subtype, rows[i].label, &it);
        if (err != rows[i].want || err_it != err || (first != NULL) != (err == ESP_OK) ||
            esp_partition_get(it) != first) {
            fail_msg("%s: %s, %s", rows[i].name, esp_err_to_name(err), esp_err_to_name(err_it));
        }
        esp_partition_iterator_release(it);
    }
    const esp_partition_t *out;
    esp_partition_t stranger = {.type = ESP_PARTITION_TYPE_DATA, .flash_chip = &sim.flash};
    assert_int_equal(esp_partition_find_err(ANY, NULL, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_partition_find_first_err(ANY, NULL, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_partition_verify_err(NULL, &out), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_partition_verify_err(&stranger, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_partition_verify_err(&stranger, &out), ESP_ERR_NOT_FOUND);
    assert_null(out);
    assert_int_equal(esp_partition_verify_err(&device.partitions.items[1], &out), ESP_OK);
    assert_ptr_equal(out, &device.partitions.items[1]);
}

static void a_table_that_does_not_load_says_so(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool md5;
        bool damage;
        esp_err_t want;
    } rows[] = {
        {"no MD5", false, false, ESP_ERR_NOT_FOUND},
        {"wrong MD5", true, true, ESP_ERR_INVALID_STATE},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const esp_partition_t *out;
        put_table(entries, 3, rows[i].md5);
        sim.bytes[0x800C] = rows[i].damage ? 'x' : sim.bytes[0x800C];
        start_device();
        assert_int_equal(esp_partition_find_first_err(ANY, NULL, &out), rows[i].want);
        assert_int_equal(esp_partition_register_external(NULL, 0x40000, 0x1000, "x", ESP_PARTITION_TYPE_DATA,
                                                         ESP_PARTITION_SUBTYPE_DATA_FAT, &out),
                         rows[i].want);
        assert_null(out);
    }
    otter_device_set_current(NULL);
    const esp_partition_t *out;
    assert_int_equal(esp_partition_find_first_err(ANY, NULL, &out), ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_partition_deregister_external(&device.partitions.items[0]), ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_partition_register_external(NULL, 0, 0x1000, "x", ESP_PARTITION_TYPE_DATA,
                                                     ESP_PARTITION_SUBTYPE_DATA_FAT, NULL),
                     ESP_ERR_INVALID_STATE);
    esp_partition_unload_all();
}

static void unloading_reads_the_table_anew(void **state)
{
    (void)state;
    static const otter_partition_entry_t grown[] = {
        {1, 0x02, 0xB000, 0x1000, "new", 0},
        {1, 0x00, 0x9000, 0x2000, "otadata", 0},
        {0, 0x10, 0x20000, 0x10000, "ota_0", 0},
    };
    device.running = &device.partitions.items[1];
    add(NULL, 0x40000, 0x1000, "gone");
    put_table(grown, 3, true);
    assert_null(esp_partition_find_first(ANY, "new"));
    esp_partition_unload_all();
    assert_non_null(esp_partition_find_first(ANY, "new"));
    assert_null(esp_partition_find_first(ANY, "gone"));
    assert_null(esp_partition_find_first(ANY, "ota_1"));
    assert_string_equal(esp_ota_get_running_partition()->label, "ota_0");
    assert_ptr_equal(esp_ota_get_running_partition(), esp_partition_find_first(ANY, "ota_0"));
}

static void unloading_keeps_rows_that_are_in_use(void **state)
{
    (void)state;
    static const otter_partition_entry_t moved[] = {{0, 0x10, 0x80000, 0x10000, "ota_0", 0}};
    device.running = &device.partitions.items[1];
    put_table(moved, 1, true);
    esp_partition_unload_all(); /* what runs is not in it */
    assert_int_equal(esp_partition_find_first(ANY, "ota_0")->address, 0x20000);

    device.running = NULL;
    esp_ota_handle_t handle;
    assert_int_equal(esp_ota_begin(&device.partitions.items[2], OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    esp_partition_unload_all(); /* an update writes to one of them */
    assert_non_null(esp_partition_find_first(ANY, "ota_1"));
    assert_int_equal(esp_ota_abort(handle), ESP_OK);

    sim.bytes[0x8004] ^= 1;
    esp_partition_unload_all(); /* the MD5 is wrong */
    assert_non_null(esp_partition_find_first(ANY, "ota_1"));
    sim.bytes[0x8004] ^= 1;
    esp_partition_unload_all();
    assert_int_equal(esp_partition_find_first(ANY, "ota_0")->address, 0x80000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(registering_judges_place_and_flash, setup, teardown),
        cmocka_unit_test_setup_teardown(a_registered_partition_is_found_behind_the_table, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_partition_on_another_chip_is_read_written_erased_copied_and_hashed_there, setup, teardown),
        cmocka_unit_test_setup_teardown(updates_take_registered_data_and_no_application, setup, teardown),
        cmocka_unit_test_setup_teardown(whoever_copies_a_bootloader_by_hand_is_let, setup, teardown),
        cmocka_unit_test_setup_teardown(a_registered_slot_elsewhere_has_no_description, setup, teardown),
        cmocka_unit_test_setup_teardown(a_registered_partition_is_updated_where_it_is, setup, teardown),
        cmocka_unit_test_setup_teardown(data_goes_to_another_flash_with_large_sectors, setup, teardown),
        cmocka_unit_test_setup_teardown(a_registered_final_says_what_the_bytes_are_and_takes_no_copy, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(only_what_was_registered_can_be_deregistered, setup, teardown),
        cmocka_unit_test_setup_teardown(look_ups_tell_why, setup, teardown),
        cmocka_unit_test_setup_teardown(a_table_that_does_not_load_says_so, setup, teardown),
        cmocka_unit_test_setup_teardown(unloading_reads_the_table_anew, setup, teardown),
        cmocka_unit_test_setup_teardown(unloading_keeps_rows_that_are_in_use, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
