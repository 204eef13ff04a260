/* /echo is a web socket that sends frames back, /control one that sees the control frames, /raw an answer byte for byte. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esp_event.h"
#include "esp_http_server.h"
#include "esp_https_server.h"
#include "esp_log.h"

#include "lwip/inet.h"
#include "lwip/sockets.h"

extern const uint8_t ca_start[] asm("_binary_ca_pem_start");
extern const uint8_t ca_end[] asm("_binary_ca_pem_end");
extern const uint8_t der_start[] asm("_binary_server_der_start");
extern const uint8_t der_end[] asm("_binary_server_der_end");
extern const uint8_t certificate_start[] asm("_binary_server_pem_start");
extern const uint8_t certificate_end[] asm("_binary_server_pem_end");
extern const uint8_t key_start[] asm("_binary_server_key_start");
extern const uint8_t key_end[] asm("_binary_server_key_end");

/* Functions of a session's own: each byte is 1 more on the way in, and 1 less on the way out. */
static int own_send(httpd_handle_t server, int fd, const char *buf, size_t len, int flags)
{
    (void)server;
    char bytes[100];
    size_t count = len < sizeof(bytes) ? len : sizeof(bytes);
    for (size_t i = 0; i < count; i++) {
        bytes[i] = (char)(buf[i] - 1);
    }
    return (int)send(fd, bytes, count, flags | MSG_NOSIGNAL);
}

static int own_recv(httpd_handle_t server, int fd, char *buf, size_t len, int flags)
{
    (void)server;
    int got = (int)recv(fd, buf, len < 10 ? len : 10, flags);
    for (int i = 0; i < got; i++) {
        buf[i]++;
    }
    return got < 0 ? HTTPD_SOCK_ERR_FAIL : got;
}

static int own_pending(httpd_handle_t server, int fd)
{
    (void)server, (void)fd;
    return 0;
}

static void free_transport(void *ctx)
{
    printf("its transport was %s\n", (const char *)ctx);
}

static esp_err_t on_open(httpd_handle_t server, int fd)
{
    static char name[] = "one more";
    printf("in, nobody 0x%x\n", httpd_sess_set_send_override(server, 999, own_send));
    ESP_ERROR_CHECK(httpd_sess_set_send_override(server, fd, own_send));
    ESP_ERROR_CHECK(httpd_sess_set_recv_override(server, fd, own_recv));
    ESP_ERROR_CHECK(httpd_sess_set_pending_override(server, fd, own_pending));
    httpd_sess_set_transport_ctx(server, fd, name, free_transport);
    return ESP_OK;
}

static void on_close(httpd_handle_t server, int fd)
{
    (void)server;
    printf("out\n");
    close(fd);
}

static void on_sent(esp_err_t err, int socket, void *arg)
{
    (void)socket;
    printf("sent 0x%x by %s\n", err, pcTaskGetName(NULL));
    free(arg);
}

static void say(httpd_handle_t server, int fd)
{
    char *text = strdup("from the server's task");
    httpd_ws_frame_t frame = {.type = HTTPD_WS_TYPE_TEXT, .payload = (uint8_t *)text, .len = strlen(text)};
    ESP_ERROR_CHECK(httpd_ws_send_data_async(server, fd, &frame, on_sent, text));
}

static void send_from_task(void *arg)
{
    httpd_req_t *req = arg;
    httpd_ws_frame_t frame = {.type = HTTPD_WS_TYPE_TEXT, .payload = (uint8_t *)"from a task", .len = 11};
    ESP_ERROR_CHECK(httpd_ws_send_frame(req, &frame));
    ESP_ERROR_CHECK(httpd_req_async_handler_complete(req));
    vTaskDelete(NULL);
}

/* What a text asks for; other frames are sent back. */
static esp_err_t answer(httpd_req_t *req, httpd_ws_frame_t *frame)
{
    const char *text = (const char *)frame->payload;
    if (frame->type == HTTPD_WS_TYPE_TEXT && strcmp(text, "later") == 0) {
        say(req->handle, httpd_req_to_sockfd(req));
        return ESP_OK;
    }
    if (frame->type == HTTPD_WS_TYPE_TEXT && strcmp(text, "task") == 0) {
        httpd_req_t *copy;
        ESP_ERROR_CHECK(httpd_req_async_handler_begin(req, &copy));
        xTaskCreate(send_from_task, "sender", 4096, copy, 5, NULL);
        return ESP_OK;
    }
    if (frame->type == HTTPD_WS_TYPE_TEXT && strcmp(text, "end") == 0) {
        return ESP_FAIL;
    }
    return httpd_ws_send_frame(req, frame);
}

static esp_err_t echo(httpd_req_t *req)
{
    httpd_ws_frame_t frame = {0};
    if (req->method == HTTP_GET) {
        printf("hello %s, %d of %s\n", req->uri, httpd_ws_get_fd_info(req->handle, httpd_req_to_sockfd(req)),
               (const char *)req->user_ctx);
        printf("no frame yet 0x%x\n", httpd_ws_recv_frame(req, &frame, 0));
        return ESP_OK;
    }
    ESP_ERROR_CHECK(httpd_ws_recv_frame(req, &frame, 0));
    frame.payload = calloc(1, frame.len + 1);
    printf("frame type %d, %zu bytes, final %d, fragmented %d, too small 0x%x\n", frame.type, frame.len,
           frame.final, frame.fragmented,
           frame.len > 1 ? httpd_ws_recv_frame(req, &frame, 1) : ESP_ERR_INVALID_SIZE);
    ESP_ERROR_CHECK(httpd_ws_recv_frame(req, &frame, frame.len));
    esp_err_t err = frame.type < HTTPD_WS_TYPE_CLOSE ? answer(req, &frame) : ESP_OK;
    free(frame.payload);
    return err;
}

static esp_err_t raw(httpd_req_t *req)
{
    static const char text[] = "HTTP/1.0 299 Mine\r\nX-Raw: 1\r\n\r\nbytes";
    int sent = httpd_send(req, text, strlen(text));
    printf("raw %d of %zu, other socket %d\n", sent, strlen(text),
           httpd_socket_send(req->handle, 999, "x", 1, 0));
    return ESP_OK;
}

/* The client and the handler go on without HTTP: what the client says is told back, until it says no more. */
static esp_err_t talk(httpd_req_t *req)
{
    static const char head[] = "HTTP/1.1 101 Talk\r\nUpgrade: talk\r\n\r\n";
    int fd = httpd_req_to_sockfd(req), got;
    char said[8];
    printf("body %d bytes\n", httpd_socket_recv(req->handle, fd, said, 3, 0));
    printf("the other %d bytes\n", httpd_req_recv(req, said, sizeof(said)));
    ESP_ERROR_CHECK(httpd_send(req, head, strlen(head)) == (int)strlen(head) ? ESP_OK : ESP_FAIL);
    printf("nothing yet %d\n", httpd_socket_recv(req->handle, fd, said, sizeof(said), MSG_DONTWAIT));
    while ((got = httpd_socket_recv(req->handle, fd, said, sizeof(said), 0)) > 0) {
        (void)httpd_socket_send(req->handle, fd, said, (size_t)got, 0); /* the test sees what comes */
    }
    printf("it says no more: %d, nobody: %d\n", got, httpd_socket_recv(req->handle, 999, said, 1, 0));
    return ESP_OK;
}

static esp_err_t who(httpd_req_t *req)
{
    struct sockaddr_in peer = {0};
    socklen_t size = sizeof(peer);
    char text[INET_ADDRSTRLEN + 32], address[INET_ADDRSTRLEN] = "";
    int fd = httpd_req_to_sockfd(req), fds[8];
    size_t count = 8;
    ESP_ERROR_CHECK(getpeername(fd, (struct sockaddr *)&peer, &size) == 0 ? ESP_OK : ESP_FAIL);
    inet_ntop(AF_INET, &peer.sin_addr, address, sizeof(address));
    ESP_ERROR_CHECK(httpd_get_client_list(req->handle, &count, fds));
    /* libmicrohttpd has the session by now: with functions of its own it might have others, without any it stays so */
    esp_err_t err = httpd_req_get_url_query_len(req) > 0
                        ? httpd_sess_set_send_override(req->handle, fd, own_send)
                        : ESP_OK;
    snprintf(text, sizeof(text), "%s, one of %zu, late 0x%x", address, count, err);
    return httpd_resp_sendstr(req, text);
}

static esp_err_t plain(httpd_req_t *req)
{
    httpd_ws_frame_t frame = {0};
    printf("no web socket 0x%x 0x%x\n", httpd_ws_recv_frame(req, &frame, 0),
           httpd_ws_send_frame(req, &frame));
    return httpd_resp_sendstr(req, "plain");
}

static esp_err_t stop(httpd_req_t *req)
{
    esp_err_t err = httpd_resp_sendstr(req, "stopping");
    xTaskNotifyGive(req->user_ctx);
    return err;
}

static void add_handlers(httpd_handle_t server)
{
    const httpd_uri_t handlers[] = {
        {.uri = "/echo",
         .method = HTTP_GET,
         .handler = echo,
         .user_ctx = "echo",
         .is_websocket = true,
         .supported_subprotocol = "mine"},
        {.uri = "/control",
         .method = HTTP_GET,
         .handler = echo,
         .user_ctx = "control",
         .is_websocket = true,
         .handle_ws_control_frames = true},
        {.uri = "/raw", .method = HTTP_GET, .handler = raw},
        {.uri = "/talk", .method = HTTP_POST, .handler = talk},
        {.uri = "/who", .method = HTTP_GET, .handler = who},
        {.uri = "/plain", .method = HTTP_GET, .handler = plain},
        {.uri = "/stop", .method = HTTP_GET, .handler = stop, .user_ctx = xTaskGetCurrentTaskHandle()},
    };
    for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++) {
        ESP_ERROR_CHECK(httpd_register_uri_handler(server, &handlers[i]));
    }
}

static void start_tls(httpd_handle_t *server)
{
    httpd_ssl_config_t config = HTTPD_SSL_CONFIG_DEFAULT();
    printf("no certificate 0x%x\n", httpd_ssl_start(server, &config));
    config.servercert = certificate_start;
    config.servercert_len = (size_t)(certificate_end - certificate_start);
    config.prvtkey_pem = certificate_start;
    config.prvtkey_len = config.servercert_len;
    printf("no key 0x%x\n", httpd_ssl_start(server, &config));
    config.prvtkey_pem = key_start;
    config.prvtkey_len = (size_t)(key_end - key_start);
    ESP_ERROR_CHECK(httpd_ssl_start(server, &config));
    add_handlers(*server);
}

static void on_client(esp_https_server_user_cb_arg_t *client)
{
    static const char *const states[] = {"comes", "goes", "is refused"};
    esp_tls_error_handle_t error;
    ESP_ERROR_CHECK(esp_tls_get_error_handle(client->tls, &error));
    printf("a client %s, 0x%x\n", states[client->user_cb_state], error->last_error);
}

/* For clients with a certificate; its own is DER. */
static void start_closed(httpd_handle_t *server)
{
    httpd_ssl_config_t config = HTTPD_SSL_CONFIG_DEFAULT();
    config.port_secure = 444;
    config.servercert = der_start;
    config.servercert_len = (size_t)(der_end - der_start);
    config.prvtkey_pem = key_start;
    config.prvtkey_len = (size_t)(key_end - key_start);
    config.cacert_pem = ca_start;
    config.cacert_len = (size_t)(ca_end - ca_start);
    config.user_cb = on_client;
    config.use_secure_element = true;
    printf("no secure element 0x%x\n", httpd_ssl_start(server, &config));
    config.use_secure_element = false;
    ESP_ERROR_CHECK(httpd_ssl_start(server, &config));
    add_handlers(*server);
}

static void start_own(httpd_handle_t *server)
{
    httpd_config_t config = HTTPD_DEFAULT_CONFIG();
    config.server_port = 81;
    config.open_fn = on_open;
    config.close_fn = on_close;
    ESP_ERROR_CHECK(httpd_start(server, &config));
    add_handlers(*server);
}

void app_main(void)
{
    httpd_config_t config = HTTPD_DEFAULT_CONFIG();
    httpd_handle_t server, secure, closed, own;
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    ESP_ERROR_CHECK(httpd_start(&server, &config));
    add_handlers(server);
    start_tls(&secure);
    start_closed(&closed);
    start_own(&own);
    printf("both are there\n");
    ulTaskNotifyTake(pdTRUE, portMAX_DELAY);
    ESP_ERROR_CHECK(httpd_stop(server));
    ESP_ERROR_CHECK(httpd_ssl_stop(secure));
    ESP_ERROR_CHECK(httpd_ssl_stop(closed));
    ESP_ERROR_CHECK(httpd_stop(own));
    printf("both are gone\n");
}
