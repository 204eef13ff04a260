/* Lines of an update that people's log watchers wait for: ESP-IDF's words in its order, then otter's better sentence. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_log.h"
#include "support/said.h"
#include "support/update_rig.h"

#define IMAGE_LEN 5000u
#define LINES_MAX 5

static int set_up(void **state)
{
    *state = update_rig_open(IMAGE_LEN, &(otter_device_config_t){.rollback = false});
    said[0] = '\0';
    esp_log_level_set("*", ESP_LOG_INFO);
    esp_log_set_vprintf(keep_text);
    return 0;
}

static int tear_down(void **state)
{
    esp_log_set_vprintf(NULL);
    return update_rig_tear_down(state);
}

static unsigned times_said(const char *text)
{
    unsigned count = 0;
    for (const char *at = said; (at = strstr(at, text)) != NULL; at++) {
        count++;
    }
    return count;
}

/* Each of the lines, up to a NULL, and each behind the one before it. */
static void assert_said_in_order(const char *const lines[LINES_MAX])
{
    const char *at = said;
    for (size_t i = 0; i < LINES_MAX && lines[i] != NULL; i++) {
        const char *found = strstr(at, lines[i]);
        if (found == NULL) {
            fail_msg("\"%s\" is not there, or too early, in\n%s", lines[i], said);
        }
        at = found + 1;
    }
}

static void update(update_rig_t *f)
{
    esp_https_ota_handle_t handle = update_rig_must_begin(f);
    assert_int_equal(web_perform(handle), ESP_OK);
    assert_int_equal(esp_https_ota_finish(handle), ESP_OK);
}

static void a_good_update_says_where_it_writes_once_it_is_connected(void **state)
{
    update_rig_t *f = *state;
    update(f);
    assert_said_in_order((const char *const[LINES_MAX]){
        "esp_https_ota: Starting OTA...\n", "esp_https_ota: Writing to <ota_0> partition at offset 0x110000",
        "esp_https_ota: Connection closed\n", "all data received: 5000 bytes\n"});
    assert_int_equal(times_said("Connection closed"), 1);
}

static void each_request_of_a_partial_download_closes_once(void **state)
{
    update_rig_t *f = *state;
    f->config.ota.partial_http_download = true;
    f->config.ota.max_http_request_size = 1024;
    update(f);
    unsigned ranges = 0;
    for (unsigned i = 0; i < f->web.requests; i++) {
        ranges += strncmp(f->web.asked[i], "GET", 3) == 0;
    }
    assert_int_equal(ranges, 5);
    assert_int_equal(times_said("Connection closed\n"), ranges);
}

#define ANSWER(status) "HTTP/1.1 " status "\r\nContent-Length: 4\r\n\r\nnone"

static void what_a_server_refuses_is_named(void **state)
{
    update_rig_t *f = *state;
    static const struct {
        const char *answer, *lines[LINES_MAX];
        bool established; /* it is no failure of the connection */
    } rows[] = {
        {"HTTP/1.1 302 Found\r\nLocation: http://server/\r\nContent-Length: 0\r\n\r\n",
         {"URL redirection Failed\n", "Failed to establish HTTP connection\n",
          "redirect (302) from https to http"},
         false},
        {ANSWER("401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\""),
         {"Failed to establish HTTP connection\n", "Authorization Failed (401)"},
         false},
        {ANSWER("404 Not Found"),
         {"Failed to establish HTTP connection\n", "File not found(404): the server refuses https://server"},
         false},
        {ANSWER("403 Forbidden"), {"Failed to establish HTTP connection\n", "File not found(403)"}, false},
        {ANSWER("400 Bad Request"), {"Failed to establish HTTP connection\n", "Client error (400)"}, false},
        {ANSWER("500 Internal Server Error"),
         {"Failed to establish HTTP connection\n", "Server error (500)"},
         false},
        {"HTTP/1.1 304 Not Modified\r\n\r\n",
         {"OTA image not modified since last request (status code: 304)"},
         true},
        {ANSWER("416 Range Not Satisfiable"), {"Requested range is incorrect (status code: 416)"}, false},
        {ANSWER("300 Multiple Choices\r\nLocation: /a"), {"300, Multiple Choices"}, false},
        {ANSWER("305 Use Proxy\r\nLocation: /a"), {"305, Use Proxy"}, false},
        {ANSWER("306 Unused\r\nLocation: /a"), {"in a way nobody follows (306)"}, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        esp_https_ota_handle_t handle = NULL;
        print_message("%.30s\n", rows[i].answer);
        f->web = web_with(f->image, f->len);
        f->web.canned[0] = rows[i].answer;
        said[0] = '\0';
        assert_int_not_equal(update_rig_begin(f, &handle), ESP_OK);
        assert_null(handle);
        assert_int_equal(f->web.requests, 1);
        assert_said_in_order(rows[i].lines);
        assert_int_equal(times_said("Failed to establish HTTP connection"), rows[i].established ? 0 : 1);
        assert_int_equal(times_said("Starting OTA..."), 0);
        assert_int_equal(times_said("Writing to"), 0);
    }
}

static void a_connection_that_fails_is_told_from_below(void **state)
{
    update_rig_t *f = *state;
    esp_https_ota_handle_t handle = NULL;
    f->web.refuse_count = 1;
    assert_int_equal(update_rig_begin(f, &handle), ESP_ERR_HTTP_CONNECT);
    assert_said_in_order((const char *const[LINES_MAX]){
        "transport_base: Failed to open a new connection\nE", "HTTP_CLIENT: Connection failed, sock < 0",
        "Failed to open HTTP connection: ESP_ERR_HTTP_CONNECT\n", "Failed to establish HTTP connection\n",
        "Failed to open HTTP connection: "});
}

static esp_err_t refuse_piece(decrypt_cb_arg_t *args, void *ctx)
{
    (void)args;
    (void)ctx;
    return ESP_FAIL;
}

static void a_download_that_breaks_off_is_told(void **state)
{
    update_rig_t *f = *state;
    f->config.ota.retry.attempts = -1;
    f->web.cut_at = 2000;
    f->web.cut_kind = SIM_RESET;
    esp_https_ota_handle_t handle = update_rig_must_begin(f);
    assert_int_equal(web_perform(handle), ESP_FAIL);
    assert_int_equal(esp_https_ota_abort(handle), ESP_OK);
    assert_said_in_order((const char *const[LINES_MAX]){
        "esp_https_ota: data read -1, errno ",
        "esp_https_ota: Connection closed before complete data was received!\n",
        "esp_https_ota: the connection was lost after 2000 bytes"});
    assert_int_equal(times_said("Complete headers"), 0);

    update_rig_serve(f, IMAGE_LEN, 2);
    f->config.ota.retry.attempts = -1;
    f->web.cut_at = 200;
    f->web.cut_kind = SIM_RESET;
    handle = update_rig_must_begin(f);
    assert_int_equal(web_perform(handle), ESP_FAIL);
    assert_int_equal(esp_https_ota_abort(handle), ESP_OK);
    assert_int_equal(times_said("esp_https_ota: Complete headers were not received\n"), 1);

    update_rig_serve(f, IMAGE_LEN, 2);
    f->config.ota.decrypt_cb = refuse_piece;
    handle = update_rig_must_begin(f);
    assert_int_equal(web_perform(handle), ESP_FAIL);
    assert_int_equal(esp_https_ota_abort(handle), ESP_OK);
    assert_int_equal(times_said("esp_https_ota: Decrypt callback failed -1"), 1);
}

static void a_write_that_fails_is_told_with_its_code(void **state)
{
    update_rig_t *f = *state;
    f->rig.fenced = false;
    esp_https_ota_handle_t handle = update_rig_must_begin(f);
    assert_int_equal(esp_https_ota_perform(handle), ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    f->rig.sim.cut_at = f->rig.sim.ops;
    assert_int_equal(esp_https_ota_perform(handle), ESP_ERR_FLASH_OP_FAIL);
    char line[64];
    snprintf(line, sizeof(line), "Error: esp_ota_write failed! err=0x%x\n", ESP_ERR_FLASH_OP_FAIL);
    assert_said_in_order((const char *const[LINES_MAX]){line, "esp_ota_write failed at byte 1024 of ota_0"});
    sim_flash_power_on(&f->rig.sim);
    assert_int_equal(esp_https_ota_abort(handle), ESP_OK);
}

static void an_image_that_is_damaged_is_told_as_esp_idf_tells_it(void **state)
{
    update_rig_t *f = *state;
    otter_device_t *device = &f->rig.device;
    enum { CHECKSUM = 4960 - 1 }; /* of this image: before its hash */
    const struct {
        const char *what;
        size_t at;
        const char *line;
    } rows[] = {
        {"a byte of the data", 2000, "esp_image: Checksum failed. Calculated 0x"},
        {"the hash", CHECKSUM + 1, "esp_image: Image hash failed - image is corrupt\n"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        print_message("%s\n", rows[i].what);
        update_rig_serve(f, IMAGE_LEN, 2);
        f->image[rows[i].at] ^= 1;
        said[0] = '\0';
        esp_https_ota_handle_t handle = update_rig_must_begin(f);
        assert_int_equal(web_perform(handle), ESP_OK);
        assert_int_equal(esp_https_ota_finish(handle), ESP_ERR_OTA_VALIDATE_FAILED);
        assert_said_in_order((const char *const[LINES_MAX]){
            rows[i].line, "esp_ota_ops: New image failed verification\n", "esp_ota_ops: ota_0: "});
        said[0] = '\0';
        assert_int_equal(otter_ota_set_boot_partition(device, f->slot, NULL), ESP_ERR_OTA_VALIDATE_FAILED);
        assert_said_in_order((const char *const[LINES_MAX]){rows[i].line, "ota_0 holds no image that boots"});
    }
    assert_int_equal(otter_flash_erase(device->flash, f->slot->address, f->slot->size), ESP_OK);
    assert_int_equal(otter_ota_set_boot_partition(device, f->slot, NULL), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_int_equal(
        times_said("esp_image: image at 0x110000 has invalid magic byte (nothing flashed here?)\n"), 1);
}

static void calls_that_err_are_told(void **state)
{
    update_rig_t *f = *state;
    otter_device_t *device = &f->rig.device;
    assert_int_equal(ota_write(device, 4711, "\xE9", 1), ESP_ERR_INVALID_ARG);
    assert_int_equal(times_said("esp_ota_ops: not found the handle\n"), 1);
    assert_int_equal(ota_write(device, 4711, NULL, 1), ESP_ERR_INVALID_ARG);
    assert_int_equal(times_said("esp_ota_ops: write data is invalid\n"), 1);
    assert_int_equal(otter_ota_mark_app_valid_cancel_rollback(device, NULL), ESP_FAIL);
    assert_int_equal(otter_ota_mark_app_invalid_rollback(device, NULL), ESP_FAIL);
    assert_int_equal(times_said("esp_ota_ops: Running firmware is factory\n"), 2);
    f->config.ota.http_config = &(const esp_http_client_config_t){.url = WEB_URL};
    esp_https_ota_handle_t handle = NULL;
    assert_int_equal(https_ota_begin(device, &f->config.ota, NULL, &handle), ESP_ERR_INVALID_ARG);
    assert_int_equal(
        times_said("esp_https_ota: No option for server verification is enabled in esp_http_client config"),
        1);
    otter_device_set_current(NULL);
    assert_null(esp_ota_get_running_partition());
    assert_int_equal(esp_https_ota_begin(&f->config.ota, &handle), ESP_ERR_INVALID_STATE);
    assert_int_equal(times_said("esp_ota_ops: no device: "), 1);
    assert_int_equal(times_said("esp_https_ota: no device: "), 1);
}

/* Offsets in an image header. */
#define CHIP_ID      12
#define MIN_REVISION 15
#define MAX_REVISION 17

static const struct misfit_row {
    const char *what;
    unsigned offset;
    uint8_t low, high;
    const char *gate[LINES_MAX]; /* of esp_https_ota */
    const char *end[LINES_MAX];  /* of esp_ota_end and of esp_ota_set_boot_partition */
} misfits[] = {
    {"another chip",
     CHIP_ID,
     5,
     0,
     {"esp_https_ota: Mismatch chip id, expected 0, found 5\n", "image is for ESP32-C3, this is ESP32\n"},
     {"boot_comm: mismatch chip ID, expected 0, found 5\n", "image is for ESP32-C3, this is ESP32\n"}},
    {"a later revision",
     MIN_REVISION,
     0x36,
     0x01, /* 310 */
     {"boot_comm: chip revision check failed. Required >= v3.10, found v3.0.\n",
      "esp_https_ota: image needs chip revision v3.10 or later, this is v3.0\n"},
     {"boot_comm: chip revision check failed. Required >= v3.10, found v3.0.\n",
      "image needs chip revision v3.10 or later, this is v3.0\n"}},
    {"an earlier revision",
     MAX_REVISION,
     0x2B,
     0x01, /* 299 */
     {"boot_comm: chip revision check failed. Required <= v2.99, found v3.0.\n",
      "esp_https_ota: image needs chip revision v2.99 or earlier, this is v3.0\n"},
     {"boot_comm: chip revision check failed. Required <= v2.99, found v3.0.\n",
      "image needs chip revision v2.99 or earlier, this is v3.0\n"}},
};

static void make_misfit(update_rig_t *f, const struct misfit_row *row)
{
    update_rig_serve(f, IMAGE_LEN, 2);
    f->image[row->offset] = row->low;
    f->image[row->offset + 1] = row->high;
    said[0] = '\0';
}

static void an_image_for_another_chip_is_told_at_the_gate(void **state)
{
    update_rig_t *f = *state;
    for (size_t i = 0; i < COUNT(misfits); i++) {
        print_message("%s\n", misfits[i].what);
        make_misfit(f, &misfits[i]);
        esp_https_ota_handle_t handle = update_rig_must_begin(f);
        assert_int_equal(web_perform(handle), ESP_ERR_INVALID_VERSION);
        assert_int_equal(esp_https_ota_abort(handle), ESP_OK);
        assert_said_in_order(misfits[i].gate);
    }
}

static void what_is_no_image_is_told_at_the_gate(void **state)
{
    update_rig_t *f = *state;
    static const char page[1024] = "<!DOCTYPE html>"; /* of a hotel's network, say */
    f->web = web_with((const uint8_t *)page, sizeof(page));
    esp_https_ota_handle_t handle = update_rig_must_begin(f);
    assert_int_equal(web_perform(handle), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_int_equal(esp_https_ota_abort(handle), ESP_OK);
    assert_said_in_order((const char *const[LINES_MAX]){
        "esp_ota_ops: OTA image has invalid magic byte (expected 0xE9, saw 0x3c)\n",
        "esp_https_ota: magic byte is 0x3c, not 0xe9"});
}

static void an_image_for_another_chip_is_told_at_the_end(void **state)
{
    update_rig_t *f = *state;
    otter_device_t *device = &f->rig.device;
    for (size_t i = 0; i < COUNT(misfits); i++) {
        esp_ota_handle_t update;
        print_message("%s\n", misfits[i].what);
        make_misfit(f, &misfits[i]);
        assert_int_equal(ota_begin(device, f->slot, OTA_SIZE_UNKNOWN, &update), ESP_OK);
        assert_int_equal(ota_write(device, update, f->image, f->len), ESP_OK);
        assert_int_equal(ota_end(device, update), ESP_ERR_OTA_VALIDATE_FAILED);
        assert_said_in_order(misfits[i].end);
        said[0] = '\0';
        assert_int_equal(otter_ota_set_boot_partition(device, f->slot, NULL), ESP_ERR_OTA_VALIDATE_FAILED);
        assert_said_in_order(misfits[i].end);
    }
}

static void a_partition_that_was_given_is_not_called_a_passive_one(void **state)
{
    update_rig_t *f = *state;
    esp_https_ota_handle_t handle = NULL;
    const esp_partition_t stranger = {.label = "elsewhere", .address = 0x200000, .size = 0x10000};
    f->config.ota.partition.staging = &stranger;
    assert_int_equal(update_rig_begin(f, &handle), ESP_FAIL);
    assert_int_equal(times_said("Passive OTA partition not found"), 0);
    assert_said_in_order(
        (const char *const[LINES_MAX]){"Given staging partition", "elsewhere is not in the table\n"});
    f->config.ota.partition.staging = NULL;
    f->config.ota.partition.final = &stranger;
    assert_int_equal(update_rig_begin(f, &handle), ESP_FAIL);
    assert_said_in_order(
        (const char *const[LINES_MAX]){"Given final partition not found", "elsewhere is not in the table\n"});
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_good_update_says_where_it_writes_once_it_is_connected),
        TEST(each_request_of_a_partial_download_closes_once),
        TEST(what_a_server_refuses_is_named),
        TEST(a_connection_that_fails_is_told_from_below),
        TEST(a_download_that_breaks_off_is_told),
        TEST(a_write_that_fails_is_told_with_its_code),
        TEST(an_image_that_is_damaged_is_told_as_esp_idf_tells_it),
        TEST(calls_that_err_are_told),
        TEST(an_image_for_another_chip_is_told_at_the_gate),
        TEST(what_is_no_image_is_told_at_the_gate),
        TEST(an_image_for_another_chip_is_told_at_the_end),
        TEST(a_partition_that_was_given_is_not_called_a_passive_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
