/* Responses, good and broken, read by the HTTP client in every way of cutting them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "http/client_internal.h"
#include "support/http_rig.h"

#define EAGAIN_RESULT (-ESP_ERR_HTTP_EAGAIN)
#define BODY_MAX      512

typedef struct {
    int events[16];
    char data[BODY_MAX]; /* ON_DATA bytes */
    size_t data_len;
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
    return ESP_OK;
}

typedef struct {
    const char *name;
    const char *response;
    sim_step_kind_t end; /* what follows: SIM_EOF, SIM_RESET, SIM_REQUEST (silence) */
    int64_t fetch;
    int status;
    const char *body; /* what can be read */
    int last;         /* what read says after that: 0, -1 or EAGAIN_RESULT */
    int last_errno;
    bool complete, chunked, persistent;
} response_row_t;

static const response_row_t responses[] = {
    {"length", OK_HEAD "Content-Length: 5\r\n\r\nhello", SIM_REQUEST, 5, 200, "hello", 0, 0, true, false,
     true},
    {"length, closed after it", OK_HEAD "Content-Length: 5\r\n\r\nhello", SIM_EOF, 5, 200, "hello", 0, 0,
     true, false, true},
    {"length, Connection: close", OK_HEAD "Connection: close\r\nContent-Length: 5\r\n\r\nhello", SIM_EOF, 5,
     200, "hello", 0, 0, true, false, false},
    {"length zero", OK_HEAD "Content-Length: 0\r\n\r\n", SIM_REQUEST, 0, 200, "", 0, 0, true, true, true},
    {"length, cut", OK_HEAD "Content-Length: 9\r\n\r\nhello", SIM_EOF, 9, 200, "hello", -1, ENOTCONN, false,
     false, true},
    {"length, reset", OK_HEAD "Content-Length: 9\r\n\r\nhello", SIM_RESET, 9, 200, "hello", -1, ECONNRESET,
     false, false, true},
    {"length, stall", OK_HEAD "Content-Length: 9\r\n\r\nhello", SIM_REQUEST, 9, 200, "hello", EAGAIN_RESULT,
     EAGAIN, false, false, true},
    {"chunked", OK_HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n", SIM_REQUEST,
     0, 200, "hello", 0, 0, true, true, true},
    {"chunked, upper case", OK_HEAD "TRANSFER-ENCODING: Chunked\r\n\r\n00005\r\nhello\r\n0\r\n\r\n",
     SIM_REQUEST, 0, 200, "hello", 0, 0, true, true, true},
    {"chunked, trailer", OK_HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n",
     SIM_REQUEST, 0, 200, "hello", 0, 0, true, true, true},
    {"chunked, empty", OK_HEAD "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", SIM_REQUEST, 0, 200, "", 0, 0,
     true, true, true},
    {"chunked, cut in a chunk", OK_HEAD "Transfer-Encoding: chunked\r\n\r\n9\r\nhello", SIM_EOF, 0, 200,
     "hello", -1, ENOTCONN, false, true, true},
    {"chunked, cut before the last", OK_HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", SIM_EOF, 0,
     200, "hello", -1, ENOTCONN, false, true, true},
    {"chunked, stall", OK_HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", SIM_REQUEST, 0, 200,
     "hello", EAGAIN_RESULT, EAGAIN, false, true, true},
    {"chunked, size is no number", OK_HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nxyz\r\n",
     SIM_REQUEST, 0, 200, "hello", -1, EBADMSG, false, true, false},
    {"chunked, negative size", OK_HEAD "Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n",
     SIM_REQUEST, 0, 200, "", -1, EBADMSG, false, true, false},
    {"chunked, size past 64 bits", OK_HEAD "Transfer-Encoding: chunked\r\n\r\n10000000000000005\r\nhello",
     SIM_REQUEST, 0, 200, "", -1, EBADMSG, false, true, false},
    {"chunked, chunk longer than told", OK_HEAD "Transfer-Encoding: chunked\r\n\r\n4\r\nhello\r\n0\r\n\r\n",
     SIM_REQUEST, 0, 200, "hell", -1, EBADMSG, false, true, false},
    {"chunked, blanks behind the size",
     OK_HEAD "Transfer-Encoding: chunked\r\n\r\n5 \t\r\nhello\r\n0  \r\n\r\n", SIM_REQUEST, 0, 200, "hello",
     0, 0, true, true, true},
    {"chunked, tabs around the coding",
     OK_HEAD "Transfer-Encoding:\tchunked\t\r\n\r\n5\r\nhello\r\n0\r\n\r\n", SIM_REQUEST, 0, 200, "hello", 0,
     0, true, true, true},
    {"chunked, extensions and trailers",
     OK_HEAD
     "Transfer-Encoding: chunked\r\n\r\n5;a=b;c=\"d;e\"\r\nhello\r\n000;x\r\nX-Y:z\r\nA: \tb c\r\n\r\n",
     SIM_REQUEST, 0, 200, "hello", 0, 0, true, true, true},
    {"chunked, cut behind the last size", OK_HEAD "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
     SIM_EOF, 0, 200, "hello", -1, ENOTCONN, false, true, true},
    {"chunked, data ends in two other bytes",
     OK_HEAD "Transfer-Encoding: chunked\r\n\r\n"
             "5\r\nhelloXY0\r\n\r\n",
     SIM_REQUEST, 0, 200, "hello", -1, EBADMSG, false, true, false},
    {"chunked, data ends in CR and another byte",
     OK_HEAD "Transfer-Encoding: chunked\r\n\r\n"
             "5\r\nhello\rX0\r\n\r\n",
     SIM_REQUEST, 0, 200, "hello", -1, EBADMSG, false, true, false},
    {"chunked, data ends in another byte and LF",
     OK_HEAD "Transfer-Encoding: chunked\r\n\r\n"
             "5\r\nhelloX\n0\r\n\r\n",
     SIM_REQUEST, 0, 200, "hello", -1, EBADMSG, false, true, false},
    {"chunked, data ends in LF",
     OK_HEAD "Transfer-Encoding: chunked\r\n\r\n"
             "5\r\nhello\n0\r\n\r\n",
     SIM_REQUEST, 0, 200, "hello", -1, EBADMSG, false, true, false},
    {"chunked, data without an end",
     OK_HEAD "Transfer-Encoding: chunked\r\n\r\n"
             "5\r\nhello0\r\n\r\n",
     SIM_REQUEST, 0, 200, "hello", -1, EBADMSG, false, true, false},
    {"chunked, a size ends in CR and another byte",
     OK_HEAD "Transfer-Encoding: chunked\r\n\r\n"
             "5\rXhello\r\n0\r\n\r\n",
     SIM_REQUEST, 0, 200, "", -1, EBADMSG, false, true, false},
    {"chunked, a size ends in LF",
     OK_HEAD "Transfer-Encoding: chunked\r\n\r\n"
             "5\nhello\r\n0\r\n\r\n",
     SIM_REQUEST, 0, 200, "", -1, EBADMSG, false, true, false},
    {"chunked, an extension ends in LF",
     OK_HEAD "Transfer-Encoding: chunked\r\n\r\n"
             "5;a\n\r\nhello\r\n0\r\n\r\n",
     SIM_REQUEST, 0, 200, "", -1, EBADMSG, false, true, false},
    {"chunked, an extension with a CR",
     OK_HEAD "Transfer-Encoding: chunked\r\n\r\n"
             "5;a\rb\r\nhello\r\n0\r\n\r\n",
     SIM_REQUEST, 0, 200, "", -1, EBADMSG, false, true, false},
    {"chunked, an extension with a control character",
     OK_HEAD "Transfer-Encoding: chunked\r\n\r\n"
             "5;\001\r\nhello\r\n0\r\n\r\n",
     SIM_REQUEST, 0, 200, "", -1, EBADMSG, false, true, false},
    {"chunked, a blank before the size",
     OK_HEAD "Transfer-Encoding: chunked\r\n\r\n"
             " 5\r\nhello\r\n0\r\n\r\n",
     SIM_REQUEST, 0, 200, "", -1, EBADMSG, false, true, false},
    {"chunked, a blank in the size",
     OK_HEAD "Transfer-Encoding: chunked\r\n\r\n"
             "5 0\r\nhello\r\n0\r\n\r\n",
     SIM_REQUEST, 0, 200, "", -1, EBADMSG, false, true, false},
    {"chunked, a size in another notation",
     OK_HEAD "Transfer-Encoding: chunked\r\n\r\n"
             "0x5\r\nhello\r\n0\r\n\r\n",
     SIM_REQUEST, 0, 200, "", -1, EBADMSG, false, true, false},
    {"chunked, no size",
     OK_HEAD "Transfer-Encoding: chunked\r\n\r\n"
             "\r\nhello\r\n0\r\n\r\n",
     SIM_REQUEST, 0, 200, "", -1, EBADMSG, false, true, false},
    {"chunked, a size of 2^63",
     OK_HEAD "Transfer-Encoding: chunked\r\n\r\n"
             "8000000000000000\r\nhello",
     SIM_REQUEST, 0, 200, "", -1, EBADMSG, false, true, false},
    {"chunked, a last size ends in CR and another byte",
     OK_HEAD "Transfer-Encoding: chunked\r\n\r\n"
             "5\r\nhello\r\n0\rX\r\n",
     SIM_REQUEST, 0, 200, "hello", -1, EBADMSG, false, true, false},
    {"chunked, the end in CR and another byte",
     OK_HEAD "Transfer-Encoding: chunked\r\n\r\n"
             "5\r\nhello\r\n0\r\n\rX",
     SIM_REQUEST, 0, 200, "hello", -1, EBADMSG, false, true, false},
    {"chunked, a trailer without a colon",
     OK_HEAD "Transfer-Encoding: chunked\r\n\r\n"
             "5\r\nhello\r\n0\r\nX\r\n\r\n",
     SIM_REQUEST, 0, 200, "hello", -1, EBADMSG, false, true, false},
    {"chunked, a trailer with a blank in its name",
     OK_HEAD "Transfer-Encoding: chunked\r\n\r\n"
             "5\r\nhello\r\n0\r\nX : y\r\n\r\n",
     SIM_REQUEST, 0, 200, "hello", -1, EBADMSG, false, true, false},
    {"chunked, a trailer with a control character",
     OK_HEAD "Transfer-Encoding: chunked\r\n\r\n"
             "5\r\nhello\r\n0\r\nX: \001\r\n\r\n",
     SIM_REQUEST, 0, 200, "hello", -1, EBADMSG, false, true, false},
    {"chunked, a trailer that ends in LF",
     OK_HEAD "Transfer-Encoding: chunked\r\n\r\n"
             "5\r\nhello\r\n0\r\nX: y\n\r\n",
     SIM_REQUEST, 0, 200, "hello", -1, EBADMSG, false, true, false},
    {"until close", OK_HEAD "\r\nhello", SIM_EOF, 0, 200, "hello", 0, ENOTCONN, true, true, false},
    {"until close, empty", OK_HEAD "\r\n", SIM_EOF, 0, 200, "", 0, ENOTCONN, true, true, false},
    {"until close, reset", OK_HEAD "\r\nhello", SIM_RESET, 0, 200, "hello", -1, ECONNRESET, false, true,
     false},
    {"until close, HTTP/1.0", "HTTP/1.0 200 ok\r\nContent-type: text/plain\r\n\r\nhello", SIM_EOF, 0, 200,
     "hello", 0, ENOTCONN, true, true, false},
    {"HTTP/1.0 keep-alive", "HTTP/1.0 200 ok\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi",
     SIM_REQUEST, 2, 200, "hi", 0, 0, true, false, true},
    {"no content", "HTTP/1.1 204 No Content\r\n\r\n", SIM_REQUEST, 0, 204, "", 0, 0, true, true, true},
    {"not modified with a length", "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", SIM_REQUEST, 7,
     304, "", 0, 0, true, false, true},
    {"an error with a body", "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone", SIM_REQUEST, 4, 404,
     "none", 0, 0, true, false, true},
    {"interim responses",
     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" OK_HEAD
     "Content-Length: 2\r\n\r\nhi",
     SIM_REQUEST, 2, 200, "hi", 0, 0, true, false, true},
    {"no reason phrase", "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nhi", SIM_REQUEST, 2, 200, "hi", 0, 0, true,
     false, true},
    {"bare line feeds", "HTTP/1.1 200 OK\nContent-Length: 2\n\nhi", SIM_REQUEST, 2, 200, "hi", 0, 0, true,
     false, true},
    {"empty header value", OK_HEAD "X-Empty:\r\nContent-Length: 2\r\n\r\nhi", SIM_REQUEST, 2, 200, "hi", 0, 0,
     true, false, true},
    {"tabs around a length", OK_HEAD "Content-Length:\t2\t \r\n\r\nhi", SIM_REQUEST, 2, 200, "hi", 0, 0, true,
     false, true},
    {"tabs around Connection", OK_HEAD "Connection:\tclose\t\r\nContent-Length: 2\r\n\r\nhi", SIM_REQUEST, 2,
     200, "hi", 0, 0, true, false, false},
    {"a folded value", OK_HEAD "X: a\r\n\tb\r\nContent-Length:\r\n 2\r\n\r\nhi", SIM_REQUEST, 2, 200, "hi", 0,
     0, true, false, true},
    {"blank lines before the answer", "\r\n\r\n" OK_HEAD "Content-Length: 2\r\n\r\nhi", SIM_REQUEST, 2, 200,
     "hi", 0, 0, true, false, true},
    {"a carriage return between length and body", OK_HEAD "Content-Length: 2\r\n\r\n\rx", SIM_REQUEST, 2, 200,
     "\rx", 0, 0, true, false, true},

    {"silence", "", SIM_REQUEST, EAGAIN_RESULT, -1, NULL, 0, 0, false, false, false},
    {"closed at once", "", SIM_EOF, -1, -1, NULL, 0, 0, false, false, false},
    {"reset at once", "", SIM_RESET, -1, -1, NULL, 0, 0, false, false, false},
    {"cut in the head", "HTTP/1.1 200 OK\r\nContent-Le", SIM_EOF, -1, -1, NULL, 0, 0, false, false, false},
    {"stall in the head", "HTTP/1.1 200 OK\r\nContent-Le", SIM_REQUEST, EAGAIN_RESULT, -1, NULL, 0, 0, false,
     false, false},
    {"not HTTP", "SSH-2.0-OpenSSH_9.2\r\n", SIM_REQUEST, -1, -1, NULL, 0, 0, false, false, false},
    {"a TLS alert", "\x15\x03\x03\x00\x02\x02\x46", SIM_REQUEST, -1, -1, NULL, 0, 0, false, false, false},
    {"a carriage return inside a line", OK_HEAD "X: \rh\r4\n\nhello", SIM_EOF, -1, -1, NULL, 0, 0, false,
     false, false},
    {"HTTP/2", "HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n", SIM_REQUEST, -1, -1, NULL, 0, 0, false, false,
     false},
    {"HTTP/0.9", "hello", SIM_EOF, -1, -1, NULL, 0, 0, false, false, false},
    {"status is no number", "HTTP/1.1 abc OK\r\n\r\n", SIM_REQUEST, -1, -1, NULL, 0, 0, false, false, false},
    {"status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", SIM_REQUEST, -1, -1, NULL, 0, 0, false, false,
     false},
    {"status of two digits", "HTTP/1.1 20 OK\r\n\r\n", SIM_REQUEST, -1, -1, NULL, 0, 0, false, false, false},
    {"negative length", OK_HEAD "Content-Length: -5\r\n\r\nhello", SIM_REQUEST, -1, -1, NULL, 0, 0, false,
     false, false},
    {"length with a sign", OK_HEAD "Content-Length: +5\r\n\r\nhello", SIM_REQUEST, -1, -1, NULL, 0, 0, false,
     false, false},
    {"length is no number", OK_HEAD "Content-Length: 5x\r\n\r\nhello", SIM_REQUEST, -1, -1, NULL, 0, 0, false,
     false, false},
    {"length past 63 bits", OK_HEAD "Content-Length: 9223372036854775808\r\n\r\nhello", SIM_REQUEST, -1, -1,
     NULL, 0, 0, false, false, false},
    {"length past 64 bits", OK_HEAD "Content-Length: 99999999999999999999\r\n\r\nhello", SIM_REQUEST, -1, -1,
     NULL, 0, 0, false, false, false},
    {"two lengths", OK_HEAD "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", SIM_REQUEST, -1, -1, NULL,
     0, 0, false, false, false},
    {"a list of lengths", OK_HEAD "Content-Length: 5, 6\r\n\r\nhello", SIM_REQUEST, -1, -1, NULL, 0, 0, false,
     false, false},
    {"length and chunked", OK_HEAD "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     SIM_REQUEST, -1, -1, NULL, 0, 0, false, false, false},
    {"chunked and length", OK_HEAD "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
     SIM_REQUEST, -1, -1, NULL, 0, 0, false, false, false},
    {"an unknown transfer coding", OK_HEAD "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", SIM_REQUEST,
     -1, -1, NULL, 0, 0, false, false, false},
    {"chunked twice", OK_HEAD "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     SIM_REQUEST, -1, -1, NULL, 0, 0, false, false, false},
    {"a space in a header name", OK_HEAD "Content Length: 5\r\n\r\nhello", SIM_REQUEST, -1, -1, NULL, 0, 0,
     false, false, false},
    {"a blank before a colon", OK_HEAD "Content-Length : 5\r\n\r\nhello", SIM_REQUEST, -1, -1, NULL, 0, 0,
     false, false, false},
    {"two blanks before a colon", OK_HEAD "Content-Length  : 5\r\n\r\nhello", SIM_REQUEST, -1, -1, NULL, 0, 0,
     false, false, false},
    {"a tab before a colon", OK_HEAD "Content-Length\t: 5\r\n\r\nhello", SIM_REQUEST, -1, -1, NULL, 0, 0,
     false, false, false},
    {"a blank before the colon of a coding", OK_HEAD "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
     SIM_REQUEST, -1, -1, NULL, 0, 0, false, false, false},
    {"a blank before the colon of any header", OK_HEAD "X : y\r\nContent-Length: 5\r\n\r\nhello", SIM_REQUEST,
     -1, -1, NULL, 0, 0, false, false, false},
    {"a first header line that begins with a blank", OK_HEAD " X: y\r\nContent-Length: 5\r\n\r\nhello",
     SIM_REQUEST, -1, -1, NULL, 0, 0, false, false, false},
    {"a header without a name", OK_HEAD ": y\r\nContent-Length: 5\r\n\r\nhello", SIM_REQUEST, -1, -1, NULL, 0,
     0, false, false, false},
    {"a control character in a value", OK_HEAD "X: \001\r\nContent-Length: 5\r\n\r\nhello", SIM_REQUEST, -1,
     -1, NULL, 0, 0, false, false, false},
    {"a carriage return before the end of a line", OK_HEAD "X: y\r\r\nContent-Length: 5\r\n\r\nhello",
     SIM_REQUEST, -1, -1, NULL, 0, 0, false, false, false},
    {"nearly HTTP", "HTTQ/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", SIM_REQUEST, -1, -1, NULL, 0, 0,
     false, false, false},
    {"a header without colon", OK_HEAD "Content-Length\r\n\r\nhello", SIM_REQUEST, -1, -1, NULL, 0, 0, false,
     false, false},
    {"switching protocols", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
     SIM_REQUEST, -1, -1, NULL, 0, 0, false, false, false},
    {"endless interim responses",
     "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 "
     "C\r\n\r\n"
     "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\nHTTP/1.1 100 C\r\n\r\n" OK_HEAD
     "\r\n",
     SIM_REQUEST, -1, -1, NULL, 0, 0, false, false, false},
};

static void check_body(esp_http_client_handle_t client, const response_row_t *row, size_t step)
{
    char body[BODY_MAX] = "";
    size_t got = 0;
    int n;
    while ((n = esp_http_client_read(client, body + got, (int)step)) > 0) {
        got += (size_t)n;
        assert_true(got <= strlen(row->body));
    }
    body[got] = '\0';
    assert_string_equal(body, row->body);
    assert_int_equal(n, row->last);
    if (row->last != 0) {
        assert_int_equal(errno, row->last_errno);
        assert_int_equal(http_client_last_failure(client)->stage, HTTP_STAGE_BODY);
        assert_int_equal(esp_http_client_read(client, body, 8), row->last); /* it stays so */
    }
    assert_int_equal(esp_http_client_is_complete_data_received(client), row->complete);
    assert_int_equal(esp_http_client_is_chunked_response(client), row->chunked);
    assert_int_equal(esp_http_client_is_persistent_connection(client), row->persistent);
}

static void check_response(const response_row_t *row, size_t max_read, size_t read_step)
{
    const sim_step_t steps[] = {
        {.kind = SIM_REQUEST},
        {.kind = SIM_BYTES, .data = row->response, .len = strlen(row->response)},
        {.kind = row->end},
    };
    /* A step of no bytes would be no step. */
    const sim_step_t silent[] = {{.kind = SIM_REQUEST}, {.kind = row->end}};
    bool empty = row->response[0] == '\0';
    const sim_connection_t connection = {
        .steps = empty ? silent : steps, .count = empty ? COUNT(silent) : COUNT(steps), .max_read = max_read};
    seen_t seen = {0};
    esp_http_client_handle_t client = new_client((esp_http_client_config_t){.url = "http://server/fw.bin",
                                                                            .event_handler = on_event,
                                                                            .user_data = &seen},
                                                 sim_transport_new(&connection, 1));
    assert_int_equal(esp_http_client_open(client, 0), ESP_OK);
    assert_int_equal(esp_http_client_get_status_code(client), -1);
    assert_int_equal(esp_http_client_fetch_headers(client), row->fetch);
    assert_int_equal(esp_http_client_get_status_code(client), row->status);
    if (row->body == NULL) {
        char byte;
        assert_int_equal(http_client_last_failure(client)->stage, HTTP_STAGE_HEADER);
        assert_int_equal(esp_http_client_read(client, &byte, 1), -1);
        assert_false(esp_http_client_is_complete_data_received(client));
        assert_true(seen.events[HTTP_EVENT_ERROR] > 0);
    } else {
        check_body(client, row, read_step);
        assert_int_equal(seen.data_len, strlen(row->body));
        assert_memory_equal(seen.data, row->body, seen.data_len);
    }
    assert_int_equal(esp_http_client_cleanup(client), ESP_OK);
    assert_int_equal(seen.events[HTTP_EVENT_ON_CONNECTED], 1);
    assert_int_equal(seen.events[HTTP_EVENT_DISCONNECTED], 1);
    assert_int_equal(seen.events[HTTP_EVENT_ON_FINISH], 0);
}

static void every_response_reads_the_same_however_it_is_cut(void **state)
{
    (void)state;
    static const size_t max_reads[] = {0, 1, 2, 3, 7, 19};
    static const size_t read_steps[] = {400, 1, 2, 4, 5};
    for (size_t i = 0; i < COUNT(responses); i++) {
        print_message("%s\n", responses[i].name);
        for (size_t m = 0; m < COUNT(max_reads); m++) {
            for (size_t r = 0; r < COUNT(read_steps); r++) {
                check_response(&responses[i], max_reads[m], read_steps[r]);
            }
        }
    }
}

static esp_err_t on_piece(esp_http_client_event_t *event)
{
    if (event->event_id == HTTP_EVENT_ON_DATA) {
        assert_in_range(event->data_len, 1,
                        100); /* what the handler below has room for, as buffer_size says */
        *(int *)event->user_data += event->data_len;
    }
    return ESP_OK;
}

static void a_handler_gets_no_more_at_once_than_buffer_size(void **state)
{
    (void)state;
    char response[600] = OK_HEAD "Content-Length: 500\r\n\r\n", body[500];
    const size_t head = strlen(response);
    memset(response + head, 'x', sizeof(body));
    for (size_t step = 50; step <= sizeof(body); step *= 10) {
        const sim_step_t steps[] = {{.kind = SIM_REQUEST},
                                    {.kind = SIM_BYTES, .data = response, .len = head + sizeof(body)},
                                    {.kind = SIM_EOF}};
        const sim_connection_t connection = {.steps = steps, .count = COUNT(steps)};
        int told = 0, got = 0, n;
        esp_http_client_handle_t client = new_client((esp_http_client_config_t){.url = "http://server/fw.bin",
                                                                                .buffer_size = 100,
                                                                                .event_handler = on_piece,
                                                                                .user_data = &told},
                                                     sim_transport_new(&connection, 1));
        assert_int_equal(esp_http_client_open(client, 0), ESP_OK);
        assert_int_equal(esp_http_client_fetch_headers(client), sizeof(body));
        while ((n = esp_http_client_read(client, body, (int)step)) > 0) {
            got += n;
        }
        assert_int_equal(got, sizeof(body));
        assert_int_equal(told, sizeof(body));
        assert_int_equal(esp_http_client_cleanup(client), ESP_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handler_gets_no_more_at_once_than_buffer_size),
        cmocka_unit_test(every_response_reads_the_same_however_it_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
