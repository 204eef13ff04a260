/* The stage of an update's report is true at each moment: how far it came, or where it failed. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ota/report_memory.h"
#include "support/update_rig.h"

#define IMAGE_LEN 5000u

static update_rig_t *fixture; /* for the hooks */
static char transcript[2000];
static uint8_t
    retained[2048]; /* what a reset leaves to the device, which it asks at each moment from the gate on */

/** A word for the moment, and the stage it has; the same twice in a row once. */
static void note(const char *moment)
{
    static char line[60];
    const otter_device_t *device = &fixture->rig.device;
    otter_update_report_t kept;
    if (device->report.stage > OTTER_STAGE_GATE && device->report.stage < OTTER_STAGE_DONE) {
        assert_int_equal(report_memory_load(device, &kept), ESP_OK);
        assert_string_equal(otter_stage_name(kept.stage), otter_stage_name(device->report.stage));
    }
    snprintf(line, sizeof(line), "%s:%s ", moment, otter_stage_name(fixture->rig.device.report.stage));
    size_t len = strlen(transcript), n = strlen(line);
    if (len < n || strcmp(transcript + len - n, line) != 0) {
        assert_true(len + n < sizeof(transcript));
        memcpy(transcript + len, line, n + 1);
    }
}

static void on_event(void *ctx, esp_https_ota_event_t id, const void *data, size_t size)
{
    (void)ctx;
    static const char *const names[] = {"start",   "connected", "desc",   "chip",   "revision",
                                        "decrypt", "write",     "switch", "finish", "abort"};
    (void)data;
    (void)size;
    note(names[id]);
}

static const otter_https_options_t listener = {.on_event = on_event};

static esp_err_t on_init(esp_http_client_handle_t client)
{
    (void)client;
    note("init");
    return ESP_OK;
}

static void on_request(web_t *web, unsigned index)
{
    (void)web;
    (void)index;
    note("asked");
}

static esp_err_t keep_as_it_is(decrypt_cb_arg_t *args, void *ctx)
{
    (void)ctx;
    args->data_out = malloc(args->data_in_len);
    assert_non_null(args->data_out);
    memcpy(args->data_out, args->data_in, args->data_in_len);
    args->data_out_len = args->data_in_len;
    return ESP_OK;
}

static int set_up(void **state)
{
    fixture = update_rig_open(IMAGE_LEN, &(otter_device_config_t){.rollback = false});
    fixture->rig.device.https = &listener;
    fixture->rig.device.retained = retained;
    fixture->rig.device.retained_size = sizeof(retained);
    transcript[0] = '\0';
    *state = fixture;
    return 0;
}

static const esp_partition_t *data_partition(const update_rig_t *f)
{
    const otter_partition_list_t *list = &f->rig.device.partitions;
    for (uint32_t i = 0; i < list->count; i++) {
        if (list->items[i].type == ESP_PARTITION_TYPE_DATA && list->items[i].size > IMAGE_LEN &&
            list->items[i].subtype != ESP_PARTITION_SUBTYPE_DATA_OTA) {
            return &list->items[i];
        }
    }
    fail_msg("the table has no data partition");
    return NULL;
}

/** Everything an update meets, in its order. */
static void each_moment_of_an_update_has_its_stage(void **state)
{
    update_rig_t *f = *state;
    static const char begin[] = "start:config init:config asked:request connected:request begun:gate ";
    static const struct {
        const char *name;
        bool data, callback, drop;
        const char *behind;
    } rows[] = {
        {"an application", false, false, false,
         "desc:gate chip:gate revision:gate write:download came:download write:download came:download "
         "write:download came:download write:download came:download write:download came:download "
         "delivered:download switch:switch finish:done ended:done "},
        {"through a callback", false, true, false,
         "desc:gate decrypt:gate chip:gate revision:gate write:download came:download decrypt:download "
         "write:download came:download decrypt:download write:download came:download decrypt:download "
         "write:download came:download decrypt:download write:download came:download delivered:download "
         "switch:switch finish:done ended:done "},
        {"a connection that drops", false, false, true,
         "desc:gate chip:gate revision:gate write:download came:download write:download came:download "
         "write:download came:download asked:download came:download write:download came:download "
         "write:download came:download write:download came:download delivered:download switch:switch "
         "finish:done ended:done "},
        {"data", true, false, false,
         "desc:gate came:download write:download came:download write:download came:download write:download "
         "came:download write:download came:download write:download came:download delivered:download "
         "finish:done ended:done "},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        print_message("%s\n", rows[i].name);
        transcript[0] = '\0';
        f->web = web_with(f->image, f->len);
        f->web.on_request = on_request;
        f->web.cut_at = rows[i].drop ? 2500 : WEB_NEVER;
        f->config.ota.http_client_init_cb = on_init;
        f->config.ota.decrypt_cb = rows[i].callback ? keep_as_it_is : NULL;
        f->config.ota.partition.staging = rows[i].data ? data_partition(f) : NULL;
        esp_https_ota_handle_t handle = update_rig_must_begin(f);
        note("begun");
        esp_app_desc_t desc;
        (void)esp_https_ota_get_img_desc(handle, &desc);
        esp_err_t err;
        while ((err = esp_https_ota_perform(handle)) == ESP_ERR_HTTPS_OTA_IN_PROGRESS) {
            note("came");
        }
        note("delivered");
        assert_int_equal(err, ESP_OK);
        assert_int_equal(esp_https_ota_finish(handle), ESP_OK);
        note("ended");
        assert_int_equal(strncmp(transcript, begin, strlen(begin)), 0);
        assert_string_equal(transcript + strlen(begin), rows[i].behind);
    }
}

typedef enum { ABORTED, FINISHED, FORGOTTEN } end_t;

/** Wherever it ends, and however: what stays is how far it came. */
static void what_stays_is_how_far_it_came_or_where_it_failed(void **state)
{
    update_rig_t *f = *state;
    static const char refusal[] = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
    static const struct {
        const char *name;
        int performs; /* calls; -1: to the end, whatever it is */
        end_t end;
        const char *canned;
        bool no_server, broken, late, data;
        esp_err_t code;
        otter_stage_t stage;
    } rows[] = {
        {"aborted after begin", 0, ABORTED, .stage = OTTER_STAGE_GATE},
        {"finished after begin", 0, FINISHED, .stage = OTTER_STAGE_GATE},
        {"in the middle", 2, FORGOTTEN, .stage = OTTER_STAGE_DOWNLOAD},
        {"aborted in the middle", 2, ABORTED, .stage = OTTER_STAGE_DOWNLOAD},
        {"finished in the middle", 2, FINISHED, .code = ESP_ERR_OTA_VALIDATE_FAILED,
         .stage = OTTER_STAGE_VERIFY},
        {"delivered", -1, FORGOTTEN, .stage = OTTER_STAGE_DOWNLOAD},
        {"aborted when all had come", -1, ABORTED, .stage = OTTER_STAGE_DOWNLOAD},
        {"finished", -1, FINISHED, .stage = OTTER_STAGE_DONE},
        {"data in the middle", 2, FORGOTTEN, .data = true, .stage = OTTER_STAGE_DOWNLOAD},
        {"data, finished", -1, FINISHED, .data = true, .stage = OTTER_STAGE_DONE},
        {"data, finished in the middle", 2, FINISHED, .data = true, .stage = OTTER_STAGE_VERIFY},
        {"no server", 0, ABORTED, .no_server = true, .code = ESP_ERR_HTTP_CONNECT,
         .stage = OTTER_STAGE_CONNECT},
        {"refused by the server", 0, ABORTED, refusal, .code = ESP_FAIL, .stage = OTTER_STAGE_REQUEST},
        {"no image", -1, ABORTED, .broken = true, .code = ESP_ERR_OTA_VALIDATE_FAILED,
         .stage = OTTER_STAGE_GATE},
        {"a server that goes away", -1, ABORTED, .late = true, .code = ESP_ERR_HTTP_CONNECT,
         .stage = OTTER_STAGE_CONNECT},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        print_message("%s\n", rows[i].name);
        const otter_update_report_t *report = &f->rig.device.report;
        transcript[0] = '\0';
        f->web = web_with(f->image, f->len);
        f->web.canned[0] = rows[i].canned;
        f->web.refuse_from = rows[i].late ? 1 : 0;
        f->web.refuse_count = rows[i].no_server || rows[i].late ? 1000 : 0;
        f->web.cut_at = rows[i].late ? 2500 : WEB_NEVER;
        f->image[0] = rows[i].broken ? 0x7F : 0xE9;
        f->config.ota.partition.staging = rows[i].data ? data_partition(f) : NULL;
        esp_https_ota_handle_t handle = NULL;
        esp_err_t err = update_rig_begin(f, &handle);
        for (int n = rows[i].performs; handle != NULL && n != 0; n--) {
            err = esp_https_ota_perform(handle);
            if (err != ESP_ERR_HTTPS_OTA_IN_PROGRESS) {
                break;
            }
        }
        if (handle != NULL && rows[i].end == FINISHED) {
            err = esp_https_ota_finish(handle);
        } else if (handle != NULL && rows[i].end == ABORTED) {
            assert_int_equal(esp_https_ota_abort(handle), ESP_OK);
        }
        assert_string_equal(otter_stage_name(report->stage), otter_stage_name(rows[i].stage));
        assert_int_equal(report->fault.code, rows[i].code);
        assert_true(rows[i].code == ESP_OK || err == rows[i].code);
        assert_int_equal(report->fault.why[0] != '\0', rows[i].code != ESP_OK);
        assert_int_equal(rows[i].end == FORGOTTEN ? esp_https_ota_abort(handle) : ESP_OK, ESP_OK);
    }
}

static void a_failure_that_was_made_up_for_is_not_in_the_report_of_a_good_update(void **state)
{
    update_rig_t *f = *state;
    const otter_update_report_t *report = &f->rig.device.report;
    esp_https_ota_handle_t handle = update_rig_must_begin(f);
    assert_int_equal(esp_https_ota_perform(handle), ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    f->rig.sim.cut_at = f->rig.sim.ops;
    assert_int_equal(esp_https_ota_perform(handle), ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(report->stage, OTTER_STAGE_DOWNLOAD);
    assert_int_equal(report->fault.code, ESP_ERR_FLASH_OP_FAIL);
    sim_flash_power_on(&f->rig.sim);
    assert_int_equal(web_perform(handle), ESP_OK);
    assert_int_equal(report->fault.code,
                     ESP_ERR_FLASH_OP_FAIL); /* the first failure, as long as it is not done */
    assert_int_equal(esp_https_ota_finish(handle), ESP_OK);
    assert_int_equal(report->stage, OTTER_STAGE_DONE);
    assert_int_equal(report->fault.code, ESP_OK);
    assert_string_equal(report->fault.why, "");
}

static void asking_for_a_description_that_is_not_there_fails_no_update(void **state)
{
    update_rig_t *f = *state;
    const otter_update_report_t *report = &f->rig.device.report;
    esp_bootloader_desc_t desc; /* which an application has not */
    esp_https_ota_handle_t handle = update_rig_must_begin(f);
    assert_int_equal(esp_https_ota_get_bootloader_img_desc(handle, &desc), ESP_FAIL);
    assert_int_equal(report->fault.code, ESP_OK);
    assert_int_equal(report->stage, OTTER_STAGE_GATE);
    assert_int_equal(web_perform(handle), ESP_OK);
    assert_int_equal(esp_https_ota_finish(handle), ESP_OK);
    assert_int_equal(report->stage, OTTER_STAGE_DONE);
}

/** What links the counters: asked after each step of an update that goes on where another one stopped. */
static void what_was_written_is_what_was_resumed_and_what_came_since(void **state)
{
    update_rig_t *f = *state;
    update_rig_serve(f, 60000, 2);
    f->config.ota.ota_resumption = true;
    for (int again = 0; again < 2; again++) {
        esp_https_ota_handle_t handle = update_rig_must_begin(f);
        const otter_update_report_t *report = &f->rig.device.report;
        assert_int_equal(report->bytes_resumed > 0, again);
        for (int i = 0; i < 30 && esp_https_ota_perform(handle) == ESP_ERR_HTTPS_OTA_IN_PROGRESS; i++) {
            assert_int_equal(report->bytes_resumed + report->bytes_written,
                             esp_https_ota_get_image_len_read(handle));
            assert_true(report->bytes_downloaded >= report->bytes_written);
        }
        assert_int_equal(esp_https_ota_abort(handle), ESP_OK);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, update_rig_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_moment_of_an_update_has_its_stage),
        TEST(what_stays_is_how_far_it_came_or_where_it_failed),
        TEST(a_failure_that_was_made_up_for_is_not_in_the_report_of_a_good_update),
        TEST(asking_for_a_description_that_is_not_there_fails_no_update),
        TEST(what_was_written_is_what_was_resumed_and_what_came_since),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
