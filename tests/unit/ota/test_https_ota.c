/* esp_https_ota call by call: states, codes, events, what the server may answer, and sizes of images. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "otter/bytes.h"
#include "support/update_rig.h"

#define IMAGE_LEN 5000u

static struct {
    int32_t id;
    uint32_t value; /* of the payload, little endian */
    size_t size;
} events[64];
static unsigned event_count;

static void on_event(void *ctx, esp_https_ota_event_t id, const void *data, size_t size)
{
    (void)ctx;
    assert_true(event_count < COUNT(events));
    events[event_count].id = (int32_t)id;
    events[event_count].size = size;
    events[event_count].value = 0;
    if (data != NULL) {
        assert_true(size <= 4);
        memcpy(&events[event_count].value, data, size);
    }
    event_count++;
}

static const otter_https_options_t listener = {.on_event = on_event};

static int set_up_with(void **state, const otter_device_config_t *config)
{
    update_rig_t *f = update_rig_open(IMAGE_LEN, config);
    update_rig_fence(f);
    f->rig.device.https = &listener;
    event_count = 0;
    *state = f;
    return 0;
}

static int set_up(void **state)
{
    return set_up_with(state, &(otter_device_config_t){.rollback = false});
}

static int set_up_allowing_http(void **state)
{
    return set_up_with(state, &(otter_device_config_t){.allow_http = true});
}

static void the_update_boots_and_is_in_the_slot(update_rig_t *f)
{
    assert_true(update_rig_boots_new(f));
    assert_true(web_slot_holds(&f->rig, f->slot, f->image, f->len));
}

/* ---- NULL and configuration ---- */

static void null_is_refused_everywhere(void **state)
{
    update_rig_t *f = *state;
    otter_device_t *device = &f->rig.device;
    esp_https_ota_handle_t handle = (void *)f;
    const esp_https_ota_config_t without_http = {0};
    esp_app_desc_t desc;
    assert_int_equal(https_ota_begin(device, NULL, NULL, &handle), ESP_ERR_INVALID_ARG);
    assert_null(handle);
    handle = (void *)f;
    assert_int_equal(https_ota_begin(device, &without_http, NULL, &handle), ESP_ERR_INVALID_ARG);
    assert_null(handle);
    assert_int_equal(https_ota_begin(device, &f->config.ota, NULL, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_https_ota_perform(NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_https_ota_finish(NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_https_ota_abort(NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_https_ota_get_img_desc(NULL, &desc), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_https_ota_get_image_len_read(NULL), -1);
    assert_int_equal(esp_https_ota_get_image_size(NULL), -1);
    assert_int_equal(esp_https_ota_get_status_code(NULL), -1);
    assert_false(esp_https_ota_is_complete_data_received(NULL));
    /* START is told before the checks. */
    assert_int_equal(event_count, 3);
    assert_int_equal(events[0].id, ESP_HTTPS_OTA_START);
}

static esp_err_t refuse_client(esp_http_client_handle_t client)
{
    (void)client;
    return 0x4242;
}

static esp_err_t add_header(esp_http_client_handle_t client)
{
    return esp_http_client_set_header(client, "X-Device", "42");
}

static esp_err_t no_decryption(decrypt_cb_arg_t *args, void *ctx)
{
    (void)args;
    (void)ctx;
    return ESP_FAIL;
}

static esp_err_t no_bundle(void *config)
{
    (void)config;
    return ESP_OK;
}

static void begin_refuses_what_cannot_be_safe_or_cannot_be(void **state)
{
    update_rig_t *f = *state;
    static const struct {
        const char *name;
        esp_http_client_config_t http;
        bool decrypts, resumes;
        esp_err_t want;
    } rows[] = {
        {"no trust", {.url = WEB_URL}, false, false, ESP_ERR_INVALID_ARG},
        {"plain HTTP",
         {.url = "http://server.example/fw.bin", .cert_pem = "x"},
         false,
         false,
         ESP_ERR_INVALID_ARG},
        {"plain HTTP by host",
         {.host = "server.example", .path = "/fw.bin", .cert_pem = "x"},
         false,
         false,
         ESP_ERR_INVALID_ARG},
        {"is_async", {.url = WEB_URL, .cert_pem = "x", .is_async = true}, false, false, ESP_ERR_INVALID_ARG},
        {"encrypted and resumed", {.url = WEB_URL, .cert_pem = "x"}, true, true, ESP_ERR_NOT_SUPPORTED},
        {"unusable URL", {.url = "https://", .cert_pem = "x"}, false, false, ESP_FAIL},
        {"no URL", {.cert_pem = "x", .transport_type = HTTP_TRANSPORT_OVER_SSL}, false, false, ESP_FAIL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const esp_https_ota_config_t config = {.http_config = &rows[i].http,
                                               .decrypt_cb = rows[i].decrypts ? no_decryption : NULL,
                                               .ota_resumption = rows[i].resumes};
        esp_https_ota_handle_t handle = (void *)f;
        print_message("%s\n", rows[i].name);
        assert_int_equal(https_ota_begin(&f->rig.device, &config, NULL, &handle), rows[i].want);
        assert_null(handle);
        assert_int_equal(f->rig.device.report.stage, OTTER_STAGE_CONFIG);
        assert_int_equal(f->rig.device.report.fault.code, rows[i].want);
        assert_true(f->rig.device.report.fault.why[0] != '\0');
    }
}

static void any_kind_of_trust_will_do(void **state)
{
    update_rig_t *f = *state;
    for (int kind = 0; kind < 2; kind++) {
        f->config.http.cert_pem = NULL;
        f->config.http.use_global_ca_store = kind == 0;
        f->config.http.crt_bundle_attach = kind == 1 ? no_bundle : NULL;
        assert_int_equal(esp_https_ota_abort(update_rig_must_begin(f)), ESP_OK);
    }
}

static void plain_http_and_no_trust_go_where_they_are_allowed(void **state)
{
    update_rig_t *f = *state;
    f->config.http.url = "http://server.example/fw.bin";
    f->config.http.cert_pem = NULL;
    esp_https_ota_handle_t handle = update_rig_must_begin(f);
    assert_int_equal(web_perform(handle), ESP_OK);
    assert_int_equal(esp_https_ota_finish(handle), ESP_OK);
    the_update_boots_and_is_in_the_slot(f);
}

static void the_client_init_callback_sets_headers_and_ends_begin_with_its_own_code(void **state)
{
    update_rig_t *f = *state;
    esp_https_ota_handle_t handle = (void *)f;
    f->config.ota.http_client_init_cb = refuse_client;
    assert_int_equal(update_rig_begin(f, &handle), 0x4242);
    assert_null(handle);
    assert_int_equal(f->web.connects, 0);
    f->config.ota.http_client_init_cb = add_header;
    assert_int_equal(esp_https_ota_abort(update_rig_must_begin(f)), ESP_OK);
    assert_non_null(strstr(f->web.last_request, "\r\nX-Device: 42"));
}

static void partitions_that_the_device_does_not_have_are_refused(void **state)
{
    update_rig_t *f = *state;
    esp_https_ota_handle_t handle = (void *)f;
    esp_partition_t stranger = *f->slot;
    stranger.address += 4096;
    f->config.ota.partition.staging = &stranger;
    assert_int_equal(update_rig_begin(f, &handle), ESP_FAIL);
    f->config.ota.partition.staging = NULL;
    f->config.ota.partition.final = &stranger;
    assert_int_equal(update_rig_begin(f, &handle), ESP_FAIL);
    assert_int_equal(f->web.connects, 0);
}

/* ---- the course of an update ---- */

static void an_update_goes_through_its_states(void **state)
{
    update_rig_t *f = *state;
    esp_https_ota_handle_t handle = update_rig_must_begin(f);
    assert_int_equal(esp_https_ota_get_image_len_read(handle), -1);
    assert_int_equal(esp_https_ota_get_image_size(handle), IMAGE_LEN);
    assert_int_equal(esp_https_ota_get_status_code(handle), 200);
    assert_false(esp_https_ota_is_complete_data_received(handle));
    assert_int_equal(f->rig.sim.ops, 0); /* begin writes nothing */
    uint32_t calls = 0, last = 0;
    while (esp_https_ota_get_image_len_read(handle) < (int)IMAGE_LEN) {
        assert_int_equal(esp_https_ota_perform(handle), ESP_ERR_HTTPS_OTA_IN_PROGRESS);
        uint32_t now = (uint32_t)esp_https_ota_get_image_len_read(handle);
        assert_true(now > last && now - last <= 1024); /* at most one buffer */
        last = now;
        calls++;
    }
    assert_int_equal(calls, (IMAGE_LEN + 1023) / 1024);
    assert_true(esp_https_ota_is_complete_data_received(handle));
    assert_int_equal(esp_https_ota_perform(handle), ESP_OK); /* one call more than there are bytes */
    assert_int_equal(esp_https_ota_perform(handle), ESP_FAIL);
    assert_false(update_rig_boots_new(f));
    assert_int_equal(esp_https_ota_finish(handle), ESP_OK);
    the_update_boots_and_is_in_the_slot(f);
    assert_int_equal(f->web.requests, 1);
    assert_int_equal(f->rig.device.report.stage, OTTER_STAGE_DONE);
    assert_int_equal(f->rig.device.report.bytes_downloaded, IMAGE_LEN);
    assert_int_equal(f->rig.device.report.bytes_written, IMAGE_LEN);
    assert_string_equal(f->rig.device.report.slot, "ota_0");
}

static void finish_and_abort_end_an_update_in_every_state(void **state)
{
    update_rig_t *f = *state;
    static const struct {
        const char *name;
        int performs; /* -1: to the end */
        bool finish;
        esp_err_t want;
        bool boots;
    } rows[] = {
        {"finish at once", 0, true, ESP_OK, false},
        {"abort at once", 0, false, ESP_OK, false},
        {"finish half-way", 2, true, ESP_ERR_OTA_VALIDATE_FAILED, false},
        {"abort half-way", 2, false, ESP_OK, false},
        {"finish when all is written but the end is not seen", 5, true, ESP_OK, false},
        {"abort when all is written", 5, false, ESP_OK, false},
        {"abort after the end", -1, false, ESP_OK, false},
        {"finish after the end", -1, true, ESP_OK, true},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        print_message("%s\n", rows[i].name);
        esp_https_ota_handle_t handle = update_rig_must_begin(f);
        for (int n = 0; n < rows[i].performs; n++) {
            assert_int_equal(esp_https_ota_perform(handle), ESP_ERR_HTTPS_OTA_IN_PROGRESS);
        }
        if (rows[i].performs < 0) {
            assert_int_equal(web_perform(handle), ESP_OK);
        }
        assert_int_equal(rows[i].finish ? esp_https_ota_finish(handle) : esp_https_ota_abort(handle),
                         rows[i].want);
        assert_int_equal(update_rig_boots_new(f), rows[i].boots);
        assert_null(f->rig.device.updates);
    }
}

static void the_description_can_be_asked_for_at_any_time(void **state)
{
    update_rig_t *f = *state;
    esp_https_ota_handle_t handle = update_rig_must_begin(f);
    esp_app_desc_t desc;
    assert_int_equal(esp_https_ota_get_img_desc(handle, NULL), ESP_ERR_INVALID_ARG);
    for (int i = 0; i < 3; i++) {
        memset(&desc, 0, sizeof(desc));
        assert_int_equal(esp_https_ota_get_img_desc(handle, &desc), ESP_OK);
        assert_string_equal(desc.version, "2.0.0");
    }
    assert_int_equal(esp_https_ota_get_image_len_read(handle), -1);
    assert_int_equal(f->rig.sim.ops, 0);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(esp_https_ota_perform(handle), ESP_ERR_HTTPS_OTA_IN_PROGRESS);
        assert_int_equal(esp_https_ota_get_img_desc(handle, &desc), ESP_OK);
        assert_string_equal(desc.project_name, "web");
    }
    assert_int_equal(esp_https_ota_perform(handle), ESP_OK);
    assert_int_equal(esp_https_ota_get_img_desc(handle, &desc), ESP_OK);
    assert_int_equal(esp_https_ota_finish(handle), ESP_OK);
    the_update_boots_and_is_in_the_slot(f);
}

static void no_description_is_told_as_such(void **state)
{
    update_rig_t *f = *state;
    esp_app_desc_t desc;
    f->image[32] ^= 1;
    esp_https_ota_handle_t handle = update_rig_must_begin(f);
    assert_int_equal(esp_https_ota_get_img_desc(handle, &desc), ESP_FAIL);
    assert_int_equal(esp_https_ota_abort(handle), ESP_OK);
    update_rig_serve(f, 287, 2);
    handle = update_rig_must_begin(f);
    assert_int_equal(esp_https_ota_get_img_desc(handle, &desc), ESP_FAIL);
    assert_int_equal(esp_https_ota_abort(handle), ESP_OK);
}

static void a_bootloaders_description_has_its_own_call(void **state)
{
    update_rig_t *f = *state;
    esp_app_desc_t app;
    esp_bootloader_desc_t desc = {.version = 7};
    esp_https_ota_handle_t handle = update_rig_must_begin(f);
    assert_int_equal(esp_https_ota_get_bootloader_img_desc(NULL, &desc), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_https_ota_get_bootloader_img_desc(handle, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_https_ota_get_bootloader_img_desc(handle, &desc), ESP_FAIL); /* an application */
    assert_int_equal(desc.version, 7);
    assert_int_equal(esp_https_ota_abort(handle), ESP_OK);

    static const uint8_t raw[12] = {80, 0, 0, 3, 0x04, 0x03, 0x02, 0x01, 'v', '5', '.', '5'};
    memset(f->image + 32, 0, sizeof(desc));
    memcpy(f->image + 32, raw, sizeof(raw));
    handle = update_rig_must_begin(f);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(esp_https_ota_get_bootloader_img_desc(handle, &desc), ESP_OK);
        assert_int_equal(desc.secure_version, 3);
        assert_int_equal(desc.version, 0x01020304);
        assert_string_equal(desc.idf_ver, "v5.5");
        assert_int_equal(esp_https_ota_get_img_desc(handle, &app), ESP_FAIL);
        memset(&desc, 0, sizeof(desc));
        if (i == 1) { /* refused for this slot, but still told */
            assert_int_equal(esp_https_ota_perform(handle), ESP_ERR_OTA_VALIDATE_FAILED);
        }
    }
    assert_int_equal(esp_https_ota_abort(handle), ESP_OK);
}

static void an_image_for_another_chip_is_refused_before_anything_is_erased(void **state)
{
    update_rig_t *f = *state;
    static const struct {
        const char *name;
        unsigned offset;
        uint8_t value;
        esp_err_t want;
    } rows[] = {
        {"chip", 12, 5, ESP_ERR_INVALID_VERSION},
        {"revision", 16, 0x90, ESP_ERR_INVALID_VERSION}, /* min_chip_rev_full 400 */
        {"magic", 0, 0xE8, ESP_ERR_OTA_VALIDATE_FAILED},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        print_message("%s\n", rows[i].name);
        update_rig_serve(f, IMAGE_LEN, 2);
        f->image[rows[i].offset] = rows[i].value;
        if (rows[i].offset == 16) {
            f->image[15] = 0x90;
            f->image[16] = 0x01;
        }
        esp_app_desc_t desc;
        esp_https_ota_handle_t handle = update_rig_must_begin(f);
        assert_int_equal(esp_https_ota_perform(handle), rows[i].want);
        assert_int_equal(f->rig.device.report.stage, OTTER_STAGE_GATE);
        assert_int_equal(esp_https_ota_get_image_len_read(handle), 0);
        assert_int_equal(esp_https_ota_get_img_desc(handle, &desc), ESP_OK); /* of the image that was sent */
        assert_string_equal(desc.version, "2.0.0");
        assert_int_equal(esp_https_ota_perform(handle), ESP_FAIL);
        assert_int_equal(i == 0 ? esp_https_ota_finish(handle) : esp_https_ota_abort(handle),
                         i == 0 ? ESP_ERR_INVALID_ARG : ESP_OK);
        assert_int_equal(f->rig.sim.ops, 0);
    }
}

static void what_is_no_app_is_refused_before_anything_is_erased(void **state)
{
    update_rig_t *f = *state;
    static const struct {
        const char *name;
        uint32_t load_addr, magic; /* of the first segment, of the descriptor */
        const char *why;
    } rows[] = {
        {"bootloader", 0x40078000, 0, "this is a bootloader image, not an app"},
        {"RAM program", 0x3FFB0000, 0, "this is a RAM program, not an app"},
        {"impossible page", 0x3F400040, 0xABCD5432, "differ modulo"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        print_message("%s\n", rows[i].name);
        update_rig_serve(f, IMAGE_LEN, 2);
        le32_put(f->image + 24, rows[i].load_addr);
        le32_put(f->image + 32, rows[i].magic);
        esp_https_ota_handle_t handle = update_rig_must_begin(f);
        assert_int_equal(esp_https_ota_perform(handle), ESP_ERR_OTA_VALIDATE_FAILED);
        assert_int_equal(f->rig.device.report.stage, OTTER_STAGE_GATE);
        assert_non_null(strstr(f->rig.device.report.fault.why, rows[i].why));
        assert_int_equal(esp_https_ota_abort(handle), ESP_OK);
        assert_int_equal(f->rig.sim.ops, 0);
    }
    /* A merged factory file of an ESP32 begins with erased flash. */
    update_rig_serve(f, IMAGE_LEN, 2);
    memset(f->image, 0xFF, 1024);
    esp_https_ota_handle_t handle = update_rig_must_begin(f);
    assert_int_equal(esp_https_ota_perform(handle), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_non_null(strstr(f->rig.device.report.fault.why, "factory file"));
    assert_int_equal(esp_https_ota_abort(handle), ESP_OK);
    assert_int_equal(f->rig.sim.ops, 0);
}

static void a_second_update_of_the_same_slot_waits_for_the_first(void **state)
{
    update_rig_t *f = *state;
    web_t other_web = web_with(f->image, f->len);
    web_config_t other;
    web_configure(&other, &other_web);
    esp_https_ota_handle_t first = update_rig_must_begin(f), second = NULL;
    assert_int_equal(https_ota_begin(&f->rig.device, &other.ota, NULL, &second), ESP_OK);
    assert_int_equal(esp_https_ota_perform(first), ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    assert_int_equal(esp_https_ota_perform(second), ESP_ERR_OTA_ALREADY_IN_PROGRESS);
    assert_int_equal(esp_https_ota_perform(second), ESP_ERR_OTA_ALREADY_IN_PROGRESS); /* it stays as it was */
    assert_int_equal(esp_https_ota_get_image_len_read(second), -1);
    assert_int_equal(esp_https_ota_abort(first), ESP_OK);
    assert_int_equal(web_perform(second), ESP_OK);
    assert_int_equal(esp_https_ota_finish(second), ESP_OK);
    the_update_boots_and_is_in_the_slot(f);
}

static void the_running_slot_is_refused(void **state)
{
    update_rig_t *f = *state;
    f->config.ota.partition.staging = f->slot;
    f->rig.device.running = f->slot;
    esp_https_ota_handle_t handle = update_rig_must_begin(f);
    assert_int_equal(esp_https_ota_perform(handle), ESP_ERR_OTA_PARTITION_CONFLICT);
    assert_int_equal(esp_https_ota_finish(handle), ESP_OK); /* as in ESP-IDF: nothing had begun */
    assert_int_equal(f->rig.sim.ops, 0);
    assert_false(update_rig_boots_new(f));
}

static void the_slot_given_as_staging_and_final_is_the_one_written(void **state)
{
    update_rig_t *f = *state;
    f->rig.fence_slot = f->slot = rig_named(&f->rig, "1");
    f->config.ota.partition.staging = f->config.ota.partition.final = f->slot;
    esp_https_ota_handle_t handle = update_rig_must_begin(f);
    assert_int_equal(web_perform(handle), ESP_OK);
    assert_int_equal(esp_https_ota_finish(handle), ESP_OK);
    the_update_boots_and_is_in_the_slot(f);
}

static void bulk_erase_erases_before_the_first_write(void **state)
{
    update_rig_t *f = *state;
    static const struct {
        const char *name;
        bool no_length;
        uint32_t sectors;
    } rows[] = {{"length known", false, 2}, {"length unknown", true, 256}};
    f->web.etag = NULL; /* so that no progress is kept, which costs writes of its own */
    for (size_t i = 0; i < COUNT(rows); i++) {
        f->web.no_length = rows[i].no_length;
        f->config.ota.bulk_flash_erase = true;
        esp_https_ota_handle_t handle = update_rig_must_begin(f);
        uint32_t before = f->rig.sim.ops;
        assert_int_equal(esp_https_ota_perform(handle), ESP_ERR_HTTPS_OTA_IN_PROGRESS);
        assert_int_equal(f->rig.sim.ops - before, rows[i].sectors + 1); /* and one write */
        assert_int_equal(web_perform(handle), ESP_OK);
        assert_int_equal(f->rig.sim.ops - before, rows[i].sectors + 5);
        assert_int_equal(esp_https_ota_abort(handle), ESP_OK);
    }
}

static void a_write_that_fails_is_told_and_can_be_tried_again(void **state)
{
    update_rig_t *f = *state;
    f->rig.fenced = false;
    esp_https_ota_handle_t handle = update_rig_must_begin(f);
    assert_int_equal(esp_https_ota_perform(handle), ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    f->rig.sim.cut_at = f->rig.sim.ops;
    f->rig.sim.tear = SIM_TEAR_PREFIX;
    event_count = 0;
    assert_int_equal(esp_https_ota_perform(handle), ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(event_count, 1); /* WRITE_FLASH also after a failed write */
    assert_int_equal(events[0].id, ESP_HTTPS_OTA_WRITE_FLASH);
    assert_int_equal(events[0].value, 1024);
    assert_int_equal(esp_https_ota_get_image_len_read(handle), 1024);
    assert_int_equal(esp_https_ota_perform(handle), ESP_ERR_FLASH_OP_FAIL);
    sim_flash_power_on(&f->rig.sim);
    assert_int_equal(web_perform(handle), ESP_OK);
    assert_int_equal(esp_https_ota_finish(handle), ESP_OK);
    the_update_boots_and_is_in_the_slot(f);
}

/* ---- events ---- */

static void events_come_in_order_with_their_data(void **state)
{
    update_rig_t *f = *state;
    update_rig_serve(f, 2000, 2);
    esp_app_desc_t desc;
    esp_https_ota_handle_t handle = update_rig_must_begin(f);
    assert_int_equal(esp_https_ota_get_img_desc(handle, &desc), ESP_OK);
    assert_int_equal(web_perform(handle), ESP_OK);
    assert_int_equal(esp_https_ota_finish(handle), ESP_OK);
    static const struct {
        int32_t id;
        size_t size;
        uint32_t value;
    } want[] = {
        {ESP_HTTPS_OTA_START, 0, 0},
        {ESP_HTTPS_OTA_CONNECTED, 0, 0},
        {ESP_HTTPS_OTA_GET_IMG_DESC, 0, 0},
        {ESP_HTTPS_OTA_VERIFY_CHIP_ID, 2, 0},
        {ESP_HTTPS_OTA_VERIFY_CHIP_REVISION, 2, 0},
        {ESP_HTTPS_OTA_WRITE_FLASH, 4, 1024},
        {ESP_HTTPS_OTA_WRITE_FLASH, 4, 2000},
        {ESP_HTTPS_OTA_UPDATE_BOOT_PARTITION, sizeof(esp_partition_subtype_t),
         ESP_PARTITION_SUBTYPE_APP_OTA_0},
        {ESP_HTTPS_OTA_FINISH, 0, 0},
    };
    assert_int_equal(event_count, COUNT(want));
    for (size_t i = 0; i < COUNT(want); i++) {
        assert_int_equal(events[i].id, want[i].id);
        assert_int_equal(events[i].size, want[i].size);
        assert_int_equal(events[i].value, want[i].value);
    }
    event_count = 0;
    assert_int_equal(esp_https_ota_abort(update_rig_must_begin(f)), ESP_OK);
    assert_int_equal(event_count, 3);
    assert_int_equal(events[2].id, ESP_HTTPS_OTA_ABORT);
}

/* ---- what a server may answer ---- */

#define HEAD_200        "HTTP/1.1 200 OK\r\n"
#define REDIRECT(code)  "HTTP/1.1 " code " Elsewhere\r\nLocation: /other.bin\r\nContent-Length: 4\r\n\r\ngone"
#define REFUSAL(status) "HTTP/1.1 " status "\r\nContent-Length: 4\r\n\r\nnone"

static void a_status_is_answered_as_esp_idf_answers_it(void **state)
{
    update_rig_t *f = *state;
    static const struct {
        const char *first;
        esp_err_t want;
        unsigned requests;
    } rows[] = {
        {NULL, ESP_OK, 1},
        {REDIRECT("301"), ESP_OK, 2},
        {REDIRECT("302"), ESP_OK, 2},
        {REDIRECT("303"), ESP_OK, 2},
        {REDIRECT("307"), ESP_OK, 2},
        {REDIRECT("308"), ESP_OK, 2},
        {"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", ESP_ERR_INVALID_ARG, 1},
        {"HTTP/1.1 302 Found\r\nLocation: http://server.example/x\r\nContent-Length: 0\r\n\r\n",
         ESP_ERR_HTTP_REDIRECT_DOWNGRADE, 1},
        {"HTTP/1.1 304 Not Modified\r\n\r\n", ESP_ERR_HTTP_NOT_MODIFIED, 1},
        {REFUSAL("400 Bad Request"), ESP_FAIL, 1},
        {REFUSAL("403 Forbidden"), ESP_FAIL, 1},
        {REFUSAL("404 Not Found"), ESP_FAIL, 1},
        {REFUSAL("416 Range Not Satisfiable"), ESP_ERR_HTTP_RANGE_NOT_SATISFIABLE, 1},
        {REFUSAL("429 Too Many Requests"), ESP_FAIL, 1},
        {REFUSAL("500 Internal Server Error"), ESP_FAIL, 1},
        {REFUSAL("503 Service Unavailable"), ESP_FAIL, 1},
        {HEAD_200 "Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnone", ESP_FAIL, 1},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        print_message("%.40s\n", rows[i].first != NULL ? rows[i].first : "200");
        f->web = web_with(f->image, f->len);
        f->web.canned[0] = rows[i].first;
        event_count = 0;
        memset(f->rig.sim.bytes + RIG_OTADATA, 0xFF, RIG_OTADATA_SIZE);
        esp_https_ota_handle_t handle = NULL;
        assert_int_equal(update_rig_begin(f, &handle), rows[i].want);
        assert_int_equal(handle != NULL, rows[i].want == ESP_OK);
        assert_int_equal(f->web.requests, rows[i].requests);
        assert_int_equal(f->rig.device.report.fault.code, rows[i].want);
        if (handle != NULL) {
            assert_int_equal(web_perform(handle), ESP_OK);
            assert_int_equal(esp_https_ota_finish(handle), ESP_OK);
            the_update_boots_and_is_in_the_slot(f);
        } else {
            assert_int_equal(f->rig.device.report.stage, OTTER_STAGE_REQUEST);
        }
    }
}

static void silence_and_refusal_at_the_beginning_have_their_codes(void **state)
{
    update_rig_t *f = *state;
    sim_clock_take();
    esp_https_ota_handle_t handle = (void *)f;
    f->web.refuse_count = 100;
    errno = EINPROGRESS; /* of an earlier call */
    assert_int_equal(update_rig_begin(f, &handle), ESP_ERR_HTTP_CONNECT);
    assert_int_equal(errno, ECONNREFUSED);
    assert_int_equal(f->rig.device.report.stage, OTTER_STAGE_CONNECT);
    assert_null(handle);
    f->web = web_with(f->image, f->len);
    f->web.canned[0] = "HTTP/1.1 200 OK\r\nContent-Length: 9"; /* and then nothing */
    int64_t start_us = otter_now_us();
    assert_int_equal(update_rig_begin(f, &handle), -ESP_ERR_HTTP_EAGAIN);
    assert_int_equal(otter_now_us() - start_us, 1000000);
    assert_null(handle);
}

static void redirects_are_followed_so_often_and_no_more(void **state)
{
    update_rig_t *f = *state;
    static const struct {
        int allowed;
        unsigned hops;
    } rows[] = {{0, 10}, {3, 3}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        f->web = web_with(f->image, f->len);
        f->web.always = REDIRECT("302");
        f->config.http.max_redirection_count = rows[i].allowed;
        esp_https_ota_handle_t handle = NULL;
        assert_int_equal(update_rig_begin(f, &handle), ESP_ERR_HTTP_MAX_REDIRECT);
        assert_int_equal(f->web.requests, rows[i].hops + 1);
    }
}

/* ---- sizes ---- */

static void images_of_any_length_arrive_or_are_refused(void **state)
{
    update_rig_t *f = *state;
    static const struct {
        uint32_t len;
        esp_err_t performed, finished;
    } rows[] = {
        {1, ESP_FAIL, ESP_OK},
        {23, ESP_FAIL, ESP_OK},
        {24, ESP_OK, ESP_ERR_OTA_VALIDATE_FAILED}, /* a header and nothing behind it */
        {288, ESP_OK, ESP_ERR_OTA_VALIDATE_FAILED},
        {289, ESP_OK, ESP_ERR_OTA_VALIDATE_FAILED},
        {304, ESP_OK, ESP_OK},
        {1023, ESP_OK, ESP_OK},
        {1024, ESP_OK, ESP_OK},
        {1025, ESP_OK, ESP_OK},
        {4095, ESP_OK, ESP_OK},
        {4096, ESP_OK, ESP_OK},
        {4097, ESP_OK, ESP_OK},
        {0x100000 - 1, ESP_OK, ESP_OK},
        {0x100000, ESP_OK, ESP_OK}, /* fills the slot */
        {0x100001, ESP_ERR_INVALID_SIZE, ESP_OK},
    };
    enum { LENGTH, CHUNKED, UNTIL_CLOSE, FRAMINGS };
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (int framing = 0; framing < FRAMINGS; framing++) {
            print_message("%u bytes, framing %d\n", rows[i].len, framing);
            update_rig_serve(f, rows[i].len, 2);
            memset(f->rig.sim.bytes + f->slot->address, 0xFF, f->slot->size);
            memset(f->rig.sim.bytes + RIG_OTADATA, 0xFF, RIG_OTADATA_SIZE);
            f->web.chunked = framing == CHUNKED;
            f->web.no_length = framing == UNTIL_CLOSE;
            f->rig.device.https = NULL;
            uint32_t ops = f->rig.sim.ops;
            esp_https_ota_handle_t handle = update_rig_must_begin(f);
            assert_int_equal(esp_https_ota_get_image_size(handle), framing == LENGTH ? (int)rows[i].len : -1);
            assert_int_equal(web_perform(handle), rows[i].performed);
            assert_true(esp_https_ota_is_complete_data_received(handle) ||
                        rows[i].performed == ESP_ERR_INVALID_SIZE);
            if (rows[i].performed == ESP_ERR_INVALID_SIZE) {
                assert_int_equal(f->rig.sim.ops == ops,
                                 framing == LENGTH); /* refused before the first erase */
                assert_int_equal(esp_https_ota_abort(handle), ESP_OK);
            } else {
                assert_int_equal(esp_https_ota_finish(handle), rows[i].finished);
            }
            bool good = rows[i].performed == ESP_OK && rows[i].finished == ESP_OK;
            assert_int_equal(update_rig_boots_new(f), good);
            assert_true(!good || web_slot_holds(&f->rig, f->slot, f->image, f->len));
        }
    }
}

static void a_buffer_of_any_size_brings_the_same_image(void **state)
{
    update_rig_t *f = *state;
    static const int sizes[] = {0, 1, 289, 1024, 1025, 4096, 100000};
    f->rig.device.https = NULL;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        for (uint32_t max_read = 0; max_read < 3; max_read++) {
            update_rig_serve(f, 20000, 2);
            f->config.http.buffer_size = sizes[i];
            f->web.max_read = max_read * 777;
            esp_https_ota_handle_t handle = update_rig_must_begin(f);
            assert_int_equal(web_perform(handle), ESP_OK);
            assert_int_equal(esp_https_ota_finish(handle), ESP_OK);
            the_update_boots_and_is_in_the_slot(f);
        }
    }
}

/* ---- in ranges ---- */

static void partial_download_asks_for_exactly_its_ranges(void **state)
{
    update_rig_t *f = *state;
    static const struct {
        uint32_t len;
        int max;
        const char *asked[8];
    } rows[] = {
        {5000, 2000, {"HEAD", "GET 0-1999", "GET 2000-3999 if \"v1\"", "GET 4000- if \"v1\""}},
        {4000, 2000, {"HEAD", "GET 0-1999", "GET 2000- if \"v1\""}},
        {5000, 5000, {"HEAD", "GET"}},
        {5000, 4999, {"HEAD", "GET 0-4998", "GET 4999- if \"v1\""}},
        {70000, 0, {"HEAD", "GET 0-65535", "GET 65536- if \"v1\""}},
        {1000, 500, {"HEAD", "GET 0-499", "GET 500- if \"v1\""}}, /* the header comes in two */
    };
    f->rig.device.https = NULL;
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (int closes = 0; closes < 2; closes++) {
            update_rig_serve(f, rows[i].len, 2);
            f->web.closes = closes;
            f->config.ota.partial_http_download = true;
            f->config.ota.max_http_request_size = rows[i].max;
            esp_https_ota_handle_t handle = update_rig_must_begin(f);
            assert_int_equal(esp_https_ota_get_image_size(handle), rows[i].len);
            assert_int_equal(web_perform(handle), ESP_OK);
            assert_int_equal(esp_https_ota_finish(handle), ESP_OK);
            the_update_boots_and_is_in_the_slot(f);
            unsigned n = 0;
            for (; n < 8 && rows[i].asked[n] != NULL; n++) {
                assert_string_equal(f->web.asked[n], rows[i].asked[n]);
            }
            assert_int_equal(f->web.requests, n);
            assert_int_equal(f->web.connects,
                             closes ? n : 1); /* a server that keeps the connection is asked over it */
        }
    }
}

static void partial_download_copes_with_servers_that_know_half_of_it(void **state)
{
    update_rig_t *f = *state;
    static const struct {
        const char *name, *head_answer, *etag;
        bool no_ranges, chunked;
        esp_err_t want;
        const char *second; /* request */
    } rows[] = {
        {"no HEAD", REFUSAL("405 Method Not Allowed"), "\"v1\"", false, false, ESP_OK, "GET 0-0"},
        {"no HEAD and no ranges", REFUSAL("501 Not Implemented"), "\"v1\"", true, false, ESP_OK, "GET 0-0"},
        {"no ranges", NULL, "\"v1\"", true, false, ESP_OK, "GET 0-1999"},
        {"no validator", NULL, NULL, false, false, ESP_OK, "GET 0-1999"},
        {"a weak ETag", NULL, "W/\"v1\"", false, false, ESP_OK, "GET 0-1999"},
        {"no length", HEAD_200 "Transfer-Encoding: chunked\r\n\r\n", "\"v1\"", true, true, ESP_FAIL, NULL},
        {"no length anywhere", REFUSAL("405 Method Not Allowed"), "\"v1\"", true, true, ESP_FAIL, "GET 0-0"},
        {"gone", REFUSAL("404 Not Found"), "\"v1\"", false, false, ESP_OK, "GET 0-0"},
        {"HEAD of a smaller form", HEAD_200 "Content-Length: 2500\r\n\r\n", "\"v1\"", false, false, ESP_OK,
         "GET 0-1999"},
        {"HEAD of a larger form, no ranges", HEAD_200 "Content-Length: 9000\r\n\r\n", "\"v1\"", true, false,
         ESP_OK, "GET 0-1999"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        print_message("%s\n", rows[i].name);
        update_rig_serve(f, IMAGE_LEN, 2);
        event_count = 0;
        f->web.head_answer = rows[i].head_answer;
        f->web.etag = rows[i].etag;
        f->web.no_ranges = rows[i].no_ranges;
        f->web.chunked = rows[i].chunked;
        f->config.ota.partial_http_download = true;
        f->config.ota.max_http_request_size = 2000;
        esp_https_ota_handle_t handle = NULL;
        assert_int_equal(update_rig_begin(f, &handle), rows[i].want);
        assert_true(rows[i].second == NULL || strcmp(f->web.asked[1], rows[i].second) == 0);
        if (rows[i].want == ESP_OK) {
            assert_int_equal(esp_https_ota_get_image_size(handle), IMAGE_LEN);
            assert_int_equal(web_perform(handle), ESP_OK);
            assert_int_equal(esp_https_ota_finish(handle), ESP_OK);
            the_update_boots_and_is_in_the_slot(f);
        }
    }
}

static void partial_download_refuses_a_file_longer_than_announced(void **state)
{
    update_rig_t *f = *state;
    f->web.head_answer = HEAD_200 "Content-Length: 4000\r\n\r\n";
    f->web.no_ranges = f->web.chunked = true;
    f->config.ota.partial_http_download = true;
    f->config.ota.max_http_request_size = 2000;
    esp_https_ota_handle_t handle = update_rig_must_begin(f);
    assert_int_equal(web_perform(handle), ESP_FAIL);
    assert_int_equal(esp_https_ota_abort(handle), ESP_OK);
    assert_false(update_rig_boots_new(f));
}

/* ---- in one call ---- */

static void the_one_call_forms_have_their_own_codes(void **state)
{
    update_rig_t *f = *state;
    static const struct {
        const char *name, *first, *second;
        uint8_t chip;
        esp_err_t v4, v5;
    } rows[] = {
        {"all well", NULL, NULL, 0, ESP_OK, ESP_OK},
        {"not modified", "HTTP/1.1 304 Not Modified\r\n\r\n", NULL, 0, ESP_FAIL, ESP_ERR_HTTP_NOT_MODIFIED},
        {"downgrade", "HTTP/1.1 302 x\r\nLocation: http://server.example/\r\nContent-Length: 0\r\n\r\n", NULL,
         0, ESP_FAIL, ESP_ERR_HTTP_REDIRECT_DOWNGRADE},
        {"another chip", NULL, NULL, 5, ESP_ERR_INVALID_VERSION, ESP_ERR_INVALID_VERSION},
        {"not modified in the middle", "HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: 5000\r\n\r\n\xE9",
         "HTTP/1.1 304 Not Modified\r\n\r\n", 0, ESP_ERR_HTTP_NOT_MODIFIED, ESP_ERR_HTTP_NOT_MODIFIED},
    };
    sim_clock_take();
    f->rig.fenced = false;
    f->rig.device.https = NULL;
    otter_device_set_current(&f->rig.device);
    assert_int_equal(esp_https_ota((const esp_http_client_config_t *)NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_https_ota((const esp_https_ota_config_t *)NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_https_ota(&(esp_https_ota_config_t){0}), ESP_ERR_INVALID_ARG);
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (int form = 4; form <= 5; form++) {
            print_message("%s, v%d\n", rows[i].name, form);
            update_rig_serve(f, IMAGE_LEN, 2);
            f->image[12] = rows[i].chip;
            f->web.canned[0] = rows[i].first;
            f->web.canned[1] = rows[i].second;
            web_configure(&f->config, &f->web);
            assert_int_equal(form == 4 ? esp_https_ota(&f->config.http) : esp_https_ota(&f->config.ota),
                             form == 4 ? rows[i].v4 : rows[i].v5);
            assert_null(f->rig.device.updates);
        }
    }
    f->config.http.is_async = true;
    f->config.http.transport = NULL;
    assert_int_equal(esp_https_ota(&f->config.http), ESP_FAIL);
    assert_int_equal(esp_https_ota(&f->config.ota), ESP_ERR_INVALID_ARG);
    otter_device_set_current(NULL);
    esp_https_ota_handle_t handle = (void *)f;
    assert_int_equal(esp_https_ota_begin(&f->config.ota, &handle), ESP_ERR_INVALID_STATE);
    assert_null(handle);
    assert_int_equal(esp_https_ota(&f->config.ota), ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_https_ota(&f->config.http), ESP_FAIL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, update_rig_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(null_is_refused_everywhere),
        TEST(begin_refuses_what_cannot_be_safe_or_cannot_be),
        TEST(any_kind_of_trust_will_do),
        cmocka_unit_test_setup_teardown(plain_http_and_no_trust_go_where_they_are_allowed,
                                        set_up_allowing_http, update_rig_tear_down),
        TEST(the_client_init_callback_sets_headers_and_ends_begin_with_its_own_code),
        TEST(partitions_that_the_device_does_not_have_are_refused),
        TEST(an_update_goes_through_its_states),
        TEST(finish_and_abort_end_an_update_in_every_state),
        TEST(the_description_can_be_asked_for_at_any_time),
        TEST(no_description_is_told_as_such),
        TEST(a_bootloaders_description_has_its_own_call),
        TEST(an_image_for_another_chip_is_refused_before_anything_is_erased),
        TEST(what_is_no_app_is_refused_before_anything_is_erased),
        TEST(a_second_update_of_the_same_slot_waits_for_the_first),
        TEST(the_running_slot_is_refused),
        TEST(the_slot_given_as_staging_and_final_is_the_one_written),
        TEST(bulk_erase_erases_before_the_first_write),
        TEST(a_write_that_fails_is_told_and_can_be_tried_again),
        TEST(events_come_in_order_with_their_data),
        TEST(a_status_is_answered_as_esp_idf_answers_it),
        TEST(silence_and_refusal_at_the_beginning_have_their_codes),
        TEST(redirects_are_followed_so_often_and_no_more),
        TEST(images_of_any_length_arrive_or_are_refused),
        TEST(a_buffer_of_any_size_brings_the_same_image),
        TEST(partial_download_asks_for_exactly_its_ranges),
        TEST(partial_download_copes_with_servers_that_know_half_of_it),
        TEST(partial_download_refuses_a_file_longer_than_announced),
        TEST(the_one_call_forms_have_their_own_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
