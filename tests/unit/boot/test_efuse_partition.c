/* The secure version in flash: ESP-IDF's bytes, and a burn that a power cut cannot undo. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/ota_rig.h"

#include "boot/efuse_partition.h"
#include "boot/secure_version.h"
#include "otter/bytes.h"

#define EFUSE_AT   0x3F0000u
#define EFUSE_SIZE 0x2000u
#define WORD       112u /* of ESP32's version */

static const otter_device_config_t guarded = {
    .rollback = true, .anti_rollback = true, .emulated_efuses = &otter_emulated_efuses};

/** The recorded table with two slots, and the partition behind all of it. */
static void open_rig(rig_t *rig, const char *chip, uint32_t size)
{
    rig_open(rig, "two_ota_md5", &guarded);
    rig->device.chip.id = otter_chip_by_name(chip)->id;
    otter_partition_list_t *list = &rig->device.partitions;
    esp_partition_t *p = &list->items[list->count++];
    *p = (esp_partition_t){.flash_chip = rig->device.flash,
                           .type = ESP_PARTITION_TYPE_DATA,
                           .subtype = ESP_PARTITION_SUBTYPE_DATA_EFUSE_EM,
                           .address = EFUSE_AT,
                           .size = size,
                           .erase_size = 4096,
                           .label = "emul_efuse"};
    rig->untraced = true;
}

static uint32_t version_of(const rig_t *rig)
{
    uint32_t version = UINT32_MAX;
    assert_int_equal(secure_version_read(&rig->device, &version), ESP_OK);
    return version;
}

static void recorded_partitions_say_what_esp_idf_reads(void **state)
{
    (void)state;
    cJSON *expected = rig_json("efuse", "expected.json");
    const cJSON *row;
    uint32_t count = 0;
    cJSON_ArrayForEach(row, cJSON_GetObjectItem(expected, "records"))
    {
        const cJSON *version = cJSON_GetObjectItem(row, "secure_version");
        const cJSON *chip = cJSON_GetObjectItem(row, "chip"); /* a blank one is any chip's */
        rig_t rig;
        open_rig(&rig, cJSON_IsString(chip) ? chip->valuestring : "esp32", EFUSE_SIZE);
        assert_int_equal(rig_place(&rig, EFUSE_AT, "efuse", rig_string(row, "file")), EFUSE_SIZE);
        const uint32_t chips_own = 2;
        rig.secure_version = chips_own; /* what counts where the partition is blank */
        const uint32_t want = cJSON_IsNumber(version) ? (uint32_t)version->valueint : 0;
        if (version_of(&rig) != max_u32(want, chips_own)) {
            fail_msg("%s: %u", rig_string(row, "file"), (unsigned)version_of(&rig));
        }
        assert_int_equal(rig.sim.ops, 0); /* reading writes nothing */
        rig_close(&rig);
        count++;
    }
    assert_int_equal(count, 11);
    cJSON_Delete(expected);
}

static void a_burn_sets_the_bits_that_esp_idf_sets(void **state)
{
    (void)state;
    static const struct {
        const char *chip, *file; /* what ESP-IDF has after as many burns */
        uint32_t version;
    } rows[] = {{"esp32", "esp32_secver_1.bin", 1},
                {"esp32", "esp32_secver_2.bin", 2},
                {"esp32", "esp32_secver_32.bin", 32},
                {"esp32s3", "esp32s3_secver_3.bin", 3},
                {"esp32s3", "esp32s3_secver_16.bin", 16}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        rig_t rig;
        uint32_t len;
        uint8_t *want = rig_load("efuse", rows[i].file, &len);
        open_rig(&rig, rows[i].chip, EFUSE_SIZE);
        assert_int_equal(secure_version_raise(&rig.device, rows[i].version), ESP_OK);
        assert_memory_equal(rig.sim.bytes + EFUSE_AT, want, 1408);
        assert_int_equal(version_of(&rig), rows[i].version);
        assert_int_equal(secure_version_raise(&rig.device, rows[i].version), ESP_OK);
        assert_int_equal(secure_version_raise(&rig.device, rows[i].version - 1), ESP_FAIL);
        assert_int_equal(secure_version_raise(&rig.device, 33), ESP_ERR_INVALID_ARG);
        assert_int_equal(rig.secure_version, 0); /* no eFuse is burned */
        free(want);
        rig_close(&rig);
    }
}

static void bits_with_gaps_count_and_are_filled_from_below(void **state)
{
    (void)state;
    rig_t rig;
    open_rig(&rig, "esp32", EFUSE_SIZE);
    rig_place(&rig, EFUSE_AT, "efuse", "esp32_secver_gap.bin"); /* bits 0, 2, 4 */
    assert_int_equal(secure_version_raise(&rig.device, 4), ESP_OK);
    assert_int_equal(le32_get(rig.sim.bytes + EFUSE_AT + WORD), 0x17);
    assert_int_equal(version_of(&rig), 4);
    rig_close(&rig);
}

/** One burn that loses power at operation `cut`, and what comes after it. @return false: there is no such operation */
static bool cut_a_burn(const sim_flash_t *before, uint32_t cut, sim_tear_t tear, uint32_t seed)
{
    rig_t rig;
    open_rig(&rig, "esp32", EFUSE_SIZE);
    memcpy(rig.sim.bytes + EFUSE_AT, before->bytes + EFUSE_AT, EFUSE_SIZE);
    const uint32_t old = version_of(&rig), new = old + 2;
    rig.sim.ops = 0;
    rig.sim.cut_at = cut;
    rig.sim.tear = tear;
    rig.sim.tear_weak = seed % 2 == 1;
    rig.sim.random = rig.sim.noise = seed;
    esp_err_t err = secure_version_raise(&rig.device, new);
    const bool fired = rig.sim.cut_fired;
    sim_flash_power_on(&rig.sim);
    assert_true(fired || err == ESP_OK);
    uint32_t least = old;
    for (int boot = 0; boot < 4; boot++) { /* weak bits read otherwise each time */
        const uint32_t now = version_of(&rig);
        if (now < least || now > new || (now != old && now != new)) {
            fail_msg("operation %u, tear %d, seed %u, boot %d: %u of %u to %u", (unsigned)cut, (int)tear,
                     (unsigned)seed, boot, (unsigned)now, (unsigned)old, (unsigned)new);
        }
        if (boot == 1) { /* before it the version may hang between both, as no boot has seen it */
            assert_int_equal(otter_emulated_efuses.settle(&rig.device), ESP_OK);
            least = version_of(&rig);
        }
    }
    assert_int_equal(secure_version_raise(&rig.device, new + 1), ESP_OK);
    assert_int_equal(version_of(&rig), new + 1);
    assert_int_equal(le32_get(rig.sim.bytes + EFUSE_AT + WORD),
                     (1u << (new + 1)) - 1); /* as ESP-IDF reads it */
    rig_close(&rig);
    return fired;
}

/** A burn loses power at operation `first`, leaving bits that hang, and the next one at `second`. @return false: no `first` */
static bool cut_two_burns(uint32_t first, uint32_t second, uint32_t seed)
{
    rig_t rig;
    open_rig(&rig, "esp32", EFUSE_SIZE);
    assert_int_equal(secure_version_raise(&rig.device, 3), ESP_OK);
    const uint32_t cuts[] = {first, second};
    bool fired[2];
    uint32_t least = 3;
    for (int i = 0; i < 2; i++) {
        rig.sim.cut_at = rig.sim.ops + cuts[i];
        rig.sim.cut_fired = false;
        rig.sim.tear = SIM_TEAR_BITS;
        rig.sim.tear_weak = true;
        rig.sim.tear_len = i == 0 ? WORD : UINT32_MAX; /* of the blocks it is the version that hangs */
        rig.sim.random = rig.sim.noise = seed + (uint32_t)i;
        otter_ignore(secure_version_raise(&rig.device, least + 2)); /* power goes, or it is done */
        fired[i] = rig.sim.cut_fired;
        sim_flash_power_on(&rig.sim);
        if (!fired[i]) {
            rig.sim.cut_at = UINT32_MAX;
        }
        for (int boot = 0; boot < 4; boot++) {
            const uint32_t now = version_of(&rig);
            if (now != least && now != least + 2) {
                fail_msg("operations %u and %u, seed %u: %u after %u", (unsigned)first, (unsigned)second,
                         (unsigned)seed, (unsigned)now, (unsigned)least);
            }
            if (boot == 1) {
                assert_int_equal(otter_emulated_efuses.settle(&rig.device), ESP_OK);
                least = version_of(&rig);
            }
        }
    }
    rig_close(&rig);
    return fired[0];
}

static void two_cuts_leave_no_less_than_what_the_boot_between_has_seen(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 40; seed += 3) {
        uint32_t first = 0;
        bool more = true;
        for (; more; first++) {
            for (uint32_t second = 0; second < 11; second++) {
                more = cut_two_burns(first, second, seed);
            }
        }
        assert_in_range(first, 6, 14);
    }
}

static void a_cut_anywhere_leaves_the_old_version_or_the_new_one(void **state)
{
    (void)state;
    for (uint32_t burns = 0; burns < 3; burns++) {
        rig_t before;
        open_rig(&before, "esp32", EFUSE_SIZE);
        for (uint32_t i = 1; i <= burns; i++) {
            assert_int_equal(secure_version_raise(&before.device, 3 * i), ESP_OK);
        }
        for (int tear = 0; tear < SIM_TEAR_COUNT; tear++) {
            for (uint32_t seed = 1; seed <= 6; seed++) {
                uint32_t cut = 0;
                while (cut_a_burn(&before.sim, cut, (sim_tear_t)tear, seed)) {
                    cut++;
                }
                assert_in_range(cut, 5, 12);
            }
        }
        rig_close(&before);
    }
}

static void a_partition_that_cannot_hold_it_is_an_error_and_no_version(void **state)
{
    (void)state;
    rig_t rig;
    uint32_t version;
    otter_boot_result_t result;
    open_rig(&rig, "esp32", 0x1000);
    assert_int_equal(secure_version_read(&rig.device, &version), ESP_ERR_INVALID_SIZE);
    assert_int_equal(secure_version_raise(&rig.device, 1), ESP_ERR_INVALID_SIZE);
    rig.device.partitions.count--;
    assert_int_equal(secure_version_read(&rig.device, &version), ESP_ERR_NOT_FOUND);
    assert_int_equal(otter_boot(&rig.device, OTTER_BOOT_COMMIT, &result), ESP_ERR_NOT_FOUND);
    assert_non_null(strstr(result.reason, "secure version cannot be read"));
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_partitions_say_what_esp_idf_reads),
        cmocka_unit_test(a_burn_sets_the_bits_that_esp_idf_sets),
        cmocka_unit_test(bits_with_gaps_count_and_are_filled_from_below),
        cmocka_unit_test(a_cut_anywhere_leaves_the_old_version_or_the_new_one),
        cmocka_unit_test(two_cuts_leave_no_less_than_what_the_boot_between_has_seen),
        cmocka_unit_test(a_partition_that_cannot_hold_it_is_an_error_and_no_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
