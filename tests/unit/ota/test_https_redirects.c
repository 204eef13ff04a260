/* Where a download asks: at its URL, where redirects lead, and at its URL again when these have expired. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/update_rig.h"

#define IMAGE_LEN 9000u
#define CUT       4000u

/** The server's doors: the URL leads on to another address; what that answers is up to the test. */
static struct {
    const char *moved;      /* answer at the URL; NULL: the file */
    const char *target[16]; /* answers at the other address, one after the other; NULL: the file */
    unsigned targets;       /* requests there so far */
    char log[1024];         /* "HEAD /fw.bin; GET /t 4000-; ..." */
    bool secret_leaked, secret_missing;
} doors;

#define MOVED(status, place) "HTTP/1.1 " status "\r\nLocation: " place "\r\nContent-Length: 0\r\n\r\n"
#define REFUSED(status)      "HTTP/1.1 " status "\r\nContent-Length: 2\r\n\r\nno"
#define TEMPORARY            MOVED("302 Found", "https://cdn.example/t?sig=1")
#define PERMANENT            MOVED("308 Permanent Redirect", "https://cdn.example/t")

static void answer_at_the_door(web_t *web, unsigned index)
{
    (void)index;
    char range[48];
    const char *request = web->last_request;
    const char *path = strchr(request, ' ') + 1;
    size_t used = strlen(doors.log);
    bool ranged = web_header(request, "\r\nRange: bytes=", range, sizeof(range)) != NULL;
    snprintf(doors.log + used, sizeof(doors.log) - used, "%s%.*s %.*s%s%s", used > 0 ? "; " : "",
             (int)strcspn(request, " "), request, (int)strcspn(path, " ?"), path, ranged ? " " : "", range);
    bool home = strncmp(path, "/fw.bin", 7) == 0;
    bool secret = strstr(request, "Authorization: Bearer s3") != NULL && strstr(request, "Cookie: c") != NULL;
    doors.secret_leaked |= strstr(request, "Host: cdn.example") != NULL && strstr(request, "s3") != NULL;
    doors.secret_missing |= home && !secret;
    web->always = doors.moved;
    if (!home) {
        web->always = doors.targets < COUNT(doors.target) ? doors.target[doors.targets] : NULL;
        doors.targets++;
    }
}

static esp_err_t add_secrets(esp_http_client_handle_t client)
{
    esp_err_t err = esp_http_client_set_header(client, "Authorization", "Bearer s3");
    return err == ESP_OK ? esp_http_client_set_header(client, "Cookie", "c=1") : err;
}

static sealed_t sealed; /* how files are encrypted in this test */
#define FILE_LEN (IMAGE_LEN + sealed_head(sealed))

static int set_up(void **state)
{
    update_rig_t *f = update_rig_open(IMAGE_LEN, &(otter_device_config_t){.rollback = false});
    update_rig_fence(f);
    memset(&doors, 0, sizeof(doors));
    f->web.on_request = answer_at_the_door;
    f->config.ota.http_client_init_cb = add_secrets;
    f->config.ota.retry.delay_ms = 10;
    *state = f;
    return 0;
}

static void start_over(update_rig_t *f)
{
    memset(&doors, 0, sizeof(doors));
    f->web = web_with(f->image, IMAGE_LEN);
    f->web.on_request = answer_at_the_door;
    memset(f->rig.sim.bytes + RIG_OTADATA, 0xFF, RIG_OTADATA_SIZE);
    memset(f->rig.sim.bytes + f->slot->address, 0xFF, 3 * 4096);
}

static esp_err_t update(update_rig_t *f)
{
    esp_https_ota_handle_t handle = NULL;
    esp_err_t err = update_rig_begin(f, &handle);
    if (err == ESP_OK) {
        err = web_perform(handle);
        err = err == ESP_OK ? esp_https_ota_finish(handle) : (esp_https_ota_abort(handle), err);
    }
    assert_false(doors.secret_leaked);
    assert_false(doors.secret_missing);
    return err;
}

static void a_lost_connection_is_made_anew_where_it_may_still_be(void **state)
{
    update_rig_t *f = *state;
    static const struct {
        const char *name, *moved, *target[4];
        uint32_t refused_connects; /* after the first two */
        esp_err_t want;
        const char *log;
    } rows[] = {
        {"no redirect", NULL, {NULL}, 0, ESP_OK, "GET /fw.bin; GET /fw.bin 4000-"},
        {"temporary", TEMPORARY, {NULL}, 0, ESP_OK, "GET /fw.bin; GET /t; GET /fw.bin 4000-; GET /t 4000-"},
        {"303",
         MOVED("303 See Other", "https://cdn.example/t"),
         {NULL},
         0,
         ESP_OK,
         "GET /fw.bin; GET /t; GET /fw.bin 4000-; GET /t 4000-"},
        {"307, on the same host",
         MOVED("307 Temporary Redirect", "/t"),
         {NULL},
         0,
         ESP_OK,
         "GET /fw.bin; GET /t; GET /fw.bin 4000-; GET /t 4000-"},
        {"permanent", PERMANENT, {NULL}, 0, ESP_OK, "GET /fw.bin; GET /t; GET /t 4000-"},
        {"301",
         MOVED("301 Moved", "https://cdn.example/t"),
         {NULL},
         0,
         ESP_OK,
         "GET /fw.bin; GET /t; GET /t 4000-"},
        {"permanent, but denied by now",
         PERMANENT,
         {NULL, REFUSED("403 Forbidden")},
         0,
         ESP_OK,
         "GET /fw.bin; GET /t; GET /t 4000-; GET /fw.bin 4000-; GET /t 4000-"},
        {"permanent, but gone",
         PERMANENT,
         {NULL, REFUSED("410 Gone")},
         0,
         ESP_OK,
         "GET /fw.bin; GET /t; GET /t 4000-; GET /fw.bin 4000-; GET /t 4000-"},
        {"permanent, but it wants a password by now",
         PERMANENT,
         {NULL, REFUSED("401 Unauthorized")},
         0,
         ESP_OK,
         "GET /fw.bin; GET /t; GET /t 4000-; GET /fw.bin 4000-; GET /t 4000-"},
        {"permanent, but it fails",
         PERMANENT,
         {NULL, REFUSED("500 Error")},
         0,
         ESP_OK,
         "GET /fw.bin; GET /t; GET /t 4000-; GET /fw.bin 4000-; GET /t 4000-"},
        {"permanent, but it is not there",
         PERMANENT,
         {NULL},
         1,
         ESP_OK,
         "GET /fw.bin; GET /t; GET /fw.bin 4000-; GET /t 4000-"},
        {"denied for good",
         PERMANENT,
         {NULL, REFUSED("403 Forbidden"), REFUSED("403 Forbidden")},
         0,
         ESP_FAIL,
         "GET /fw.bin; GET /t; GET /t 4000-; GET /fw.bin 4000-; GET /t 4000-"},
        {"temporary, and denied for good",
         TEMPORARY,
         {NULL, REFUSED("404 Not Found")},
         0,
         ESP_FAIL,
         "GET /fw.bin; GET /t; GET /fw.bin 4000-; GET /t 4000-"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        print_message("%s\n", rows[i].name);
        start_over(f);
        doors.moved = rows[i].moved;
        memcpy(doors.target, rows[i].target, sizeof(rows[i].target));
        f->web.cut_at = CUT;
        f->web.refuse_from = 2;
        f->web.refuse_count = rows[i].refused_connects;
        assert_int_equal(update(f), rows[i].want);
        assert_string_equal(doors.log, rows[i].log);
        if (rows[i].want == ESP_OK) {
            assert_true(update_rig_boots_new(f));
            assert_true(web_slot_holds(&f->rig, f->slot, f->image, IMAGE_LEN));
            assert_int_equal(f->web.body_sent, FILE_LEN);
        }
    }
}

static void partial_download_asks_anew_for_each_method_and_stays_for_ranges(void **state)
{
    update_rig_t *f = *state;
    static const struct {
        const char *name, *moved, *target[5];
        esp_err_t want;
        const char *log;
    } rows[] = {
        {"no redirect",
         NULL,
         {NULL},
         ESP_OK,
         "HEAD /fw.bin; GET /fw.bin 0-3999; GET /fw.bin 4000-7999; GET /fw.bin 8000-"},
        {"an address for each method",
         TEMPORARY,
         {NULL},
         ESP_OK,
         "HEAD /fw.bin; HEAD /t; GET /fw.bin 0-3999; GET /t 0-3999; GET /t 4000-7999; GET /t 8000-"},
        {"HEAD is denied there",
         TEMPORARY,
         {"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"},
         ESP_OK,
         "HEAD /fw.bin; HEAD /t; GET /fw.bin 0-0; GET /t 0-0; GET /t 0-3999; GET /t 4000-7999; GET /t 8000-"},
        {"HEAD tells no length",
         TEMPORARY,
         {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"},
         ESP_OK,
         "HEAD /fw.bin; HEAD /t; GET /fw.bin 0-0; GET /t 0-0; GET /t 0-3999; GET /t 4000-7999; GET /t 8000-"},
        {"HEAD tells 0",
         TEMPORARY,
         {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
         ESP_OK,
         "HEAD /fw.bin; HEAD /t; GET /fw.bin 0-0; GET /t 0-0; GET /t 0-3999; GET /t 4000-7999; GET /t 8000-"},
        {"HEAD says that nothing is new", NULL, {NULL}, ESP_ERR_HTTP_NOT_MODIFIED, "HEAD /fw.bin"},
        {"the address expires between ranges",
         TEMPORARY,
         {NULL, NULL, REFUSED("403 Forbidden")},
         ESP_OK,
         "HEAD /fw.bin; HEAD /t; GET /fw.bin 0-3999; GET /t 0-3999; GET /t 4000-7999; GET /fw.bin 4000-7999; "
         "GET /t 4000-7999; GET /t 8000-"},
        {"and no other is given out",
         TEMPORARY,
         {NULL, NULL, REFUSED("403 Forbidden"), REFUSED("403 Forbidden")},
         ESP_FAIL,
         "HEAD /fw.bin; HEAD /t; GET /fw.bin 0-3999; GET /t 0-3999; GET /t 4000-7999; GET /fw.bin 4000-7999; "
         "GET /t 4000-7999"},
    };
    f->config.ota.partial_http_download = true;
    f->config.ota.max_http_request_size = 4000;
    for (size_t i = 0; i < COUNT(rows); i++) {
        print_message("%s\n", rows[i].name);
        start_over(f);
        doors.moved = rows[i].moved;
        memcpy(doors.target, rows[i].target, sizeof(rows[i].target));
        if (rows[i].want == ESP_ERR_HTTP_NOT_MODIFIED) {
            doors.moved = "HTTP/1.1 304 Not Modified\r\nETag: \"v1\"\r\n\r\n";
        }
        assert_int_equal(update(f), rows[i].want);
        assert_string_equal(doors.log, rows[i].log);
        if (rows[i].want == ESP_OK) {
            assert_true(update_rig_boots_new(f));
            assert_true(web_slot_holds(&f->rig, f->slot, f->image, IMAGE_LEN));
        }
    }
}

static void user_and_password_come_back_with_the_url(void **state)
{
    update_rig_t *f = *state;
    f->config.ota.http_client_init_cb = NULL;
    f->config.http.url = "https://user:pass@server.example/fw.bin?v=2";
    start_over(f);
    doors.moved = TEMPORARY;
    f->web.cut_at = CUT;
    f->web.refuse_count = 0;
    esp_https_ota_handle_t handle = update_rig_must_begin(f);
    while (doors.targets < 2 && esp_https_ota_perform(handle) == ESP_ERR_HTTPS_OTA_IN_PROGRESS) {
        if (strstr(f->web.last_request, "GET /fw.bin") != NULL) {
            assert_non_null(strstr(f->web.last_request, "GET /fw.bin?v=2 "));
            assert_non_null(strstr(f->web.last_request, "Authorization: Basic dXNlcjpwYXNz"));
        }
    }
    assert_int_equal(doors.targets, 2);
    assert_null(strstr(f->web.last_request, "Authorization"));
    assert_int_equal(web_perform(handle), ESP_OK);
    assert_int_equal(esp_https_ota_finish(handle), ESP_OK);
}

/* The same with files that are encrypted, and read by the library. */
static int set_up_sealed(void **state)
{
    sealed = SEALED_ECIES;
    web_seal(sealed);
    int status = set_up(state);
    ((update_rig_t *)*state)->rig.device.https = sealed_options(SEALED_ECIES);
    return status;
}

static int tear_down_sealed(void **state)
{
    int status = update_rig_tear_down(state);
    sealed = SEALED_NOT;
    web_seal(sealed);
    return status;
}

#define SEALED(name)                                                                                         \
    {                                                                                                        \
#name " (encrypted)", name, set_up_sealed, tear_down_sealed, NULL                                    \
    }
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, update_rig_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_lost_connection_is_made_anew_where_it_may_still_be),
        TEST(partial_download_asks_anew_for_each_method_and_stays_for_ranges),
        TEST(user_and_password_come_back_with_the_url),
        SEALED(a_lost_connection_is_made_anew_where_it_may_still_be),
        SEALED(partial_download_asks_anew_for_each_method_and_stays_for_ranges),
        SEALED(user_and_password_come_back_with_the_url),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
