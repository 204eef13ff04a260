/* ESP-IDF's OTA names on the current device: each reaches the right function, and none crashes without a device. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "bootloader_common.h"
#include "esp_efuse.h"
#include "esp_ota_ops.h"
#include "support/ota_rig.h"

static void without_a_device_every_call_says_so(void **state)
{
    (void)state;
    otter_device_set_current(NULL);
    esp_partition_t partition = {.type = ESP_PARTITION_TYPE_APP, .subtype = ESP_PARTITION_SUBTYPE_APP_OTA_0};
    esp_ota_handle_t handle = 0;
    esp_app_desc_t desc;
    esp_bootloader_desc_t boot_desc;
    esp_ota_img_states_t ota_state;
    uint8_t digest[32];
    esp_ota_select_entry_t two[2];
    const esp_partition_pos_t range = {.offset = 0xD000, .size = 0x2000};
    const esp_err_t got[] = {
        esp_ota_begin(&partition, 0, &handle),
        esp_ota_resume(&partition, 0, 0, &handle),
        esp_ota_write(1, "x", 1),
        esp_ota_write_with_offset(1, "x", 1, 0),
        esp_ota_end(1),
        esp_ota_abort(1),
        esp_ota_set_final_partition(1, &partition, false),
        esp_ota_set_boot_partition(&partition),
        esp_ota_get_partition_description(&partition, &desc),
        esp_ota_get_bootloader_description(NULL, &boot_desc),
        esp_ota_get_state_partition(&partition, &ota_state),
        esp_ota_mark_app_valid_cancel_rollback(),
        esp_ota_mark_app_invalid_rollback(),
        esp_ota_mark_app_invalid_rollback_and_reboot(),
        esp_ota_erase_last_boot_app_partition(),
        esp_ota_invalidate_inactive_ota_data_slot(),
        esp_ota_check_image_validity(ESP_PARTITION_TYPE_APP, &(esp_image_header_t){0}, NULL),
        esp_efuse_update_secure_version(1),
        bootloader_common_read_otadata(&range, two),
        bootloader_common_get_sha256_of_partition(0, 4096, ESP_PARTITION_TYPE_DATA, digest),
        bootloader_common_get_partition_description(&range, &desc),
    };
    for (size_t i = 0; i < sizeof(got) / sizeof(got[0]); i++) {
        assert_int_equal(got[i], ESP_ERR_INVALID_STATE);
    }
    assert_null(esp_ota_get_boot_partition());
    assert_null(esp_ota_get_running_partition());
    assert_null(esp_ota_get_next_update_partition(NULL));
    assert_null(esp_ota_get_last_invalid_partition());
    assert_int_equal(esp_ota_get_app_partition_count(), 0);
    assert_false(esp_ota_check_rollback_is_possible());
    assert_int_equal(esp_efuse_read_secure_version(), 0);
    assert_int_equal(bootloader_common_check_chip_validity(&(esp_image_header_t){0}, ESP_IMAGE_APPLICATION),
                     ESP_FAIL);
    assert_int_equal(bootloader_common_check_efuse_blk_validity(0, 0), ESP_FAIL);
}

static int open_device(void **state)
{
    rig_t *rig = malloc(sizeof(*rig));
    assert_non_null(rig);
    rig_open(rig, "two_ota_md5", &(otter_device_config_t){.rollback = true});
    rig->untraced = true;
    rig_place(rig, rig_named(rig, "f")->address, "image", "esp32_valid.bin");
    otter_device_set_current(&rig->device);
    *state = rig;
    return 0;
}

static int close_device(void **state)
{
    rig_t *rig = *state;
    otter_device_set_current(NULL);
    rig_close(rig);
    free(rig);
    return 0;
}

static void boot_device(rig_t *rig)
{
    otter_boot_result_t result;
    assert_int_equal(otter_boot(&rig->device, OTTER_BOOT_COMMIT, &result), ESP_OK);
}

/** ESP-IDF's native example, in short: update, restart, confirm. */
static void an_update_in_esp_idfs_names_runs_and_is_confirmed(void **state)
{
    rig_t *rig = *state;
    boot_device(rig);
    uint32_t len;
    uint8_t *image = rig_load("image", "esp32_v110_sec1.bin", &len);
    const esp_partition_t *slot = esp_ota_get_next_update_partition(NULL);
    esp_ota_handle_t handle = 0;
    assert_ptr_equal(esp_ota_get_running_partition(), esp_ota_get_boot_partition());
    assert_int_equal(esp_ota_begin(slot, OTA_WITH_SEQUENTIAL_WRITES, &handle), ESP_OK);
    assert_int_equal(esp_ota_write(handle, image, len), ESP_OK);
    assert_int_equal(esp_ota_end(handle), ESP_OK);
    assert_int_equal(esp_ota_set_boot_partition(slot), ESP_OK);
    assert_ptr_equal(esp_ota_get_boot_partition(), slot);
    assert_ptr_not_equal(esp_ota_get_running_partition(), slot); /* until the restart */
    free(image);

    boot_device(rig);
    esp_app_desc_t desc;
    esp_ota_img_states_t ota_state;
    assert_ptr_equal(esp_ota_get_running_partition(), slot);
    assert_int_equal(esp_ota_get_partition_description(slot, &desc), ESP_OK);
    assert_string_equal(desc.version, "1.1.0");
    assert_int_equal(esp_ota_get_state_partition(slot, &ota_state), ESP_OK);
    assert_int_equal(ota_state, ESP_OTA_IMG_PENDING_VERIFY);
    assert_true(esp_ota_check_rollback_is_possible());
    assert_int_equal(esp_ota_mark_app_valid_cancel_rollback(), ESP_OK);
    assert_int_equal(esp_ota_get_state_partition(slot, &ota_state), ESP_OK);
    assert_int_equal(ota_state, ESP_OTA_IMG_VALID);
    assert_int_equal(esp_ota_get_app_partition_count(), 2);
}

static void secure_version_only_grows_and_stays_in_its_field(void **state)
{
    rig_t *rig = *state;
    rig->secure_version = 2;
    assert_int_equal(esp_efuse_read_secure_version(), 2);
    assert_true(esp_efuse_check_secure_version(2));
    assert_false(esp_efuse_check_secure_version(1));
    assert_int_equal(esp_efuse_update_secure_version(1), ESP_FAIL);
    assert_int_equal(esp_efuse_update_secure_version(2), ESP_OK);
    assert_int_equal(esp_efuse_update_secure_version(33), ESP_ERR_INVALID_ARG); /* an ESP32 has 32 bits */
    assert_int_equal(esp_efuse_update_secure_version(32), ESP_OK);
    assert_int_equal(esp_efuse_read_secure_version(), 32);
    rig->device.efuse = (otter_efuse_t){0};
    assert_int_equal(esp_efuse_read_secure_version(), 0);
    assert_int_equal(esp_efuse_update_secure_version(1), ESP_ERR_NOT_SUPPORTED);
}

static void bootloader_common_reads_and_judges_records(void **state)
{
    rig_t *rig = *state;
    esp_ota_select_entry_t two[2];
    const esp_partition_pos_t range = {.offset = RIG_OTADATA, .size = RIG_OTADATA_SIZE};
    const esp_partition_pos_t small = {.offset = RIG_OTADATA, .size = 0x1000};
    rig_place(rig, RIG_OTADATA, "otadata", "s0_1valid_s1_2aborted.bin");
    assert_int_equal(bootloader_common_read_otadata(NULL, two), ESP_ERR_INVALID_ARG);
    assert_int_equal(bootloader_common_read_otadata(&small, two), ESP_ERR_INVALID_ARG);
    assert_int_equal(bootloader_common_read_otadata(&range, two), ESP_OK);
    assert_memory_equal(two[0].seq_label, "\xFF\xFF\xFF\xFF", 4);
    assert_int_equal(bootloader_common_ota_select_crc(&two[1]), two[1].crc);
    assert_int_equal(bootloader_common_ota_select_crc(NULL), 0);
    assert_true(bootloader_common_ota_select_valid(&two[0]));
    assert_true(bootloader_common_ota_select_invalid(&two[1]));
    assert_false(bootloader_common_ota_select_valid(NULL));
    assert_true(bootloader_common_ota_select_invalid(NULL));
    assert_int_equal(bootloader_common_get_active_otadata(two), 0);
    assert_int_equal(bootloader_common_get_active_otadata(NULL), -1);
    bool both[2] = {true, true};
    assert_int_equal(bootloader_common_select_otadata(two, both, true), 1);
    assert_int_equal(bootloader_common_select_otadata(two, both, false), 0);
    assert_int_equal(bootloader_common_select_otadata(NULL, both, true), -1);
}

static void bootloader_common_judges_chips(void **state)
{
    (void)state; /* an ESP32 v3.0 */
    static const struct {
        const char *name;
        uint16_t chip, min, max;
        esp_image_type type;
        esp_err_t want;
        bool revision_with_max, revision_without_max;
    } rows[] = {
        {"fits", 0, 0, 0, ESP_IMAGE_APPLICATION, ESP_OK, true, true},
        {"other chip", 9, 0, 0, ESP_IMAGE_APPLICATION, ESP_FAIL, true, true},
        {"newer chip wanted", 0, 301, 0, ESP_IMAGE_APPLICATION, ESP_FAIL, false, false},
        {"older chip wanted", 0, 0, 299, ESP_IMAGE_APPLICATION, ESP_FAIL, false, true},
        {"older chip wanted by a bootloader", 0, 0, 299, ESP_IMAGE_BOOTLOADER, ESP_OK, false, true},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const esp_image_header_t header = {.magic = ESP_IMAGE_HEADER_MAGIC,
                                           .chip_id = (esp_chip_id_t)rows[i].chip,
                                           .min_chip_rev_full = rows[i].min,
                                           .max_chip_rev_full = rows[i].max};
        if (bootloader_common_check_chip_validity(&header, rows[i].type) != rows[i].want ||
            bootloader_common_check_chip_revision_validity(&header, true) != rows[i].revision_with_max ||
            bootloader_common_check_chip_revision_validity(&header, false) != rows[i].revision_without_max) {
            fail_msg("%s", rows[i].name);
        }
    }
}

/** How the flash is read, told by what runs. */
static void run_with_mode(rig_t *rig, uint8_t mode)
{
    const uint32_t at = rig_named(rig, "f")->address + OTTER_IMAGE_DESC_OFFSET +
                        (uint32_t)offsetof(esp_app_desc_t, spi_flash_mode);
    rig->sim.bytes[at] = mode;
    rig->device.running = NULL; /* a description is read once for each slot that runs */
    (void)esp_app_get_description();
    rig->device.running = rig_named(rig, "f");
}

static void a_head_is_judged_before_an_update(void **state)
{
    rig_t *rig = *state; /* an ESP32 v3.0 */
    enum { NONE = -1 };
    static const struct {
        const char *name;
        int type;
        uint16_t chip, min, max;
        int ours, mode; /* NONE: without a description */
        esp_err_t want;
    } rows[] = {
        {"fits", ESP_PARTITION_TYPE_APP, 0, 0, 0, 2, NONE, ESP_OK},
        {"just new enough", ESP_PARTITION_TYPE_APP, 0, 300, 300, 2, NONE, ESP_OK},
        {"other chip", ESP_PARTITION_TYPE_APP, 9, 0, 0, 2, NONE, ESP_ERR_INVALID_VERSION},
        {"newer chip wanted", ESP_PARTITION_TYPE_APP, 0, 301, 0, 2, NONE, ESP_ERR_INVALID_VERSION},
        {"older chip wanted", ESP_PARTITION_TYPE_APP, 0, 0, 299, 2, NONE, ESP_ERR_INVALID_VERSION},
        {"older chip wanted by a bootloader", ESP_PARTITION_TYPE_BOOTLOADER, 0, 0, 299, 2, NONE, ESP_OK},
        {"bootloader of another chip", ESP_PARTITION_TYPE_BOOTLOADER, 9, 0, 0, 2, NONE,
         ESP_ERR_INVALID_VERSION},
        {"same mode", ESP_PARTITION_TYPE_APP, 0, 0, 0, 2, 2, ESP_OK},
        {"other mode", ESP_PARTITION_TYPE_APP, 0, 0, 0, 2, 1, ESP_ERR_OTA_SPI_MODE_MISMATCH},
        {"mode not told", ESP_PARTITION_TYPE_APP, 0, 0, 0, 2, 0, ESP_OK},
        {"what runs does not tell its mode", ESP_PARTITION_TYPE_APP, 0, 0, 0, 0, 1, ESP_OK},
        {"other chip before other mode", ESP_PARTITION_TYPE_APP, 9, 0, 0, 2, 1, ESP_ERR_INVALID_VERSION},
        {"data", ESP_PARTITION_TYPE_DATA, 0, 0, 0, 2, NONE, ESP_ERR_INVALID_ARG},
        {"partition table", ESP_PARTITION_TYPE_PARTITION_TABLE, 0, 0, 0, 2, NONE, ESP_ERR_INVALID_ARG},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const esp_image_header_t header = {.magic = ESP_IMAGE_HEADER_MAGIC,
                                           .chip_id = (esp_chip_id_t)rows[i].chip,
                                           .min_chip_rev_full = rows[i].min,
                                           .max_chip_rev_full = rows[i].max};
        const esp_app_desc_t desc = {.spi_flash_mode = (uint8_t)rows[i].mode};
        run_with_mode(rig, (uint8_t)rows[i].ours);
        const esp_err_t got = esp_ota_check_image_validity((esp_partition_type_t)rows[i].type, &header,
                                                           rows[i].mode != NONE ? &desc : NULL);
        if (got != rows[i].want) {
            fail_msg("%s: %s", rows[i].name, esp_err_to_name(got));
        }
    }
    assert_int_equal(esp_ota_check_image_validity(ESP_PARTITION_TYPE_APP, NULL, NULL), ESP_ERR_INVALID_ARG);
}

static void bootloader_common_judges_efuse_blocks(void **state)
{
    rig_t *rig = *state;
    static const struct {
        uint16_t chip;
        uint32_t min, max;
        esp_err_t want;
    } rows[] = {
        {5, 0, 0, ESP_OK},       {5, 103, 0, ESP_OK},
        {5, 104, 0, ESP_FAIL},   {5, 0, 103, ESP_OK},
        {5, 0, 102, ESP_FAIL},   {5, 100, 199, ESP_OK},
        {5, 0, 65535, ESP_OK},   {5, 65536, 0, ESP_FAIL},
        {5, 0, 65536, ESP_FAIL}, {0 /* ESP32 */, 104, 0, ESP_OK},
    };
    otter_chip_t before = rig->device.chip;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        rig->device.chip = (otter_chip_t){.id = rows[i].chip, .blk_revision = 103};
        assert_int_equal(bootloader_common_check_efuse_blk_validity(rows[i].min, rows[i].max), rows[i].want);
    }
    rig->device.chip = before;
    assert_int_equal(bootloader_common_get_chip_ver_pkg(), 0);
}

static void bootloader_common_finds_names_in_lists(void **state)
{
    (void)state;
    static const struct {
        const char *list, *label;
        bool want;
    } rows[] = {
        {"nvs, phy, data", "nvs", true},
        {"nvs, phy, data", "phy", true},
        {"nvs, phy, data", "data", true},
        {"nvs phy,data", "phy", true},
        {" ,nvs, ", "nvs", true},
        {"nvs", "nvs", true},
        {"nvs1, 1nvs", "nvs", false},
        {"nvs, phy", "n", false},
        {"nvs, phy", "nvs, phy", false},
        {"", "nvs", false},
        {" , ", "nvs", false},
        {"nvs", "", false},
        {"nvsnvs, phyphy", "phy", false},
        {NULL, "nvs", false},
        {"nvs", NULL, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char label[16] = "";
        snprintf(label, sizeof(label), "%s", rows[i].label != NULL ? rows[i].label : "");
        if (bootloader_common_label_search(rows[i].list, rows[i].label != NULL ? label : NULL) !=
            rows[i].want) {
            fail_msg("'%s' in '%s'", label, rows[i].list);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_device_every_call_says_so),
        cmocka_unit_test_setup_teardown(an_update_in_esp_idfs_names_runs_and_is_confirmed, open_device,
                                        close_device),
        cmocka_unit_test_setup_teardown(secure_version_only_grows_and_stays_in_its_field, open_device,
                                        close_device),
        cmocka_unit_test_setup_teardown(bootloader_common_reads_and_judges_records, open_device,
                                        close_device),
        cmocka_unit_test_setup_teardown(bootloader_common_judges_chips, open_device, close_device),
        cmocka_unit_test_setup_teardown(a_head_is_judged_before_an_update, open_device, close_device),
        cmocka_unit_test_setup_teardown(bootloader_common_judges_efuse_blocks, open_device, close_device),
        cmocka_unit_test(bootloader_common_finds_names_in_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
