/* Anti-rollback on every way that an image comes into use: what is too old is not, and no version is burned before its time. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/resume_rig.h"

#include "boot/secure_version.h"
#include "esp_ota_ops.h"
#include "support/image_builder.h"

#define LEN IMAGE_LEN

static const otter_device_config_t guarded = {.rollback = true, .anti_rollback = true};

static bool resumes, in_parts; /* how the next update is asked for */

/** A bootable image with this version. */
static void make_image(uint8_t *bytes, uint32_t version)
{
    image_plan_t plan = {.max_revision = 399,
                         .flash_code = 0x20,
                         .entry = IMAGE_ENTRY,
                         .load_addr = IMAGE_DROM,
                         .segment = IMAGE_SEGMENT_MAX(LEN, true),
                         .hashed = true};
    memset(bytes, 0x5A, LEN);
    image_describe(bytes, "guarded", "1.0.0", version);
    image_finish(&plan, bytes);
}

/** The server has an image of this version. */
static void serve(update_rig_t *f, uint32_t version)
{
    make_image(f->image, version);
    f->web = web_with(f->image, LEN);
}

static int set_up(void **state)
{
    update_rig_t *f = update_rig_open(LEN, &guarded);
    f->rig.secure_version = 2;
    resumes = in_parts = false;
    *state = f;
    return 0;
}

static esp_err_t update(update_rig_t *f)
{
    web_configure(&f->config, &f->web);
    f->config.ota.ota_resumption = resumes;
    f->config.ota.partial_http_download = in_parts;
    f->config.ota.max_http_request_size = in_parts ? 8192 : 0;
    f->config.http.url = WEB_URL;
    return otter_https_ota(&f->rig.device, &f->config.ota, NULL);
}

/** Refused, with nothing erased, written or burned. */
static void must_not_begin(update_rig_t *f, esp_err_t want, const char *why)
{
    const uint32_t ops = f->rig.sim.ops, burned = f->rig.secure_version;
    esp_err_t err = update(f);
    if (err != want || f->rig.sim.ops != ops || f->rig.secure_version != burned ||
        strstr(f->rig.device.report.fault.why, why) == NULL) {
        fail_msg("%s, %u operations: %s", esp_err_to_name(err), (unsigned)(f->rig.sim.ops - ops),
                 f->rig.device.report.fault.why);
    }
    assert_int_equal(f->rig.device.report.stage, OTTER_STAGE_GATE);
}

static void a_download_that_is_too_old_ends_at_its_head(void **state)
{
    update_rig_t *f = *state;
    serve(f, 1);
    must_not_begin(f, ESP_ERR_OTA_SMALL_SEC_VER, "secure version 1 is below the device's 2");
    serve(f, 2);
    assert_int_equal(update(f), ESP_OK);
    assert_int_equal(f->rig.secure_version, 2);
}

static void a_partial_download_that_is_too_old_ends_at_its_head(void **state)
{
    update_rig_t *f = *state;
    in_parts = true;
    serve(f, 1);
    must_not_begin(f, ESP_ERR_OTA_SMALL_SEC_VER, "secure version 1 is below");
}

static void a_version_that_the_chip_cannot_count_to_ends_at_its_head(void **state)
{
    update_rig_t *f = *state;
    static const struct {
        const char *chip;
        uint32_t most;
    } rows[] = {{"esp32", 32}, {"linux", 32}};
    serve(f, rows[0].most + 1);
    must_not_begin(f, ESP_ERR_INVALID_VERSION, "secure version 33 is more than ESP32 can count to (32)");
    f->rig.secure_version = rows[0].most; /* the counter is at its end, and goes on taking that */
    serve(f, rows[0].most);
    assert_int_equal(update(f), ESP_OK);
}

static void an_image_without_a_version_ends_at_its_head(void **state)
{
    update_rig_t *f = *state;
    serve(f, 3);
    f->image[IMAGE_DATA_AT] ^= 1; /* the descriptor's magic */
    must_not_begin(f, ESP_ERR_NOT_FOUND, "no secure version");
}

/** An image in a slot, past the device. */
static void place(update_rig_t *f, const esp_partition_t *slot, uint32_t version)
{
    make_image(f->image, version);
    memcpy(f->rig.sim.bytes + slot->address, f->image, LEN);
}

static void a_download_that_is_gone_on_with_is_measured_anew(void **state)
{
    update_rig_t *f = *state;
    for (uint32_t burned = 2; burned <= 3; burned++) { /* 3: meanwhile something newer was confirmed */
        f->rig.secure_version = 2;
        place(f, rig_named(&f->rig, "factory"), 5);
        serve(f, 2);
        wipe(f);
        resumes = true;
        f->web.cut_at = RECEIVED;
        f->web.refuse_from = 1;
        f->web.refuse_count = 1000;
        assert_int_equal(update(f), ESP_ERR_HTTP_CONNECT);
        f->rig.secure_version = burned;
        reset_device(f);
        f->web = web_with(f->image, LEN);
        if (burned == 3) {
            must_not_begin(f, ESP_ERR_OTA_SMALL_SEC_VER, "secure version 2 is below the device's 3");
        } else {
            assert_int_equal(update(f), ESP_OK);
            assert_true(f->rig.device.report.bytes_downloaded <=
                        LEN - RECEIVED + 2 * SECTOR); /* it went on */
        }
    }
}

static void a_session_of_the_application_is_measured_when_it_is_selected(void **state)
{
    update_rig_t *f = *state;
    place(f, f->slot, 1);
    assert_int_equal(otter_ota_set_boot_partition(&f->rig.device, f->slot, NULL), ESP_ERR_OTA_SMALL_SEC_VER);
    assert_true(rig_is_erased(&f->rig, f->slot->address, f->slot->size));
    place(f, f->slot, 33);
    assert_int_equal(otter_ota_set_boot_partition(&f->rig.device, f->slot, NULL), ESP_ERR_INVALID_VERSION);
    assert_false(rig_is_erased(&f->rig, f->slot->address, f->slot->size));
    assert_true(rig_is_erased(&f->rig, RIG_OTADATA, RIG_OTADATA_SIZE));
}

static void the_factory_app_is_measured_when_it_is_selected_and_stays(void **state)
{
    update_rig_t *f = *state;
    const esp_partition_t *factory = rig_named(&f->rig, "factory");
    place(f, factory, 1);
    rig_put_record(&f->rig, 0, 1, ESP_OTA_IMG_VALID);
    assert_int_equal(otter_ota_set_boot_partition(&f->rig.device, factory, NULL), ESP_ERR_OTA_SMALL_SEC_VER);
    assert_false(rig_is_erased(&f->rig, factory->address, LEN));
    assert_false(rig_is_erased(&f->rig, RIG_OTADATA, RIG_OTADATA_SIZE));
    place(f, factory, 2);
    assert_int_equal(otter_ota_set_boot_partition(&f->rig.device, factory, NULL), ESP_OK);
}

static void a_staged_copy_overwrites_nothing_with_what_is_too_old(void **state)
{
    update_rig_t *f = *state;
    otter_device_t *device = &f->rig.device;
    const esp_partition_t *other = rig_named(&f->rig, "1");
    static const uint32_t versions[] = {1, 33, 2};
    device->config.copies = &otter_staged_copies;
    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        otter_update_t update;
        place(f, other, 5);
        make_image(f->image, versions[i]);
        assert_int_equal(otter_update_begin(&update, device, f->slot, OTA_SIZE_UNKNOWN, NULL), ESP_OK);
        assert_int_equal(otter_update_set_final_partition(&update, other, true, NULL), ESP_OK);
        assert_int_equal(otter_update_write(&update, f->image, LEN, NULL), ESP_OK);
        assert_int_equal(otter_update_end(&update, NULL),
                         versions[i] == 2 ? ESP_OK : ESP_ERR_OTA_VALIDATE_FAILED);
        uint32_t version;
        assert_int_equal(secure_version_of_app(device->flash, other->address, other->size, &version), ESP_OK);
        assert_int_equal(version, versions[i] == 2 ? 2 : 5);
    }
}

/** What boots, with these versions in factory, ota_0 (seq 2, `state`) and ota_1 (seq 1, VALID). */
static const char *boots(update_rig_t *f, const uint32_t versions[3], uint32_t state)
{
    static const char *const names[] = {"factory", "0", "1"};
    otter_boot_result_t result;
    for (size_t i = 0; i < 3; i++) {
        place(f, rig_named(&f->rig, names[i]), versions[i]);
    }
    rig_put_record(&f->rig, 0, 3, state);
    rig_put_record(&f->rig, 1, 2, ESP_OTA_IMG_VALID);
    return otter_boot(&f->rig.device, OTTER_BOOT_COMMIT, &result) == ESP_OK ? result.partition->label : NULL;
}

static void no_fallback_boots_what_is_too_old(void **state)
{
    update_rig_t *f = *state;
    static const struct {
        uint32_t versions[3], state;
        const char *label; /* NULL: nothing boots */
    } rows[] = {
        {{0, 3, 2}, ESP_OTA_IMG_VALID, "ota_0"},
        {{0, 1, 2}, ESP_OTA_IMG_VALID, "ota_1"},
        {{2, 1, 1}, ESP_OTA_IMG_VALID, "factory"},
        {{1, 1, 1}, ESP_OTA_IMG_VALID, NULL},
        {{0, 3, 2}, ESP_OTA_IMG_PENDING_VERIFY, "ota_1"},
        {{0, 1, 1}, ESP_OTA_IMG_NEW, NULL},
        {{2, 3, 1}, ESP_OTA_IMG_PENDING_VERIFY, "factory"},
        {{1, 1, 2}, ESP_OTA_IMG_NEW, "ota_1"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        f->rig.secure_version = 2;
        const char *label = boots(f, rows[i].versions, rows[i].state);
        if ((label == NULL) != (rows[i].label == NULL) ||
            (label != NULL && strcmp(label, rows[i].label) != 0)) {
            fail_msg("row %zu: %s", i, label != NULL ? label : "nothing");
        }
    }
}

static void rolling_back_finds_nothing_that_is_too_old(void **state)
{
    update_rig_t *f = *state;
    for (uint32_t before = 1; before <= 2; before++) {
        assert_string_equal(boots(f, (const uint32_t[]){2, 3, before}, ESP_OTA_IMG_NEW), "ota_0");
        assert_int_equal(otter_ota_check_rollback_is_possible(&f->rig.device), before == 2);
        assert_int_equal(otter_ota_mark_app_invalid_rollback(&f->rig.device, NULL),
                         before == 2 ? ESP_OK : ESP_ERR_OTA_ROLLBACK_FAILED);
    }
}

static void a_version_is_burned_when_it_is_confirmed_and_no_sooner(void **state)
{
    update_rig_t *f = *state;
    place(f, rig_named(&f->rig, "factory"), 2);
    serve(f, 3);
    assert_int_equal(update(f), ESP_OK);
    assert_int_equal(f->rig.secure_version, 2);
    reset_device(f); /* on trial */
    assert_ptr_equal(f->rig.device.running, f->slot);
    assert_int_equal(f->rig.secure_version, 2);
    reset_device(f); /* it failed */
    assert_ptr_not_equal(f->rig.device.running, f->slot);
    assert_int_equal(f->rig.secure_version, 2);
    serve(f, 3);
    assert_int_equal(update(f), ESP_OK);
    reset_device(f);
    assert_int_equal(otter_ota_mark_app_valid_cancel_rollback(&f->rig.device, NULL), ESP_OK);
    assert_int_equal(f->rig.secure_version, 3);
}

static void no_update_goes_to_the_partition_that_keeps_the_version(void **state)
{
    update_rig_t *f = *state;
    otter_device_t *device = &f->rig.device;
    otter_partition_list_t *list = &device->partitions;
    esp_partition_t *efuse = &list->items[list->count++];
    otter_update_t update;
    *efuse = (esp_partition_t){.flash_chip = device->flash,
                               .type = ESP_PARTITION_TYPE_DATA,
                               .subtype = ESP_PARTITION_SUBTYPE_DATA_EFUSE_EM,
                               .address = 0x3F0000,
                               .size = 0x2000,
                               .erase_size = 4096,
                               .label = "emul_efuse"};
    device->config.emulated_efuses = &otter_emulated_efuses;
    device->config.copies = &otter_staged_copies;
    assert_int_equal(otter_update_begin(&update, device, efuse, 100, NULL), ESP_ERR_NOT_ALLOWED);
    assert_int_equal(otter_update_begin(&update, device, f->slot, 100, NULL), ESP_OK);
    assert_int_equal(otter_update_set_final_partition(&update, efuse, true, NULL), ESP_ERR_NOT_ALLOWED);
    otter_ignore(otter_update_abort(&update));
    device->config.emulated_efuses = NULL; /* it is data as any other then */
    assert_int_equal(otter_update_begin(&update, device, efuse, 100, NULL), ESP_OK);
    otter_ignore(otter_update_abort(&update));
    list->count--;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, update_rig_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_download_that_is_too_old_ends_at_its_head),
        TEST(a_partial_download_that_is_too_old_ends_at_its_head),
        TEST(a_version_that_the_chip_cannot_count_to_ends_at_its_head),
        TEST(an_image_without_a_version_ends_at_its_head),
        TEST(a_download_that_is_gone_on_with_is_measured_anew),
        TEST(a_session_of_the_application_is_measured_when_it_is_selected),
        TEST(the_factory_app_is_measured_when_it_is_selected_and_stays),
        TEST(a_staged_copy_overwrites_nothing_with_what_is_too_old),
        TEST(no_fallback_boots_what_is_too_old),
        TEST(rolling_back_finds_nothing_that_is_too_old),
        TEST(a_version_is_burned_when_it_is_confirmed_and_no_sooner),
        TEST(no_update_goes_to_the_partition_that_keeps_the_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
