/* ESP-IDF's transports: streams of bytes by one set of functions, and lists of them by scheme. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "esp_err.h"
#include "esp_tls.h"
#include "esp_tls_connection.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct esp_transport_keepalive {
    bool keep_alive_enable;
    int keep_alive_idle, keep_alive_interval; /* s */
    int keep_alive_count;
} esp_transport_keep_alive_t;

typedef struct esp_transport_list_t *esp_transport_list_handle_t;
typedef struct esp_transport_item_t *esp_transport_handle_t;

typedef int (*connect_func)(esp_transport_handle_t t, const char *host, int port, int timeout_ms);
typedef int (*io_func)(esp_transport_handle_t t, const char *buffer, int len, int timeout_ms);
typedef int (*io_read_func)(esp_transport_handle_t t, char *buffer, int len, int timeout_ms);
typedef int (*trans_func)(esp_transport_handle_t t);
typedef int (*poll_func)(esp_transport_handle_t t, int timeout_ms);
typedef esp_transport_handle_t (*payload_transfer_func)(esp_transport_handle_t t);

/** What esp_transport_read() returns below 1. */
enum esp_tcp_transport_err_t {
    ERR_TCP_TRANSPORT_NO_MEM = -3,
    ERR_TCP_TRANSPORT_CONNECTION_FAILED = -2,
    ERR_TCP_TRANSPORT_CONNECTION_CLOSED_BY_FIN = -1,
    ERR_TCP_TRANSPORT_CONNECTION_TIMEOUT = 0,
};

/* ---- lists ---- */

/** @return NULL: no memory */
esp_transport_list_handle_t esp_transport_list_init(void);
/** @param scheme  copied. @return ESP_OK, ESP_ERR_INVALID_ARG (NULL), ESP_ERR_NO_MEM */
esp_err_t esp_transport_list_add(esp_transport_list_handle_t list, esp_transport_handle_t t,
                                 const char *scheme);
/** @param scheme  NULL: the first. @return NULL: there is none */
esp_transport_handle_t esp_transport_list_get_transport(esp_transport_list_handle_t list, const char *scheme);
/** Destroys the transports in it. */
esp_err_t esp_transport_list_clean(esp_transport_list_handle_t list);
esp_err_t esp_transport_list_destroy(esp_transport_list_handle_t list);

/* ---- a transport ---- */

/** One without functions, for esp_transport_set_func(). @return NULL: no memory */
esp_transport_handle_t esp_transport_init(void);
/** Closes and frees. @return ESP_OK, ESP_ERR_INVALID_ARG (NULL) */
esp_err_t esp_transport_destroy(esp_transport_handle_t t);
esp_err_t esp_transport_set_func(esp_transport_handle_t t, connect_func connect, io_read_func read,
                                 io_func write, trans_func close, poll_func poll_read, poll_func poll_write,
                                 trans_func destroy);
void *esp_transport_get_context_data(esp_transport_handle_t t);
esp_err_t esp_transport_set_context_data(esp_transport_handle_t t, void *data);
int esp_transport_get_default_port(esp_transport_handle_t t);
esp_err_t esp_transport_set_default_port(esp_transport_handle_t t, int port);

/** @param timeout_ms  below 1: 10000. @return 0; -1: not connected, or no such function (as of all below) */
int esp_transport_connect(esp_transport_handle_t t, const char *host, int port, int timeout_ms);
/** @return 1: connected; -1. It waits. */
int esp_transport_connect_async(esp_transport_handle_t t, const char *host, int port, int timeout_ms);
/** @return bytes; esp_tcp_transport_err_t: 0 (nothing came in time), -1 (the peer has closed), -2 (broken) */
int esp_transport_read(esp_transport_handle_t t, char *buffer, int len, int timeout_ms);
/** @return bytes; 0: nothing moved in time; -1 */
int esp_transport_write(esp_transport_handle_t t, const char *buffer, int len, int timeout_ms);
/** @return above 0: there is something, or the end; 0: nothing in time; -1 */
int esp_transport_poll_read(esp_transport_handle_t t, int timeout_ms);
int esp_transport_poll_write(esp_transport_handle_t t, int timeout_ms);
/** It can be connected again. @return 0; -1 */
int esp_transport_close(esp_transport_handle_t t);

/** NULL: not TCP or TLS */
esp_tls_error_handle_t esp_transport_get_error_handle(esp_transport_handle_t t);
int esp_transport_get_errno(esp_transport_handle_t t);
/** @return -1: none */
int esp_transport_get_socket(esp_transport_handle_t t);
esp_err_t esp_transport_translate_error(enum esp_tcp_transport_err_t error);

/** Instead of connecting at once. @return ESP_OK; ESP_ERR_INVALID_ARG: NULL */
esp_err_t esp_transport_set_async_connect_func(esp_transport_handle_t t, connect_func connect_async);
/** Which transport carries what this one is given; without a function, itself. */
esp_err_t esp_transport_set_parent_transport_func(esp_transport_handle_t t,
                                                  payload_transfer_func parent_transport);
esp_transport_handle_t esp_transport_get_payload_transport_handle(esp_transport_handle_t t);

#ifdef __cplusplus
}
#endif
