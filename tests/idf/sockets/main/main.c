/* /echo is a web socket that sends frames back, /control one that sees the control frames, /raw an answer byte for byte. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esp_event.h"
#include "esp_http_server.h"
#include "esp_https_server.h"
#include "esp_log.h"

extern const uint8_t certificate_start[] asm("_binary_server_pem_start");
extern const uint8_t certificate_end[] asm("_binary_server_pem_end");
extern const uint8_t key_start[] asm("_binary_server_key_start");
extern const uint8_t key_end[] asm("_binary_server_key_end");

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

void app_main(void)
{
    httpd_config_t config = HTTPD_DEFAULT_CONFIG();
    httpd_handle_t server, secure;
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    ESP_ERROR_CHECK(httpd_start(&server, &config));
    add_handlers(server);
    start_tls(&secure);
    printf("both are there\n");
    ulTaskNotifyTake(pdTRUE, portMAX_DELAY);
    ESP_ERROR_CHECK(httpd_stop(server));
    ESP_ERROR_CHECK(httpd_ssl_stop(secure));
    printf("both are gone\n");
}
