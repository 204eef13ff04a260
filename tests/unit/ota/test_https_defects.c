/* The known defects of ESP-IDF's esp_https_ota (docs/DIFFERENCES.md), each shown kept or fixed against a steered server. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "support/update_rig.h"

#define IMAGE_LEN 5000u
#define HEAD_200  "HTTP/1.1 200 OK\r\n"

static unsigned write_events;

static void on_event(void *ctx, esp_https_ota_event_t id, const void *data, size_t size)
{
    (void)ctx;
    (void)data;
    (void)size;
    write_events += id == ESP_HTTPS_OTA_WRITE_FLASH;
}

static const otter_https_options_t listener = {.on_event = on_event};

static int set_up(void **state)
{
    *state = update_rig_open(IMAGE_LEN, &(otter_device_config_t){.rollback = false});
    return 0;
}

static void must_arrive(update_rig_t *f, esp_https_ota_handle_t handle)
{
    assert_int_equal(web_perform(handle), ESP_OK);
    assert_int_equal(esp_https_ota_finish(handle), ESP_OK);
    assert_true(update_rig_boots_new(f));
    assert_true(web_slot_holds(&f->rig, f->slot, f->image, f->len));
}

/** Calls of perform that brought the last byte; the handle is still IN_PROGRESS. */
static void perform_to_the_last_byte(update_rig_t *f, esp_https_ota_handle_t handle)
{
    do {
        assert_int_equal(esp_https_ota_perform(handle), ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    } while (esp_https_ota_get_image_len_read(handle) < (int)f->len);
}

/* ---- perform and finish ---- */

static void defect_01_success_takes_one_more_call(void **state)
{
    update_rig_t *f = *state;
    esp_https_ota_handle_t handle = update_rig_must_begin(f);
    perform_to_the_last_byte(f, handle);
    assert_int_equal(esp_https_ota_perform(handle), ESP_OK);
    assert_int_equal(esp_https_ota_finish(handle), ESP_OK);
    assert_true(update_rig_boots_new(f));
}

static void defect_02_stall_is_in_progress_but_not_for_ever(void **state)
{
    update_rig_t *f = *state;
    static const uint32_t places[] = {2500, 100}; /* in the middle, and in the header */
    for (size_t i = 0; i < COUNT(places); i++) {
        f->web = web_with(f->image, f->len);
        f->web.cut_at = places[i];
        f->web.cut_kind = SIM_REQUEST;
        f->config.ota.retry.attempts = -1; /* a connection that is lost is not made up for */
        int64_t start_us = otter_now_us();
        unsigned calls = 0;
        esp_err_t err;
        esp_https_ota_handle_t handle = update_rig_must_begin(f);
        while ((err = esp_https_ota_perform(handle)) == ESP_ERR_HTTPS_OTA_IN_PROGRESS) {
            calls++;
        }
        assert_int_equal(err, ESP_ERR_HTTP_READ_TIMEOUT);
        assert_true(i == 1 || calls > 3);                             /* the bytes there were, then waits */
        assert_in_range(otter_now_us() - start_us, 2000000, 4000000); /* of timeout_ms, 1 s, each */
        assert_int_equal(esp_https_ota_abort(handle), ESP_OK);
    }
}

static void defect_03_stale_errno_decides_nothing(void **state)
{
    update_rig_t *f = *state;
    esp_https_ota_handle_t handle = update_rig_must_begin(f);
    esp_err_t err;
    do {
        errno = ENOTCONN; /* of some other socket */
        err = esp_https_ota_perform(handle);
    } while (err == ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    assert_int_equal(err, ESP_OK);
    assert_int_equal(esp_https_ota_finish(handle), ESP_OK);
    assert_true(update_rig_boots_new(f));
    /* What applications of ESP-IDF 4 ask for after the server's FIN. */
    f->web = web_with(f->image, f->len);
    f->web.cut_at = 0;
    f->web.cut_kind = SIM_EOF;
    web_use_new_transport(&f->config, &f->web);
    esp_http_client_handle_t client = esp_http_client_init(&f->config.http);
    assert_non_null(client);
    char byte;
    assert_int_equal(esp_http_client_open(client, 0), ESP_OK);
    assert_int_equal(esp_http_client_fetch_headers(client), f->len);
    errno = 0;
    assert_int_equal(esp_http_client_read(client, &byte, 1), -1);
    assert_int_equal(errno, ENOTCONN);
    esp_http_client_cleanup(client);
}

static void defect_04_finish_before_perform_does_nothing(void **state)
{
    update_rig_t *f = *state;
    assert_int_equal(esp_https_ota_finish(update_rig_must_begin(f)), ESP_OK);
    assert_int_equal(f->rig.sim.ops, 0);
    assert_false(update_rig_boots_new(f));
}

static void defect_05_finish_before_the_end_is_seen_does_not_switch(void **state)
{
    update_rig_t *f = *state;
    esp_https_ota_handle_t handle = update_rig_must_begin(f);
    perform_to_the_last_byte(f, handle);
    assert_int_equal(esp_https_ota_finish(handle), ESP_OK);
    assert_true(web_slot_holds(&f->rig, f->slot, f->image, f->len));
    assert_false(update_rig_boots_new(f));
}

static void defect_06_switch_that_fails_is_told(void **state)
{
    update_rig_t *f = *state;
    esp_https_ota_handle_t handle = update_rig_must_begin(f);
    assert_int_equal(web_perform(handle), ESP_OK);
    f->rig.sim.cut_at = f->rig.sim.ops; /* the record is all that finish writes */
    assert_int_equal(esp_https_ota_finish(handle), ESP_ERR_FLASH_OP_FAIL);
    sim_flash_power_on(&f->rig.sim);
    assert_false(update_rig_boots_new(f));
}

static void defect_07_one_call_forms_keep_their_codes(void **state)
{
    update_rig_t *f = *state;
    otter_device_set_current(&f->rig.device);
    f->web.always = "HTTP/1.1 304 Not Modified\r\n\r\n";
    web_use_new_transport(&f->config, &f->web);
    assert_int_equal(esp_https_ota(&f->config.http), ESP_FAIL); /* ESP-IDF 4's argument */
    web_use_new_transport(&f->config, &f->web);
    assert_int_equal(esp_https_ota(&f->config.ota), ESP_ERR_HTTP_NOT_MODIFIED); /* ESP-IDF 5's */
}

/* ---- begin ---- */

static void defect_08_redirects_are_limited(void **state)
{
    update_rig_t *f = *state;
    f->web.always = "HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n";
    esp_https_ota_handle_t handle = NULL;
    assert_int_equal(update_rig_begin(f, &handle), ESP_ERR_HTTP_MAX_REDIRECT);
    assert_int_equal(f->web.requests, 11); /* the first and ten redirects */
}

static void defect_09_refused_credentials_are_not_sent_for_ever(void **state)
{
    update_rig_t *f = *state;
    f->web.always = "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"r\"\r\nContent-Length: 0\r\n\r\n";
    f->config.http.username = "me";
    f->config.http.password = "wrong";
    esp_https_ota_handle_t handle = NULL;
    assert_int_equal(update_rig_begin(f, &handle), ESP_FAIL);
    assert_int_equal(f->web.requests, 11);
}

static void defect_10_https_is_never_left(void **state)
{
    update_rig_t *f = *state;
    f->web.canned[0] = "HTTP/1.1 302 F\r\nLocation: http://server.example/x\r\nContent-Length: 0\r\n\r\n";
    esp_https_ota_handle_t handle = NULL;
    assert_int_equal(update_rig_begin(f, &handle), ESP_ERR_HTTP_REDIRECT_DOWNGRADE);
    assert_int_equal(f->web.requests, 1);
    f->web = web_with(f->image, f->len);
    f->web.canned[0] = "HTTP/1.1 302 Found\r\nLocation: other.bin\r\nContent-Length: 0\r\n\r\n";
    must_arrive(f, update_rig_must_begin(f));
    assert_non_null(strstr(f->web.last_request, "GET /other.bin HTTP/1.1\r\n"));
}

static void defect_16_header_time_out_has_its_number_and_words(void **state)
{
    update_rig_t *f = *state;
    f->web.canned[0] = "HTTP/1.1 200 OK\r\nContent-Length: 9"; /* and then nothing */
    esp_https_ota_handle_t handle = NULL;
    assert_int_equal(update_rig_begin(f, &handle), -28679);
    assert_string_equal(f->rig.device.report.fault.why, "no response within the time limit");
}

/* ---- in ranges ---- */

static void ask_in_ranges(update_rig_t *f)
{
    f->config.ota.partial_http_download = true;
    f->config.ota.max_http_request_size = 2000;
}

static void defect_19_more_bytes_than_announced_are_an_error(void **state)
{
    update_rig_t *f = *state;
    f->web.head_answer = HEAD_200 "Content-Length: 4000\r\n\r\n";
    f->web.no_ranges = f->web.chunked = true;
    ask_in_ranges(f);
    esp_https_ota_handle_t handle = update_rig_must_begin(f);
    assert_int_equal(web_perform(handle), ESP_FAIL);
    assert_int_equal(esp_https_ota_abort(handle), ESP_OK);
    assert_false(update_rig_boots_new(f));
}

static void defect_20_partial_download_of_unknown_length_fails_in_begin(void **state)
{
    update_rig_t *f = *state;
    f->web.head_answer = HEAD_200 "Transfer-Encoding: chunked\r\n\r\n";
    f->web.no_ranges = f->web.chunked = true;
    ask_in_ranges(f);
    esp_https_ota_handle_t handle = (void *)f;
    assert_int_equal(update_rig_begin(f, &handle), ESP_FAIL);
    assert_null(handle);
    assert_int_equal(f->rig.sim.ops, 0);
}

static void defect_21_another_range_than_asked_for_is_not_taken(void **state)
{
    update_rig_t *f = *state;
    static const char *const wrong[] = {
        "HTTP/1.1 206 P\r\nContent-Range: bytes 0-9/5000\r\nContent-Length: 10\r\n\r\n0123456789",
        "HTTP/1.1 206 P\r\nContent-Range: bytes 2501-2510/5000\r\nContent-Length: 10\r\n\r\n0123456789",
        "HTTP/1.1 206 P\r\nContent-Length: 10\r\n\r\n0123456789",
    };
    for (size_t i = 0; i < COUNT(wrong); i++) {
        update_rig_serve(f, IMAGE_LEN, (uint8_t)(2 + i));
        f->web.cut_at = 2500;
        f->web.canned[1] = wrong[i];
        must_arrive(f, update_rig_must_begin(f));
        assert_string_equal(f->web.asked[1], "GET 2500- if \"v1\"");
        assert_string_equal(f->web.asked[2], "GET"); /* the whole file, compared with what is known */
    }
}

static void defect_22_resumption_is_of_the_same_file_only(void **state)
{
    update_rig_t *f = *state;
    update_rig_serve(f, 40000, 2);
    f->config.ota.ota_resumption = true;
    f->config.ota.ota_image_bytes_written = 20000; /* accepted; what counts is what is in flash */
    esp_https_ota_handle_t handle = update_rig_must_begin(f);
    while (esp_https_ota_get_image_len_read(handle) < 20000) {
        assert_int_equal(esp_https_ota_perform(handle), ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    }
    assert_int_equal(esp_https_ota_abort(handle), ESP_OK);
    update_rig_serve(f, 40000, 3); /* another version, of the same length */
    f->web.etag = "\"v2\"";
    f->config.ota.ota_resumption = true;
    f->config.ota.ota_image_bytes_written = 20000;
    must_arrive(f, update_rig_must_begin(f));
    assert_string_equal(f->web.asked[0], "GET 20480- if \"v1\"");
}

/* ---- counting and describing ---- */

static void defect_23_header_bytes_are_counted_once(void **state)
{
    update_rig_t *f = *state;
    for (int row = 0; row < 4; row++) {
        bool described = (row & 1) != 0, ranged = (row & 2) != 0;
        update_rig_serve(f, IMAGE_LEN, (uint8_t)(2 + row));
        if (ranged) {
            ask_in_ranges(f);
        }
        esp_https_ota_handle_t handle = update_rig_must_begin(f);
        esp_app_desc_t desc;
        assert_true(!described || esp_https_ota_get_img_desc(handle, &desc) == ESP_OK);
        assert_int_equal(web_perform(handle), ESP_OK);
        assert_int_equal(esp_https_ota_get_image_len_read(handle), IMAGE_LEN);
        assert_int_equal(esp_https_ota_finish(handle), ESP_OK);
        assert_true(web_slot_holds(&f->rig, f->slot, f->image, IMAGE_LEN));
        assert_true(!ranged || strcmp(f->web.asked[3], "GET 4000- if \"v1\"") == 0);
    }
}

static void defect_24_description_without_its_magic_is_refused(void **state)
{
    update_rig_t *f = *state;
    f->image[32] ^= 1;
    esp_app_desc_t desc;
    esp_https_ota_handle_t handle = update_rig_must_begin(f);
    assert_int_equal(esp_https_ota_get_img_desc(handle, &desc), ESP_FAIL);
    assert_int_equal(esp_https_ota_abort(handle), ESP_OK);
}

static void defect_25_description_can_be_asked_for_twice(void **state)
{
    update_rig_t *f = *state;
    esp_app_desc_t first, second;
    esp_https_ota_handle_t handle = update_rig_must_begin(f);
    assert_int_equal(esp_https_ota_get_img_desc(handle, &first), ESP_OK);
    assert_int_equal(esp_https_ota_get_img_desc(handle, &second), ESP_OK);
    assert_memory_equal(&first, &second, sizeof(first));
    assert_string_equal(first.version, "2.0.0");
    must_arrive(f, handle);
}

/* ---- configuration ---- */

static void defect_26_staging_may_be_final(void **state)
{
    update_rig_t *f = *state;
    f->slot = rig_named(&f->rig, "1");
    f->config.ota.partition.staging = f->config.ota.partition.final = f->slot;
    must_arrive(f, update_rig_must_begin(f));
}

static esp_err_t no_decryption(decrypt_cb_arg_t *args, void *ctx)
{
    (void)args;
    (void)ctx;
    return ESP_FAIL;
}

static void defect_27_handle_is_null_after_every_failure(void **state)
{
    update_rig_t *f = *state;
    const esp_http_client_config_t http = {.url = WEB_URL, .cert_pem = "x"};
    const esp_http_client_config_t no_trust = {.url = WEB_URL};
    const esp_https_ota_config_t rows[] = {
        {.http_config = NULL},
        {.http_config = &no_trust},
        {.http_config = &http, .decrypt_cb = no_decryption, .ota_resumption = true},
        {.http_config = &no_trust, .decrypt_cb = no_decryption},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        esp_https_ota_handle_t handle = (void *)f;
        assert_int_not_equal(https_ota_begin(&f->rig.device, &rows[i], NULL, &handle), ESP_OK);
        assert_null(handle);
    }
}

typedef struct {
    size_t at, from, until; /* place in the file; bytes of [from, until) yield nothing */
    unsigned empty;         /* calls that gave out nothing */
} cipher_t;

static esp_err_t decrypt_all_but_a_part(decrypt_cb_arg_t *args, void *ctx)
{
    cipher_t *cipher = ctx;
    args->data_out = malloc(args->data_in_len);
    assert_non_null(args->data_out);
    args->data_out_len = 0;
    for (size_t i = 0; i < args->data_in_len; i++, cipher->at++) {
        if (cipher->at < cipher->from || cipher->at >= cipher->until) {
            args->data_out[args->data_out_len++] = args->data_in[i];
        }
    }
    if (args->data_out_len == 0) {
        free(args->data_out); /* the library does not */
        cipher->empty++;
    }
    return ESP_OK;
}

static void defect_28_decryption_may_give_out_nothing(void **state)
{
    update_rig_t *f = *state;
    cipher_t cipher = {.from = 2500, .until = 6500};
    uint8_t *file = malloc(IMAGE_LEN + 4000);
    assert_non_null(file);
    memcpy(file, f->image, 2500);
    memset(file + 2500, 0xEE, 4000);
    memcpy(file + 6500, f->image + 2500, IMAGE_LEN - 2500);
    f->web = web_with(file, IMAGE_LEN + 4000);
    f->config.ota.decrypt_cb = decrypt_all_but_a_part;
    f->config.ota.decrypt_user_ctx = &cipher;
    f->config.ota.enc_img_header_size = 4000;
    must_arrive(f, update_rig_must_begin(f)); /* every call but the last said IN_PROGRESS */
    assert_true(cipher.empty > 0);
    free(file);
}

static void defect_49_write_event_comes_after_a_failed_write_too(void **state)
{
    update_rig_t *f = *state;
    f->rig.device.https = &listener;
    esp_https_ota_handle_t handle = update_rig_must_begin(f);
    assert_int_equal(esp_https_ota_perform(handle), ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    write_events = 0;
    f->rig.sim.cut_at = f->rig.sim.ops;
    assert_int_equal(esp_https_ota_perform(handle), ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(write_events, 1);
    sim_flash_power_on(&f->rig.sim);
    assert_int_equal(esp_https_ota_abort(handle), ESP_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, update_rig_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(defect_01_success_takes_one_more_call),
        TEST(defect_02_stall_is_in_progress_but_not_for_ever),
        TEST(defect_03_stale_errno_decides_nothing),
        TEST(defect_04_finish_before_perform_does_nothing),
        TEST(defect_05_finish_before_the_end_is_seen_does_not_switch),
        TEST(defect_06_switch_that_fails_is_told),
        TEST(defect_07_one_call_forms_keep_their_codes),
        TEST(defect_08_redirects_are_limited),
        TEST(defect_09_refused_credentials_are_not_sent_for_ever),
        TEST(defect_10_https_is_never_left),
        TEST(defect_16_header_time_out_has_its_number_and_words),
        TEST(defect_19_more_bytes_than_announced_are_an_error),
        TEST(defect_20_partial_download_of_unknown_length_fails_in_begin),
        TEST(defect_21_another_range_than_asked_for_is_not_taken),
        TEST(defect_22_resumption_is_of_the_same_file_only),
        TEST(defect_23_header_bytes_are_counted_once),
        TEST(defect_24_description_without_its_magic_is_refused),
        TEST(defect_25_description_can_be_asked_for_twice),
        TEST(defect_26_staging_may_be_final),
        TEST(defect_27_handle_is_null_after_every_failure),
        TEST(defect_28_decryption_may_give_out_nothing),
        TEST(defect_49_write_event_comes_after_a_failed_write_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
