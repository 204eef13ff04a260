/* Downloads over bad connections: what is asked for again, what is believed, when it is given up, and how long it takes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/update_rig.h"

#define IMAGE_LEN 5000u
#define IMAGE_END 4992u /* behind its digest nothing matters */
#define CUT       2500u

static sealed_t sealed; /* how files are encrypted in this test */
#define FILE_LEN (IMAGE_LEN + sealed_head(sealed))

static int set_up(void **state)
{
    update_rig_t *f = update_rig_open(IMAGE_LEN, &(otter_device_config_t){.rollback = false});
    update_rig_fence(f);
    f->other = web_image(IMAGE_LEN, 3);
    *state = f;
    return 0;
}

static esp_err_t begin(update_rig_t *f, esp_https_ota_handle_t *handle)
{
    const esp_https_ota_config_t wanted = f->config.ota;
    web_configure(&f->config, &f->web);
    f->config.ota = wanted;
    f->config.ota.http_config = &f->config.http;
    memset(f->rig.sim.bytes + RIG_OTADATA, 0xFF, RIG_OTADATA_SIZE);
    memset(f->rig.sim.bytes + f->slot->address, 0xFF, 2 * 4096);
    return https_ota_begin(&f->rig.device, &f->config.ota, NULL, handle);
}

static esp_https_ota_handle_t must_begin(update_rig_t *f)
{
    esp_https_ota_handle_t handle = NULL;
    assert_int_equal(begin(f, &handle), ESP_OK);
    return handle;
}

/** After an update that failed perform is called on; whatever comes of it is one of the two files or nothing. */
static void nothing_spliced_can_come_of_it(update_rig_t *f, esp_https_ota_handle_t handle)
{
    for (int i = 0; i < 2000 && esp_https_ota_perform(handle) != ESP_OK; i++) {
    }
    if (esp_https_ota_finish(handle) == ESP_OK && update_rig_boots_new(f)) {
        assert_true(web_slot_holds(&f->rig, f->slot, f->image, IMAGE_LEN) ||
                    web_slot_holds(&f->rig, f->slot, f->other, IMAGE_LEN));
    }
}

static void must_arrive(update_rig_t *f, esp_https_ota_handle_t handle, const uint8_t *image)
{
    assert_int_equal(web_perform(handle), ESP_OK);
    assert_true(esp_https_ota_is_complete_data_received(handle));
    assert_int_equal(esp_https_ota_finish(handle), ESP_OK);
    assert_true(web_slot_holds(&f->rig, f->slot, image, IMAGE_LEN));
    assert_true(update_rig_boots_new(f));
}

/* ---- the sweep ---- */

static const struct course {
    const char *name;
    sim_step_kind_t kind;
    bool chunked, no_ranges, partial;
    const char *etag, *date;
    bool proves; /* a range can be asked for */
} courses[] = {
    {"reset", SIM_RESET, false, false, false, "\"v1\"", NULL, true},
    {"closed", SIM_EOF, false, false, false, "\"v1\"", NULL, true},
    {"silent", SIM_REQUEST, false, false, false, "\"v1\"", NULL, true},
    {"dated", SIM_RESET, false, false, false, NULL, "Sat, 01 Nov 2025 10:00:00 GMT", true},
    {"chunked", SIM_RESET, true, false, false, "\"v1\"", NULL, true},
    {"weak ETag", SIM_RESET, false, false, false, "W/\"v1\"", "Sat, 01 Nov 2025 10:00:00 GMT", false},
    {"no validator", SIM_RESET, false, false, false, NULL, NULL, false},
    {"no ranges", SIM_EOF, false, true, false, "\"v1\"", NULL, true},
    {"no ranges, chunked", SIM_EOF, true, true, false, "\"v1\"", NULL, true},
    {"in ranges", SIM_RESET, false, false, true, "\"v1\"", NULL, true},
};

static void drop_after(update_rig_t *f, const struct course *course, uint32_t k)
{
    f->web = web_with(f->image, IMAGE_LEN);
    f->web.cut_at = k;
    f->web.cut_kind = course->kind;
    f->web.chunked = course->chunked;
    f->web.no_ranges = course->no_ranges;
    f->web.etag = course->etag;
    f->web.date = course->date;
    f->config.ota.partial_http_download = course->partial;
    f->config.ota.max_http_request_size = 1700;
    must_arrive(f, must_begin(f), f->image);
    assert_int_equal(f->web.cuts, 1);
    if (course->partial) {
        assert_int_equal(f->web.body_sent, FILE_LEN); /* nothing twice */
        return;
    }
    assert_int_equal(f->web.requests, 2);
    char want[96] = "GET";
    if (k > 0 && course->proves) {
        snprintf(want, sizeof(want), "GET %u- if %s", k, course->etag != NULL ? course->etag : course->date);
    }
    assert_string_equal(f->web.asked[1], want);
    uint32_t again = (uint32_t)f->web.body_sent - FILE_LEN;
    assert_int_equal(again, course->proves && !course->no_ranges ? 0 : k);
}

static void a_connection_dropped_after_any_byte_is_made_up_for(void **state)
{
    update_rig_t *f = *state;
    unsigned drops = 0;
    for (size_t i = 0; i < COUNT(courses); i++) {
        for (uint32_t k = 0; k < FILE_LEN; k += i == 0 ? 1 : 7) {
            drop_after(f, &courses[i], k);
            drops++;
        }
    }
    print_message(
        "%u updates dropped once each: all arrived, no byte that was received was asked for again\n", drops);
}

static void many_drops_are_made_up_for_as_long_as_bytes_come(void **state)
{
    update_rig_t *f = *state;
    f->config.ota.retry.attempts = 1;
    f->web.cut_at = f->web.cut_every = 100;
    must_arrive(f, must_begin(f), f->image);
    assert_int_equal(f->web.cuts, (FILE_LEN - 1) / 100);
    assert_int_equal(f->web.body_sent, FILE_LEN);
}

static void an_answer_cut_in_its_head_is_asked_for_again(void **state)
{
    update_rig_t *f = *state;
    static const char head[] = "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 2500-4999/5000\r\n";
    for (size_t n = 0; n < sizeof(head); n++) {
        char cut[sizeof(head)];
        snprintf(cut, n + 1, "%s", head);
        f->web = web_with(f->image, IMAGE_LEN);
        f->web.cut_at = CUT;
        f->web.canned[1] = cut;
        must_arrive(f, must_begin(f), f->image);
        assert_int_equal(f->web.requests, 3);
        assert_int_equal(f->web.body_sent, FILE_LEN);
    }
}

/** A validator is the server's, of any length: nothing of it is cut, and a request is not refused for it. */
static void a_long_validator_proves_as_well_as_a_short_one(void **state)
{
    update_rig_t *f = *state;
    char etag[901], want[920];
    memset(etag, 'e', sizeof(etag) - 1);
    etag[0] = etag[899] = '"';
    etag[900] = '\0';
    f->web.etag = etag;
    f->web.cut_at = CUT;
    must_arrive(f, must_begin(f), f->image);
    assert_int_equal(f->web.body_sent, FILE_LEN);
    snprintf(want, sizeof(want), "If-Range: %s", etag);
    assert_non_null(strstr(f->web.last_request, want));
}

static void a_location_that_is_too_long_is_named(void **state)
{
    update_rig_t *f = *state;
    static char answer[10000] = "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: /";
    size_t used = strlen(answer);
    memset(answer + used, 'x', 9000);
    strcpy(answer + used + 9000, "\r\n\r\n");
    f->web.canned[0] = answer;
    esp_https_ota_handle_t handle = NULL;
    web_use_new_transport(&f->config, &f->web);
    assert_int_equal(https_ota_begin(&f->rig.device, &f->config.ota, NULL, &handle), ESP_ERR_INVALID_ARG);
    assert_non_null(strstr(f->rig.device.report.fault.why, "too long"));
}

static void bytes_that_come_one_at_a_time_are_bytes_too(void **state)
{
    update_rig_t *f = *state;
    f->web.max_read = 1;
    f->web.cut_at = f->web.cut_every = 333;
    must_arrive(f, must_begin(f), f->image);
}

/* ---- everything came but the mark of the end ---- */

static void an_image_that_is_there_is_verified_and_not_fetched_again(void **state)
{
    update_rig_t *f = *state;
    enum { CHUNKED, UNTIL_CLOSE, TOO_LONG };
    static const struct {
        const char *name;
        int framing;
        uint32_t cut_at; /* a first cut, before; 0: none */
        bool validated, ranges;
        const char *asked[4];
        uint32_t again; /* bytes that came twice */
    } rows[] = {
        {"the last chunk, and the server can be asked",
         CHUNKED,
         0,
         true,
         true,
         {"GET", "GET 5008- if \"v1\""},
         0},
        {"the last chunk", CHUNKED, 0, false, true, {"GET"}, 0},
        {"the last chunk, of the second piece", CHUNKED, 2500, true, true, {"GET", "GET 2500- if \"v1\""}, 0},
        {"the last chunk, no ranges", CHUNKED, 0, true, false, {"GET", "GET 5008- if \"v1\""}, 0},
        {"the close", UNTIL_CLOSE, 0, false, false, {"GET"}, 0},
        {"the close, and the server can be asked",
         UNTIL_CLOSE,
         0,
         true,
         true,
         {"GET", "GET 5008- if \"v1\""},
         0},
        {"bytes that are not there", TOO_LONG, 0, true, true, {"GET", "GET 5008- if \"v1\""}, 0},
        {"bytes that are not there, of the second piece",
         TOO_LONG,
         2500,
         true,
         true,
         {"GET", "GET 2500- if \"v1\""},
         0},
        {"bytes that are not there, no ranges", TOO_LONG, 0, false, false, {"GET", "GET"}, 5008},
    };
    static const sim_step_kind_t kinds[] = {SIM_EOF, SIM_RESET, SIM_REQUEST};
    const uint32_t len = 5008; /* the image fills the file */
    uint8_t *image = web_image(len, 4);
    for (size_t i = 0; i < COUNT(rows) * COUNT(kinds); i++) {
        size_t row = i / COUNT(kinds);
        print_message("%s\n", rows[row].name);
        if (rows[row].framing == UNTIL_CLOSE && kinds[i % COUNT(kinds)] == SIM_EOF) {
            continue; /* that is the mark */
        }
        f->web = web_with(image, len);
        f->web.etag = rows[row].validated ? "\"v1\"" : NULL;
        f->web.no_ranges = !rows[row].ranges;
        f->web.chunked = rows[row].framing == CHUNKED;
        f->web.no_length = rows[row].framing == UNTIL_CLOSE;
        f->web.claims_more = rows[row].framing == TOO_LONG;
        f->web.loses_end = true;
        f->web.cut_at = rows[row].cut_at > 0 ? rows[row].cut_at : WEB_NEVER;
        f->web.cut_kind = kinds[i % COUNT(kinds)];
        esp_https_ota_handle_t handle = must_begin(f);
        assert_int_equal(web_perform(handle), ESP_OK);
        assert_true(esp_https_ota_is_complete_data_received(handle));
        assert_int_equal(esp_https_ota_finish(handle), ESP_OK);
        assert_true(web_slot_holds(&f->rig, f->slot, image, len));
        assert_true(update_rig_boots_new(f));
        for (unsigned k = 0; k < COUNT(rows[0].asked); k++) {
            assert_string_equal(f->web.asked[k], rows[row].asked[k] != NULL ? rows[row].asked[k] : "");
        }
        assert_int_equal(f->rig.device.report.bytes_downloaded, len + rows[row].again);
    }
    free(image);
}

/** Who could say whether anything is missing has gone by then. */
static void an_image_that_is_there_needs_no_second_answer(void **state)
{
    update_rig_t *f = *state;
    static const char *const answers[] = {
        "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone",
        "HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\nnone",
        "HTTP/1.1 410 Gone\r\nContent-Length: 4\r\n\r\nnone",
        "HTTP/1.1 302 Found\r\nLocation: http://server.example/\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\nnone",
        "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n\r\n",
        "SSH-2.0-OpenSSH_9.2\r\n",
        "",   /* no answer */
        NULL, /* no connection */
    };
    const uint32_t len = 5008; /* the image fills the file */
    uint8_t *image = web_image(len, 4);
    for (size_t i = 0; i < COUNT(answers); i++) {
        print_message("%.30s\n", answers[i] != NULL ? answers[i] : "refused");
        f->web = web_with(image, len);
        f->web.chunked = f->web.loses_end = true;
        for (size_t k = 1; k < COUNT(f->web.canned); k++) {
            f->web.canned[k] = answers[i];
        }
        f->web.refuse_from = 1;
        f->web.refuse_count = answers[i] == NULL ? 100 : 0;
        esp_https_ota_handle_t handle = must_begin(f);
        assert_int_equal(web_perform(handle), ESP_OK);
        assert_true(esp_https_ota_is_complete_data_received(handle));
        assert_int_equal(esp_https_ota_finish(handle), ESP_OK);
        assert_true(web_slot_holds(&f->rig, f->slot, image, len));
        assert_int_equal(f->rig.device.report.bytes_downloaded, len);
    }
    free(image);
}

/** 416 without a length, or with none that can be read, and a Content-Length that was too large. */
static void a_range_refused_behind_a_whole_image_is_its_end(void **state)
{
    update_rig_t *f = *state;
    static const char *const ranges[] = {"", "Content-Range: bytes */*\r\n", "Content-Range: none\r\n"};
    const uint32_t len = 5008; /* the image fills the file */
    uint8_t *image = web_image(len, 4);
    for (size_t i = 0; i < COUNT(ranges); i++) {
        char answer[128];
        snprintf(answer, sizeof(answer), "HTTP/1.1 416 R\r\nContent-Length: 0\r\n%s\r\n", ranges[i]);
        f->web = web_with(image, len);
        f->web.claims_more = f->web.loses_end = true;
        f->web.canned[1] = answer;
        esp_https_ota_handle_t handle = must_begin(f);
        assert_int_equal(web_perform(handle), ESP_OK);
        assert_int_equal(esp_https_ota_finish(handle), ESP_OK);
        assert_true(web_slot_holds(&f->rig, f->slot, image, len));
        assert_string_equal(f->web.asked[1], "GET 5008- if \"v1\"");
        assert_int_equal(f->web.requests, 2);
        assert_int_equal(f->rig.device.report.bytes_downloaded, len);
    }
    free(image);
}

/** Nothing says that a file is all there but its end, if it cannot be checked, or is not whole by its own account. */
static void what_is_not_known_to_be_whole_is_not_taken_for_it(void **state)
{
    update_rig_t *f = *state;
    static const char told[] = "HTTP/1.1 416 R\r\nContent-Length: 0\r\nContent-Range: bytes */%s\r\n\r\n";
    char answer[128];
    for (int another = 0; another < 2; another++) { /* another length than came; another file */
        f->web = web_with(f->image, IMAGE_LEN);
        snprintf(answer, sizeof(answer), told, another ? "4000\r\nETag: \"v2\"" : "4001");
        f->web.cut_at = 4000;
        f->web.canned[1] = answer;
        must_arrive(f, must_begin(f), f->image);
        assert_string_equal(f->web.asked[2], "GET");
    }
    f->web = web_with(f->image, 4000); /* cut off by whoever put it there */
    f->web.chunked = f->web.loses_end = true;
    f->web.etag = NULL;
    esp_https_ota_handle_t handle = must_begin(f);
    assert_int_equal(web_perform(handle), ESP_FAIL);
    assert_non_null(strstr(f->rig.device.report.fault.why, "connection was lost after 4000 bytes"));
    assert_int_equal(esp_https_ota_abort(handle), ESP_OK);
}

/* ---- what the server says the second time ---- */

#define PART(range)     "HTTP/1.1 206 Partial Content\r\nContent-Length: 4\r\n" range "\r\nabcd"
#define REFUSAL(status) "HTTP/1.1 " status "\r\nContent-Length: 4\r\n\r\nnone"

static void an_answer_in_the_middle_is_believed_only_if_it_fits(void **state)
{
    update_rig_t *f = *state;
    static const struct {
        const char *name, *answer;
        esp_err_t want;
        const char *third; /* request, NULL: there is none */
    } rows[] = {
        {"another first byte", PART("Content-Range: bytes 2496-4999/5000\r\n"), ESP_OK, "GET"},
        {"from the start", PART("Content-Range: bytes 0-4999/5000\r\n"), ESP_OK, "GET"},
        {"backwards", PART("Content-Range: bytes 2500-2499/5000\r\n"), ESP_OK, "GET"},
        {"beyond the end", PART("Content-Range: bytes 2500-5000/5000\r\n"), ESP_OK, "GET"},
        {"no range", PART(""), ESP_OK, "GET"},
        {"not a range", PART("Content-Range: 2500-4999/5000\r\n"), ESP_OK, "GET"},
        {"another unit", PART("Content-Range: items 2500-4999/5000\r\n"), ESP_OK, "GET"},
        {"numbers past 64 bits", PART("Content-Range: bytes 18446744073709554116-4999/5000\r\n"), ESP_OK,
         "GET"},
        {"another total", PART("Content-Range: bytes 2500-5999/6000\r\n"), ESP_FAIL, NULL},
        {"another ETag", PART("Content-Range: bytes 2500-4999/5000\r\nETag: \"v2\"\r\n"), ESP_FAIL, NULL},
        {"416", REFUSAL("416 Range Not Satisfiable"), ESP_OK, "GET"},
        {"304", "HTTP/1.1 304 Not Modified\r\n\r\n", ESP_ERR_HTTP_NOT_MODIFIED, NULL},
        {"404", REFUSAL("404 Not Found"), ESP_FAIL, NULL},
        {"403", REFUSAL("403 Forbidden"), ESP_FAIL, NULL},
        {"408", REFUSAL("408 Request Timeout"), ESP_OK, "GET 2500- if \"v1\""},
        {"429", REFUSAL("429 Too Many Requests"), ESP_OK, "GET 2500- if \"v1\""},
        {"500", REFUSAL("500 Internal Server Error"), ESP_OK, "GET 2500- if \"v1\""},
        {"503", REFUSAL("503 Service Unavailable"), ESP_OK, "GET 2500- if \"v1\""},
        {"a redirect", "HTTP/1.1 302 Found\r\nLocation: /mirror.bin\r\nContent-Length: 0\r\n\r\n", ESP_OK,
         "GET 2500- if \"v1\""},
        {"a redirect to plain HTTP",
         "HTTP/1.1 302 Found\r\nLocation: http://server.example/\r\nContent-Length: 0\r\n\r\n",
         ESP_ERR_HTTP_REDIRECT_DOWNGRADE, NULL},
        {"no HTTP", "SSH-2.0-OpenSSH_9.2\r\n", ESP_OK, "GET 2500- if \"v1\""},
        {"whole, of another length", "HTTP/1.1 200 OK\r\nContent-Length: 6000\r\n\r\n\xE9", ESP_FAIL, NULL},
        {"whole, encoded", "HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 5000\r\n\r\n\xE9",
         ESP_FAIL, NULL},
        {"whole, other bytes", "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nother", ESP_FAIL, NULL},
        {"nothing more, chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ESP_OK,
         "GET 2500- if \"v1\""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        print_message("%s\n", rows[i].name);
        f->web = web_with(f->image, IMAGE_LEN);
        f->web.cut_at = CUT;
        f->web.canned[1] = rows[i].answer;
        esp_https_ota_handle_t handle = must_begin(f);
        assert_int_equal(web_perform(handle), rows[i].want);
        assert_string_equal(f->web.asked[1], "GET 2500- if \"v1\"");
        assert_int_equal(f->web.requests, rows[i].third != NULL ? 3 : 2);
        assert_string_equal(f->web.asked[2], rows[i].third != NULL ? rows[i].third : "");
        if (rows[i].want == ESP_OK) {
            assert_int_equal(esp_https_ota_finish(handle), ESP_OK);
            assert_true(web_slot_holds(&f->rig, f->slot, f->image, IMAGE_LEN));
        } else {
            assert_int_equal(f->rig.device.report.fault.code, rows[i].want);
            assert_false(esp_https_ota_is_complete_data_received(handle));
            nothing_spliced_can_come_of_it(f, handle);
        }
    }
}

static void offer_other_file(web_t *web, unsigned index)
{
    static uint8_t mixed[IMAGE_LEN];
    if (index == 1) {
        memcpy(mixed, web->file, IMAGE_LEN);
        mixed[web->mark] ^= 0x40;
        web->file = mixed;
        web->etag = "\"v2\"";
    }
}

static void a_file_that_changed_is_noticed_wherever_it_differs(void **state)
{
    update_rig_t *f = *state;
    for (uint32_t at = 0; at < IMAGE_LEN; at += 3) {
        for (int chunked = 0; chunked < 2; chunked++) {
            f->web = web_with(f->image, IMAGE_LEN);
            f->web.cut_at = CUT;
            f->web.chunked = chunked;
            f->web.on_request = offer_other_file;
            f->web.mark = at;
            esp_https_ota_handle_t handle = must_begin(f);
            esp_err_t err = web_perform(handle);
            if (at < CUT) {
                assert_int_equal(err, ESP_FAIL); /* a byte that was received before is another now */
                assert_int_equal(esp_https_ota_abort(handle), ESP_OK);
            } else {
                assert_int_equal(err, ESP_OK); /* all that was received before is of the new file too */
                assert_int_equal(esp_https_ota_finish(handle),
                                 at < IMAGE_END ? ESP_ERR_OTA_VALIDATE_FAILED : ESP_OK);
                assert_true(web_slot_holds(&f->rig, f->slot, f->web.file, IMAGE_LEN));
            }
        }
    }
}

static void serve_shorter(web_t *web, unsigned index)
{
    web->len = index == 1 ? web->mark : web->len;
    web->etag = index == 1 ? "\"v2\"" : web->etag;
}

static void a_file_that_became_shorter_is_noticed_without_a_length(void **state)
{
    update_rig_t *f = *state;
    static const uint32_t lengths[] = {1, 1000, CUT - 1};
    for (size_t i = 0; i < COUNT(lengths); i++) {
        f->web = web_with(f->image, IMAGE_LEN);
        f->web.cut_at = CUT;
        f->web.chunked = true;
        f->web.on_request = serve_shorter;
        f->web.mark = lengths[i];
        esp_https_ota_handle_t handle = must_begin(f);
        assert_int_equal(web_perform(handle), ESP_FAIL);
        assert_int_equal(esp_https_ota_abort(handle), ESP_OK);
    }
}

/* ---- a server that is busy ---- */

#define BUSY(status, fields) "HTTP/1.1 " status "\r\n" fields "Content-Length: 4\r\n\r\nlate"
#define TODAY                "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
#define LONGEST_MS           100000

/** What a server says to a request, and how long it is left alone then. */
static const struct busy_row {
    const char *name, *answer;
    uint32_t least_ms, most_ms; /* most 0: the update is given up at once */
} busy_rows[] = {
    {"says nothing", BUSY("503 Busy", ""), 500, 1050},
    {"seconds", BUSY("503 Busy", "Retry-After: 7\r\n"), 7000, 7050},
    {"429", BUSY("429 Slow Down", "Retry-After: 20\r\n"), 20000, 20050},
    {"at once", BUSY("503 Busy", "Retry-After: 0\r\n"), 500, 1050}, /* our own pause holds */
    {"date", BUSY("503 Busy", TODAY "Retry-After: Sun, 06 Nov 1994 08:50:07 GMT\r\n"), 30000, 30050},
    {"date that is over", BUSY("503 Busy", TODAY "Retry-After: Sun, 06 Nov 1994 08:00:00 GMT\r\n"), 500,
     1050},
    {"date, its own unknown", BUSY("503 Busy", "Retry-After: Sun, 06 Nov 2094 08:50:07 GMT\r\n"), 500, 1050},
    {"no form", BUSY("503 Busy", "Retry-After: tomorrow\r\n"), 500, 1050},
    {"another status", BUSY("500 Broken", "Retry-After: 7\r\n"), 500, 1050},
    {"what is left", BUSY("503 Busy", "Retry-After: 99\r\n"), 99000, 99050},
    {"more than is left", BUSY("503 Busy", "Retry-After: 101\r\n"), 0, 0},
    {"a year", BUSY("429 Slow Down", "Retry-After: 31536000\r\n"), 0, 0},
    {"beyond 64 bits", BUSY("503 Busy", "Retry-After: 99999999999999999999999\r\n"), 0, 0},
    {"a date in a year", BUSY("503 Busy", TODAY "Retry-After: Mon, 06 Nov 1995 08:49:37 GMT\r\n"), 0, 0},
};

static void check_pause(const update_rig_t *f, const struct busy_row *row, unsigned after)
{
    uint32_t pause = (uint32_t)((f->web.asked_at_us[after + 1] - f->web.asked_at_us[after]) / 1000);
    assert_in_range(pause, row->least_ms, row->most_ms);
}

static void check_given_up(const update_rig_t *f, const struct busy_row *row, int64_t since_us)
{
    assert_int_equal(f->rig.device.report.stage, OTTER_STAGE_REQUEST);
    if (strstr(f->rig.device.report.fault.why, "asks for a pause of") == NULL ||
        strstr(f->rig.device.report.fault.why, "retry.max_time_ms") == NULL) {
        fail_msg("%s: %s", row->name, f->rig.device.report.fault.why);
    }
    assert_true(otter_now_us() - since_us < 100000); /* nobody waits for what cannot be had */
}

static void a_busy_server_is_left_alone_as_long_as_it_asks_for(void **state)
{
    update_rig_t *f = *state;
    for (size_t i = 0; i < COUNT(busy_rows); i++) {
        const struct busy_row *row = &busy_rows[i];
        print_message("%s\n", row->name);
        f->web = web_with(f->image, IMAGE_LEN);
        f->web.canned[1] = row->answer;
        f->web.cut_at = CUT;
        f->config.ota.retry.max_time_ms = LONGEST_MS + 600; /* the pause after the cut comes off it */
        f->config.ota.retry.delay_ms = 500;                 /* the second pause is up to twice that */
        esp_https_ota_handle_t handle = must_begin(f);
        esp_err_t err = web_perform(handle);
        if (row->most_ms > 0) {
            assert_int_equal(err, ESP_OK);
            check_pause(f, row, 1);
            assert_int_equal(esp_https_ota_finish(handle), ESP_OK);
            assert_true(web_slot_holds(&f->rig, f->slot, f->image, IMAGE_LEN));
        } else {
            assert_int_equal(err, ESP_FAIL);
            check_given_up(f, row, f->web.asked_at_us[1]);
            assert_int_equal(esp_https_ota_abort(handle), ESP_OK);
        }
    }
}

static void begin_waits_for_a_busy_server_if_retries_are_asked_for(void **state)
{
    update_rig_t *f = *state;
    for (size_t i = 0; i < COUNT(busy_rows); i++) {
        const struct busy_row *row = &busy_rows[i];
        print_message("%s\n", row->name);
        f->web = web_with(f->image, IMAGE_LEN);
        f->web.canned[0] = row->answer;
        f->config.ota.retry.attempts = 3;
        f->config.ota.retry.max_time_ms = LONGEST_MS;
        esp_https_ota_handle_t handle = NULL;
        esp_err_t err = begin(f, &handle);
        if (row->most_ms > 0) {
            assert_int_equal(err, ESP_OK);
            check_pause(f, row, 0);
            must_arrive(f, handle, f->image);
        } else {
            assert_int_equal(err, ESP_FAIL);
            check_given_up(f, row, f->web.asked_at_us[0]);
            assert_null(handle);
        }
    }
}

static void the_first_connection_is_tried_again_if_retries_are_asked_for(void **state)
{
    update_rig_t *f = *state;
    static const struct {
        const char *name,
            *answer;    /* to the first request; NULL: the first connection is refused, "": it breaks */
        bool passes;    /* worth another try */
        esp_err_t want; /* without retries */
    } rows[] = {
        {"refused", NULL, true, ESP_ERR_HTTP_CONNECT},
        {"408", REFUSAL("408 Request Timeout"), true, ESP_FAIL},
        {"425", REFUSAL("425 Too Early"), true, ESP_FAIL},
        {"500", REFUSAL("500 Internal Server Error"), true, ESP_FAIL},
        {"502", REFUSAL("502 Bad Gateway"), true, ESP_FAIL},
        {"504", REFUSAL("504 Gateway Timeout"), true, ESP_FAIL},
        {"404", REFUSAL("404 Not Found"), false, ESP_FAIL},
        {"403", REFUSAL("403 Forbidden"), false, ESP_FAIL},
        {"304", "HTTP/1.1 304 Not Modified\r\n\r\n", false, ESP_ERR_HTTP_NOT_MODIFIED},
        {"encoded", "HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 5\r\n\r\nabcde", false,
         ESP_FAIL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (int asked = 0; asked < 2; asked++) {
            print_message("%s\n", rows[i].name);
            f->web = web_with(f->image, IMAGE_LEN);
            f->web.canned[0] = rows[i].answer;
            f->web.refuse_count = rows[i].answer == NULL;
            f->config.ota.retry.attempts = asked ? 3 : 0;
            esp_https_ota_handle_t handle = NULL;
            esp_err_t err = begin(f, &handle);
            if (asked && rows[i].passes) {
                assert_int_equal(err, ESP_OK);
                must_arrive(f, handle, f->image);
                assert_int_equal(f->rig.device.report.attempts, 2);
            } else {
                assert_int_equal(err, rows[i].want);
                assert_int_equal(f->rig.device.report.attempts, 1);
            }
        }
    }
    f->web = web_with(f->image, IMAGE_LEN);
    f->web.refuse_count = WEB_NEVER;
    f->config.ota.retry.attempts = 3;
    esp_https_ota_handle_t handle = NULL;
    assert_int_equal(begin(f, &handle), ESP_ERR_HTTP_CONNECT);
    assert_int_equal(f->web.connects, 4);
}

static void a_server_that_stays_busy_is_given_up_after_the_attempts(void **state)
{
    update_rig_t *f = *state;
    static const struct {
        int attempts;
        unsigned requests;
    } rows[] = {
        {-1, 1}, {0, 1}, {1, 2}, {4, 5}}; /* 0: nobody asked for retries, so begin fails as ESP-IDF's */
    for (size_t i = 0; i < COUNT(rows); i++) {
        f->web = web_with(f->image, IMAGE_LEN);
        f->web.always = BUSY("503 Busy", "Retry-After: 3\r\n");
        f->config.ota.retry.attempts = rows[i].attempts;
        esp_https_ota_handle_t handle = NULL;
        assert_int_equal(begin(f, &handle), ESP_FAIL);
        assert_null(handle);
        assert_int_equal(f->web.requests, rows[i].requests);
        assert_int_equal(f->rig.device.report.http_status, 503);
        assert_non_null(strstr(f->rig.device.report.fault.why, "Server error (503)"));
    }
}

static unsigned waits;

static bool wait_for_two_seconds(void *ctx, uint32_t left_ms)
{
    (void)ctx;
    waits++;
    return left_ms > 58000;
}

static const otter_https_options_t patience = {.on_wait = wait_for_two_seconds};

static void begin_can_be_stopped_while_it_waits(void **state)
{
    update_rig_t *f = *state;
    f->web.always = BUSY("503 Busy", "Retry-After: 60\r\n");
    f->config.ota.retry.attempts = 3;
    f->rig.device.https = &patience;
    esp_https_ota_handle_t handle = NULL;
    int64_t start_us = otter_now_us();
    assert_int_equal(begin(f, &handle), ESP_FAIL);
    assert_null(handle);
    assert_in_range(otter_now_us() - start_us, 2000000, 2100000);
    assert_in_range(waits, 2, 100);
    assert_int_equal(f->web.requests, 1);
    assert_int_equal(f->rig.device.report.http_status, 503);
}

static void a_busy_server_is_waited_for_in_ranges_too(void **state)
{
    update_rig_t *f = *state;
    f->web.canned[0] = f->web.canned[1] = BUSY("503 Busy", "Retry-After: 3\r\n"); /* HEAD, and one byte */
    f->web.canned[4] = BUSY("429 Slow Down", "Retry-After: 5\r\n");
    f->config.ota.retry.attempts = 2;
    f->config.ota.partial_http_download = true;
    f->config.ota.max_http_request_size = 1700;
    esp_https_ota_handle_t handle = must_begin(f);
    assert_in_range(f->web.asked_at_us[2] - f->web.asked_at_us[1], 3000000, 3050000);
    assert_string_equal(f->web.asked[2], "HEAD");
    must_arrive(f, handle, f->image);
    assert_in_range(f->web.asked_at_us[5] - f->web.asked_at_us[4], 5000000, 5050000);
}

/* ---- time ---- */

static void pauses_grow_with_jitter_and_have_a_bound(void **state)
{
    update_rig_t *f = *state;
    f->web.cut_at = CUT;
    f->web.refuse_from = 1;
    f->web.refuse_count = 100;
    f->config.ota.retry.attempts = 10;
    esp_https_ota_handle_t handle = must_begin(f);
    assert_int_equal(web_perform(handle), ESP_ERR_HTTP_CONNECT);
    assert_int_equal(f->rig.device.report.stage, OTTER_STAGE_CONNECT);
    assert_int_equal(f->web.connects, 1 + 10);
    uint32_t halves = 0;
    for (unsigned i = 1; i <= 10; i++) {
        uint32_t full = i < 6 ? 1000u << (i - 1) : 30000;
        uint32_t pause = (uint32_t)((f->web.connected_at_us[i] - f->web.connected_at_us[i - 1]) / 1000);
        assert_in_range(pause, full / 2, full + 50); /* it is slept in steps of 50 ms */
        halves += pause < full * 3 / 4;
    }
    assert_in_range(halves, 1, 9);
    assert_int_equal(esp_https_ota_abort(handle), ESP_OK);
}

static void no_attempts_means_none(void **state)
{
    update_rig_t *f = *state;
    f->web.cut_at = CUT;
    f->config.ota.retry.attempts = -1;
    esp_https_ota_handle_t handle = must_begin(f);
    assert_int_equal(web_perform(handle), ESP_FAIL);
    assert_int_equal(f->web.requests, 1);
    assert_int_equal(esp_https_ota_get_image_len_read(handle), CUT);
    assert_int_equal(esp_https_ota_abort(handle), ESP_OK);
}

static void answer_with_nothing(web_t *web, unsigned index)
{
    if (index > 1) { /* HEAD, and the first range */
        web->always =
            "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 1700-3399/5000\r\nETag: \"v1\"\r\n"
            "Content-Length: 0\r\n\r\n";
    }
}

static void ranges_that_bring_nothing_count_as_tries(void **state)
{
    update_rig_t *f = *state;
    f->web.on_request = answer_with_nothing;
    f->config.ota.partial_http_download = true;
    f->config.ota.max_http_request_size = 1700;
    f->config.ota.retry.attempts = 2;
    esp_https_ota_handle_t handle = must_begin(f);
    assert_int_equal(web_perform(handle), ESP_FAIL);
    assert_int_equal(f->web.requests, 2 + 1 + 2);
    assert_int_equal(esp_https_ota_abort(handle), ESP_OK);
}

static void refused_connections_are_tried_again(void **state)
{
    update_rig_t *f = *state;
    f->web.cut_at = CUT;
    f->web.refuse_from = 1;
    f->web.refuse_count = 5; /* the drop is the first of six failures */
    must_arrive(f, must_begin(f), f->image);
    assert_int_equal(f->web.connects, 7);
}

/** perform to its end. @return its code; *longest_us: of one call */
static esp_err_t timed_perform(esp_https_ota_handle_t handle, int64_t *longest_us)
{
    esp_err_t err;
    *longest_us = 0;
    do {
        int64_t before_us = otter_now_us();
        err = esp_https_ota_perform(handle);
        int64_t took_us = otter_now_us() - before_us;
        *longest_us = took_us > *longest_us ? took_us : *longest_us;
    } while (err == ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    return err;
}

static void say_nothing_more(web_t *web, unsigned index)
{
    if (index > 0) {
        web->cut_at = (uint32_t)web->body_sent;
    }
}

static void a_silent_server_is_left_after_three_waits_and_given_up_after_six_connections(void **state)
{
    update_rig_t *f = *state;
    f->web.cut_at = CUT;
    f->web.cut_kind = SIM_REQUEST;
    f->web.on_request = say_nothing_more;
    esp_https_ota_handle_t handle = must_begin(f);
    int64_t start_us = otter_now_us(), longest_us;
    assert_int_equal(timed_perform(handle, &longest_us), ESP_ERR_HTTP_READ_TIMEOUT);
    assert_int_equal(f->web.requests, 7);
    assert_true(longest_us <= 1100000); /* timeout_ms, and a step of a pause */
    uint32_t seconds = (uint32_t)((otter_now_us() - start_us) / 1000000);
    print_message("a server that goes silent: given up after %u s\n", seconds);
    assert_in_range(seconds, 7 * 3 + 30, 7 * 3 + 63);
    assert_int_equal(esp_https_ota_abort(handle), ESP_OK);
}

static void a_drip_ends_with_the_time_for_everything(void **state)
{
    update_rig_t *f = *state;
    f->web.drip_ms = 50;
    f->config.ota.retry.max_time_ms = 100000;
    esp_https_ota_handle_t handle = must_begin(f);
    int64_t start_us = otter_now_us(), longest_us;
    esp_app_desc_t desc;
    assert_int_equal(esp_https_ota_get_img_desc(handle, &desc),
                     ESP_OK); /* waits for all of the header block */
    assert_int_equal(timed_perform(handle, &longest_us), ESP_ERR_HTTP_READ_TIMEOUT);
    assert_true(longest_us <= 1100000);
    assert_true(otter_now_us() - start_us <= 102000000);
    assert_int_equal(f->rig.device.report.fault.code, ESP_ERR_HTTP_READ_TIMEOUT);
    assert_int_equal(f->web.requests, 1);
    assert_int_equal(esp_https_ota_abort(handle), ESP_OK);
}

static void a_drip_of_a_byte_a_second_counts_as_silence(void **state)
{
    update_rig_t *f = *state;
    f->web.drip_ms = 900;
    esp_https_ota_handle_t handle = must_begin(f);
    int64_t start_us = otter_now_us();
    esp_app_desc_t desc;
    assert_int_equal(esp_https_ota_get_img_desc(handle, &desc), ESP_FAIL);
    assert_int_equal(f->rig.device.report.fault.code, ESP_ERR_HTTP_READ_TIMEOUT);
    assert_true(otter_now_us() - start_us <= 7 * 3000000 + 64000000);
    assert_int_equal(esp_https_ota_abort(handle), ESP_OK);
}

static void a_drip_that_is_fast_enough_arrives(void **state)
{
    update_rig_t *f = *state;
    f->web.drip_ms = 50;
    must_arrive(f, must_begin(f), f->image);
    assert_int_equal(f->web.requests, 1);
}

static void a_lost_first_answer_is_asked_for_again(void **state)
{
    update_rig_t *f = *state;
    f->web.canned[0] = f->web.canned[1] = "";
    must_arrive(f, must_begin(f), f->image);
    assert_int_equal(f->web.requests, 3);
}

static void completeness_is_not_claimed_while_a_pause_lasts(void **state)
{
    update_rig_t *f = *state;
    f->web.chunked = true;
    f->web.cut_at = CUT;
    esp_https_ota_handle_t handle = must_begin(f);
    while (esp_https_ota_get_image_len_read(handle) < (int)IMAGE_LEN) {
        assert_false(esp_https_ota_is_complete_data_received(handle));
        assert_int_equal(esp_https_ota_perform(handle), ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    }
    must_arrive(f, handle, f->image);
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
        TEST(a_connection_dropped_after_any_byte_is_made_up_for),
        TEST(many_drops_are_made_up_for_as_long_as_bytes_come),
        TEST(an_answer_cut_in_its_head_is_asked_for_again),
        TEST(a_long_validator_proves_as_well_as_a_short_one),
        TEST(a_location_that_is_too_long_is_named),
        TEST(bytes_that_come_one_at_a_time_are_bytes_too),
        TEST(an_image_that_is_there_is_verified_and_not_fetched_again),
        TEST(an_image_that_is_there_needs_no_second_answer),
        TEST(a_range_refused_behind_a_whole_image_is_its_end),
        TEST(what_is_not_known_to_be_whole_is_not_taken_for_it),
        TEST(an_answer_in_the_middle_is_believed_only_if_it_fits),
        TEST(a_file_that_changed_is_noticed_wherever_it_differs),
        TEST(a_file_that_became_shorter_is_noticed_without_a_length),
        TEST(a_busy_server_is_left_alone_as_long_as_it_asks_for),
        TEST(begin_waits_for_a_busy_server_if_retries_are_asked_for),
        TEST(the_first_connection_is_tried_again_if_retries_are_asked_for),
        TEST(a_server_that_stays_busy_is_given_up_after_the_attempts),
        TEST(begin_can_be_stopped_while_it_waits),
        TEST(a_busy_server_is_waited_for_in_ranges_too),
        TEST(pauses_grow_with_jitter_and_have_a_bound),
        TEST(no_attempts_means_none),
        TEST(ranges_that_bring_nothing_count_as_tries),
        TEST(refused_connections_are_tried_again),
        TEST(a_silent_server_is_left_after_three_waits_and_given_up_after_six_connections),
        TEST(a_drip_ends_with_the_time_for_everything),
        TEST(a_drip_of_a_byte_a_second_counts_as_silence),
        TEST(a_drip_that_is_fast_enough_arrives),
        TEST(a_lost_first_answer_is_asked_for_again),
        TEST(completeness_is_not_claimed_while_a_pause_lasts),
        SEALED(a_connection_dropped_after_any_byte_is_made_up_for),
        SEALED(many_drops_are_made_up_for_as_long_as_bytes_come),
        SEALED(an_answer_cut_in_its_head_is_asked_for_again),
        SEALED(a_long_validator_proves_as_well_as_a_short_one),
        SEALED(bytes_that_come_one_at_a_time_are_bytes_too),
        SEALED(a_file_that_became_shorter_is_noticed_without_a_length),
        SEALED(a_busy_server_is_waited_for_in_ranges_too),
        SEALED(refused_connections_are_tried_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
