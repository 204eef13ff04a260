/* Going on by a count that the application kept, without a record: only where the end shows whether it was right. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/resume_rig.h"

#define COUNT_KEPT 40000u
#define ANEW_MAX   2u /* requests for the whole file: one, and one more after a check that failed */

/** What an earlier attempt has left in the slot. */
static void leave_beginning(update_rig_t *f, const uint8_t *image, uint32_t len)
{
    wipe(f);
    memcpy(f->rig.sim.bytes + f->slot->address, image, len);
    f->web.etag = NULL;
}

static esp_https_ota_handle_t begin_with(update_rig_t *f, size_t count)
{
    web_configure(&f->config, &f->web);
    f->config.ota.ota_resumption = true;
    f->config.ota.ota_image_bytes_written = count;
    esp_https_ota_handle_t handle = NULL;
    assert_int_equal(https_ota_begin(&f->rig.device, &f->config.ota, NULL, &handle), ESP_OK);
    return handle;
}

static esp_err_t update_with(update_rig_t *f, size_t count)
{
    esp_https_ota_handle_t handle = begin_with(f, count);
    esp_err_t err = web_perform(handle);
    if (err != ESP_OK) {
        (void)esp_https_ota_abort(handle);
        return err;
    }
    return esp_https_ota_finish(handle);
}

static void it_is_followed_from_whole_sectors_on(void **state)
{
    update_rig_t *f = *state;
    static const struct {
        const char *name;
        size_t count;
        const char *asked;
        uint32_t resumed;
    } rows[] = {
        {"none", 0, "GET", 0},
        {"less than ESP-IDF takes", 1000, "GET", 0},
        {"less than a sector", 4095, "GET", 0},
        {"one sector", 4096, "GET 4096-", 4096},
        {"in a sector", COUNT_KEPT, "GET 36864-", 36864},
        {"all", IMAGE_LEN, "GET 65536-", 65536},
        {"beyond the slot", 0x100001, "GET", 0},
        {"beyond everything", SIZE_MAX, "GET", 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        print_message("%s\n", rows[i].name);
        leave_beginning(f, f->image, IMAGE_LEN);
        assert_int_equal(update_with(f, rows[i].count), ESP_OK);
        assert_string_equal(f->web.asked[0], rows[i].asked);
        assert_int_equal(f->web.requests, 1);
        assert_int_equal(f->web.body_sent, IMAGE_LEN - rows[i].resumed);
        assert_int_equal(f->rig.device.report.bytes_resumed, rows[i].resumed);
        assert_true(web_slot_holds(&f->rig, f->slot, f->image, IMAGE_LEN));
        assert_true(new_runs(f));
    }
}

static void it_is_not_followed_where_nobody_would_notice(void **state)
{
    update_rig_t *f = *state;
    static const struct {
        const char *name;
        uint32_t at; /* byte of the image's head in the slot */
        uint8_t value;
    } rows[] = {
        {"no image", 0, 0xFF},
        {"an image for another chip", 12, 5},
        {"an image without a hash", 23, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        print_message("%s\n", rows[i].name);
        leave_beginning(f, f->image, COUNT_KEPT);
        f->rig.sim.bytes[f->slot->address + rows[i].at] = rows[i].value;
        assert_int_equal(update_with(f, COUNT_KEPT), ESP_OK);
        assert_string_equal(f->web.asked[0], "GET");
        assert_true(web_slot_holds(&f->rig, f->slot, f->image, IMAGE_LEN));
        assert_true(new_runs(f));
    }
}

static void what_was_no_beginning_of_it_is_fetched_anew_once(void **state)
{
    update_rig_t *f = *state;
    for (int corrupt = 0; corrupt < 2; corrupt++) {
        leave_beginning(f, f->other, COUNT_KEPT); /* of another version */
        f->image[50000] ^= (uint8_t)corrupt;
        esp_https_ota_handle_t handle = begin_with(f, COUNT_KEPT);
        assert_int_equal(web_perform(handle), ESP_OK);
        assert_string_equal(f->web.asked[0], "GET 36864-");
        assert_string_equal(f->web.asked[1], "GET");
        assert_int_equal(f->web.requests, ANEW_MAX);
        assert_int_equal(esp_https_ota_get_image_len_read(handle), IMAGE_LEN);
        assert_int_equal(f->rig.device.report.bytes_resumed, 0);
        assert_int_equal(f->rig.device.report.fault.code, ESP_OK);
        assert_int_equal(esp_https_ota_finish(handle), corrupt ? ESP_ERR_OTA_VALIDATE_FAILED : ESP_OK);
        assert_int_equal(new_runs(f), !corrupt);
        f->image[50000] ^= (uint8_t)corrupt;
    }
}

static void a_server_without_ranges_sends_all(void **state)
{
    update_rig_t *f = *state;
    leave_beginning(f, f->other, COUNT_KEPT);
    f->web.no_ranges = true;
    assert_int_equal(update_with(f, COUNT_KEPT), ESP_OK);
    assert_int_equal(f->web.requests, 1);
    assert_true(new_runs(f));
}

/** What is there may be an image, and a good one, but not the one that is offered. */
static void an_image_that_was_there_before_does_not_pass_for_the_new_one(void **state)
{
    update_rig_t *f = *state;
    const uint32_t len = 16 * SECTOR;
    uint8_t *image = web_image(len, 7);
    static const struct {
        const char *name;
        uint32_t there; /* bytes of the old image; 0: it is the new one */
        size_t count;
        const char *asked[2];
    } rows[] = {
        {"shorter than the count", 5000, COUNT_KEPT, {"GET 36864-", "GET"}},
        {"as long as the count", 9 * SECTOR, 9 * SECTOR, {"GET 36864-", "GET"}},
        {"as long as the file, behind which there is nothing",
         16 * SECTOR,
         16 * SECTOR,
         {"GET 65536-", "GET"}},
        {"the file itself, all of it", 0, 16 * SECTOR, {"GET 65536-", "GET"}},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        print_message("%s\n", rows[i].name);
        uint8_t *old = web_image(rows[i].there > 0 ? rows[i].there : len, rows[i].there > 0 ? 8 : 7);
        wipe(f);
        f->web = web_with(image, len);
        f->web.etag = NULL;
        memcpy(f->rig.sim.bytes + f->slot->address, old, rows[i].there > 0 ? rows[i].there : len);
        assert_int_equal(update_with(f, rows[i].count), ESP_OK);
        assert_string_equal(f->web.asked[0], rows[i].asked[0]);
        assert_string_equal(f->web.asked[1], rows[i].asked[1]);
        assert_true(web_slot_holds(&f->rig, f->slot, image, len));
        assert_true(new_runs(f));
        free(old);
    }
    free(image);
}

/** Addresses are signed anew for each attempt: the record is of another URL, but its validator is as good. */
static void a_validator_that_is_known_is_asked_for(void **state)
{
    update_rig_t *f = *state;
    for (int changed = 0; changed < 2; changed++) {
        wipe(f);
        web_configure(&f->config, &f->web);
        f->config.http.url = WEB_URL "?signed=1";
        esp_https_ota_handle_t handle;
        assert_int_equal(https_ota_begin(&f->rig.device, &f->config.ota, NULL, &handle), ESP_OK);
        for (int i = 0; i < 39; i++) {
            assert_int_equal(esp_https_ota_perform(handle), ESP_ERR_HTTPS_OTA_IN_PROGRESS);
        }
        assert_int_equal(esp_https_ota_abort(handle), ESP_OK);
        reset_device(f);
        f->web = web_with(changed ? f->other : f->image, IMAGE_LEN);
        f->web.etag = changed ? "\"v2\"" : "\"v1\"";
        assert_int_equal(update_with(f, 39 * 1024), ESP_OK);
        assert_string_equal(f->web.asked[0], "GET 36864- if \"v1\"");
        assert_int_equal(f->web.requests, 1);
        assert_int_equal(f->web.body_sent, changed ? IMAGE_LEN : IMAGE_LEN - 36864);
        assert_true(web_slot_holds(&f->rig, f->slot, changed ? f->other : f->image, IMAGE_LEN));
        assert_true(new_runs(f));
    }
}

static void a_power_cut_at_any_operation_leads_to_the_image_in_the_end(void **state)
{
    update_rig_t *f = *state;
    for (int same = 0; same < 2; same++) {
        uint32_t ops = 0;
        for (uint32_t at = 0; at == 0 || at < ops; at++) {
            leave_beginning(f, same ? f->image : f->other, COUNT_KEPT);
            uint32_t before = f->rig.sim.ops;
            f->rig.sim.cut_at = at > 0 ? before + at : UINT32_MAX;
            f->rig.sim.tear = SIM_TEAR_PREFIX;
            (void)update_with(f, COUNT_KEPT); /* the first time: to count */
            ops = at > 0 ? ops : f->rig.sim.ops - before;
            if (!new_runs(f)) {
                f->rig.sim.cut_at = UINT32_MAX;
                assert_int_equal(update_with(f, COUNT_KEPT), ESP_OK);
                assert_true(new_runs(f));
            }
            assert_true(web_slot_holds(&f->rig, f->slot, f->image, IMAGE_LEN));
        }
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, resume_set_up, update_rig_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_is_followed_from_whole_sectors_on),
        TEST(it_is_not_followed_where_nobody_would_notice),
        TEST(what_was_no_beginning_of_it_is_fetched_anew_once),
        TEST(a_server_without_ranges_sends_all),
        TEST(an_image_that_was_there_before_does_not_pass_for_the_new_one),
        TEST(a_validator_that_is_known_is_asked_for),
        TEST(a_power_cut_at_any_operation_leads_to_the_image_in_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
