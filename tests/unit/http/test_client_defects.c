/* The known defects of ESP-IDF's HTTP client (docs/DIFFERENCES.md), each shown kept or fixed against scripted servers. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/http_rig.h"

#define MOVED(place)  "HTTP/1.1 302 Found\r\nLocation: " place "\r\nContent-Length: 0\r\n\r\n"
#define ASK_BASIC     "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"r\"\r\n"
#define MY_CREDENTIAL "Authorization: Basic bWU6c2VjcmV0"

static void defect_11_credentials_stay_with_their_host(void **state)
{
    (void)state;
    static const char *const elsewhere[] = {MOVED("http://b/y"), MOVED("http://a:81/y"),
                                            MOVED("https://a/y")};
    for (size_t i = 0; i < COUNT(elsewhere); i++) {
        const sim_step_t first[] = {REQUEST, SAY_TEXT(elsewhere[i])};
        const sim_step_t second[] = {REQUEST, SIM_SAY(OK_HI)};
        const sim_connection_t connections[] = {PLAY(first), PLAY(second)};
        sim_transport_t *server = sim_transport_new(connections, 2);
        esp_http_client_config_t config = at("http://a/x");
        config.username = "me";
        config.password = "secret";
        config.auth_type = HTTP_AUTH_TYPE_BASIC;
        esp_http_client_handle_t client = new_client(config, server);
        esp_http_client_set_header(client, "Cookie", "crumbs");
        assert_int_equal(esp_http_client_perform(client), ESP_OK);
        assert_non_null(strstr(sim_transport_sent(server, 0), MY_CREDENTIAL));
        assert_non_null(strstr(sim_transport_sent(server, 0), "crumbs"));
        assert_null(strstr(sim_transport_sent(server, 1), "Authorization"));
        assert_null(strstr(sim_transport_sent(server, 1), "crumbs"));
        esp_http_client_cleanup(client);
    }
}

static void defect_12_host_header_follows_the_url(void **state)
{
    (void)state;
    static const struct {
        const char *url, *host;
    } rows[] = {
        {"http://b:8080/y", "\r\nHost: b:8080\r\n"}, /* another host */
        {"http://a:81/y", "\r\nHost: a:81\r\n"},     /* another port only */
        {"http://b/y", "\r\nHost: b\r\n"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const sim_step_t steps[] = {REQUEST, SIM_SAY(OK_HI)};
        const sim_connection_t connections[] = {PLAY(steps), PLAY(steps)};
        sim_transport_t *server = sim_transport_new(connections, 2);
        esp_http_client_handle_t client = new_client(at("http://a/x"), server);
        assert_int_equal(esp_http_client_perform(client), ESP_OK);
        assert_int_equal(esp_http_client_set_url(client, rows[i].url), ESP_OK);
        assert_int_equal(esp_http_client_perform(client), ESP_OK);
        assert_non_null(strstr(sim_transport_sent(server, 1), rows[i].host));
        esp_http_client_cleanup(client);
    }
}

static void defect_13_a_connection_that_ends_is_opened_anew(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        sim_step_t first[4];
        size_t count;
    } rows[] = {
        {"a redirect that says close",
         {REQUEST,
          SIM_SAY("HTTP/1.1 302 F\r\nLocation: /y\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"), CLOSE},
         3},
        {"a 401 that says close",
         {REQUEST, SIM_SAY(ASK_BASIC "Connection: close\r\nContent-Length: 0\r\n\r\n"), CLOSE},
         3},
        {"a redirect and then an end without notice", {REQUEST, SIM_SAY(MOVED("/y")), REQUEST, CLOSE}, 4},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        print_message("%s\n", rows[i].name);
        const sim_step_t second[] = {REQUEST, SIM_SAY(OK_HI)};
        const sim_connection_t connections[] = {{.steps = rows[i].first, .count = rows[i].count},
                                                PLAY(second)};
        sim_transport_t *server = sim_transport_new(connections, 2);
        esp_http_client_config_t config = at("http://a/x");
        config.username = "me";
        config.password = "secret";
        esp_http_client_handle_t client = new_client(config, server);
        assert_int_equal(esp_http_client_perform(client), ESP_OK);
        assert_int_equal(esp_http_client_get_status_code(client), 200);
        assert_int_equal(sim_transport_connects(server), 2);
        esp_http_client_cleanup(client);
    }
}

static void defect_15_redirect_with_a_long_body_is_followed(void **state)
{
    (void)state;
    const sim_step_t first[] = {
        REQUEST,
        SIM_SAY("HTTP/1.1 302 F\r\nLocation: http://b/y\r\nContent-Length: 4000\r\n\r\nthe first bytes")};
    const sim_step_t second[] = {REQUEST, SIM_SAY(OK_HI)};
    const sim_connection_t connections[] = {PLAY(first), PLAY(second)};
    sim_transport_t *server = sim_transport_new(connections, 2);
    esp_http_client_handle_t client = new_client(at("http://a/x"), server);
    assert_int_equal(esp_http_client_perform(client), ESP_OK);
    assert_int_equal(esp_http_client_get_status_code(client), 200);
    assert_string_equal(sim_transport_server(server, 1), "b:80");
    esp_http_client_cleanup(client);
}

static void defect_17_what_has_no_length_counts_as_chunked(void **state)
{
    (void)state;
    static const struct {
        const char *response;
        bool chunked;
    } rows[] = {
        {OK_HEAD "\r\nhi", true}, /* ends with the connection */
        {OK_HEAD "Content-Length: 0\r\n\r\n", true},
        {OK_HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", true},
        {OK_HI, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const sim_step_t steps[] = {REQUEST, SAY_TEXT(rows[i].response), CLOSE};
        const sim_connection_t connection = PLAY(steps);
        esp_http_client_handle_t client = new_client(at("http://a/x"), sim_transport_new(&connection, 1));
        assert_int_equal(esp_http_client_open(client, 0), ESP_OK);
        assert_int_equal(esp_http_client_fetch_headers(client), rows[i].chunked ? 0 : 2);
        assert_int_equal(esp_http_client_is_chunked_response(client), rows[i].chunked);
        esp_http_client_cleanup(client);
    }
}

static void defect_18_everything_is_complete_before_a_request(void **state)
{
    (void)state;
    const sim_connection_t connection = {0};
    esp_http_client_handle_t client = new_client(at("http://a/x"), sim_transport_new(&connection, 1));
    assert_true(esp_http_client_is_complete_data_received(client));
    esp_http_client_cleanup(client);
}

static void defect_46_stale_connection_is_replaced_once(void **state)
{
    (void)state;
    const sim_step_t first[] = {REQUEST, SIM_SAY(OK_HI), REQUEST, CLOSE};
    const sim_step_t second[] = {REQUEST, SIM_SAY(OK_HI), REQUEST, CLOSE};
    const sim_step_t third[] = {REQUEST, CLOSE};
    const sim_connection_t connections[] = {PLAY(first), PLAY(second), PLAY(third)};
    sim_transport_t *server = sim_transport_new(connections, 3);
    esp_http_client_handle_t client = new_client(at("http://a/x"), server);
    assert_int_equal(esp_http_client_perform(client), ESP_OK);
    assert_int_equal(esp_http_client_perform(client), ESP_OK);
    assert_int_equal(sim_transport_connects(server), 2);
    assert_int_equal(esp_http_client_perform(client),
                     ESP_ERR_HTTP_CONNECTION_CLOSED); /* a new one is not stale */
    assert_int_equal(sim_transport_connects(server), 3);
    esp_http_client_cleanup(client);
}

static void defect_47_any_status_is_a_performed_request(void **state)
{
    (void)state;
    static const struct {
        const char *response;
        int status;
    } rows[] = {
        {"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", 404},
        {"HTTP/1.1 500 Error\r\nContent-Length: 0\r\n\r\n", 500},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const sim_step_t steps[] = {REQUEST, SAY_TEXT(rows[i].response)};
        const sim_connection_t connection = PLAY(steps);
        esp_http_client_handle_t client = new_client(at("http://a/x"), sim_transport_new(&connection, 1));
        assert_int_equal(esp_http_client_perform(client), ESP_OK);
        assert_int_equal(esp_http_client_get_status_code(client), rows[i].status);
        esp_http_client_cleanup(client);
    }
}

static esp_err_t count_disconnects(esp_http_client_event_t *event)
{
    *(int *)event->user_data += event->event_id == HTTP_EVENT_DISCONNECTED;
    return ESP_OK;
}

static void defect_48_disconnected_needs_a_connection(void **state)
{
    (void)state;
    const sim_step_t steps[] = {REQUEST, SIM_SAY(OK_HI)};
    const sim_connection_t connections[] = {PLAY(steps), {.refuse = true}};
    int disconnects = 0;
    esp_http_client_config_t config = at("http://a/x");
    config.event_handler = count_disconnects;
    config.user_data = &disconnects;
    esp_http_client_handle_t client = new_client(config, sim_transport_new(connections, 2));
    assert_int_equal(esp_http_client_close(client), ESP_OK);
    assert_int_equal(disconnects, 0);
    assert_int_equal(esp_http_client_open(client, 0), ESP_OK);
    assert_int_equal(esp_http_client_close(client), ESP_OK);
    assert_int_equal(disconnects, 1);
    assert_int_equal(esp_http_client_close(client), ESP_OK);
    assert_int_equal(esp_http_client_open(client, 0), ESP_ERR_HTTP_CONNECT);
    assert_int_equal(esp_http_client_cleanup(client), ESP_OK);
    assert_int_equal(disconnects, 1);
}

static void defect_50_header_that_does_not_fit_is_told(void **state)
{
    (void)state;
    char value[601];
    memset(value, 'v', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    const sim_step_t steps[] = {REQUEST, SIM_SAY(OK_HI)};
    const sim_connection_t connections[] = {PLAY(steps), PLAY(steps)};
    esp_http_client_handle_t client = new_client(at("http://a/x"), sim_transport_new(connections, 2));
    esp_http_client_set_header(client, "X-Long", value);
    assert_int_equal(esp_http_client_open(client, 0), ESP_ERR_HTTP_HEADER_TOO_LONG);
    esp_http_client_delete_header(client, "X-Long");
    assert_int_equal(esp_http_client_perform(client), ESP_OK);
    esp_http_client_cleanup(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defect_11_credentials_stay_with_their_host),
        cmocka_unit_test(defect_12_host_header_follows_the_url),
        cmocka_unit_test(defect_13_a_connection_that_ends_is_opened_anew),
        cmocka_unit_test(defect_15_redirect_with_a_long_body_is_followed),
        cmocka_unit_test(defect_17_what_has_no_length_counts_as_chunked),
        cmocka_unit_test(defect_18_everything_is_complete_before_a_request),
        cmocka_unit_test(defect_46_stale_connection_is_replaced_once),
        cmocka_unit_test(defect_47_any_status_is_a_performed_request),
        cmocka_unit_test(defect_48_disconnected_needs_a_connection),
        cmocka_unit_test(defect_50_header_that_does_not_fit_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
