/* A web socket as a transport, over one of TCP or TLS; frames are wslay's. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#if !__has_include(<wslay/wslay.h>)
#error "esp_transport_ws.h needs a library that is not installed; on Debian: apt install libwslay-dev"
#endif

#include <stdbool.h>

#include "esp_transport.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum ws_transport_opcodes {
    WS_TRANSPORT_OPCODES_CONT = 0x00,
    WS_TRANSPORT_OPCODES_TEXT = 0x01,
    WS_TRANSPORT_OPCODES_BINARY = 0x02,
    WS_TRANSPORT_OPCODES_CLOSE = 0x08,
    WS_TRANSPORT_OPCODES_PING = 0x09,
    WS_TRANSPORT_OPCODES_PONG = 0x0a,
    WS_TRANSPORT_OPCODES_FIN = 0x80,   /* with one of the others: the last frame of its message */
    WS_TRANSPORT_OPCODES_NONE = 0x100, /* nothing was received */
} ws_transport_opcodes_t;

typedef struct {
    const char *ws_path;
    const char *sub_protocol;
    const char *user_agent;
    const char *headers; /* whole lines, each with its \r\n */
    const char *auth;    /* the value of Authorization */
    /* Else pings are answered, and a close is returned, by the transport itself. */
    bool propagate_control_frames;
} esp_transport_ws_config_t;

/**
 * Its read gives the payload of one frame after the other, in as many pieces as buffers need, 0 where nothing comes in time or a
 * frame has none; its write sends one binary frame, without bytes a ping. One task reads, another may write.
 * @param parent_handle  lives longer than this, and is destroyed by its owner. @return NULL: no parent, no memory
 */
esp_transport_handle_t esp_transport_ws_init(esp_transport_handle_t parent_handle);

/* Texts are copied; before connecting. @return ESP_OK; ESP_ERR_INVALID_ARG: no web socket; ESP_ERR_NO_MEM */
void esp_transport_ws_set_path(esp_transport_handle_t t, const char *path);
/** NULL: none, as of those that follow. */
esp_err_t esp_transport_ws_set_subprotocol(esp_transport_handle_t t, const char *sub_protocol);
esp_err_t esp_transport_ws_set_user_agent(esp_transport_handle_t t, const char *user_agent);
esp_err_t esp_transport_ws_set_headers(esp_transport_handle_t t, const char *headers);
esp_err_t esp_transport_ws_set_auth(esp_transport_handle_t t, const char *auth);
/** What is NULL in it stays as it is. */
esp_err_t esp_transport_ws_set_config(esp_transport_handle_t t, const esp_transport_ws_config_t *config);

/** One frame. @return bytes of its payload; -1: it cannot be sent; ESP_ERR_INVALID_ARG: no web socket */
int esp_transport_ws_send_raw(esp_transport_handle_t t, ws_transport_opcodes_t opcode, const char *b, int len,
                              int timeout_ms);

/* Of the frame that was read last. */
bool esp_transport_ws_get_fin_flag(esp_transport_handle_t t);
ws_transport_opcodes_t esp_transport_ws_get_read_opcode(esp_transport_handle_t t);
int esp_transport_ws_get_read_payload_len(esp_transport_handle_t t);

/** The status of the server's answer to the handshake. @return -1: there was none */
int esp_transport_ws_get_upgrade_request_status(esp_transport_handle_t t);
/** Where a server's redirection points, which esp_transport_connect() returned the status of. @return the transport's; NULL */
char *esp_transport_ws_get_redir_uri(esp_transport_handle_t t);

/** Waits for the server to end the connection. @return 1: it has; 0: not in time; -1: it sends something instead */
int esp_transport_ws_poll_connection_closed(esp_transport_handle_t t, int timeout_ms);

#ifdef __cplusplus
}
#endif
