/* A client of web sockets, with events for what it meets. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "esp_event.h"
#include "esp_tls.h"
#include "esp_tls_connection.h"
#include "esp_transport_ws.h"
#include "freertos/FreeRTOS.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct esp_websocket_client *esp_websocket_client_handle_t;

ESP_EVENT_DECLARE_BASE(WEBSOCKET_EVENTS);

typedef enum {
    WEBSOCKET_EVENT_ANY = -1,
    WEBSOCKET_EVENT_ERROR = 0, /* it did not connect */
    WEBSOCKET_EVENT_CONNECTED,
    WEBSOCKET_EVENT_DISCONNECTED, /* broken; it connects again, unless disable_auto_reconnect */
    WEBSOCKET_EVENT_DATA,         /* a part of a frame, also of pings, pongs and the end */
    WEBSOCKET_EVENT_CLOSED,       /* by a frame of either side */
    WEBSOCKET_EVENT_BEFORE_CONNECT,
    WEBSOCKET_EVENT_BEGIN,  /* its task runs */
    WEBSOCKET_EVENT_FINISH, /* its task ends */
    WEBSOCKET_EVENT_MAX
} esp_websocket_event_id_t;

typedef enum {
    WEBSOCKET_ERROR_TYPE_NONE = 0,
    WEBSOCKET_ERROR_TYPE_TCP_TRANSPORT,
    WEBSOCKET_ERROR_TYPE_PONG_TIMEOUT,
    WEBSOCKET_ERROR_TYPE_HANDSHAKE,
    WEBSOCKET_ERROR_TYPE_SERVER_CLOSE
} esp_websocket_error_type_t;

typedef struct {
    esp_err_t esp_tls_last_esp_err;
    int esp_tls_stack_err, esp_tls_cert_verify_flags;
    esp_websocket_error_type_t error_type;
    int esp_ws_handshake_status_code; /* of HTTP; 0: there was no answer */
    int esp_transport_sock_errno;
} esp_websocket_error_codes_t;

typedef struct {
    const char *data_ptr; /* no 0 behind it; valid in the handler */
    int data_len;
    bool fin; /* of the frame */
    uint8_t op_code;
    esp_websocket_client_handle_t client;
    void *user_context;
    int payload_len, payload_offset; /* of the frame */
    esp_websocket_error_codes_t error_handle;
} esp_websocket_event_data_t;

typedef enum {
    WEBSOCKET_TRANSPORT_UNKNOWN = 0,
    WEBSOCKET_TRANSPORT_OVER_TCP,
    WEBSOCKET_TRANSPORT_OVER_SSL,
} esp_websocket_transport_t;

/** Texts are copied, but those of TLS, which must live as long as the client. */
typedef struct {
    const char *uri; /* ws://HOST[:PORT]/PATH or wss://...; NULL: by `host`, `port`, `path` and `transport` */
    const char *host;
    int port; /* 0: 80, with TLS 443 */
    const char *username, *password;
    const char *path;
    bool disable_auto_reconnect;
    void *user_context;
    int task_prio;
    const char *task_name;
    int task_stack;  /* bytes */
    int buffer_size; /* the most that an event has; 0: 1024 */
    const char *cert_pem;
    size_t cert_len; /* 0: a text */
    const char *client_cert;
    size_t client_cert_len;
    const char *client_key;
    size_t client_key_len;
    esp_websocket_transport_t transport;
    const char *subprotocol, *user_agent;
    const char *headers;      /* lines with "\r\n" behind each */
    int pingpong_timeout_sec; /* 0: 120 */
    bool disable_pingpong_discon;
    bool use_global_ca_store;
    esp_err_t (*crt_bundle_attach)(void *conf);
    const char *cert_common_name;
    bool skip_cert_common_name_check;
    bool keep_alive_enable; /* this machine's TCP is as it is */
    int keep_alive_idle, keep_alive_interval, keep_alive_count;
    int reconnect_timeout_ms;            /* 0: 10000 */
    int network_timeout_ms;              /* 0: 10000 */
    size_t ping_interval_sec;            /* 0: 10 */
    const void *if_name, *ext_transport; /* ext_transport is refused */
} esp_websocket_client_config_t;

/** @return NULL: no memory, no place to connect to, or ext_transport; the log says which */
esp_websocket_client_handle_t esp_websocket_client_init(const esp_websocket_client_config_t *config);
/** All that follow @return ESP_ERR_INVALID_ARG: NULL. While it runs neither is taken: ESP_ERR_INVALID_STATE. */
esp_err_t esp_websocket_client_set_uri(esp_websocket_client_handle_t client, const char *uri);
esp_err_t esp_websocket_client_set_headers(esp_websocket_client_handle_t client, const char *headers);
/** One more line behind them. */
esp_err_t esp_websocket_client_append_header(esp_websocket_client_handle_t client, const char *key,
                                             const char *value);
/** Any time. @return 0: NULL */
size_t esp_websocket_client_get_ping_interval_sec(esp_websocket_client_handle_t client);
/** @param ping_interval_sec  0: 10 */
esp_err_t esp_websocket_client_set_ping_interval_sec(esp_websocket_client_handle_t client,
                                                     size_t ping_interval_sec);
/** ms; any time. @return -1: NULL, or it does not connect again */
int esp_websocket_client_get_reconnect_timeout(esp_websocket_client_handle_t client);
/** @return ESP_OK; ESP_ERR_INVALID_ARG: NULL, or no time; ESP_ERR_INVALID_STATE: it does not connect again */
esp_err_t esp_websocket_client_set_reconnect_timeout(esp_websocket_client_handle_t client,
                                                     int reconnect_timeout_ms);
/** @return ESP_OK; ESP_FAIL: it runs already, or no task */
esp_err_t esp_websocket_client_start(esp_websocket_client_handle_t client);
/** Ends at once, and waits for its task; not to be called by a handler. @return ESP_OK; ESP_FAIL: it does not run */
esp_err_t esp_websocket_client_stop(esp_websocket_client_handle_t client);
esp_err_t esp_websocket_client_destroy(esp_websocket_client_handle_t client);
/** Says goodbye, waits for the server's at most `timeout` ticks, and stops. @return as esp_websocket_client_stop() */
esp_err_t esp_websocket_client_close(esp_websocket_client_handle_t client, TickType_t timeout);
esp_err_t esp_websocket_client_close_with_code(esp_websocket_client_handle_t client, int code,
                                               const char *data, int len, TickType_t timeout);

/** Sends a frame; `timeout` is network_timeout_ms here. @return bytes of it; -1: not connected, or broken */
int esp_websocket_client_send_bin(esp_websocket_client_handle_t client, const char *data, int len,
                                  TickType_t timeout);
int esp_websocket_client_send_text(esp_websocket_client_handle_t client, const char *data, int len,
                                   TickType_t timeout);
/** The first frame of several; then _cont_msg(), at the end _fin(). */
int esp_websocket_client_send_bin_partial(esp_websocket_client_handle_t client, const char *data, int len,
                                          TickType_t timeout);
int esp_websocket_client_send_text_partial(esp_websocket_client_handle_t client, const char *data, int len,
                                           TickType_t timeout);
int esp_websocket_client_send_cont_msg(esp_websocket_client_handle_t client, const char *data, int len,
                                       TickType_t timeout);
int esp_websocket_client_send_fin(esp_websocket_client_handle_t client, TickType_t timeout);
/** A whole frame of any kind. */
int esp_websocket_client_send_with_opcode(esp_websocket_client_handle_t client, ws_transport_opcodes_t opcode,
                                          const uint8_t *data, int len, TickType_t timeout);

bool esp_websocket_client_is_connected(esp_websocket_client_handle_t client);
/** Handlers run in the client's task. @return what esp_event_handler_register_with() says */
esp_err_t esp_websocket_register_events(esp_websocket_client_handle_t client, esp_websocket_event_id_t event,
                                        esp_event_handler_t event_handler, void *event_handler_arg);
esp_err_t esp_websocket_unregister_events(esp_websocket_client_handle_t client,
                                          esp_websocket_event_id_t event, esp_event_handler_t event_handler);

#ifdef __cplusplus
}
#endif
