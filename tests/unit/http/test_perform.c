/* Authentication and whole exchanges of the HTTP client against scripted servers: what goes out, and what comes back. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "http/client_internal.h"
#include "support/http_rig.h"

#define ASK(asked) "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: " asked "\r\nContent-Length: 2\r\n\r\nno"
#define DIGEST(n)  ASK("Digest realm=\"r\", nonce=\"" n "\", qop=\"auth\", algorithm=SHA-256")
#define STEPS_MAX  26

typedef struct {
    char order[64]; /* one letter an event */
} seen_t;

static esp_err_t on_event(esp_http_client_event_t *event)
{
    static const char letters[] = {[HTTP_EVENT_ERROR] = 'E',          [HTTP_EVENT_ON_CONNECTED] = 'C',
                                   [HTTP_EVENT_HEADERS_SENT] = 'S',   [HTTP_EVENT_ON_HEADER] = 'h',
                                   [HTTP_EVENT_ON_DATA] = 'd',        [HTTP_EVENT_ON_FINISH] = 'F',
                                   [HTTP_EVENT_DISCONNECTED] = 'D',   [HTTP_EVENT_REDIRECT] = 'R',
                                   [HTTP_EVENT_ON_STATUS_CODE] = 's', [HTTP_EVENT_ON_HEADERS_COMPLETE] = 'c'};
    seen_t *seen = event->user_data;
    if (event->event_id == HTTP_EVENT_ON_STATUS_CODE) {
        assert_int_equal(event->data_len, sizeof(int));
        assert_int_equal(esp_http_client_get_status_code(event->client), *(int *)event->data);
    }
    size_t used = strlen(seen->order);
    if (used + 1 < sizeof(seen->order)) {
        seen->order[used] = letters[event->event_id];
    }
    return ESP_OK;
}

/* The `index`-th request of a connection, terminated in `text`. */
static void copy_request(sim_transport_t *server, size_t connection, size_t index, char *text, size_t size)
{
    const char *start = sim_transport_sent(server, connection);
    for (; index > 0; index--) {
        start = strstr(start, "\r\n\r\n");
        assert_non_null(start);
        start += 4;
    }
    const char *end = strstr(start, "\r\n\r\n");
    assert_non_null(end);
    assert_true((size_t)(end - start) < size);
    memcpy(text, start, (size_t)(end - start));
    text[end - start] = '\0';
}

static void assert_sent(sim_transport_t *server, size_t connection, size_t index, const char *wanted)
{
    char text[2048];
    copy_request(server, connection, index, text, sizeof(text));
    if (wanted == NULL) {
        assert_null(strstr(text, "Authorization:"));
    } else if (strstr(text, wanted) == NULL) {
        fail_msg("\"%s\" is not in\n%s", wanted, text);
    }
}

/* ---- perform() and 401 ---- */

typedef struct {
    const char *name;
    esp_http_client_config_t config;
    sim_step_t steps[2][STEPS_MAX]; /* of two connections */
    esp_err_t want;
    int status;
    const char *sent[3]; /* in the last request, in all connections together; NULL: no more */
    size_t requests;
} auth_row_t;

#define USER .username = "me", .password = "secret"

static const auth_row_t auth_rows[] = {
    {"basic is answered when asked",
     {.url = "http://a/x", USER},
     {{REQUEST, SIM_SAY(ASK("Basic realm=\"r\"")), REQUEST, SIM_SAY(OK_HI)}},
     ESP_OK,
     200,
     {"Authorization: Basic bWU6c2VjcmV0"},
     2},
    {"basic goes out unasked",
     {.url = "http://a/x", USER, .auth_type = HTTP_AUTH_TYPE_BASIC},
     {{REQUEST, SIM_SAY(OK_HI)}},
     ESP_OK,
     200,
     {"Authorization: Basic bWU6c2VjcmV0"},
     1},
    {"credentials in the URL go out unasked",
     {.url = "http://me:secret@a/x"},
     {{REQUEST, SIM_SAY(OK_HI)}},
     ESP_OK,
     200,
     {"Authorization: Basic bWU6c2VjcmV0"},
     1},
    {"credentials in the URL answer a digest",
     {.url = "http://me:secret@a/x"},
     {{REQUEST, SIM_SAY(DIGEST("n")), REQUEST, SIM_SAY(OK_HI)}},
     ESP_OK,
     200,
     {"Authorization: Digest username=\"me\""},
     2},
    {"digest covers path and query",
     {.url = "http://a/x?y=z", USER},
     {{REQUEST, SIM_SAY(DIGEST("n")), REQUEST, SIM_SAY(OK_HI)}},
     ESP_OK,
     200,
     {"uri=\"/x?y=z\"", "nonce=\"n\"", "nc=00000001"},
     2},
    {"a stale nonce is replaced",
     {.url = "http://a/x", USER},
     {{REQUEST, SIM_SAY(DIGEST("n")), REQUEST,
       SIM_SAY(ASK("Digest realm=\"r\", nonce=\"m\", qop=\"auth\", stale=true")), REQUEST, SIM_SAY(OK_HI)}},
     ESP_OK,
     200,
     {"nonce=\"m\"", "nc=00000001"},
     3},
    {"a chunked 401 on a kept connection",
     {.url = "http://a/x", USER},
     {{REQUEST, SIM_SAY("HTTP/1.1 401 U\r\nWWW-Authenticate: Basic\r\nTransfer-Encoding: chunked\r\n\r\n"),
       SIM_SAY("2\r\nno\r\n0\r\n\r\n"), REQUEST, SIM_SAY(OK_HI)}},
     ESP_OK,
     200,
     {"Authorization: Basic"},
     2},
    {"a 401 that ends the connection",
     {.url = "http://a/x", USER},
     {{REQUEST, SIM_SAY("HTTP/1.0 401 U\r\nWWW-Authenticate: Basic\r\n\r\nno"), CLOSE},
      {REQUEST, SIM_SAY(OK_HI)}},
     ESP_OK,
     200,
     {"Authorization: Basic"},
     2},
    {"a 401 that says it will close",
     {.url = "http://a/x", USER},
     {{REQUEST,
       SIM_SAY(
           "HTTP/1.1 401 U\r\nWWW-Authenticate: Basic\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno"),
       CLOSE},
      {REQUEST, SIM_SAY(OK_HI)}},
     ESP_OK,
     200,
     {"Authorization: Basic"},
     2},
    {"a 401 too large to read to its end",
     {.url = "http://a/x", USER},
     {{REQUEST, SIM_SAY("HTTP/1.1 401 U\r\nWWW-Authenticate: Basic\r\nContent-Length: 9999999\r\n\r\nno")},
      {REQUEST, SIM_SAY(OK_HI)}},
     ESP_OK,
     200,
     {"Authorization: Basic"},
     2},
    {"a wrong password, twice",
     {.url = "http://a/x", USER, .max_authorization_retries = 2},
     {{REQUEST, SIM_SAY(DIGEST("1")), REQUEST, SIM_SAY(DIGEST("2")), REQUEST, SIM_SAY(DIGEST("3"))}},
     ESP_FAIL,
     401,
     {"nonce=\"2\""},
     3},
    {"a wrong password for ever",
     {.url = "http://a/x", USER},
     {{REQUEST, SIM_SAY(DIGEST("1")),  REQUEST, SIM_SAY(DIGEST("2")),  REQUEST, SIM_SAY(DIGEST("3")),
       REQUEST, SIM_SAY(DIGEST("4")),  REQUEST, SIM_SAY(DIGEST("5")),  REQUEST, SIM_SAY(DIGEST("6")),
       REQUEST, SIM_SAY(DIGEST("7")),  REQUEST, SIM_SAY(DIGEST("8")),  REQUEST, SIM_SAY(DIGEST("9")),
       REQUEST, SIM_SAY(DIGEST("10")), REQUEST, SIM_SAY(DIGEST("11")), REQUEST, SIM_SAY(OK_HI)}},
     ESP_FAIL,
     401,
     {"nonce=\"10\""},
     11},
    {"no retries at all",
     {.url = "http://a/x", USER, .max_authorization_retries = -1},
     {{REQUEST, SIM_SAY(DIGEST("n"))}},
     ESP_FAIL,
     401,
     {NULL},
     1},
    {"no challenge",
     {.url = "http://a/x", USER},
     {{REQUEST, SIM_SAY("HTTP/1.1 401 U\r\nContent-Length: 0\r\n\r\n")}},
     ESP_ERR_NOT_SUPPORTED,
     401,
     {NULL},
     1},
    {"a challenge nobody knows",
     {.url = "http://a/x", USER},
     {{REQUEST, SIM_SAY(ASK("Bearer"))}},
     ESP_ERR_NOT_SUPPORTED,
     401,
     {NULL},
     1},
    {"no user name",
     {.url = "http://a/x"},
     {{REQUEST, SIM_SAY(ASK("Basic"))}},
     ESP_ERR_NOT_SUPPORTED,
     401,
     {NULL},
     1},
    {"digest wanted, basic asked",
     {.url = "http://a/x", USER, .auth_type = HTTP_AUTH_TYPE_DIGEST},
     {{REQUEST, SIM_SAY(ASK("Basic"))}},
     ESP_ERR_NOT_SUPPORTED,
     401,
     {NULL},
     1},
    {"basic preset, digest asked",
     {.url = "http://a/x", USER, .auth_type = HTTP_AUTH_TYPE_BASIC},
     {{REQUEST, SIM_SAY(DIGEST("n")), REQUEST, SIM_SAY(OK_HI)}},
     ESP_OK,
     200,
     {"Authorization: Digest"},
     2},
    {"401s do not count as redirects",
     {.url = "http://a/x", USER, .max_redirection_count = 1},
     {{REQUEST, SIM_SAY(DIGEST("n")), REQUEST, SIM_SAY(DIGEST("m")), REQUEST,
       SIM_SAY("HTTP/1.1 302 F\r\nLocation: /y\r\nContent-Length: 0\r\n\r\n"), REQUEST, SIM_SAY(OK_HI)}},
     ESP_OK,
     200,
     {"GET /y", "uri=\"/y\"", "nc=00000002"},
     4},
    {"credentials stay behind when the host changes",
     {.url = "http://me:secret@a/x"},
     {{REQUEST, SIM_SAY(DIGEST("n")), REQUEST,
       SIM_SAY("HTTP/1.1 302 F\r\nLocation: http://b/y\r\nContent-Length: 0\r\n\r\n")},
      {REQUEST, SIM_SAY(DIGEST("n"))}},
     ESP_ERR_NOT_SUPPORTED,
     401,
     {NULL},
     3},
    {"and when the port changes",
     {.url = "http://a/x", USER, .auth_type = HTTP_AUTH_TYPE_BASIC},
     {{REQUEST, SIM_SAY("HTTP/1.1 302 F\r\nLocation: http://a:81/y\r\nContent-Length: 0\r\n\r\n")},
      {REQUEST, SIM_SAY(OK_HI)}},
     ESP_OK,
     200,
     {NULL},
     2},
    {"and when the scheme changes",
     {.url = "http://a/x", USER, .auth_type = HTTP_AUTH_TYPE_BASIC},
     {{REQUEST, SIM_SAY("HTTP/1.1 302 F\r\nLocation: https://a/y\r\nContent-Length: 0\r\n\r\n")},
      {REQUEST, SIM_SAY(OK_HI)}},
     ESP_OK,
     200,
     {NULL},
     2},
    {"an answer longer than buffer_size_tx",
     {.url = "http://a/x", USER, .buffer_size_tx = 64},
     {{REQUEST, SIM_SAY(DIGEST("n")), REQUEST, SIM_SAY(OK_HI)}},
     ESP_OK,
     200,
     {"qop=auth, nc=00000001, cnonce=\""},
     2},
};

static size_t count_steps(const sim_step_t *steps)
{
    size_t count = 0;
    while (count < STEPS_MAX && (steps[count].kind != SIM_REQUEST || steps[count].ms != 0)) {
        count++;
    }
    return count;
}

static void perform_answers_what_it_can(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(auth_rows); i++) {
        const auth_row_t *row = &auth_rows[i];
        sim_connection_t connections[2];
        for (size_t k = 0; k < 2; k++) {
            connections[k] = (sim_connection_t){.steps = row->steps[k], .count = count_steps(row->steps[k])};
        }
        sim_transport_t *server = sim_transport_new(connections, 2);
        esp_http_client_handle_t client = new_client(row->config, server);
        print_message("%s\n", row->name);
        assert_int_equal(esp_http_client_perform(client), row->want);
        assert_int_equal(esp_http_client_get_status_code(client), row->status);
        size_t requests = 0, last = sim_transport_connects(server) - 1, before_last = 0;
        for (size_t k = 0; k <= last; k++) {
            before_last = requests;
            for (const char *p = sim_transport_sent(server, k); (p = strstr(p, "\r\n\r\n")) != NULL; p += 4) {
                requests++;
            }
        }
        assert_int_equal(requests, row->requests);
        for (size_t k = 0; k < COUNT(row->sent) && (k == 0 || row->sent[k] != NULL); k++) {
            assert_sent(server, last, requests - before_last - 1, row->sent[k]);
        }
        esp_http_client_cleanup(client);
    }
}

/* ---- authentication by hand, as a download does it ---- */

static void add_auth_serves_a_request_loop(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        sim_step_t first[4];
        bool drain;
        size_t connects;
    } rows[] = {
        {"drained", {REQUEST, SIM_SAY(DIGEST("n")), REQUEST, SIM_SAY(OK_HI)}, true, 1},
        {"not drained",
         {REQUEST, SIM_SAY("HTTP/1.1 401 U\r\nWWW-Authenticate: Basic\r\nContent-Length: 9\r\n\r\nno")},
         false,
         2},
        {"chunked",
         {REQUEST,
          SIM_SAY("HTTP/1.1 401 U\r\nWWW-Authenticate: Basic\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "2\r\nno\r\n0\r\n\r\n"),
          REQUEST, SIM_SAY(OK_HI)},
         true,
         1},
        {"closed behind it",
         {REQUEST, SIM_SAY("HTTP/1.1 401 U\r\nWWW-Authenticate: Basic\r\n\r\nno"), CLOSE},
         true,
         2},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const sim_step_t second[] = {REQUEST, SIM_SAY(OK_HI)};
        size_t count = rows[i].connects == 1 ? 4 : rows[i].first[2].kind == SIM_EOF ? 3 : 2;
        const sim_connection_t connections[] = {{.steps = rows[i].first, .count = count},
                                                {.steps = second, .count = 2}};
        sim_transport_t *server = sim_transport_new(connections, 2);
        esp_http_client_handle_t client =
            new_client((esp_http_client_config_t){.url = "http://a/x", USER}, server);
        char body[8];
        print_message("%s\n", rows[i].name);
        assert_int_equal(esp_http_client_add_auth(client), ESP_OK); /* nothing was asked yet */
        assert_int_equal(esp_http_client_open(client, 0), ESP_OK);
        assert_true(esp_http_client_fetch_headers(client) >= 0);
        assert_int_equal(esp_http_client_get_status_code(client), 401);
        assert_int_equal(esp_http_client_add_auth(client), ESP_OK);
        while (rows[i].drain && esp_http_client_read(client, body, sizeof(body)) > 0) {
        }
        assert_int_equal(esp_http_client_open(client, 0), ESP_OK);
        assert_int_equal(esp_http_client_fetch_headers(client), 2);
        assert_int_equal(esp_http_client_get_status_code(client), 200);
        assert_int_equal(sim_transport_connects(server), rows[i].connects);
        esp_http_client_cleanup(client);
    }
    assert_int_equal(esp_http_client_add_auth(NULL), ESP_ERR_INVALID_ARG);
}

static void a_success_allows_all_retries_again(void **state)
{
    (void)state;
    const sim_step_t steps[] = {REQUEST, SIM_SAY(DIGEST("1")), REQUEST, SIM_SAY(OK_HI),
                                REQUEST, SIM_SAY(DIGEST("2")), REQUEST, SIM_SAY(OK_HI),
                                REQUEST, SIM_SAY(OK_HI)};
    const sim_connection_t connection = {.steps = steps, .count = COUNT(steps)};
    sim_transport_t *server = sim_transport_new(&connection, 1);
    esp_http_client_handle_t client = new_client(
        (esp_http_client_config_t){.url = "http://a/x", USER, .max_authorization_retries = 1}, server);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(esp_http_client_perform(client), ESP_OK);
        assert_int_equal(esp_http_client_get_status_code(client), 200);
    }
    assert_sent(server, 0, 1, "nonce=\"1\"");
    assert_sent(server, 0, 2, "nc=00000002"); /* the old nonce goes with the next request */
    assert_sent(server, 0, 3, "nonce=\"2\"");
    assert_sent(server, 0, 4, "nc=00000002");
    esp_http_client_cleanup(client);
}

static void a_refused_call_does_not_spoil_the_next(void **state)
{
    (void)state;
    const sim_step_t first[] = {REQUEST, SIM_SAY(DIGEST("1")), REQUEST, SIM_SAY(DIGEST("2"))};
    const sim_step_t second[] = {REQUEST, SIM_SAY(DIGEST("3")), REQUEST, SIM_SAY(OK_HI)};
    const sim_connection_t connections[] = {{.steps = first, .count = COUNT(first)},
                                            {.steps = second, .count = COUNT(second)}};
    sim_transport_t *server = sim_transport_new(connections, 2);
    esp_http_client_handle_t client = new_client(
        (esp_http_client_config_t){.url = "http://a/x", USER, .max_authorization_retries = 1}, server);
    assert_int_equal(esp_http_client_perform(client), ESP_FAIL);
    assert_int_equal(esp_http_client_set_password(client, "right"), ESP_OK);
    assert_int_equal(esp_http_client_perform(client), ESP_OK);
    assert_sent(server, 1, 1, "nonce=\"3\"");
    esp_http_client_cleanup(client);
}

static void every_answer_has_a_client_nonce_of_its_own(void **state)
{
    (void)state;
    const sim_step_t steps[] = {REQUEST, SIM_SAY(DIGEST("1")), REQUEST, SIM_SAY(OK_HI),
                                REQUEST, SIM_SAY(OK_HI)};
    const sim_connection_t connection = {.steps = steps, .count = COUNT(steps)};
    sim_transport_t *server = sim_transport_new(&connection, 1);
    esp_http_client_handle_t client =
        new_client((esp_http_client_config_t){.url = "http://a/x", USER}, server);
    assert_int_equal(esp_http_client_perform(client), ESP_OK);
    assert_int_equal(esp_http_client_perform(client), ESP_OK);
    char first[2048], second[2048];
    copy_request(server, 0, 1, first, sizeof(first));
    copy_request(server, 0, 2, second, sizeof(second));
    const char *a = strstr(first, "cnonce=\""), *b = strstr(second, "cnonce=\"");
    assert_non_null(a);
    assert_non_null(b);
    assert_int_equal(strcspn(a + 8, "\""), 32);
    assert_memory_not_equal(a, b, 40);
    esp_http_client_cleanup(client);
}

static esp_err_t take_own_challenge(esp_http_client_event_t *event)
{
    if (event->event_id == HTTP_EVENT_ON_HEADER && strcmp(event->header_key, "X-Login") == 0) {
        int len = (int)strlen(event->header_value);
        assert_int_equal(esp_http_client_set_auth_data(event->client, event->header_value, 5), ESP_OK);
        assert_int_equal(esp_http_client_set_auth_data(event->client, event->header_value + 5, len - 5),
                         ESP_OK);
    }
    return ESP_OK;
}

static void a_challenge_of_the_application_is_answered(void **state)
{
    (void)state;
    const sim_step_t steps[] = {
        REQUEST,
        SIM_SAY("HTTP/1.1 401 U\r\nX-Login: Digest realm=\"r\", nonce=\"own\"\r\nContent-Length: 0\r\n\r\n"),
        REQUEST, SIM_SAY(OK_HI)};
    const sim_connection_t connection = {.steps = steps, .count = COUNT(steps)};
    sim_transport_t *server = sim_transport_new(&connection, 1);
    esp_http_client_handle_t client =
        new_client((esp_http_client_config_t){.url = "http://a/x", USER}, server);
    assert_int_equal(esp_http_client_set_event_handler(client, take_own_challenge), ESP_OK);
    assert_int_equal(esp_http_client_perform(client), ESP_OK);
    assert_sent(server, 0, 1, "nonce=\"own\"");
    char *big = calloc(1, 5000);
    assert_non_null(big);
    memset(big, 'x', 4999);
    assert_int_equal(esp_http_client_set_auth_data(client, big, 4999), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_http_client_set_auth_data(client, "a\0b", 3), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_http_client_set_auth_data(client, "a", 0), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_http_client_set_auth_data(NULL, "a", 1), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_http_client_set_event_handler(NULL, NULL), ESP_ERR_INVALID_ARG);
    free(big);
    esp_http_client_cleanup(client);
}

static void an_applications_own_authorization_gives_way_to_a_challenge(void **state)
{
    (void)state;
    const sim_step_t steps[] = {REQUEST, SIM_SAY(ASK("Basic")), REQUEST, SIM_SAY(OK_HI)};
    const sim_connection_t connection = {.steps = steps, .count = COUNT(steps)};
    sim_transport_t *server = sim_transport_new(&connection, 1);
    esp_http_client_handle_t client = new_client(
        (esp_http_client_config_t){.url = "http://a/x", .auth_type = HTTP_AUTH_TYPE_BASIC}, server);
    assert_int_equal(esp_http_client_set_username(client, "me"), ESP_OK);
    assert_int_equal(esp_http_client_set_password(client, "secret"), ESP_OK);
    assert_int_equal(esp_http_client_set_header(client, "Authorization", "Bearer token"), ESP_OK);
    assert_int_equal(esp_http_client_perform(client), ESP_OK);
    assert_sent(server, 0, 0, "Authorization: Bearer token");
    assert_sent(server, 0, 1, "Authorization: Basic bWU6c2VjcmV0");
    char text[2048];
    copy_request(server, 0, 1, text, sizeof(text));
    assert_null(strstr(text, "Bearer"));
    esp_http_client_cleanup(client);
}

/* ---- what goes out ---- */

static void every_method_has_its_name(void **state)
{
    (void)state;
    static const char *const names[HTTP_METHOD_MAX] = {
        "GET ",    "POST ",      "PUT ",         "PATCH ",     "DELETE ", "HEAD ",
        "NOTIFY ", "SUBSCRIBE ", "UNSUBSCRIBE ", "OPTIONS ",   "COPY ",   "MOVE ",
        "LOCK ",   "UNLOCK ",    "PROPFIND ",    "PROPPATCH ", "MKCOL ",  "REPORT "};
    for (int method = 0; method < HTTP_METHOD_MAX; method++) {
        const sim_step_t steps[] = {REQUEST, SIM_SAY("HTTP/1.1 204 No\r\n\r\n")};
        const sim_connection_t connection = {.steps = steps, .count = COUNT(steps)};
        sim_transport_t *server = sim_transport_new(&connection, 1);
        esp_http_client_handle_t client = new_client(
            (esp_http_client_config_t){.url = "http://a/x", .method = (esp_http_client_method_t)method},
            server);
        assert_int_equal(esp_http_client_perform(client), ESP_OK);
        const char *sent = sim_transport_sent(server, 0);
        assert_memory_equal(sent, names[method], strlen(names[method]));
        bool plain = method == HTTP_METHOD_GET || method == HTTP_METHOD_HEAD || method == HTTP_METHOD_DELETE;
        assert_int_equal(strstr(sent, "Content-Length: 0\r\n") == NULL, plain);
        esp_http_client_cleanup(client);
    }
}

static void a_post_field_is_sent_again_where_it_must_be(void **state)
{
    (void)state;
    const sim_step_t steps[] = {REQUEST, SIM_SAY(ASK("Basic")), REQUEST, SIM_SAY(OK_HI),
                                REQUEST, SIM_SAY(OK_HI)};
    const sim_connection_t connection = {.steps = steps, .count = COUNT(steps), .max_write = 3};
    sim_transport_t *server = sim_transport_new(&connection, 1);
    esp_http_client_handle_t client =
        new_client((esp_http_client_config_t){.url = "http://a/x", USER, .method = HTTP_METHOD_POST}, server);
    static const char form[] = "a=b";
    char *data = NULL;
    assert_int_equal(esp_http_client_get_post_field(client, &data), 0);
    assert_int_equal(esp_http_client_set_post_field(client, form, 3), ESP_OK);
    assert_int_equal(esp_http_client_get_post_field(client, &data), 3);
    assert_ptr_equal(data, form);
    assert_int_equal(esp_http_client_perform(client), ESP_OK);
    assert_sent(server, 0, 0, "Content-Type: application/x-www-form-urlencoded");
    assert_sent(server, 0, 0, "Content-Length: 3");
    assert_sent(server, 0, 1, "a=bPOST /x"); /* the body stands between the heads */
    assert_sent(server, 0, 1, "Content-Length: 3");
    assert_int_equal(esp_http_client_set_post_field(client, NULL, 0), ESP_OK);
    assert_int_equal(esp_http_client_set_method(client, HTTP_METHOD_GET), ESP_OK);
    assert_int_equal(esp_http_client_perform(client), ESP_OK);
    assert_sent(server, 0, 2, "a=bGET /x");
    char text[2048];
    copy_request(server, 0, 2, text, sizeof(text));
    assert_null(strstr(text, "Content-"));
    esp_http_client_cleanup(client);
}

static void a_content_type_of_the_application_stays(void **state)
{
    (void)state;
    const sim_connection_t connection = {0};
    esp_http_client_handle_t client = new_client(at("http://a/x"), sim_transport_new(&connection, 1));
    char *value = NULL;
    esp_http_client_set_header(client, "content-type", "application/json");
    assert_int_equal(esp_http_client_set_post_field(client, "{}", 2), ESP_OK);
    assert_int_equal(esp_http_client_get_header(client, "Content-Type", &value), ESP_OK);
    assert_string_equal(value, "application/json");
    assert_int_equal(esp_http_client_set_post_field(client, "{}", -1), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_http_client_set_post_field(NULL, "{}", 2), ESP_ERR_INVALID_ARG);
    esp_http_client_cleanup(client);
}

static void a_body_of_unknown_length_goes_out_in_chunks_of_the_caller(void **state)
{
    (void)state;
    const sim_step_t steps[] = {REQUEST, SIM_SAY(OK_HI)};
    const sim_connection_t connection = {.steps = steps, .count = COUNT(steps), .max_write = 7};
    sim_transport_t *server = sim_transport_new(&connection, 1);
    esp_http_client_handle_t client =
        new_client((esp_http_client_config_t){.url = "http://a/x", .method = HTTP_METHOD_PUT}, server);
    static const char body[] = "5\r\nhello\r\n0\r\n\r\n";
    assert_int_equal(esp_http_client_open(client, -1), ESP_OK);
    assert_int_equal(esp_http_client_write(client, body, sizeof(body) - 1), sizeof(body) - 1);
    assert_int_equal(esp_http_client_fetch_headers(client), 2);
    assert_sent(server, 0, 0, "Transfer-Encoding: chunked");
    const char *sent = sim_transport_sent(server, 0);
    assert_null(strstr(sent, "Content-Length"));
    assert_string_equal(sent + strlen(sent) - strlen(body), body);
    esp_http_client_cleanup(client);
}

/* ---- events ---- */

static void events_come_in_their_order(void **state)
{
    (void)state;
#define MOVED(place) "HTTP/1.1 302 F\r\nLocation: " place "\r\nContent-Length: 0\r\n\r\n"
    static const struct {
        const char *name;
        bool stay;
        sim_step_t steps[2][6];
        size_t count[2];
        const char *order; /* up to the end of perform() */
    } rows[] = {
        {"a body", false, {{REQUEST, SIM_SAY(OK_HI)}}, {2}, "CSshcdF"},
        {"a body in pieces",
         false,
         {{REQUEST, SIM_SAY("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"), SIM_SAY("h"), SIM_SAY("i")}},
         {4},
         "CSshcddF"},
        {"a connection that is not kept",
         false,
         {{REQUEST, SIM_SAY("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi")}},
         {2},
         "CSshhcdFD"},
        {"a redirect on the same connection",
         false,
         {{REQUEST, SIM_SAY(MOVED("/y")), REQUEST, SIM_SAY(OK_HI)}},
         {4},
         "CSshhcSshcdF"},
        {"a redirect to another host",
         false,
         {{REQUEST, SIM_SAY(MOVED("http://b/"))}, {REQUEST, SIM_SAY(OK_HI)}},
         {2, 2},
         "CSshhcDCSshcdF"},
        {"a redirect that is not followed", true, {{REQUEST, SIM_SAY(MOVED("/y"))}}, {2}, "CSshhcRF"},
        {"a 401", false, {{REQUEST, SIM_SAY(ASK("Basic")), REQUEST, SIM_SAY(OK_HI)}}, {4}, "CSshhcdSshcdF"},
        {"a connection that breaks", false, {{REQUEST, CLOSE}}, {2}, "CSED"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const sim_connection_t connections[] = {{.steps = rows[i].steps[0], .count = rows[i].count[0]},
                                                {.steps = rows[i].steps[1], .count = rows[i].count[1]}};
        seen_t seen = {0};
        esp_http_client_handle_t client =
            new_client((esp_http_client_config_t){.url = "http://a/x",
                                                  USER,
                                                  .disable_auto_redirect = rows[i].stay,
                                                  .event_handler = on_event,
                                                  .user_data = &seen},
                       sim_transport_new(connections, 2));
        print_message("%s\n", rows[i].name);
        (void)esp_http_client_perform(client);
        assert_string_equal(seen.order, rows[i].order);
        esp_http_client_cleanup(client);
    }
}

/* ---- a handler that goes on by itself ---- */

typedef struct {
    /* the event at which the handler calls set_redirection(), once a request */
    esp_http_client_event_id_t at;
    unsigned rounds; /* and how often at most */
    unsigned calls, finished;
    char body[32];
} goer_t;

static esp_err_t go_on(esp_http_client_event_t *event)
{
    goer_t *goer = event->user_data;
    bool location = event->event_id != HTTP_EVENT_ON_HEADER || strcmp(event->header_key, "Location") == 0;
    if (event->event_id == goer->at && location && goer->calls < goer->rounds) {
        goer->calls++;
        assert_int_equal(esp_http_client_set_redirection(event->client), ESP_OK);
    }
    if (event->event_id == HTTP_EVENT_ON_DATA) {
        size_t used = strlen(goer->body), n = sizeof(goer->body) - 1 - used;
        n = (size_t)event->data_len < n ? (size_t)event->data_len : n;
        memcpy(goer->body + used, event->data, n);
    }
    goer->finished += event->event_id == HTTP_EVENT_ON_FINISH;
    return ESP_OK;
}

#define THERE(status, place)                                                                                 \
    "HTTP/1.1 " status "\r\nContent-Length: 5\r\nLocation: " place "\r\nX-After: 1\r\n\r\nmoved"

static void set_redirection_in_the_handler_makes_perform_go_round_again(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        esp_http_client_event_id_t at;
        bool stay; /* disable_auto_redirect */
        const char *answer, *path;
        unsigned connects, finished;
        const char *body;
    } rows[] = {
        {"as the examples do it", HTTP_EVENT_REDIRECT, true, THERE("302 F", "/y"), "GET /y ", 1, 1,
         "movedhi"},
        {"to another host", HTTP_EVENT_REDIRECT, true, THERE("307 T", "http://b/y"), "GET /y ", 2, 1,
         "movedhi"},
        {"relative, and not twice", HTTP_EVENT_ON_DATA, false, THERE("302 F", "d/y"), "GET /d/y ", 1, 1,
         "movedhi"},
        {"before the head is read", HTTP_EVENT_ON_HEADER, false, THERE("302 F", "http://b/y"), "GET /y ", 2,
         1, "movedhi"},
        {"before the head is read, told to stay", HTTP_EVENT_ON_HEADER, true, THERE("308 P", "/y"), "GET /y ",
         1, 1, "movedhi"},
        {"after a success", HTTP_EVENT_ON_DATA, false, THERE("201 C", "http://b/y"), "GET /y ", 2, 1,
         "movedhi"},
        {"when all is over", HTTP_EVENT_ON_FINISH, true, THERE("302 F", "/y"), "GET /y ", 1, 2, "movedhi"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const sim_step_t same[] = {REQUEST, SAY_TEXT(rows[i].answer), REQUEST, SIM_SAY(OK_HI)};
        const sim_step_t other[] = {REQUEST, SIM_SAY(OK_HI)};
        const sim_connection_t connections[] = {PLAY(same), PLAY(other)};
        sim_transport_t *server = sim_transport_new(connections, 2);
        goer_t goer = {.at = rows[i].at, .rounds = 1};
        esp_http_client_handle_t client =
            new_client((esp_http_client_config_t){.url = "http://a/x",
                                                  .disable_auto_redirect = rows[i].stay,
                                                  .event_handler = go_on,
                                                  .user_data = &goer},
                       server);
        print_message("%s\n", rows[i].name);
        assert_int_equal(esp_http_client_perform(client), ESP_OK);
        assert_int_equal(esp_http_client_get_status_code(client), 200);
        assert_int_equal(goer.calls, 1);
        assert_int_equal(goer.finished, rows[i].finished);
        assert_int_equal(sim_transport_connects(server), rows[i].connects);
        assert_non_null(strstr(sim_transport_sent(server, rows[i].connects - 1), rows[i].path));
        assert_string_equal(goer.body, rows[i].body);
        esp_http_client_cleanup(client);
    }
}

static void say_it_again(void *ctx, const char *request, sim_connection_t *answer)
{
    static const sim_step_t steps[2][1] = {{SIM_SAY(THERE("302 F", "/y"))}, {SIM_SAY(THERE("200 OK", "/y"))}};
    if (request != NULL) {
        answer->steps = steps[*(int *)ctx];
        answer->count = 1;
    }
}

static void a_handler_that_always_goes_on_reaches_the_limit(void **state)
{
    (void)state;
    static const esp_http_client_event_id_t events[] = {HTTP_EVENT_REDIRECT, HTTP_EVENT_ON_DATA,
                                                        HTTP_EVENT_ON_FINISH};
    for (int success = 0; success < 2; success++) {
        for (size_t i = (size_t)success; i < COUNT(events); i++) {
            goer_t goer = {.at = events[i], .rounds = 1000};
            esp_http_client_handle_t client =
                new_client((esp_http_client_config_t){.url = "http://a/x",
                                                      .disable_auto_redirect = true,
                                                      .max_redirection_count = 3,
                                                      .event_handler = go_on,
                                                      .user_data = &goer},
                           sim_transport_serve(say_it_again, &success));
            assert_int_equal(esp_http_client_perform(client), ESP_ERR_HTTP_MAX_REDIRECT);
            assert_in_range(goer.calls, 3, 4);
            esp_http_client_cleanup(client);
        }
    }
}

/* ---- the rest of the life cycle ---- */

static void a_prepared_request_goes_over_the_kept_connection(void **state)
{
    (void)state;
    const sim_step_t first[] = {REQUEST, SIM_SAY(OK_HI), REQUEST, SIM_SAY(OK_HI), CLOSE};
    const sim_step_t second[] = {REQUEST, SIM_SAY(OK_HI)};
    const sim_connection_t connections[] = {{.steps = first, .count = COUNT(first)},
                                            {.steps = second, .count = COUNT(second)}};
    sim_transport_t *server = sim_transport_new(connections, 2);
    esp_http_client_handle_t client = new_client(at("http://a/x"), server);
    char body[4];
    assert_int_equal(esp_http_client_get_state(client), HTTP_STATE_INIT);
    assert_int_equal(esp_http_client_open(client, 0), ESP_OK);
    static const size_t connects[] = {1, 1, 2}; /* the server closes behind the second */
    for (size_t i = 0; i < COUNT(connects); i++) {
        assert_int_equal(esp_http_client_get_state(client), HTTP_STATE_REQ_COMPLETE_HEADER);
        assert_int_equal(esp_http_client_fetch_headers(client), 2);
        assert_int_equal(esp_http_client_get_state(client), HTTP_STATE_RES_ON_DATA_START);
        assert_int_equal(esp_http_client_read(client, body, sizeof(body)), 2);
        assert_int_equal(sim_transport_connects(server), connects[i]);
        if (i + 1 < COUNT(connects)) {
            assert_int_equal(esp_http_client_prepare(client), ESP_OK);
            assert_int_equal(esp_http_client_get_status_code(client), -1);
            assert_int_equal(esp_http_client_request_send(client, 0), ESP_OK);
        }
    }
    assert_int_equal(esp_http_client_prepare(NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_http_client_request_send(NULL, 0), ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_http_client_get_state(NULL), HTTP_STATE_UNINIT);
    esp_http_client_cleanup(client);
}

static esp_err_t cancel_at_data(esp_http_client_event_t *event)
{
    if (event->event_id == HTTP_EVENT_ON_DATA) {
        assert_int_equal(esp_http_client_cancel_request(event->client), ESP_OK);
    }
    return ESP_OK;
}

static void a_cancelled_request_leaves_a_fresh_connection(void **state)
{
    (void)state;
    const sim_step_t first[] = {REQUEST, SIM_SAY("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi")};
    const sim_step_t chunked[] = {
        REQUEST, SIM_SAY("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n2\r\n")};
    const sim_step_t last[] = {REQUEST, SIM_SAY(OK_HI)};
    const sim_connection_t connections[] = {
        {.steps = first, .count = 2}, {.steps = chunked, .count = 2}, {.steps = last, .count = 2}};
    sim_transport_t *server = sim_transport_new(connections, 3);
    esp_http_client_handle_t client =
        new_client((esp_http_client_config_t){.url = "http://a/x", .event_handler = cancel_at_data}, server);
    assert_int_equal(esp_http_client_cancel_request(client), ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_http_client_cancel_request(NULL), ESP_ERR_INVALID_ARG);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(esp_http_client_perform(client),
                         ESP_OK); /* from inside the callback, as programs do it */
        assert_int_equal(sim_transport_connects(server), i + 2);
    }
    esp_http_client_set_event_handler(client, NULL);
    assert_int_equal(esp_http_client_open(client, 0), ESP_OK);
    assert_int_equal(sim_transport_connects(server), 3);
    assert_int_equal(esp_http_client_fetch_headers(client), 2);
    char body[4];
    assert_int_equal(esp_http_client_clear_response_buffer(client), ESP_OK);
    assert_int_equal(esp_http_client_read(client, body, sizeof(body)), 0);
    assert_int_equal(esp_http_client_clear_response_buffer(NULL), ESP_ERR_INVALID_ARG);
    esp_http_client_cleanup(client);
}

static void content_range_tells_the_total(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        int64_t want;
    } rows[] = {
        {"Content-Range: bytes 0-0/1234", 1234},
        {"content-range:   bytes 10-19/20", 20},
        {"Content-Range: Bytes 10-19/20", 20},
        {"Content-Range: bytes 0-9223372036854775798/9223372036854775799", 9223372036854775799},
        {"Content-Range: bytes 0-0/*", -1},
        {"Content-Range: bytes */1234", -1},
        {"Content-Range: bytes 5-4/10", -1},
        {"Content-Range: bytes 0-10/10", -1},
        {"Content-Range: bytes 0-0/1234x", -1},
        {"Content-Range: bytes 0-0/", -1},
        {"Content-Range: bytes -1-0/5", -1},
        {"Content-Range: bytes 0-0/99999999999999999999", -1},
        {"Content-Range: lines 0-0/5", -1},
        {"Content-Range: bytes", -1},
        {"X: y", -1},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char answer[200];
        snprintf(answer, sizeof(answer), "HTTP/1.1 206 P\r\n%s\r\nContent-Length: 0\r\n\r\n", rows[i].header);
        const sim_step_t steps[] = {REQUEST, SAY_TEXT(answer)};
        const sim_connection_t connection = PLAY(steps);
        esp_http_client_handle_t client = new_client(at("http://a/x"), sim_transport_new(&connection, 1));
        assert_int_equal(esp_http_client_get_content_range(client), -1);
        assert_int_equal(esp_http_client_perform(client), ESP_OK);
        if (esp_http_client_get_content_range(client) != rows[i].want) {
            fail_msg("%s", rows[i].header);
        }
        esp_http_client_cleanup(client);
    }
    assert_int_equal(esp_http_client_get_content_range(NULL), -1);
}

static void headers_of_the_response_can_be_asked_for(void **state)
{
    (void)state;
    const sim_step_t steps[] = {REQUEST,
                                SIM_SAY("HTTP/1.1 200 OK\r\nETag: \"x\"\r\nContent-Length: 0\r\n\r\n")};
    const sim_connection_t connection = PLAY(steps);
    esp_http_client_handle_t client = new_client(at("http://a/x"), sim_transport_new(&connection, 1));
    char *value = NULL;
    assert_int_equal(esp_http_client_get_response_header(client, "ETag", &value), ESP_ERR_NOT_FOUND);
    assert_int_equal(esp_http_client_perform(client), ESP_OK);
    assert_int_equal(esp_http_client_get_response_header(client, "etag", &value), ESP_OK);
    assert_string_equal(value, "\"x\"");
    assert_int_equal(esp_http_client_get_response_header(client, "X", &value), ESP_ERR_NOT_FOUND);
    assert_null(value);
    assert_int_equal(esp_http_client_get_response_header(client, NULL, &value), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_http_client_get_response_header(NULL, "X", &value), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_http_client_get_response_header(client, "X", NULL), ESP_ERR_INVALID_ARG);
    esp_http_client_cleanup(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(perform_answers_what_it_can),
        cmocka_unit_test(add_auth_serves_a_request_loop),
        cmocka_unit_test(a_success_allows_all_retries_again),
        cmocka_unit_test(a_refused_call_does_not_spoil_the_next),
        cmocka_unit_test(every_answer_has_a_client_nonce_of_its_own),
        cmocka_unit_test(a_challenge_of_the_application_is_answered),
        cmocka_unit_test(an_applications_own_authorization_gives_way_to_a_challenge),
        cmocka_unit_test(every_method_has_its_name),
        cmocka_unit_test(a_post_field_is_sent_again_where_it_must_be),
        cmocka_unit_test(a_content_type_of_the_application_stays),
        cmocka_unit_test(a_body_of_unknown_length_goes_out_in_chunks_of_the_caller),
        cmocka_unit_test(events_come_in_their_order),
        cmocka_unit_test(set_redirection_in_the_handler_makes_perform_go_round_again),
        cmocka_unit_test(a_handler_that_always_goes_on_reaches_the_limit),
        cmocka_unit_test(a_prepared_request_goes_over_the_kept_connection),
        cmocka_unit_test(a_cancelled_request_leaves_a_fresh_connection),
        cmocka_unit_test(content_range_tells_the_total),
        cmocka_unit_test(headers_of_the_response_can_be_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
