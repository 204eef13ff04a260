/* A web server: an application's handlers answer requests, one after the other, in a task of their own. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <http_parser.h> /* HTTP_GET and its kin */
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

#include "esp_err.h"
#include "esp_event.h"
#include "esp_event_base.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "sdkconfig.h"

#ifdef __cplusplus
extern "C" {
#endif

#ifndef CONFIG_HTTPD_MAX_URI_LEN /* what reads this file outside a project has no options */
#define CONFIG_HTTPD_MAX_URI_LEN     512
#define CONFIG_HTTPD_MAX_REQ_HDR_LEN 1024
#endif

#define ESP_HTTPD_DEF_CTRL_PORT 32768

#define ESP_ERR_HTTPD_BASE           0xb000
#define ESP_ERR_HTTPD_HANDLERS_FULL  (ESP_ERR_HTTPD_BASE + 1)
#define ESP_ERR_HTTPD_HANDLER_EXISTS (ESP_ERR_HTTPD_BASE + 2)
#define ESP_ERR_HTTPD_INVALID_REQ    (ESP_ERR_HTTPD_BASE + 3)
#define ESP_ERR_HTTPD_RESULT_TRUNC   (ESP_ERR_HTTPD_BASE + 4)
#define ESP_ERR_HTTPD_RESP_HDR       (ESP_ERR_HTTPD_BASE + 5)
#define ESP_ERR_HTTPD_RESP_SEND      (ESP_ERR_HTTPD_BASE + 6)
#define ESP_ERR_HTTPD_ALLOC_MEM      (ESP_ERR_HTTPD_BASE + 7)
#define ESP_ERR_HTTPD_TASK           (ESP_ERR_HTTPD_BASE + 8)

#define HTTPD_RESP_USE_STRLEN (-1)
#define HTTP_ANY              INT_MAX

/** What httpd_req_recv() returns instead of a number of bytes. */
#define HTTPD_SOCK_ERR_FAIL    (-1)
#define HTTPD_SOCK_ERR_INVALID (-2)
#define HTTPD_SOCK_ERR_TIMEOUT (-3)

#define HTTPD_200 "200 OK"
#define HTTPD_204 "204 No Content"
#define HTTPD_207 "207 Multi-Status"
#define HTTPD_400 "400 Bad Request"
#define HTTPD_404 "404 Not Found"
#define HTTPD_408 "408 Request Timeout"
#define HTTPD_500 "500 Internal Server Error"

#define HTTPD_TYPE_JSON  "application/json"
#define HTTPD_TYPE_TEXT  "text/html"
#define HTTPD_TYPE_OCTET "application/octet-stream"

ESP_EVENT_DECLARE_BASE(ESP_HTTP_SERVER_EVENT);

/** Their data: the httpd_handle_t of ERROR, START and STOP; an int, the session's number, of (DIS)CONNECTED and the headers;
    esp_http_server_event_data of data. Posted without waiting: where the event loop is full, one is lost. */
typedef enum {
    HTTP_SERVER_EVENT_ERROR = 0,
    HTTP_SERVER_EVENT_START,
    HTTP_SERVER_EVENT_ON_CONNECTED,
    HTTP_SERVER_EVENT_ON_HEADER,
    HTTP_SERVER_EVENT_HEADERS_SENT,
    HTTP_SERVER_EVENT_ON_DATA,
    HTTP_SERVER_EVENT_SENT_DATA,
    HTTP_SERVER_EVENT_DISCONNECTED,
    HTTP_SERVER_EVENT_STOP,
} esp_http_server_event_id_t;

typedef struct {
    int fd;
    int data_len;
} esp_http_server_event_data;

typedef void *httpd_handle_t;
typedef enum http_method httpd_method_t;
typedef void (*httpd_free_ctx_fn_t)(void *ctx);
typedef esp_err_t (*httpd_open_func_t)(httpd_handle_t hd, int sockfd);
typedef void (*httpd_close_func_t)(httpd_handle_t hd, int sockfd);
typedef bool (*httpd_uri_match_func_t)(const char *reference_uri, const char *uri_to_match,
                                       size_t match_upto);

typedef struct httpd_config {
    unsigned task_priority;
    size_t stack_size;
    BaseType_t core_id;
    uint32_t task_caps;        /* without a meaning here */
    size_t max_req_hdr_len;    /* of all fields of a request together; more is 431 */
    size_t max_uri_len;        /* more is 414 */
    uint16_t server_port;      /* `otter run --port` says which one of this machine that is */
    uint16_t ctrl_port;        /* without a meaning here */
    uint16_t max_open_sockets; /* others wait */
    uint16_t max_uri_handlers;
    uint16_t max_resp_headers;
    uint16_t backlog_conn;
    bool lru_purge_enable;      /* one connection too many closes the one that has been idle longest */
    uint16_t recv_wait_timeout; /* s, for the next bytes of a body */
    uint16_t send_wait_timeout; /* s, until the client takes more */
    void *global_user_ctx;
    httpd_free_ctx_fn_t global_user_ctx_free_fn;
    void *global_transport_ctx;
    httpd_free_ctx_fn_t global_transport_ctx_free_fn;
    bool enable_so_linger; /* this machine's TCP is as it is: these six are without a meaning here */
    int linger_timeout;
    bool keep_alive_enable;
    int keep_alive_idle;
    int keep_alive_interval;
    int keep_alive_count;
    httpd_open_func_t open_fn;   /* may refuse a connection; called beside the server's task */
    httpd_close_func_t close_fn; /* called beside the server's task */
    httpd_uri_match_func_t uri_match_fn;
} httpd_config_t;

#define HTTPD_DEFAULT_CONFIG()                                                                               \
    {                                                                                                        \
        .task_priority = tskIDLE_PRIORITY + 5, .stack_size = 4096, .core_id = tskNO_AFFINITY,                \
        .task_caps = 0, .max_req_hdr_len = CONFIG_HTTPD_MAX_REQ_HDR_LEN,                                     \
        .max_uri_len = CONFIG_HTTPD_MAX_URI_LEN, .server_port = 80, .ctrl_port = ESP_HTTPD_DEF_CTRL_PORT,    \
        .max_open_sockets = 7, .max_uri_handlers = 8, .max_resp_headers = 8, .backlog_conn = 5,              \
        .lru_purge_enable = false, .recv_wait_timeout = 5, .send_wait_timeout = 5, .global_user_ctx = NULL,  \
        .global_user_ctx_free_fn = NULL, .global_transport_ctx = NULL, .global_transport_ctx_free_fn = NULL, \
        .enable_so_linger = false, .linger_timeout = 0, .keep_alive_enable = false, .keep_alive_idle = 0,    \
        .keep_alive_interval = 0, .keep_alive_count = 0, .open_fn = NULL, .close_fn = NULL,                  \
        .uri_match_fn = NULL,                                                                                \
    }

/** Starts a server, whose handlers run in a task of its own.
    @return ESP_OK; ESP_ERR_INVALID_ARG; ESP_ERR_HTTPD_ALLOC_MEM; ESP_ERR_HTTPD_TASK: no task for it; ESP_FAIL: the port of this
    machine cannot be had, and the log says why */
esp_err_t httpd_start(httpd_handle_t *handle, const httpd_config_t *config);
/** Ends it, after the handler that runs; not to be called by a handler.
    @return ESP_OK; ESP_ERR_INVALID_ARG: NULL */
esp_err_t httpd_stop(httpd_handle_t handle);

/** A request, the handler's until it returns. */
typedef struct httpd_req {
    httpd_handle_t handle;
    int method;
    const char uri[CONFIG_HTTPD_MAX_URI_LEN + 1]; /* with its query */
    size_t content_len;
    void *aux; /* the server's own */
    void *user_ctx;
    void *sess_ctx; /* of the connection; with free_ctx, kept when the handler sets them */
    httpd_free_ctx_fn_t free_ctx;
    bool ignore_sess_ctx_changes;
} httpd_req_t;

typedef struct httpd_uri {
    const char *uri; /* copied */
    httpd_method_t method;
    esp_err_t (*handler)(httpd_req_t *r); /* another code than ESP_OK closes the connection */
    void *user_ctx;
    /* The handler is called with HTTP_GET behind the handshake, and for each frame with another method. */
    bool is_websocket;
    bool handle_ws_control_frames;     /* it gets pings, pongs and the end, too */
    const char *supported_subprotocol; /* of a web socket; NULL: none. It must live as long as the handler */
} httpd_uri_t;

/** @return ESP_OK; ESP_ERR_INVALID_ARG; ESP_ERR_HTTPD_HANDLERS_FULL: more than max_uri_handlers;
    ESP_ERR_HTTPD_HANDLER_EXISTS; ESP_ERR_HTTPD_ALLOC_MEM */
esp_err_t httpd_register_uri_handler(httpd_handle_t handle, const httpd_uri_t *uri_handler);
/** @return ESP_OK; ESP_ERR_INVALID_ARG; ESP_ERR_NOT_FOUND */
esp_err_t httpd_unregister_uri_handler(httpd_handle_t handle, const char *uri, httpd_method_t method);
esp_err_t httpd_unregister_uri(httpd_handle_t handle, const char *uri);

typedef enum {
    HTTPD_500_INTERNAL_SERVER_ERROR = 0,
    HTTPD_501_METHOD_NOT_IMPLEMENTED,
    HTTPD_505_VERSION_NOT_SUPPORTED,
    HTTPD_400_BAD_REQUEST,
    HTTPD_401_UNAUTHORIZED,
    HTTPD_403_FORBIDDEN,
    HTTPD_404_NOT_FOUND,
    HTTPD_405_METHOD_NOT_ALLOWED,
    HTTPD_408_REQ_TIMEOUT,
    HTTPD_411_LENGTH_REQUIRED,
    HTTPD_413_CONTENT_TOO_LARGE,
    HTTPD_414_URI_TOO_LONG,
    HTTPD_431_REQ_HDR_FIELDS_TOO_LARGE,
    HTTPD_ERR_CODE_MAX
} httpd_err_code_t;

/** Answers instead of the server; another code than ESP_OK closes the connection. */
typedef esp_err_t (*httpd_err_handler_func_t)(httpd_req_t *req, httpd_err_code_t error);
/** @param handler_fn NULL: the server's own answer again. @return ESP_OK; ESP_ERR_INVALID_ARG */
esp_err_t httpd_register_err_handler(httpd_handle_t handle, httpd_err_code_t error,
                                     httpd_err_handler_func_t handler_fn);

/** Lets another task answer: the copy is valid until httpd_req_async_handler_complete(), and the handler returns.
    @return ESP_OK; ESP_ERR_INVALID_ARG; ESP_ERR_NO_MEM */
esp_err_t httpd_req_async_handler_begin(httpd_req_t *r, httpd_req_t **out);
esp_err_t httpd_req_async_handler_complete(httpd_req_t *r);

/** The connection's socket, -1 where r is NULL. It is the server's: it may be looked at, not read or written. */
int httpd_req_to_sockfd(httpd_req_t *r);

/** Waits for bytes of the body. @return how many there are, 0 behind its end; HTTPD_SOCK_ERR_TIMEOUT after recv_wait_timeout, and
    more may still come; HTTPD_SOCK_ERR_FAIL: the client is gone; HTTPD_SOCK_ERR_INVALID */
int httpd_req_recv(httpd_req_t *r, char *buf, size_t buf_len);

/** @return the length of a field's value, 0: it is not there */
size_t httpd_req_get_hdr_value_len(httpd_req_t *r, const char *field);
/** @return ESP_OK; ESP_ERR_NOT_FOUND; ESP_ERR_INVALID_ARG; ESP_ERR_HTTPD_INVALID_REQ: answered already;
    ESP_ERR_HTTPD_RESULT_TRUNC: val has as much of it as fits */
esp_err_t httpd_req_get_hdr_value_str(httpd_req_t *r, const char *field, char *val, size_t val_size);
size_t httpd_req_get_url_query_len(httpd_req_t *r);
esp_err_t httpd_req_get_url_query_str(httpd_req_t *r, char *buf, size_t buf_len);
/** The value of a key in "a=1&b=2", as it stands there: what is escaped by % stays so. */
esp_err_t httpd_query_key_value(const char *qry, const char *key, char *val, size_t val_size);
/** @param val_size in: of val; out: with ESP_ERR_HTTPD_RESULT_TRUNC, what is needed */
esp_err_t httpd_req_get_cookie_val(httpd_req_t *req, const char *cookie_name, char *val, size_t *val_size);
/** "/a*" is all that begins with /a; "/a/?" is /a/ and /a; "/a/?*" is both, and what comes behind /a/. */
bool httpd_uri_match_wildcard(const char *uri_template, const char *uri_to_match, size_t match_upto);

/** Sends the whole answer, and returns when this machine's TCP has it.
    @return ESP_OK; ESP_ERR_INVALID_ARG; ESP_ERR_HTTPD_INVALID_REQ: it is answered; ESP_ERR_HTTPD_RESP_SEND: the client is gone,
    or has taken nothing for send_wait_timeout */
esp_err_t httpd_resp_send(httpd_req_t *r, const char *buf, ssize_t buf_len);
/** A part of the answer; without bytes: its end. The same codes. */
esp_err_t httpd_resp_send_chunk(httpd_req_t *r, const char *buf, ssize_t buf_len);

static inline esp_err_t httpd_resp_sendstr(httpd_req_t *r, const char *str)
{
    return httpd_resp_send(r, str, str == NULL ? 0 : HTTPD_RESP_USE_STRLEN);
}

static inline esp_err_t httpd_resp_sendstr_chunk(httpd_req_t *r, const char *str)
{
    return httpd_resp_send_chunk(r, str, str == NULL ? 0 : HTTPD_RESP_USE_STRLEN);
}

/** The texts must live until the answer is sent. Of the status its number counts: the words are those of the standard.
    @return ESP_OK; ESP_ERR_INVALID_ARG; ESP_ERR_HTTPD_INVALID_REQ; ESP_ERR_HTTPD_RESP_HDR: more than max_resp_headers */
esp_err_t httpd_resp_set_status(httpd_req_t *r, const char *status);
esp_err_t httpd_resp_set_type(httpd_req_t *r, const char *type);
esp_err_t httpd_resp_set_hdr(httpd_req_t *r, const char *field, const char *value);
/** @param msg NULL: a sentence of the server's */
esp_err_t httpd_resp_send_err(httpd_req_t *req, httpd_err_code_t error, const char *msg);
esp_err_t httpd_resp_send_custom_err(httpd_req_t *req, const char *status, const char *msg);

static inline esp_err_t httpd_resp_send_404(httpd_req_t *r)
{
    return httpd_resp_send_err(r, HTTPD_404_NOT_FOUND, NULL);
}

static inline esp_err_t httpd_resp_send_408(httpd_req_t *r)
{
    return httpd_resp_send_err(r, HTTPD_408_REQ_TIMEOUT, NULL);
}

static inline esp_err_t httpd_resp_send_500(httpd_req_t *r)
{
    return httpd_resp_send_err(r, HTTPD_500_INTERNAL_SERVER_ERROR, NULL);
}

/* What belongs to a connection, which its socket names. Its context is freed with it. */
void *httpd_sess_get_ctx(httpd_handle_t handle, int sockfd);
void httpd_sess_set_ctx(httpd_handle_t handle, int sockfd, void *ctx, httpd_free_ctx_fn_t free_fn);
void *httpd_sess_get_transport_ctx(httpd_handle_t handle, int sockfd);
void httpd_sess_set_transport_ctx(httpd_handle_t handle, int sockfd, void *ctx, httpd_free_ctx_fn_t free_fn);
void *httpd_get_global_user_ctx(httpd_handle_t handle);
void *httpd_get_global_transport_ctx(httpd_handle_t handle);
/** @return ESP_OK; ESP_ERR_INVALID_ARG; ESP_ERR_NOT_FOUND: no such connection */
esp_err_t httpd_sess_trigger_close(httpd_handle_t handle, int sockfd);
esp_err_t httpd_sess_update_lru_counter(httpd_handle_t handle, int sockfd);
/** @param fds in: room in client_fds; out: how many there are. @return ESP_OK; ESP_ERR_INVALID_ARG: there are more */
esp_err_t httpd_get_client_list(httpd_handle_t handle, size_t *fds, int *client_fds);

/** Bytes of the application's own instead of an answer, sent as they are; the connection ends with the handler.
    @return how many, all of them; HTTPD_SOCK_ERR_TIMEOUT; HTTPD_SOCK_ERR_FAIL: the client is gone, or the request is answered
    otherwise; HTTPD_SOCK_ERR_INVALID */
int httpd_send(httpd_req_t *r, const char *buf, size_t buf_len);
/** The same, to a connection by its number; what is under way there ends with it. HTTPD_SOCK_ERR_INVALID: there is no such one */
int httpd_socket_send(httpd_handle_t hd, int sockfd, const char *buf, size_t buf_len, int flags);

/** What comes on a connection: of the request that is under way the body, as httpd_req_recv() takes it; behind it, while its
    handler runs, what the client says next.
    @return how many; 0: the client sends nothing more; HTTPD_SOCK_ERR_TIMEOUT; HTTPD_SOCK_ERR_FAIL: also where no request is
    under way, since then it is the server that reads; HTTPD_SOCK_ERR_INVALID: there is no such connection */
int httpd_socket_recv(httpd_handle_t hd, int sockfd, char *buf, size_t buf_len, int flags);

/* Functions that send and receive a session's bytes instead of the server's own; called beside the server's task. Each returns
   what httpd_socket_send() and _recv() do; `pending`, how many bytes can be received that the socket does not tell of. */
typedef int (*httpd_send_func_t)(httpd_handle_t hd, int sockfd, const char *buf, size_t buf_len, int flags);
typedef int (*httpd_recv_func_t)(httpd_handle_t hd, int sockfd, char *buf, size_t buf_len, int flags);
typedef int (*httpd_pending_func_t)(httpd_handle_t hd, int sockfd);
/** In open_fn; a session that has one may get others later.
    @return ESP_OK; ESP_ERR_INVALID_ARG; ESP_ERR_NOT_FOUND: no such connection; ESP_ERR_NOT_SUPPORTED: open_fn set none */
esp_err_t httpd_sess_set_send_override(httpd_handle_t hd, int sockfd, httpd_send_func_t send_func);
esp_err_t httpd_sess_set_recv_override(httpd_handle_t hd, int sockfd, httpd_recv_func_t recv_func);
esp_err_t httpd_sess_set_pending_override(httpd_handle_t hd, int sockfd, httpd_pending_func_t pending_func);

/* ---- web sockets ---- */

typedef enum {
    HTTPD_WS_TYPE_CONTINUE = 0x0,
    HTTPD_WS_TYPE_TEXT = 0x1,
    HTTPD_WS_TYPE_BINARY = 0x2,
    HTTPD_WS_TYPE_CLOSE = 0x8,
    HTTPD_WS_TYPE_PING = 0x9,
    HTTPD_WS_TYPE_PONG = 0xA,
} httpd_ws_type_t;

typedef enum {
    HTTPD_WS_CLIENT_INVALID = 0,
    HTTPD_WS_CLIENT_HTTP = 1,
    HTTPD_WS_CLIENT_WEBSOCKET = 2,
} httpd_ws_client_info_t;

typedef struct httpd_ws_frame {
    bool final;      /* received: the last one of its message; sent: so, where it is fragmented */
    bool fragmented; /* one of several of a message */
    httpd_ws_type_t type;
    uint8_t *payload; /* the application's */
    size_t len;       /* bytes */
    size_t left_len;  /* of no use here: frames come whole */
} httpd_ws_frame_t;

typedef void (*transfer_complete_cb)(esp_err_t err, int socket, void *arg);

/** The frame for which the handler was called, as often as it likes.
    @param max_len room in pkt->payload; 0: only its type and length are told
    @return ESP_OK; ESP_ERR_INVALID_ARG: that is no web socket; ESP_ERR_INVALID_STATE: no frame has come; ESP_ERR_INVALID_SIZE: it
    is longer than max_len; ESP_FAIL: no payload to copy it to. A frame of more than 16 MiB ends the connection */
esp_err_t httpd_ws_recv_frame(httpd_req_t *req, httpd_ws_frame_t *pkt, size_t max_len);
/** From any task, as all that follow; returns when this machine's TCP has it.
    @return ESP_OK; ESP_ERR_INVALID_ARG: no such connection; ESP_ERR_INVALID_STATE: no web socket; ESP_ERR_NO_MEM; ESP_FAIL: it
    has ended, or takes nothing for send_wait_timeout */
esp_err_t httpd_ws_send_frame(httpd_req_t *req, httpd_ws_frame_t *pkt);
esp_err_t httpd_ws_send_frame_async(httpd_handle_t hd, int fd, httpd_ws_frame_t *frame);
esp_err_t httpd_ws_send_data(httpd_handle_t handle, int socket, httpd_ws_frame_t *frame);
/** Sends in the server's task, which calls `callback` (may be NULL) behind it. The payload must live until then.
    @return ESP_OK; ESP_ERR_INVALID_ARG; ESP_ERR_NO_MEM; ESP_FAIL: the server ends */
esp_err_t httpd_ws_send_data_async(httpd_handle_t handle, int socket, httpd_ws_frame_t *frame,
                                   transfer_complete_cb callback, void *arg);
httpd_ws_client_info_t httpd_ws_get_fd_info(httpd_handle_t hd, int fd);

typedef void (*httpd_work_fn_t)(void *arg);
/** Calls work(arg) in the server's task. @return ESP_OK; ESP_ERR_INVALID_ARG; ESP_FAIL: no memory, or the server ends */
esp_err_t httpd_queue_work(httpd_handle_t handle, httpd_work_fn_t work, void *arg);

#ifdef __cplusplus
}
#endif
