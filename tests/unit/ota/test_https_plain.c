/* Plain HTTP where the device does not allow it: never connected to, wherever its URL comes from and however it is spelt. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/update_rig.h"

#define IMAGE_LEN 5000u
#define PLAIN_URL "http://server.example/fw.bin"

static int set_up(void **state)
{
    *state = update_rig_open(IMAGE_LEN, &(otter_device_config_t){.rollback = false});
    return 0;
}

static esp_err_t go_plain(esp_http_client_handle_t client)
{
    return esp_http_client_set_url(client, "HTTP://server.example/fw.bin");
}

static esp_err_t go_secure(esp_http_client_handle_t client)
{
    return esp_http_client_set_url(client, WEB_URL);
}

static void the_first_connection_is_judged_by_the_scheme_it_would_have(void **state)
{
    update_rig_t *f = *state;
    static const struct {
        const char *name;
        esp_http_client_config_t http;
        http_client_init_cb_t init;
        bool ranges, allowed;
    } rows[] = {
        {"small letters", {.url = PLAIN_URL}, NULL, false, false},
        {"capitals", {.url = "HTTP://server.example/fw.bin"}, NULL, false, false},
        {"both", {.url = "hTTp://server.example/fw.bin"}, NULL, false, false},
        {"ranges, which ask by HEAD first", {.url = "HTTP://server.example/fw.bin"}, NULL, true, false},
        {"a URL says more than a transport type",
         {.url = PLAIN_URL, .transport_type = HTTP_TRANSPORT_OVER_SSL},
         NULL,
         false,
         false},
        {"host and path", {.host = "server.example", .path = "/fw.bin"}, NULL, false, false},
        {"host and path, over TCP",
         {.host = "server.example", .path = "/fw.bin", .transport_type = HTTP_TRANSPORT_OVER_TCP},
         NULL,
         false,
         false},
        {"host and path say more than a URL",
         {.url = WEB_URL, .host = "server.example", .path = "/fw.bin"},
         NULL,
         false,
         false},
        {"host and path, over TLS",
         {.host = "server.example", .path = "/fw.bin", .transport_type = HTTP_TRANSPORT_OVER_SSL},
         NULL,
         false,
         true},
        {"the callback goes to plain HTTP", {.url = WEB_URL}, go_plain, false, false},
        {"the callback comes from plain HTTP", {.url = PLAIN_URL}, go_secure, false, true},
        {"https in capitals", {.url = "HTTPS://server.example/fw.bin"}, NULL, false, true},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        print_message("%s\n", rows[i].name);
        web_configure(&f->config, NULL);
        f->web = web_with(f->image, IMAGE_LEN);
        f->config.http.url = rows[i].http.url;
        f->config.http.host = rows[i].http.host;
        f->config.http.path = rows[i].http.path;
        f->config.http.transport_type = rows[i].http.transport_type;
        f->config.ota.http_client_init_cb = rows[i].init;
        f->config.ota.partial_http_download = rows[i].ranges;
        esp_https_ota_handle_t handle = NULL;
        esp_err_t err = update_rig_begin(f, &handle);
        if (rows[i].allowed) {
            assert_int_equal(err, ESP_OK);
            assert_int_equal(esp_https_ota_abort(handle), ESP_OK);
            continue;
        }
        assert_int_equal(err, ESP_ERR_INVALID_ARG);
        assert_null(handle);
        assert_int_equal(f->web.connects, 0);
        assert_int_equal(f->rig.device.report.stage, OTTER_STAGE_CONFIG);
        assert_int_equal(f->rig.device.report.fault.code, ESP_ERR_INVALID_ARG);
        assert_non_null(strstr(f->rig.device.report.fault.why, "plain HTTP"));
    }
}

static void no_redirect_leads_to_it(void **state)
{
    update_rig_t *f = *state;
    static const char *const answers[] = {
        "HTTP/1.1 302 Found\r\nLocation: http://server.example/\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 301 Moved Permanently\r\nLocation: HTTP://server.example/\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 308 Permanent Redirect\r\nLocation: hTTp://other.example/\r\nContent-Length: 0\r\n\r\n",
    };
    for (size_t i = 0; i < COUNT(answers); i++) {
        f->web = web_with(f->image, IMAGE_LEN);
        f->web.canned[0] = answers[i];
        esp_https_ota_handle_t handle = NULL;
        assert_int_equal(update_rig_begin(f, &handle), ESP_ERR_HTTP_REDIRECT_DOWNGRADE);
        assert_int_equal(f->web.connects, 1);
    }
}

static esp_err_t leave_when_sent(esp_http_client_event_t *event)
{
    if (event->event_id == HTTP_EVENT_DISCONNECTED) {
        (void)esp_http_client_set_url(event->client, PLAIN_URL);
    }
    return ESP_OK;
}

static void no_new_connection_after_a_lost_one_leads_to_it(void **state)
{
    update_rig_t *f = *state;
    f->config.http.event_handler = leave_when_sent;
    f->web.cut_at = 2000;
    esp_https_ota_handle_t handle = update_rig_must_begin(f);
    assert_int_equal(web_perform(handle), ESP_ERR_INVALID_ARG);
    assert_int_equal(f->web.connects, 1);
    assert_int_equal(f->rig.device.report.stage, OTTER_STAGE_CONFIG);
    assert_int_equal(esp_https_ota_abort(handle), ESP_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_first_connection_is_judged_by_the_scheme_it_would_have, set_up,
                                        update_rig_tear_down),
        cmocka_unit_test_setup_teardown(no_redirect_leads_to_it, set_up, update_rig_tear_down),
        cmocka_unit_test_setup_teardown(no_new_connection_after_a_lost_one_leads_to_it, set_up,
                                        update_rig_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
