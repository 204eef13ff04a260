/* The HTTP client against scripted servers: framing, failures, redirects, credentials, kept connections. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esp_http_client.h"
#include "http/client_internal.h"
#include "http/event_mirror.h"
#include "otter/system.h"
#include "sim/sim_system.h"
#include "sim/sim_transport.h"

#define COUNT(rows)   (sizeof(rows) / sizeof((rows)[0]))
#define SCRIPT(...)   ((const sim_step_t[]){__VA_ARGS__})
#define STEPS(script) .steps = (script), .count = COUNT(script)
#define OK_HEAD       "HTTP/1.1 200 OK\r\n"
#define EAGAIN_RESULT (-ESP_ERR_HTTP_EAGAIN)
#define BODY_MAX      512

typedef struct {
    int events[16];
    char data[BODY_MAX]; /* ON_DATA bytes */
    size_t data_len;
    char headers[BODY_MAX]; /* "key=value;" */
} seen_t;

static esp_err_t on_event(esp_http_client_event_t *event)
{
    seen_t *seen = event->user_data;
    seen->events[event->event_id]++;
    if (event->event_id == HTTP_EVENT_ON_DATA) {
        assert_true((size_t)event->data_len < BODY_MAX - seen->data_len);
        memcpy(seen->data + seen->data_len, event->data, (size_t)event->data_len);
        seen->data_len += (size_t)event->data_len;
    }
    if (event->event_id == HTTP_EVENT_ON_HEADER) {
        size_t used = strlen(seen->headers);
        snprintf(seen->headers + used, sizeof(seen->headers) - used, "%s=%s;", event->header_key,
                 event->header_value);
    }
    return ESP_OK;
}

static esp_http_client_handle_t new_client(const char *url, sim_transport_t *server, seen_t *seen)
{
    esp_http_client_config_t config = {
        .url = url,
        .timeout_ms = 1000,
        .transport = (struct esp_transport_item_t *)(void *)server,
        .event_handler = seen != NULL ? on_event : NULL,
        .user_data = seen,
    };
    esp_http_client_handle_t client = esp_http_client_init(&config);
    assert_non_null(client);
    return client;
}

/* ---- one exchange with a script of its own ---- */

static void a_read_fills_the_buffer_over_many_segments(void **state)
{
    (void)state;
    const sim_step_t steps[] = {{.kind = SIM_REQUEST},
                                SIM_SAY(OK_HEAD "Content-Length: 10\r\n\r\nab"),
                                SIM_SAY("cd"),
                                SIM_SAY("efgh"),
                                SIM_SAY("ij")};
    const sim_connection_t connection = {STEPS(steps)};
    esp_http_client_handle_t client = new_client("http://h/", sim_transport_new(&connection, 1), NULL);
    char body[8];
    assert_int_equal(esp_http_client_open(client, 0), ESP_OK);
    assert_int_equal(esp_http_client_fetch_headers(client), 10);
    assert_int_equal(esp_http_client_read(client, body, 8), 8);
    assert_memory_equal(body, "abcdefgh", 8);
    assert_int_equal(esp_http_client_read(client, body, 0), 0);
    assert_int_equal(esp_http_client_read(client, body, 8), 2);
    assert_int_equal(esp_http_client_read(client, body, 8), 0);
    esp_http_client_cleanup(client);
}

static void a_head_of_60_kib_is_read_and_one_of_70_refused(void **state)
{
    (void)state;
    for (size_t len = 61440; len <= 71680; len += 10240) {
        char *text = malloc(len + 100);
        int used = snprintf(text, 100, OK_HEAD "X-Long: ");
        memset(text + used, 'x', len);
        strcpy(text + (size_t)used + len, "\r\nContent-Length: 0\r\n\r\n");
        const sim_step_t steps[] = {{.kind = SIM_REQUEST},
                                    {.kind = SIM_BYTES, .data = text, .len = strlen(text)}};
        const sim_connection_t connection = {STEPS(steps)};
        esp_http_client_handle_t client = new_client("http://h/", sim_transport_new(&connection, 1), NULL);
        assert_int_equal(esp_http_client_open(client, 0), ESP_OK);
        assert_int_equal(esp_http_client_fetch_headers(client), len < 65536 ? 0 : -1);
        if (len < 65536) {
            assert_int_equal(strlen(http_client_response_header(client, "x-long")), len);
        }
        esp_http_client_cleanup(client);
        free(text);
    }
}

static void endless_headers_are_refused(void **state)
{
    (void)state;
    char text[4000] = "";
    for (size_t used = 0; used + 5 < sizeof(text); used += 5) {
        memcpy(text + used, "a:b\r\n", 6);
    }
    const sim_step_t steps[] = {
        {.kind = SIM_REQUEST}, SIM_SAY(OK_HEAD), {.kind = SIM_BYTES, .data = text, .len = strlen(text)}};
    const sim_connection_t connection = {STEPS(steps)};
    esp_http_client_handle_t client = new_client("http://h/", sim_transport_new(&connection, 1), NULL);
    assert_int_equal(esp_http_client_open(client, 0), ESP_OK);
    assert_int_equal(esp_http_client_fetch_headers(client), -1);
    esp_http_client_cleanup(client);
}

static void a_dripping_head_ends_at_the_time_limit(void **state)
{
    (void)state;
    sim_clock_take();
    sim_step_t steps[60] = {{.kind = SIM_REQUEST}, SIM_SAY("HTTP/1.1 200 OK\r\nX: ")};
    for (size_t i = 2; i < COUNT(steps); i += 2) {
        steps[i] = (sim_step_t){.kind = SIM_DELAY, .ms = 300};
        steps[i + 1] = (sim_step_t)SIM_SAY("x");
    }
    const sim_connection_t connection = {STEPS(steps)};
    esp_http_client_handle_t client = new_client("http://h/", sim_transport_new(&connection, 1), NULL);
    assert_int_equal(esp_http_client_open(client, 0), ESP_OK);
    int64_t start_us = otter_now_us();
    assert_int_equal(esp_http_client_fetch_headers(client), EAGAIN_RESULT);
    assert_in_range(otter_now_us() - start_us, 1000000, 1300000);
    assert_int_equal(http_client_last_failure(client)->stage, HTTP_STAGE_HEADER);
    esp_http_client_cleanup(client);
}

static void a_head_that_timed_out_can_be_fetched_later(void **state)
{
    (void)state;
    sim_clock_take();
    const sim_step_t steps[] = {{.kind = SIM_REQUEST},
                                SIM_SAY("HTTP/1.1 200 OK\r\nContent-"),
                                {.kind = SIM_DELAY, .ms = 1500},
                                SIM_SAY("Length: 2\r\n\r\nhi")};
    const sim_connection_t connection = {STEPS(steps)};
    esp_http_client_handle_t client = new_client("http://h/", sim_transport_new(&connection, 1), NULL);
    assert_int_equal(esp_http_client_open(client, 0), ESP_OK);
    assert_int_equal(esp_http_client_fetch_headers(client), EAGAIN_RESULT);
    assert_int_equal(esp_http_client_fetch_headers(client), 2);
    esp_http_client_cleanup(client);
}

static void bytes_before_a_stall_are_given_then_the_stall_is_told(void **state)
{
    (void)state;
    sim_clock_take();
    const sim_step_t steps[] = {{.kind = SIM_REQUEST},
                                SIM_SAY(OK_HEAD "Content-Length: 6\r\n\r\nabc"),
                                {.kind = SIM_DELAY, .ms = 2500},
                                SIM_SAY("def")};
    const sim_connection_t connection = {STEPS(steps)};
    esp_http_client_handle_t client = new_client("http://h/", sim_transport_new(&connection, 1), NULL);
    char body[6];
    assert_int_equal(esp_http_client_open(client, 0), ESP_OK);
    assert_int_equal(esp_http_client_fetch_headers(client), 6);
    assert_int_equal(esp_http_client_read(client, body, 6), 3);
    assert_int_equal(esp_http_client_read(client, body, 6), EAGAIN_RESULT);
    assert_int_equal(esp_http_client_read(client, body, 6), 3);
    assert_true(esp_http_client_is_complete_data_received(client));
    esp_http_client_cleanup(client);
}

/* ---- requests ---- */

static void a_request_has_its_lines_in_order(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        esp_http_client_config_t config;
        int write_len;
        const char *want;
    } rows[] = {
        {"GET",
         {.url = "http://h:8070/a/b?c=d"},
         0,
         "GET /a/b?c=d HTTP/1.1\r\nUser-Agent: ESP32 HTTP Client/1.0\r\nHost: h:8070\r\nX-App: 1\r\n\r\n"},
        {"POST",
         {.url = "http://h/", .method = HTTP_METHOD_POST},
         7,
         "POST / HTTP/1.1\r\nUser-Agent: ESP32 HTTP Client/1.0\r\nHost: h\r\nX-App: 1\r\nContent-Length: "
         "7\r\n\r\n"},
        {"POST without body",
         {.url = "http://h/", .method = HTTP_METHOD_POST},
         0,
         "POST / HTTP/1.1\r\nUser-Agent: ESP32 HTTP Client/1.0\r\nHost: h\r\nX-App: 1\r\nContent-Length: "
         "0\r\n\r\n"},
        {"chunked",
         {.url = "http://h/", .method = HTTP_METHOD_PUT},
         -1,
         "PUT / HTTP/1.1\r\nUser-Agent: ESP32 HTTP Client/1.0\r\nHost: h\r\nX-App: 1\r\n"
         "Transfer-Encoding: chunked\r\n\r\n"},
        {"host and path",
         {.host = "::1", .path = "x", .query = "q", .port = 81, .user_agent = "otter"},
         0,
         "GET /x?q HTTP/1.1\r\nUser-Agent: otter\r\nHost: [::1]:81\r\nX-App: 1\r\n\r\n"},
        {"Basic",
         {.url = "http://h/",
          .username = "Aladdin",
          .password = "open sesame",
          .auth_type = HTTP_AUTH_TYPE_BASIC},
         0,
         "GET / HTTP/1.1\r\nUser-Agent: ESP32 HTTP Client/1.0\r\nHost: h\r\nX-App: 1\r\n"
         "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n"},
        {"credentials in the URL",
         {.url = "http://u:pp@h/"},
         0,
         "GET / HTTP/1.1\r\nUser-Agent: ESP32 HTTP Client/1.0\r\nHost: h\r\nX-App: 1\r\n"
         "Authorization: Basic dTpwcA==\r\n\r\n"},
        {"credentials without a type are kept for a challenge",
         {.url = "http://h/", .username = "u", .password = "p"},
         0,
         "GET / HTTP/1.1\r\nUser-Agent: ESP32 HTTP Client/1.0\r\nHost: h\r\nX-App: 1\r\n\r\n"},
        {"small buffer",
         {.url = "http://h/", .buffer_size_tx = 36},
         0,
         "GET / HTTP/1.1\r\nUser-Agent: ESP32 HTTP Client/1.0\r\nHost: h\r\nX-App: 1\r\n\r\n"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const sim_connection_t connection = {0};
        sim_transport_t *server = sim_transport_new(&connection, 1);
        esp_http_client_config_t config = rows[i].config;
        config.transport = (struct esp_transport_item_t *)(void *)server;
        esp_http_client_handle_t client = esp_http_client_init(&config);
        assert_non_null(client);
        assert_int_equal(esp_http_client_set_header(client, "X-App", " 1 "), ESP_OK);
        assert_int_equal(esp_http_client_open(client, rows[i].write_len), ESP_OK);
        if (strcmp(sim_transport_sent(server, 0), rows[i].want) != 0) {
            fail_msg("%s: sent %s", rows[i].name, sim_transport_sent(server, 0));
        }
        esp_http_client_cleanup(client);
    }
}

static void init_refuses_what_is_no_url(void **state)
{
    (void)state;
    static const esp_http_client_config_t rows[] = {
        {.url = NULL},
        {.url = "nonsense"},
        {.host = "h"},
        {.path = "/"},
        {.host = "h x", .path = "/"},
        {.host = "h", .path = "/a b"},
        {.host = "h", .path = "/", .query = "a\r\nX: y"},
        {.host = "h", .path = "/", .port = 70000},
        {.url = "http://h/", .user_agent = "a\r\nX: y"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_null(esp_http_client_init(&rows[i]));
    }
    assert_null(esp_http_client_init(NULL));
    assert_int_equal(esp_http_client_cleanup(NULL), ESP_FAIL);
}

static void what_does_not_fit_the_send_buffer_is_refused(void **state)
{
    (void)state;
    char url[700] = "http://h/";
    memset(url + 9, 'a', 600);
    const sim_step_t steps[] = {{.kind = SIM_REQUEST}, SIM_SAY(OK_HEAD "Content-Length: 2\r\n\r\nhi")};
    const sim_connection_t connections[] = {{STEPS(steps)}, {STEPS(steps)}};
    sim_transport_t *server = sim_transport_new(connections, 2);
    seen_t seen = {0};
    esp_http_client_handle_t client = new_client(url, server, &seen);
    assert_int_equal(esp_http_client_open(client, 0), ESP_FAIL);
    assert_string_equal(http_client_last_failure(client)->cause.fault.why,
                        "the request line has 616 bytes, buffer_size_tx only 512");
    assert_int_equal(esp_http_client_set_url(client, "/short"), ESP_OK);
    assert_int_equal(esp_http_client_set_header(client, "X-Long", url), ESP_OK);
    assert_int_equal(esp_http_client_open(client, 0), ESP_ERR_HTTP_HEADER_TOO_LONG);
    assert_string_equal(http_client_last_failure(client)->cause.fault.why,
                        "the header X-Long has 619 bytes, buffer_size_tx only 512");
    assert_int_equal(sim_transport_connects(server), 0); /* known before anything is connected */
    assert_int_equal(seen.events[HTTP_EVENT_ERROR], 2);
    url[9 + 495] = '\0'; /* to the byte: "X-Long: " and the end of the line */
    assert_int_equal(esp_http_client_set_header(client, "X-Long", url + 2), ESP_OK);
    assert_int_equal(esp_http_client_open(client, 0), ESP_OK);
    assert_int_equal(esp_http_client_fetch_headers(client), 2);
    assert_int_equal(esp_http_client_set_header(client, "X-Long", url + 1), ESP_OK);
    assert_int_equal(esp_http_client_open(client, 0), ESP_ERR_HTTP_HEADER_TOO_LONG);
    assert_int_equal(esp_http_client_fetch_headers(client), -1); /* not the answer from before */
    esp_http_client_cleanup(client);
}

static void nothing_can_be_written_and_read(void **state)
{
    (void)state;
    const sim_step_t steps[] = {{.kind = SIM_REQUEST}, SIM_SAY(OK_HEAD "Content-Length: 2\r\n\r\nhi")};
    const sim_connection_t connection = {STEPS(steps)};
    esp_http_client_handle_t client = new_client("http://h/", sim_transport_new(&connection, 1), NULL);
    assert_int_equal(esp_http_client_write(client, NULL, 0), -1); /* not before a request */
    assert_int_equal(esp_http_client_open(client, 0), ESP_OK);
    assert_int_equal(esp_http_client_write(client, NULL, 0), 0);
    assert_int_equal(esp_http_client_write(client, "", 0), 0);
    assert_int_equal(esp_http_client_write(client, NULL, 1), -1);
    assert_int_equal(esp_http_client_write(client, "x", -1), -1);
    assert_int_equal(esp_http_client_fetch_headers(client), 2);
    assert_int_equal(esp_http_client_write(client, NULL, 0), 0);
    assert_int_equal(esp_http_client_read(client, NULL, 0), 0);
    assert_int_equal(esp_http_client_read_response(client, NULL, 0), 0);
    assert_int_equal(esp_http_client_read(client, NULL, 1), -1);
    assert_int_equal(esp_http_client_cleanup(client), ESP_OK);
}

static void open_tells_why_it_failed(void **state)
{
    (void)state;
    static const struct {
        const char *name, *url;
        sim_connection_t connection;
        esp_err_t want;
        http_stage_t stage;
    } rows[] = {
        {"refused", "http://h/", {.refuse = true}, ESP_ERR_HTTP_CONNECT, HTTP_STAGE_CONNECT},
        {"broken while sending",
         "http://h/",
         {.writes_fail = true},
         ESP_ERR_HTTP_WRITE_DATA,
         HTTP_STAGE_SEND},
        {"nothing accepted",
         "http://h/",
         {.writes_time_out = true},
         ESP_ERR_HTTP_WRITE_DATA,
         HTTP_STAGE_SEND},
        {"scheme", "ftp://h:21/", {.refuse = true}, ESP_ERR_HTTP_INVALID_TRANSPORT, HTTP_STAGE_CONNECT},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        seen_t seen = {0};
        esp_http_client_handle_t client =
            new_client(rows[i].url, sim_transport_new(&rows[i].connection, 1), &seen);
        assert_int_equal(esp_http_client_open(client, 0), rows[i].want);
        assert_int_equal(http_client_last_failure(client)->stage, rows[i].stage);
        assert_int_equal(seen.events[HTTP_EVENT_ERROR], 1);
        assert_int_equal(esp_http_client_write(client, "x", 1), -1);
        assert_int_equal(esp_http_client_fetch_headers(client), -1);
        esp_http_client_cleanup(client);
    }
    assert_int_equal(esp_http_client_open(NULL, 0), ESP_ERR_INVALID_STATE);
}

/* ---- kept connections ---- */

#define ANSWER(text) OK_HEAD "Content-Length: " text

static void a_second_request_uses_the_kept_connection(void **state)
{
    (void)state;
    const sim_step_t steps[] = {{.kind = SIM_REQUEST},
                                SIM_SAY(ANSWER("2\r\n\r\nhi")),
                                {.kind = SIM_REQUEST},
                                SIM_SAY(ANSWER("3\r\n\r\nyou"))};
    const sim_connection_t connection = {STEPS(steps)};
    sim_transport_t *server = sim_transport_new(&connection, 1);
    esp_http_client_handle_t client = new_client("http://h/", server, NULL);
    assert_int_equal(esp_http_client_perform(client), ESP_OK);
    assert_int_equal(esp_http_client_open(client, 0), ESP_OK);
    assert_int_equal(esp_http_client_fetch_headers(client), 3);
    assert_int_equal(sim_transport_connects(server), 1);
    esp_http_client_cleanup(client);
}

static void a_connection_that_cannot_be_kept_is_opened_anew(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        sim_step_t steps[4]; /* of the first connection */
        bool read_body;
    } rows[] = {
        {"the server announced close",
         {{.kind = SIM_REQUEST}, SIM_SAY(OK_HEAD "Connection: close\r\nContent-Length: 2\r\n\r\nhi")},
         true},
        {"HTTP/1.0",
         {{.kind = SIM_REQUEST}, SIM_SAY("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi")},
         true},
        {"the server closed it",
         {{.kind = SIM_REQUEST}, SIM_SAY(ANSWER("2\r\n\r\nhi")), {.kind = SIM_EOF}},
         true},
        {"it broke", {{.kind = SIM_REQUEST}, SIM_SAY(ANSWER("2\r\n\r\nhi")), {.kind = SIM_RESET}}, true},
        {"more came than announced", {{.kind = SIM_REQUEST}, SIM_SAY(ANSWER("2\r\n\r\nhi!"))}, true},
        {"the server closes on the request",
         {{.kind = SIM_REQUEST}, SIM_SAY(ANSWER("2\r\n\r\nhi")), {.kind = SIM_REQUEST}, {.kind = SIM_EOF}},
         true},
        {"the server resets on the request",
         {{.kind = SIM_REQUEST}, SIM_SAY(ANSWER("2\r\n\r\nhi")), {.kind = SIM_REQUEST}, {.kind = SIM_RESET}},
         true},
        {"the body was not read", {{.kind = SIM_REQUEST}, SIM_SAY(ANSWER("9\r\n\r\nhi"))}, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const sim_step_t second[] = {{.kind = SIM_REQUEST}, SIM_SAY(ANSWER("3\r\n\r\nyou"))};
        /* A step that a row leaves out is a SIM_REQUEST, which is silence. */
        const sim_connection_t connections[] = {{STEPS(rows[i].steps)}, {STEPS(second)}};
        sim_transport_t *server = sim_transport_new(connections, 2);
        esp_http_client_handle_t client = new_client("http://h/x", server, NULL);
        char body[8];
        assert_int_equal(esp_http_client_open(client, 0), ESP_OK);
        assert_true(esp_http_client_fetch_headers(client) > 0);
        if (rows[i].read_body) {
            assert_int_equal(esp_http_client_read(client, body, 8), 2);
        }
        print_message("%s\n", rows[i].name);
        assert_int_equal(esp_http_client_open(client, 0), ESP_OK);
        assert_int_equal(esp_http_client_fetch_headers(client), 3);
        assert_int_equal(esp_http_client_read(client, body, 8), 3);
        assert_memory_equal(body, "you", 3);
        assert_int_equal(sim_transport_connects(server), 2);
        esp_http_client_cleanup(client);
    }
}

#define TIMEOUT_408                                                                                          \
    "HTTP/1.1 408 Request Timeout\r\nX: y\r\nConnection: close\r\nContent-Length: 4\r\n\r\nlate"

/* What a server says when it gives up a kept connection, and meets the next request on its way. */
static void a_408_that_nobody_asked_for_is_no_answer(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        sim_step_t first[4], second[3];
        esp_http_client_method_t method;
        int status;
        size_t connects;
    } rows[] = {
        {"on a kept connection",
         {{.kind = SIM_REQUEST}, SIM_SAY(ANSWER("2\r\n\r\nhi")), {.kind = SIM_REQUEST}, SIM_SAY(TIMEOUT_408)},
         {{.kind = SIM_REQUEST}, SIM_SAY(ANSWER("3\r\n\r\nyou"))},
         HTTP_METHOD_GET,
         200,
         2},
        {"and again on the new one: an answer",
         {{.kind = SIM_REQUEST}, SIM_SAY(ANSWER("2\r\n\r\nhi")), {.kind = SIM_REQUEST}, SIM_SAY(TIMEOUT_408)},
         {{.kind = SIM_REQUEST}, SIM_SAY(TIMEOUT_408)},
         HTTP_METHOD_GET,
         408,
         2},
        {"to a request with an effect",
         {{.kind = SIM_REQUEST}, SIM_SAY(ANSWER("2\r\n\r\nhi")), {.kind = SIM_REQUEST}, SIM_SAY(TIMEOUT_408)},
         {{.kind = SIM_REQUEST}},
         HTTP_METHOD_POST,
         408,
         1},
        {"before the request",
         {{.kind = SIM_REQUEST}, SIM_SAY(ANSWER("2\r\n\r\nhi")), SIM_SAY(TIMEOUT_408), {.kind = SIM_EOF}},
         {{.kind = SIM_REQUEST}, SIM_SAY(ANSWER("3\r\n\r\nyou"))},
         HTTP_METHOD_GET,
         200,
         2},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const sim_connection_t connections[] = {{STEPS(rows[i].first)}, {STEPS(rows[i].second)}};
        sim_transport_t *server = sim_transport_new(connections, 2);
        seen_t seen = {0};
        esp_http_client_handle_t client = new_client("http://h/x", server, &seen);
        char body[8];
        print_message("%s\n", rows[i].name);
        assert_int_equal(esp_http_client_set_method(client, rows[i].method), ESP_OK);
        assert_int_equal(esp_http_client_open(client, 0), ESP_OK);
        assert_int_equal(esp_http_client_fetch_headers(client), 2);
        assert_int_equal(esp_http_client_read(client, body, 2), 2);
        memset(&seen, 0, sizeof(seen));
        assert_int_equal(esp_http_client_open(client, 0), ESP_OK);
        assert_int_equal(esp_http_client_fetch_headers(client), rows[i].status == 200 ? 3 : 4);
        assert_int_equal(esp_http_client_get_status_code(client), rows[i].status);
        assert_int_equal(sim_transport_connects(server), rows[i].connects);
        assert_int_equal(seen.events[HTTP_EVENT_ON_HEADER],
                         rows[i].status == 200 ? 1 : 3); /* the answer's alone */
        assert_memory_equal(seen.data, rows[i].status == 200 ? "you" : "late", seen.data_len);
        esp_http_client_cleanup(client);
        assert_int_equal(seen.events[HTTP_EVENT_DISCONNECTED], rows[i].connects);
    }
}

typedef struct {
    esp_http_client_event_id_t at; /* the event at which the handler closes the connection */
    int disconnects;
} closer_t;

static esp_err_t close_at_event(esp_http_client_event_t *event)
{
    closer_t *closer = event->user_data;
    closer->disconnects += event->event_id == HTTP_EVENT_DISCONNECTED;
    return event->event_id == closer->at ? esp_http_client_close(event->client) : ESP_OK;
}

static void a_connection_is_disconnected_once_whoever_closes_it(void **state)
{
    (void)state;
    static const esp_http_client_event_id_t events[] = {
        HTTP_EVENT_ON_CONNECTED, HTTP_EVENT_HEADERS_SENT, HTTP_EVENT_ON_HEADER,    HTTP_EVENT_ON_DATA,
        HTTP_EVENT_ON_FINISH,    HTTP_EVENT_ERROR,        HTTP_EVENT_DISCONNECTED,
    };
    static const char *const answers[] = {
        OK_HEAD "X: y\r\nContent-Length: 2\r\n\r\nhi",
        OK_HEAD "Connection: close\r\nContent-Length: 2\r\n\r\nhi",
        OK_HEAD "Content-Length: 9\r\n\r\nhi",
        OK_HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n2\r\nho\r\n0\r\n\r\n",
        OK_HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\nx",
        "not HTTP",
    };
    for (size_t i = 0; i < COUNT(events) * COUNT(answers); i++) {
        const char *answer = answers[i / COUNT(events)];
        const sim_step_t steps[] = {{.kind = SIM_REQUEST},
                                    {.kind = SIM_BYTES, .data = answer, .len = strlen(answer)},
                                    {.kind = SIM_EOF}};
        const sim_connection_t connection = {STEPS(steps)};
        closer_t closer = {.at = events[i % COUNT(events)]};
        const esp_http_client_config_t config = {
            .url = "http://h/x",
            .transport = (struct esp_transport_item_t *)(void *)sim_transport_new(&connection, 1),
            .event_handler = close_at_event,
            .user_data = &closer,
        };
        esp_http_client_handle_t client = esp_http_client_init(&config);
        (void)esp_http_client_perform(client); /* how it ends is not the question here */
        assert_int_equal(esp_http_client_cleanup(client), ESP_OK);
        assert_int_equal(closer.disconnects, 1);
    }
}

static void a_request_with_effects_is_not_repeated(void **state)
{
    (void)state;
    const sim_step_t first[] = {
        {.kind = SIM_REQUEST}, SIM_SAY(ANSWER("2\r\n\r\nhi")), {.kind = SIM_REQUEST}, {.kind = SIM_EOF}};
    const sim_connection_t connections[] = {{STEPS(first)}, {0}};
    sim_transport_t *server = sim_transport_new(connections, 2);
    esp_http_client_handle_t client = new_client("http://h/", server, NULL);
    assert_int_equal(esp_http_client_set_method(client, HTTP_METHOD_POST), ESP_OK);
    assert_int_equal(esp_http_client_set_post_field(client, "a=b", 3), ESP_OK);
    assert_int_equal(esp_http_client_perform(client), ESP_OK);
    assert_non_null(strstr(sim_transport_sent(server, 0), "\r\n\r\na=b"));
    assert_int_equal(esp_http_client_perform(client), ESP_ERR_HTTP_CONNECTION_CLOSED);
    assert_int_equal(sim_transport_connects(server), 1);
    esp_http_client_cleanup(client);
}

/* ---- redirects ---- */

typedef struct {
    const char *name, *url, *location;
    esp_err_t want;
    const char *server, *request_line, *host; /* of the second request */
    bool credentials;                         /* go with it */
} redirect_row_t;

static void set_redirection_goes_where_location_says(void **state)
{
    (void)state;
    static const redirect_row_t rows[] = {
        {"path", "https://a/x?q", "/y?r", ESP_OK, "a:443", "GET /y?r HTTP/1.1", "Host: a\r\n", true},
        {"relative", "https://a/d/x", "y", ESP_OK, "a:443", "GET /d/y HTTP/1.1", "Host: a\r\n", true},
        {"same origin", "https://a/x", "https://A:443/y", ESP_OK, "a:443", "GET /y HTTP/1.1", "Host: a\r\n",
         true},
        {"other host", "https://a/x", "https://b/y", ESP_OK, "b:443", "GET /y HTTP/1.1", "Host: b\r\n",
         false},
        {"other port", "https://a/x", "https://a:8443/y", ESP_OK, "a:8443", "GET /y HTTP/1.1",
         "Host: a:8443\r\n", false},
        {"without scheme", "https://a/x", "//b:1/y", ESP_OK, "b:1", "GET /y HTTP/1.1", "Host: b:1\r\n",
         false},
        {"to https", "http://a/x", "https://a/x", ESP_OK, "a:443", "GET /x HTTP/1.1", "Host: a\r\n", false},
        {"downgrade", "https://a/x", "http://a/y", ESP_ERR_HTTP_REDIRECT_DOWNGRADE, NULL, NULL, NULL, false},
        {"downgrade, upper case", "https://a/x", "HTTP://a/y", ESP_ERR_HTTP_REDIRECT_DOWNGRADE, NULL, NULL,
         NULL, false},
        {"other scheme", "https://a/x", "ftp://a:21/y", ESP_ERR_HTTP_REDIRECT_DOWNGRADE, NULL, NULL, NULL,
         false},
        {"no URL", "https://a/x", "https://", ESP_ERR_INVALID_ARG, NULL, NULL, NULL, false},
        {"a blank", "https://a/x", " /y z?q= 1 ", ESP_OK, "a:443", "GET /y%20z?q=%201 HTTP/1.1",
         "Host: a\r\n", true},
        {"a blank in the host", "https://a/x", "https://b c/y", ESP_ERR_INVALID_ARG, NULL, NULL, NULL, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char answer[300];
        snprintf(answer, sizeof(answer), "HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n",
                 rows[i].location);
        const sim_step_t steps[] = {{.kind = SIM_REQUEST},
                                    {.kind = SIM_BYTES, .data = answer, .len = strlen(answer)}};
        const sim_connection_t connections[] = {{STEPS(steps)}, {0}};
        sim_transport_t *server = sim_transport_new(connections, 2);
        esp_http_client_handle_t client = new_client(rows[i].url, server, NULL);
        print_message("%s\n", rows[i].name);
        esp_http_client_set_header(client, "Authorization", "Bearer secret");
        esp_http_client_set_header(client, "Cookie", "secret");
        esp_http_client_set_header(client, "Range", "bytes=5-");
        assert_int_equal(esp_http_client_set_redirection(client), ESP_ERR_INVALID_ARG);
        assert_int_equal(esp_http_client_open(client, 0), ESP_OK);
        assert_int_equal(esp_http_client_fetch_headers(client), 0);
        assert_int_equal(esp_http_client_set_redirection(client), rows[i].want);
        if (rows[i].want == ESP_OK) {
            assert_int_equal(esp_http_client_flush_response(client, NULL), ESP_OK);
            assert_int_equal(esp_http_client_open(client, 0), ESP_OK);
            size_t last = sim_transport_connects(server) - 1;
            assert_string_equal(sim_transport_server(server, last), rows[i].server);
            assert_int_equal(last, rows[i].credentials ? 0 : 1);
            const char *sent = strstr(sim_transport_sent(server, last), rows[i].request_line);
            assert_non_null(sent);
            assert_non_null(strstr(sent, rows[i].host));
            assert_non_null(strstr(sent, "Range: bytes=5-"));
            assert_int_equal(strstr(sent, "secret") != NULL, rows[i].credentials);
        } else {
            char url[64];
            assert_int_equal(esp_http_client_get_url(client, url, sizeof(url)), ESP_OK);
            assert_string_equal(url, "https://a:443/x");
        }
        esp_http_client_cleanup(client);
    }
}

static void perform_follows_redirects_and_delivers_the_last_body(void **state)
{
    (void)state;
    const sim_step_t first[] = {
        {.kind = SIM_REQUEST},
        SIM_SAY("HTTP/1.1 301 Moved\r\nLocation: /b\r\nContent-Length: 4\r\n\r\ngone"),
        {.kind = SIM_REQUEST},
        SIM_SAY("HTTP/1.1 308 Moved\r\nLocation: http://b/c\r\nContent-Length: 400\r\n\r\ngone")};
    const sim_step_t second[] = {{.kind = SIM_REQUEST},
                                 SIM_SAY(OK_HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nhello"),
                                 SIM_SAY("\r\n0\r\n\r\n")};
    const sim_connection_t connections[] = {{STEPS(first)}, {STEPS(second)}};
    sim_transport_t *server = sim_transport_new(connections, 2);
    seen_t seen = {0};
    esp_http_client_handle_t client = new_client("http://a/a", server, &seen);
    assert_int_equal(esp_http_client_perform(client), ESP_OK);
    assert_int_equal(esp_http_client_get_status_code(client), 200);
    assert_int_equal(sim_transport_connects(server), 2);
    assert_string_equal(sim_transport_server(server, 1), "b:80");
    assert_int_equal(seen.events[HTTP_EVENT_ON_FINISH], 1);
    assert_memory_equal(seen.data + seen.data_len - 5, "hello", 5);
    char byte;
    assert_int_equal(esp_http_client_read(client, &byte, 1), 0); /* the body went to the events */
    esp_http_client_cleanup(client);
}

static void perform_says_how_it_ended(void **state)
{
    (void)state;
#define LOOP {.kind = SIM_REQUEST}, SIM_SAY("HTTP/1.1 302 F\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n")
    static const struct {
        const char *name;
        sim_step_t steps[10];
        size_t count;
        esp_err_t want;
        int status;
    } rows[] = {
        {"404",
         {{.kind = SIM_REQUEST}, SIM_SAY("HTTP/1.1 404 N\r\nContent-Length: 0\r\n\r\n")},
         2,
         ESP_OK,
         404},
        {"500",
         {{.kind = SIM_REQUEST}, SIM_SAY("HTTP/1.1 500 E\r\nContent-Length: 0\r\n\r\n")},
         2,
         ESP_OK,
         500},
        {"401",
         {{.kind = SIM_REQUEST}, SIM_SAY("HTTP/1.1 401 U\r\nContent-Length: 0\r\n\r\n")},
         2,
         ESP_ERR_NOT_SUPPORTED,
         401},
        {"a redirect loop", {LOOP, LOOP, LOOP, LOOP}, 8, ESP_ERR_HTTP_MAX_REDIRECT, 302},
        {"a redirect to nowhere",
         {{.kind = SIM_REQUEST}, SIM_SAY("HTTP/1.1 302 F\r\nContent-Length: 0\r\n\r\n")},
         2,
         ESP_ERR_INVALID_ARG,
         302},
        {"cut body",
         {{.kind = SIM_REQUEST}, SIM_SAY(ANSWER("9\r\n\r\nhi")), {.kind = SIM_EOF}},
         3,
         ESP_ERR_HTTP_INCOMPLETE_DATA,
         200},
        {"stalled body",
         {{.kind = SIM_REQUEST}, SIM_SAY(ANSWER("9\r\n\r\nhi"))},
         2,
         ESP_ERR_HTTP_INCOMPLETE_DATA,
         200},
        {"silence", {{.kind = SIM_REQUEST}}, 1, ESP_ERR_HTTP_EAGAIN, -1},
        {"closed", {{.kind = SIM_REQUEST}, {.kind = SIM_EOF}}, 2, ESP_ERR_HTTP_CONNECTION_CLOSED, -1},
        {"half a head",
         {{.kind = SIM_REQUEST}, SIM_SAY("HTTP/1"), {.kind = SIM_EOF}},
         3,
         ESP_ERR_HTTP_FETCH_HEADER,
         -1},
        {"not HTTP", {{.kind = SIM_REQUEST}, SIM_SAY("hello")}, 2, ESP_ERR_HTTP_FETCH_HEADER, -1},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const sim_connection_t connection = {.steps = rows[i].steps, .count = rows[i].count};
        esp_http_client_config_t config = {
            .url = "http://a/x",
            .max_redirection_count = 3,
            .transport = (struct esp_transport_item_t *)(void *)sim_transport_new(&connection, 1)};
        esp_http_client_handle_t client = esp_http_client_init(&config);
        print_message("%s\n", rows[i].name);
        assert_int_equal(esp_http_client_perform(client), rows[i].want);
        assert_int_equal(esp_http_client_get_status_code(client), rows[i].status);
        esp_http_client_cleanup(client);
    }
    assert_int_equal(esp_http_client_perform(NULL), ESP_ERR_INVALID_ARG);
}

static void perform_leaves_redirects_alone_when_told_so(void **state)
{
    (void)state;
    const sim_step_t steps[] = {LOOP};
    const sim_connection_t connection = {STEPS(steps)};
    seen_t seen = {0};
    esp_http_client_config_t config = {
        .url = "http://a/x",
        .disable_auto_redirect = true,
        .event_handler = on_event,
        .user_data = &seen,
        .transport = (struct esp_transport_item_t *)(void *)sim_transport_new(&connection, 1)};
    esp_http_client_handle_t client = esp_http_client_init(&config);
    assert_int_equal(esp_http_client_perform(client), ESP_OK);
    assert_int_equal(seen.events[HTTP_EVENT_REDIRECT], 1);
    assert_int_equal(esp_http_client_get_status_code(client), 302);
    esp_http_client_cleanup(client);
}

static void a_head_request_reads_no_body(void **state)
{
    (void)state;
    const sim_step_t steps[] = {{.kind = SIM_REQUEST},
                                SIM_SAY(ANSWER("200000\r\n\r\n")),
                                {.kind = SIM_REQUEST},
                                SIM_SAY(ANSWER("2\r\n\r\nhi"))};
    const sim_connection_t connection = {STEPS(steps)};
    sim_transport_t *server = sim_transport_new(&connection, 1);
    esp_http_client_handle_t client = new_client("http://a/x", server, NULL);
    char body[4];
    esp_http_client_set_method(client, HTTP_METHOD_HEAD);
    assert_int_equal(esp_http_client_open(client, 0), ESP_OK);
    assert_int_equal(esp_http_client_fetch_headers(client), 200000);
    assert_int_equal(esp_http_client_read(client, body, 4), 0);
    assert_true(esp_http_client_is_persistent_connection(client));
    esp_http_client_set_method(client, HTTP_METHOD_GET);
    assert_int_equal(esp_http_client_open(client, 0), ESP_OK);
    assert_int_equal(esp_http_client_fetch_headers(client), 2);
    assert_int_equal(esp_http_client_read(client, body, 4), 2);
    assert_int_equal(sim_transport_connects(server), 1);
    esp_http_client_cleanup(client);
}

/* ---- the rest of the API ---- */

static void set_url_follows_host_and_credentials(void **state)
{
    (void)state;
    const sim_connection_t connections[2] = {{0}};
    esp_http_client_handle_t client = new_client("https://u:p@a/x", sim_transport_new(connections, 2), NULL);
    char *value = NULL;
    esp_http_client_set_header(client, "Authorization", "secret");
    assert_int_equal(esp_http_client_set_url(client, "/y"), ESP_OK);
    assert_int_equal(esp_http_client_get_username(client, &value), ESP_OK);
    assert_string_equal(value, "u");
    static const char *const bad[] = {"y", "", "https://", "/a b", "http://h:0/"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_equal(esp_http_client_set_url(client, bad[i]), ESP_ERR_INVALID_ARG);
    }
    assert_int_equal(esp_http_client_set_url(client, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_http_client_get_header(client, "authorization", &value), ESP_OK);
    assert_string_equal(value, "secret");
    assert_int_equal(esp_http_client_set_url(client, "http://b:81/z"), ESP_OK);
    esp_http_client_get_header(client, "authorization", &value);
    assert_null(value);
    esp_http_client_get_username(client, &value);
    assert_null(value);
    esp_http_client_get_header(client, "Host", &value);
    assert_string_equal(value, "b:81");
    assert_int_equal(esp_http_client_get_transport_type(client), HTTP_TRANSPORT_OVER_TCP);
    char url[10];
    assert_int_equal(esp_http_client_get_url(client, url, sizeof(url)), ESP_OK);
    assert_string_equal(url, "http://b:");
    esp_http_client_cleanup(client);
}

static void a_zone_is_connected_to_and_not_sent(void **state)
{
    (void)state;
    const sim_step_t steps[] = {{.kind = SIM_REQUEST}, SIM_SAY(OK_HEAD "Content-Length: 0\r\n\r\n")};
    const sim_connection_t connection = {STEPS(steps)};
    sim_transport_t *server = sim_transport_new(&connection, 1);
    esp_http_client_handle_t client = new_client("http://[FE80::1%25Eth0]:81/x", server, NULL);
    char url[64];
    assert_int_equal(esp_http_client_open(client, 0), ESP_OK);
    assert_string_equal(sim_transport_server(server, 0), "fe80::1%Eth0:81");
    assert_non_null(strstr(sim_transport_sent(server, 0), "\r\nHost: [fe80::1]:81\r\n"));
    assert_int_equal(esp_http_client_get_url(client, url, sizeof(url)), ESP_OK);
    assert_string_equal(url, "http://[fe80::1%25Eth0]:81/x");
    esp_http_client_cleanup(client);
}

static void queries_before_any_request(void **state)
{
    (void)state;
    const sim_connection_t connection = {0};
    esp_http_client_handle_t client = new_client("https://a/x", sim_transport_new(&connection, 1), NULL);
    char byte;
    int len;
    assert_int_equal(esp_http_client_get_status_code(client), 0);
    assert_true(esp_http_client_is_complete_data_received(client));
    assert_false(esp_http_client_is_chunked_response(client));
    assert_int_equal(esp_http_client_get_chunk_length(client, &len), ESP_FAIL);
    assert_int_equal(esp_http_client_read(client, &byte, 1), -1);
    assert_int_equal(errno, ENOTCONN);
    assert_int_equal(esp_http_client_read_response(client, &byte, 1), -1);
    assert_int_equal(esp_http_client_fetch_headers(client), -1);
    assert_int_equal(esp_http_client_write(client, "x", 1), -1);
    assert_int_equal(esp_http_client_close(client), ESP_OK);
    assert_int_equal(esp_http_client_get_errno(client), 0);
    assert_int_equal(esp_http_client_get_transport_type(client), HTTP_TRANSPORT_OVER_SSL);
    assert_int_equal(esp_http_client_set_header(client, "a", NULL), ESP_ERR_NOT_FOUND);
    assert_int_equal(esp_http_client_set_header(client, NULL, "b"), ESP_ERR_INVALID_ARG);
    esp_http_client_cleanup(client);
}

static int mirrored[16];

static void mirror(int32_t event_id, const void *data, size_t size)
{
    assert_non_null(data);
    assert_int_equal(size, event_id == HTTP_EVENT_ON_DATA ? sizeof(esp_http_client_on_data_t)
                                                          : sizeof(esp_http_client_handle_t));
    mirrored[event_id]++;
}

static void events_reach_handler_and_mirror(void **state)
{
    (void)state;
    const sim_step_t steps[] = {{.kind = SIM_REQUEST},
                                SIM_SAY(OK_HEAD "ETag: \"x\"\r\nContent-Length: 2\r\n\r\nhi")};
    const sim_connection_t connection = {STEPS(steps)};
    seen_t seen = {0};
    otter_http_set_event_mirror(mirror);
    esp_http_client_handle_t client = new_client("http://a/x", sim_transport_new(&connection, 1), &seen);
    assert_int_equal(esp_http_client_perform(client), ESP_OK);
    esp_http_client_cleanup(client);
    otter_http_set_event_mirror(NULL);
    assert_string_equal(seen.headers, "ETag=\"x\";Content-Length=2;");
    for (int id = 0; id <= HTTP_EVENT_ON_HEADERS_COMPLETE; id++) {
        int want = id == HTTP_EVENT_ON_HEADER                            ? 2
                   : id == HTTP_EVENT_ERROR || id == HTTP_EVENT_REDIRECT ? 0
                                                                         : 1;
        assert_int_equal(seen.events[id], want);
        assert_int_equal(mirrored[id], want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_read_fills_the_buffer_over_many_segments),
        cmocka_unit_test(a_head_of_60_kib_is_read_and_one_of_70_refused),
        cmocka_unit_test(endless_headers_are_refused),
        cmocka_unit_test(a_dripping_head_ends_at_the_time_limit),
        cmocka_unit_test(a_head_that_timed_out_can_be_fetched_later),
        cmocka_unit_test(bytes_before_a_stall_are_given_then_the_stall_is_told),
        cmocka_unit_test(a_request_has_its_lines_in_order),
        cmocka_unit_test(init_refuses_what_is_no_url),
        cmocka_unit_test(what_does_not_fit_the_send_buffer_is_refused),
        cmocka_unit_test(nothing_can_be_written_and_read),
        cmocka_unit_test(open_tells_why_it_failed),
        cmocka_unit_test(a_second_request_uses_the_kept_connection),
        cmocka_unit_test(a_connection_that_cannot_be_kept_is_opened_anew),
        cmocka_unit_test(a_408_that_nobody_asked_for_is_no_answer),
        cmocka_unit_test(a_connection_is_disconnected_once_whoever_closes_it),
        cmocka_unit_test(a_request_with_effects_is_not_repeated),
        cmocka_unit_test(set_redirection_goes_where_location_says),
        cmocka_unit_test(perform_follows_redirects_and_delivers_the_last_body),
        cmocka_unit_test(perform_says_how_it_ended),
        cmocka_unit_test(perform_leaves_redirects_alone_when_told_so),
        cmocka_unit_test(a_head_request_reads_no_body),
        cmocka_unit_test(set_url_follows_host_and_credentials),
        cmocka_unit_test(a_zone_is_connected_to_and_not_sent),
        cmocka_unit_test(queries_before_any_request),
        cmocka_unit_test(events_reach_handler_and_mirror),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
