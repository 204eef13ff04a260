/* The same frames by esp_transport_ws.h. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "transport.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esp_transport.h"
#include "esp_transport_ssl.h"
#include "esp_transport_tcp.h"
#include "esp_transport_ws.h"

#define WAIT_MS 20000

extern const char ca[] asm("_binary_ca_pem_start");

static esp_transport_list_handle_t make_list(void)
{
    esp_transport_list_handle_t list = esp_transport_list_init();
    esp_transport_handle_t tcp = esp_transport_tcp_init(), ssl = esp_transport_ssl_init();
    esp_transport_handle_t ws = esp_transport_ws_init(tcp), wss = esp_transport_ws_init(ssl);
    const esp_transport_ws_config_t config = {
        .ws_path = "/secure", .sub_protocol = "proto", .propagate_control_frames = true};
    esp_transport_ssl_set_cert_data(ssl, ca, (int)strlen(ca));
    printf("no web socket 0x%x %d, none %d\n", esp_transport_ws_set_auth(tcp, "x"),
           esp_transport_ws_get_upgrade_request_status(tcp), esp_transport_ws_init(NULL) == NULL);
    esp_transport_ws_set_path(ws, "/path");
    ESP_ERROR_CHECK(esp_transport_ws_set_headers(ws, "X-Own: 1\r\n"));
    ESP_ERROR_CHECK(esp_transport_ws_set_auth(ws, "Basic abc"));
    ESP_ERROR_CHECK(esp_transport_ws_set_user_agent(ws, "me"));
    ESP_ERROR_CHECK(esp_transport_ws_set_config(wss, &config));
    ESP_ERROR_CHECK(esp_transport_list_add(list, ws, "ws"));
    ESP_ERROR_CHECK(esp_transport_list_add(list, wss, "wss"));
    ESP_ERROR_CHECK(esp_transport_list_add(list, tcp, "tcp"));
    ESP_ERROR_CHECK(esp_transport_list_add(list, ssl, "ssl"));
    printf("carried by %d %d\n", esp_transport_get_payload_transport_handle(ws) == tcp,
           esp_transport_get_payload_transport_handle(tcp) == tcp);
    return list;
}

static void send_frames(esp_transport_handle_t t)
{
    char *large = malloc(70000);
    memset(large, 'l', 70000);
    printf("sent %d", esp_transport_ws_send_raw(t, WS_TRANSPORT_OPCODES_TEXT | WS_TRANSPORT_OPCODES_FIN,
                                                "a text", 6, WAIT_MS));
    printf(" %d", esp_transport_write(t, large, 70000, WAIT_MS));
    printf(" %d", esp_transport_ws_send_raw(t, WS_TRANSPORT_OPCODES_TEXT, "one", 3, WAIT_MS));
    printf(" %d\n", esp_transport_ws_send_raw(t, WS_TRANSPORT_OPCODES_CONT | WS_TRANSPORT_OPCODES_FIN, NULL,
                                              0, WAIT_MS));
    free(large);
}

/* Until the server has ended it. */
static void read_frames(esp_transport_handle_t t)
{
    char piece[1000];
    int got, large = 0;
    while (esp_transport_poll_read(t, WAIT_MS) > 0 &&
           (got = esp_transport_read(t, piece, sizeof(piece), WAIT_MS)) >= 0) {
        if (esp_transport_ws_get_read_payload_len(t) == 70000) {
            large += got;
        } else if (esp_transport_ws_get_read_opcode(t) != WS_TRANSPORT_OPCODES_NONE) {
            printf("op %d fin %d, %d of %d: %.*s\n", esp_transport_ws_get_read_opcode(t),
                   esp_transport_ws_get_fin_flag(t), got, esp_transport_ws_get_read_payload_len(t), got,
                   piece);
        }
    }
    printf("large %d, then %d, closed %d\n", large, got, esp_transport_ws_poll_connection_closed(t, WAIT_MS));
}

void use_transport(const char *scheme, int port)
{
    esp_transport_list_handle_t list = make_list();
    esp_transport_handle_t t = esp_transport_list_get_transport(list, scheme);
    char *place = NULL;
    printf("not connected %d\n", esp_transport_write(t, "x", 1, 0));
    int result = esp_transport_connect(t, "localhost", port, WAIT_MS);
    place = esp_transport_ws_get_redir_uri(t);
    printf("connected %d, status %d, elsewhere %s\n", result, esp_transport_ws_get_upgrade_request_status(t),
           place != NULL ? place : "none");
    if (result == 0) {
        printf("nothing yet %d %d\n", esp_transport_poll_read(t, 0) >= 0,
               esp_transport_poll_write(t, WAIT_MS));
        send_frames(t);
        read_frames(t);
    }
    ESP_ERROR_CHECK(esp_transport_list_destroy(list));
}
