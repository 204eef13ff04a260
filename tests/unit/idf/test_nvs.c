/* ESP-IDF's nvs_*: codes and values as its programs see them, on a device and without one. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "nvs.h"
#include "esp_flash_partitions.h"
#include "nvs_flash.h"
#include "nvs_sec_provider.h"
#include "otter/bytes.h"
#include "support/current_rig.h"

#define FLASH_SIZE 0x400000u
#define PAGE       0x1000u

static const otter_partition_entry_t entries[] = {
    {1, 0x02, 0x9000, 0x4000, "nvs", 0},
    {1, 0x02, 0x10000, 0x3000, "fctry", 0},
    {1, 0x02, 0x14000, 0x3000, "locked", PART_FLAG_READONLY},
    {1, 0x02, 0x18000, 0x1000, "small", 0},
    {1, 0x06, 0x1A000, 0x3000, "other", 0},
    {1, 0x04, 0x1E000, 0x1000, "keys", 0},
};

static int setup(void **state)
{
    (void)state;
    return open_device(FLASH_SIZE, entries, sizeof(entries) / sizeof(entries[0]));
}

static int teardown(void **state)
{
    (void)state;
    close_device();
    return 0;
}

static nvs_handle_t open_rw(const char *name)
{
    nvs_handle_t handle = 0;
    assert_int_equal(nvs_flash_init(), ESP_OK);
    assert_int_equal(nvs_open(name, NVS_READWRITE, &handle), ESP_OK);
    return handle;
}

static void partitions_and_namespaces_have_their_codes(void **state)
{
    (void)state;
    nvs_handle_t handle = 77;
    assert_int_equal(nvs_open("app", NVS_READWRITE, &handle), ESP_ERR_NVS_NOT_INITIALIZED);
    assert_int_equal(nvs_flash_deinit(), ESP_ERR_NVS_NOT_INITIALIZED);
    assert_int_equal(nvs_flash_init_partition("nowhere"), ESP_ERR_NOT_FOUND);
    assert_int_equal(nvs_flash_init_partition("other"), ESP_ERR_NOT_FOUND);
    assert_int_equal(nvs_flash_init_partition(NULL), ESP_ERR_NOT_FOUND);
    assert_int_equal(nvs_flash_init_partition("small"), ESP_ERR_NVS_NO_FREE_PAGES);
    assert_int_equal(nvs_flash_init(), ESP_OK);
    assert_int_equal(nvs_flash_init(), ESP_OK);
    static const struct {
        const char *name, *partition, *ns;
        nvs_open_mode_t mode;
        esp_err_t want;
    } rows[] = {
        {"a new one", "nvs", "app", NVS_READWRITE, ESP_OK},
        {"it is there now", "nvs", "app", NVS_READONLY, ESP_OK},
        {"none, to read", "nvs", "none", NVS_READONLY, ESP_ERR_NVS_NOT_FOUND},
        {"no name", "nvs", "", NVS_READWRITE, ESP_ERR_NVS_INVALID_NAME},
        {"NULL", "nvs", NULL, NVS_READWRITE, ESP_ERR_NVS_INVALID_NAME},
        {"15 characters", "nvs", "123456789012345", NVS_READWRITE, ESP_OK},
        {"16 characters", "nvs", "1234567890123456", NVS_READWRITE, ESP_ERR_NVS_KEY_TOO_LONG},
        {"a partition that is not ready", "fctry", "app", NVS_READWRITE, ESP_ERR_NVS_PART_NOT_FOUND},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        esp_err_t err = nvs_open_from_partition(rows[i].partition, rows[i].ns, rows[i].mode, &handle);
        if (err != rows[i].want) {
            fail_msg("%s: 0x%x", rows[i].name, (unsigned)err);
        }
    }
    assert_int_equal(nvs_open("app", NVS_READONLY, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(nvs_flash_init_partition("locked"), ESP_OK);
    assert_int_equal(nvs_open_from_partition("locked", "app", NVS_READWRITE, &handle), ESP_ERR_NOT_ALLOWED);
    assert_int_equal(nvs_open_from_partition("locked", "app", NVS_READONLY, &handle), ESP_ERR_NVS_NOT_FOUND);
}

static void values_have_their_codes(void **state)
{
    (void)state;
    nvs_handle_t rw = open_rw("app"), ro;
    uint8_t u8 = 5;
    int32_t i32 = -70000;
    int64_t i64;
    char text[8] = "unset";
    size_t len = sizeof(text);
    assert_int_equal(nvs_open("app", NVS_READONLY, &ro), ESP_OK);
    assert_int_equal(nvs_set_i32(ro, "n", 1), ESP_ERR_NVS_READ_ONLY);
    assert_int_equal(nvs_set_i32(rw, "n", i32), ESP_OK);
    assert_int_equal(nvs_get_u8(ro, "n", &u8), ESP_ERR_NVS_TYPE_MISMATCH);
    assert_int_equal(u8, 5);
    assert_int_equal(nvs_get_str(ro, "n", text, &len), ESP_ERR_NVS_NOT_FOUND);
    i32 = 0;
    assert_int_equal(nvs_get_i32(ro, "n", &i32), ESP_OK);
    assert_int_equal(i32, -70000);
    assert_int_equal(nvs_set_i64(rw, "n", INT64_MIN), ESP_OK); /* of another type: it takes the place */
    assert_int_equal(nvs_get_i32(ro, "n", &i32), ESP_ERR_NVS_TYPE_MISMATCH);
    assert_int_equal(nvs_get_i64(ro, "n", &i64), ESP_OK);
    assert_true(i64 == INT64_MIN);

    assert_int_equal(nvs_set_str(rw, "s", "1234567"), ESP_OK);
    assert_int_equal(nvs_get_str(rw, "s", NULL, &len), ESP_OK);
    assert_int_equal(len, 8);
    len = 7;
    assert_int_equal(nvs_get_str(rw, "s", text, &len), ESP_ERR_NVS_INVALID_LENGTH);
    assert_int_equal(len, 8);
    assert_string_equal(text, "unset");
    assert_int_equal(nvs_get_str(rw, "s", text, &len), ESP_OK);
    assert_string_equal(text, "1234567");
    nvs_type_t type = NVS_TYPE_ANY;
    assert_int_equal(nvs_find_key(rw, "s", &type), ESP_OK);
    assert_int_equal(type, NVS_TYPE_STR);
    assert_int_equal(nvs_find_key(rw, "none", NULL), ESP_ERR_NVS_NOT_FOUND);

    static char longest[4001];
    memset(longest, 'x', sizeof(longest) - 1);
    assert_int_equal(nvs_set_str(rw, "long", longest), ESP_ERR_NVS_VALUE_TOO_LONG);
    longest[3999] = '\0';
    assert_int_equal(nvs_set_str(rw, "long", longest), ESP_OK);
    assert_int_equal(nvs_set_str(rw, "1234567890123456", "x"), ESP_ERR_NVS_KEY_TOO_LONG);
    assert_int_equal(nvs_set_str(rw, "", "x"), ESP_ERR_NVS_INVALID_NAME);
    assert_int_equal(nvs_set_str(rw, "s", NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(nvs_get_u8(rw, "s", NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(nvs_set_blob(rw, "b", longest, 508001), ESP_ERR_NVS_VALUE_TOO_LONG);
    assert_int_equal(nvs_set_blob(rw, "b", longest, 0), ESP_OK);
    len = sizeof(text);
    assert_int_equal(nvs_get_blob(rw, "b", text, &len), ESP_OK);
    assert_int_equal(len, 0);
    assert_int_equal(nvs_erase_key(rw, "b"), ESP_OK);
    assert_int_equal(nvs_erase_key(rw, "b"), ESP_ERR_NVS_NOT_FOUND);
    assert_int_equal(nvs_commit(rw), ESP_OK);
    nvs_close(ro);
    assert_int_equal(nvs_get_i64(ro, "n", &i64), ESP_ERR_NVS_INVALID_HANDLE);
    assert_int_equal(nvs_commit(ro), ESP_ERR_NVS_INVALID_HANDLE);
    nvs_close(ro);
}

static void a_blob_is_kept_or_refused_whole(void **state)
{
    (void)state;
    static uint8_t bytes[10000], back[10000];
    nvs_handle_t handle = open_rw("app"); /* 4 pages, one of them free: not twice 10000 bytes */
    size_t len = sizeof(back);
    memset(bytes, 0x5A, sizeof(bytes));
    assert_int_equal(nvs_set_blob(handle, "big", bytes, sizeof(bytes)), ESP_OK);
    bytes[0] = 1;
    assert_int_equal(nvs_set_blob(handle, "big", bytes, sizeof(bytes)), ESP_ERR_NVS_NOT_ENOUGH_SPACE);
    bytes[0] = 0x5A;
    assert_int_equal(nvs_get_blob(handle, "big", back, &len), ESP_OK);
    assert_memory_equal(bytes, back, sizeof(bytes));
    uint32_t ops = sim.ops;
    assert_int_equal(nvs_set_blob(handle, "big", bytes, sizeof(bytes)), ESP_OK); /* it is there */
    assert_int_equal(sim.ops, ops);
}

static void a_restart_and_an_erase_do_what_they_say(void **state)
{
    (void)state;
    nvs_handle_t handle = open_rw("app");
    uint16_t value = 0;
    assert_int_equal(nvs_set_u16(handle, "n", 0xBEEF), ESP_OK);
    otter_device_deinit(&device);
    start_device();
    assert_int_equal(nvs_get_u16(handle, "n", &value), ESP_ERR_NVS_INVALID_HANDLE);
    handle = open_rw("app");
    assert_int_equal(nvs_get_u16(handle, "n", &value), ESP_OK);
    assert_int_equal(value, 0xBEEF);
    assert_int_equal(nvs_flash_erase(), ESP_OK); /* deinitialises first */
    assert_int_equal(nvs_get_u16(handle, "n", &value), ESP_ERR_NVS_INVALID_HANDLE);
    assert_int_equal(nvs_open("app", NVS_READWRITE, &handle), ESP_ERR_NVS_NOT_INITIALIZED);
    handle = open_rw("app");
    assert_int_equal(nvs_get_u16(handle, "n", &value), ESP_ERR_NVS_NOT_FOUND);
    assert_int_equal(nvs_flash_erase_partition("nowhere"), ESP_ERR_NOT_FOUND);
}

/** Is this anywhere in the partition? */
static bool lies_in_flash(const char *text)
{
    return memmem(sim.bytes + 0x9000, 4 * PAGE, text, strlen(text)) != NULL;
}

static void what_was_erased_can_be_wiped(void **state)
{
    (void)state;
    nvs_handle_t handle = open_rw("app"), purging, reader;
    uint8_t value = 0;
    char text[16];
    size_t len = sizeof(text);
    assert_int_equal(nvs_set_str(handle, "secret", "first secret"), ESP_OK);
    assert_int_equal(nvs_set_str(handle, "secret", "other secret"), ESP_OK);
    assert_int_equal(nvs_set_u8(handle, "n", 9), ESP_OK);
    assert_true(lies_in_flash("first secret"));
    assert_int_equal(nvs_purge_all(handle), ESP_OK);
    assert_false(lies_in_flash("first secret"));
    assert_int_equal(nvs_open("app", NVS_READONLY, &reader), ESP_OK);
    assert_int_equal(nvs_purge_all(reader), ESP_ERR_NVS_READ_ONLY);
    assert_int_equal(nvs_purge_all(99), ESP_ERR_NVS_INVALID_HANDLE);
    assert_int_equal(nvs_open("app", NVS_READWRITE_PURGE, &purging), ESP_OK);
    assert_int_equal(nvs_set_str(purging, "secret", "third secret"), ESP_OK);
    assert_false(lies_in_flash("other secret"));
    otter_device_deinit(&device);
    start_device();
    handle = open_rw("app");
    assert_int_equal(nvs_get_str(handle, "secret", text, &len), ESP_OK);
    assert_string_equal(text, "third secret");
    assert_int_equal(nvs_get_u8(handle, "n", &value), ESP_OK);
    assert_int_equal(value, 9);
    assert_int_equal(nvs_open("app", NVS_READWRITE_PURGE, &purging), ESP_OK);
    assert_int_equal(nvs_erase_key(purging, "secret"), ESP_OK);
    assert_false(lies_in_flash("third secret"));
    const uint64_t ops = sim.ops;
    assert_int_equal(nvs_purge_all(handle), ESP_OK); /* what is wiped is not wiped again */
    assert_int_equal(sim.ops, ops);
}

static void what_is_no_nvs_is_said(void **state)
{
    (void)state;
    uint8_t *page = sim.bytes + 0x9000;
    memset(page, 0x5A, 4 * PAGE); /* damaged pages are free ones */
    assert_int_equal(nvs_flash_init(), ESP_OK);
    assert_int_equal(nvs_flash_deinit(), ESP_OK);
    memset(page, 0xFF, 4 * PAGE);
    le32_put(page, 0xFFFFFFFE);
    page[8] = 0xFD; /* a version to come */
    le32_put(page + 28, crc32_le(UINT32_MAX, page + 4, 24));
    assert_int_equal(nvs_flash_init(), ESP_ERR_NVS_NEW_VERSION_FOUND);
    assert_int_equal(nvs_flash_erase(), ESP_OK);
    assert_int_equal(nvs_flash_init(), ESP_OK);
}

static void numbers_of_entries_add_up(void **state)
{
    (void)state;
    nvs_stats_t stats;
    size_t used;
    nvs_handle_t handle = open_rw("app");
    assert_int_equal(nvs_set_u8(handle, "a", 1), ESP_OK);
    assert_int_equal(nvs_set_str(handle, "b", "twenty and some more characters: two"), ESP_OK);
    assert_int_equal(nvs_get_used_entry_count(handle, &used), ESP_OK);
    assert_int_equal(used, 1 + 3);
    assert_int_equal(nvs_get_stats(NULL, &stats), ESP_OK);
    assert_int_equal(stats.used_entries, 5);
    assert_int_equal(stats.total_entries, 4 * 126);
    assert_int_equal(stats.free_entries, 4 * 126 - 5);
    assert_int_equal(stats.available_entries, 3 * 126 - 5);
    assert_int_equal(stats.namespace_count, 1);
    assert_int_equal(nvs_get_stats("fctry", &stats), ESP_ERR_NVS_NOT_INITIALIZED);
    assert_int_equal(stats.total_entries, 0);
    assert_int_equal(nvs_get_stats(NULL, NULL), ESP_ERR_INVALID_ARG);
}

static void an_iterator_sees_each_value_once(void **state)
{
    (void)state;
    static uint8_t bytes[5000];
    static const struct {
        const char *name, *ns;
        nvs_type_t type;
        const char *want; /* namespace.key of each, in any order */
    } rows[] = {
        {"all", NULL, NVS_TYPE_ANY, "one.a one.b two.a two.big "},
        {"one namespace", "one", NVS_TYPE_ANY, "one.a one.b "},
        {"a blob in parts", NULL, NVS_TYPE_BLOB, "two.big "},
        {"none of them", "one", NVS_TYPE_STR, ""},
    };
    nvs_handle_t one = open_rw("one"), two = open_rw("two");
    assert_int_equal(nvs_set_u8(one, "a", 1), ESP_OK);
    assert_int_equal(nvs_set_u8(one, "b", 1), ESP_OK);
    assert_int_equal(nvs_set_u8(two, "a", 1), ESP_OK);
    assert_int_equal(nvs_set_blob(two, "big", bytes, sizeof(bytes)), ESP_OK);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char seen[100] = "";
        nvs_iterator_t it;
        esp_err_t err = nvs_entry_find("nvs", rows[i].ns, rows[i].type, &it);
        while (err == ESP_OK) {
            nvs_entry_info_t info;
            assert_int_equal(nvs_entry_info(it, &info), ESP_OK);
            strcat(strcat(strcat(strcat(seen, info.namespace_name), "."), info.key), " ");
            err = nvs_entry_next(&it);
        }
        assert_int_equal(err, ESP_ERR_NVS_NOT_FOUND);
        assert_null(it);
        assert_string_equal(seen, rows[i].want);
    }
    nvs_iterator_t it;
    assert_int_equal(nvs_entry_find_in_handle(one, NVS_TYPE_U8, &it), ESP_OK);
    nvs_release_iterator(it);
    assert_int_equal(nvs_entry_find("nvs", "none", NVS_TYPE_ANY, &it), ESP_ERR_NVS_NOT_FOUND);
    assert_int_equal(nvs_erase_all(one), ESP_OK);
    assert_int_equal(nvs_entry_find("nvs", "one", NVS_TYPE_ANY, &it), ESP_ERR_NVS_NOT_FOUND);
    uint8_t value;
    assert_int_equal(nvs_get_u8(two, "a", &value), ESP_OK);
}

static void flash_that_fails_is_not_written_on(void **state)
{
    (void)state;
    nvs_handle_t handle = open_rw("app");
    uint8_t value;
    assert_int_equal(nvs_set_u8(handle, "n", 1), ESP_OK);
    sim.cut_at = sim.ops + 1;
    assert_int_equal(nvs_set_u8(handle, "n", 2), ESP_ERR_FLASH_OP_FAIL);
    sim_flash_power_on(&sim);
    assert_int_equal(nvs_set_u8(handle, "n", 3), ESP_ERR_NVS_INVALID_STATE);
    assert_int_equal(nvs_get_u8(handle, "n", &value), ESP_OK);
    assert_int_equal(value, 1);
    assert_int_equal(nvs_flash_deinit(), ESP_OK);
    handle = open_rw("app");
    assert_int_equal(nvs_set_u8(handle, "n", 3), ESP_OK);
}

static void keys_are_made_kept_and_used(void **state)
{
    (void)state;
    const esp_partition_t *partition =
        esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_NVS_KEYS, NULL);
    nvs_sec_cfg_t made, read = {{0}, {0}}, wrong;
    nvs_handle_t handle;
    uint32_t value = 0;
    assert_int_equal(nvs_flash_generate_keys(partition, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(nvs_flash_read_security_cfg(NULL, &read), ESP_ERR_INVALID_ARG);
    assert_int_equal(nvs_flash_read_security_cfg(partition, &read), ESP_ERR_NVS_KEYS_NOT_INITIALIZED);
    assert_int_equal(nvs_flash_generate_keys(partition, &made), ESP_OK);
    assert_int_equal(nvs_flash_read_security_cfg(partition, &read), ESP_OK);
    assert_memory_equal(&made, &read, sizeof(made));
    assert_int_equal(nvs_flash_secure_init(&made), ESP_OK);
    assert_int_equal(nvs_open("app", NVS_READWRITE, &handle), ESP_OK);
    assert_int_equal(nvs_set_u32(handle, "n", 77), ESP_OK);
    assert_int_equal(nvs_flash_deinit(), ESP_OK);
    wrong = made;
    wrong.eky[0] ^= 1;
    assert_int_equal(nvs_flash_secure_init(&wrong), ESP_ERR_NVS_WRONG_ENCRYPTION);
    assert_int_equal(nvs_flash_init(), ESP_ERR_NVS_WRONG_ENCRYPTION);
    assert_int_equal(nvs_flash_secure_init_partition("nowhere", &made), ESP_ERR_NOT_FOUND);
    assert_int_equal(nvs_flash_secure_init(&made), ESP_OK);
    assert_int_equal(nvs_open("app", NVS_READONLY, &handle), ESP_OK);
    assert_int_equal(nvs_get_u32(handle, "n", &value), ESP_OK);
    assert_int_equal(value, 77);
    sim.bytes[0x1E000 + 5] ^= 4;
    assert_int_equal(nvs_flash_read_security_cfg(partition, &read), ESP_ERR_NVS_CORRUPT_KEY_PART);
}

static esp_err_t scheme_keys(const void *scheme_data, nvs_sec_cfg_t *cfg)
{
    memset(cfg, *(const int *)scheme_data, sizeof(*cfg));
    return ESP_OK;
}

static void a_scheme_is_asked_for_keys(void **state)
{
    (void)state;
    int byte = 0x5A;
    nvs_sec_cfg_t cfg;
    nvs_sec_scheme_t scheme = {.scheme_data = &byte, .nvs_flash_read_cfg = scheme_keys};
    assert_int_equal(nvs_flash_register_security_scheme(NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(nvs_flash_register_security_scheme(&scheme), ESP_OK);
    assert_ptr_equal(nvs_flash_get_default_security_scheme(), &scheme);
    assert_int_equal(nvs_flash_generate_keys_v2(&scheme, &cfg), ESP_ERR_INVALID_ARG);
    assert_int_equal(nvs_flash_read_security_cfg_v2(&scheme, &cfg), ESP_OK);
    assert_int_equal(cfg.tky[31], 0x5A);
    nvs_flash_deregister_security_scheme();
    assert_ptr_equal(nvs_flash_get_default_security_scheme(), NULL);
}

static void a_partition_of_keys_is_a_scheme(void **state)
{
    (void)state;
    const nvs_sec_config_flash_enc_t config = NVS_SEC_PROVIDER_CFG_FLASH_ENC_DEFAULT(), none = {NULL};
    nvs_sec_scheme_t *scheme;
    nvs_sec_cfg_t made, read;
    assert_int_equal(nvs_sec_provider_register_flash_enc(&none, &scheme), ESP_ERR_INVALID_ARG);
    assert_int_equal(nvs_sec_provider_register_flash_enc(&config, &scheme), ESP_OK);
    assert_ptr_equal(nvs_flash_get_default_security_scheme(), scheme);
    assert_int_equal(nvs_flash_read_security_cfg_v2(scheme, &read), ESP_ERR_NVS_KEYS_NOT_INITIALIZED);
    assert_int_equal(nvs_flash_generate_keys_v2(scheme, &made), ESP_OK);
    assert_int_equal(nvs_flash_read_security_cfg_v2(scheme, &read), ESP_OK);
    assert_memory_equal(&made, &read, sizeof(made));
    assert_int_equal(nvs_sec_provider_deregister(scheme), ESP_OK);
    assert_ptr_equal(nvs_flash_get_default_security_scheme(), NULL);
    assert_int_equal(nvs_sec_provider_deregister(NULL), ESP_ERR_INVALID_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(partitions_and_namespaces_have_their_codes, setup, teardown),
        cmocka_unit_test_setup_teardown(values_have_their_codes, setup, teardown),
        cmocka_unit_test_setup_teardown(a_blob_is_kept_or_refused_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(a_restart_and_an_erase_do_what_they_say, setup, teardown),
        cmocka_unit_test_setup_teardown(what_was_erased_can_be_wiped, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_no_nvs_is_said, setup, teardown),
        cmocka_unit_test_setup_teardown(numbers_of_entries_add_up, setup, teardown),
        cmocka_unit_test_setup_teardown(an_iterator_sees_each_value_once, setup, teardown),
        cmocka_unit_test_setup_teardown(keys_are_made_kept_and_used, setup, teardown),
        cmocka_unit_test_setup_teardown(a_scheme_is_asked_for_keys, setup, teardown),
        cmocka_unit_test_setup_teardown(a_partition_of_keys_is_a_scheme, setup, teardown),
        cmocka_unit_test_setup_teardown(flash_that_fails_is_not_written_on, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
