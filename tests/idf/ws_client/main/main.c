/* Connects to what the console names, sends what it says, and tells its events. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esp_websocket_client.h"
#include "freertos/semphr.h"
#include "freertos/task.h"
#include "transport.h"

extern const char ca[] asm("_binary_ca_pem_start");

static SemaphoreHandle_t connected, finished;

static void on_event(void *arg, esp_event_base_t base, int32_t id, void *event_data)
{
    static const char *const names[] = {"error",  "connected", "disconnected", "data",
                                        "closed", "before",    "begin",        "finish"};
    const esp_websocket_event_data_t *data = event_data;
    printf("event %s %s", names[id], (const char *)data->user_context);
    if (id == WEBSOCKET_EVENT_DATA) {
        printf(" op %d fin %d, %d of %d at %d: %.*s", data->op_code, data->fin, data->data_len,
               data->payload_len, data->payload_offset, data->data_len < 40 ? data->data_len : 0,
               data->data_ptr);
    } else if (id == WEBSOCKET_EVENT_ERROR) {
        printf(" kind %d, status %d", data->error_handle.error_type,
               data->error_handle.esp_ws_handshake_status_code);
    }
    printf("\n");
    if (id == WEBSOCKET_EVENT_CONNECTED) {
        xSemaphoreGive(connected);
    } else if (id == WEBSOCKET_EVENT_FINISH) {
        xSemaphoreGive(finished);
    }
}

static void send_all(esp_websocket_client_handle_t client)
{
    char *large = calloc(1, 70000);
    memset(large, 'l', 70000);
    const int text = esp_websocket_client_send_with_opcode(client, WS_TRANSPORT_OPCODES_TEXT,
                                                           (const uint8_t *)"a text", 6, portMAX_DELAY);
    const int binary = esp_websocket_client_send_bin(client, large, 70000, portMAX_DELAY);
    const int part = esp_websocket_client_send_text_partial(client, "one", 3, portMAX_DELAY);
    const int next = esp_websocket_client_send_cont_msg(client, "two", 3, portMAX_DELAY);
    const int end = esp_websocket_client_send_fin(client, portMAX_DELAY);
    /* At once: events print lines of their own meanwhile. */
    printf("sent %d %d %d %d %d\n", text, binary, part, next, end);
    free(large);
}

/* What a line of the console asks for. */
static void obey(esp_websocket_client_handle_t client, char *line)
{
    if (strcmp(line, "send") == 0) {
        xSemaphoreTake(connected, pdMS_TO_TICKS(20000));
        send_all(client);
    } else if (strcmp(line, "close") == 0) {
        xSemaphoreTake(connected, pdMS_TO_TICKS(20000));
        printf("close 0x%x\n", esp_websocket_client_close(client, pdMS_TO_TICKS(10000)));
        printf("again 0x%x, connected %d\n", esp_websocket_client_stop(client),
               esp_websocket_client_is_connected(client));
    } else if (strncmp(line, "transport ", 10) == 0) {
        char scheme[4];
        int port = 0;
        printf("named %d\n", sscanf(line, "transport %3s %d", scheme, &port));
        use_transport(scheme, port);
    } else if (strcmp(line, "finish") == 0) {
        printf("finished %d\n", (int)xSemaphoreTake(finished, pdMS_TO_TICKS(20000)));
    } else {
        printf("uri 0x%x\n", esp_websocket_client_set_uri(client, line));
        printf("start 0x%x\n", esp_websocket_client_start(client));
    }
}

void app_main(void)
{
    char line[128];
    const esp_websocket_client_config_t wrong = {.uri = "http://localhost/"};
    const esp_websocket_client_config_t config = {.host = "localhost",
                                                  .user_context = "mine",
                                                  .username = "user",
                                                  .password = "secret",
                                                  .subprotocol = "proto",
                                                  .headers = "X-Own: 1\r\n",
                                                  .cert_pem = ca,
                                                  .reconnect_timeout_ms = 100,
                                                  .buffer_size = 32768};
    connected = xSemaphoreCreateCounting(10, 0);
    finished = xSemaphoreCreateBinary();
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("no place %d\n", esp_websocket_client_init(&wrong) == NULL);
    esp_websocket_client_handle_t client = esp_websocket_client_init(&config);
    ESP_ERROR_CHECK(esp_websocket_register_events(client, WEBSOCKET_EVENT_ANY, on_event, NULL));
    esp_err_t no_time = esp_websocket_client_set_reconnect_timeout(client, 0);
    ESP_ERROR_CHECK(esp_websocket_client_append_header(client, "X-More", "2"));
    ESP_ERROR_CHECK(esp_websocket_client_set_ping_interval_sec(client, 7));
    ESP_ERROR_CHECK(esp_websocket_client_set_reconnect_timeout(client, 90));
    printf("set 0x%x, %d s, %d ms\n", no_time, (int)esp_websocket_client_get_ping_interval_sec(client),
           esp_websocket_client_get_reconnect_timeout(client));
    printf("not connected %d\n", esp_websocket_client_send_text(client, "x", 1, 0));
    while (fgets(line, sizeof(line), stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        obey(client, line);
    }
    ESP_ERROR_CHECK(esp_websocket_client_destroy(client));
    printf("all is said\n");
}
