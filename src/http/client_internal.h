/*
 * The inside of an HTTP client handle, for its own source files. Each uses only those above it in this list:
 *
 *   url, headers, head, chunks, auth ...   pure: values in, values out, no handle
 *   method.c        names of methods
 *   tell.c          events and failures, for the application
 *   connection.c    open, judge, close a transport
 *   response.c      bytes of an answer to status, headers and body
 *   authorization.c what a request says of who asks
 *   request.c       request to bytes
 *   exchange.c      a request and the head of its answer, once more where a kept connection was stale
 *   client.c        the handle: configuration, URL, credentials
 *   perform.c       the whole exchange in one call, redirects followed
 */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "esp_http_client.h"
#include "esp_tls.h"
#include "http/auth.h"
#include "http/chunks.h"
#include "http/client.h"
#include "http/head.h"
#include "http/headers.h"
#include "http/url.h"
#include "otter/promise.h"
#include "otter/transport.h"

typedef enum {
    STATE_INIT,         /* not connected */
    STATE_CONNECTED,    /* no request sent on this connection since the last response */
    STATE_REQUEST_SENT, /* head sent; the application may write a body */
    STATE_RESPONSE,     /* response head read */
} http_state_t;

typedef enum {
    BODY_NONE,        /* HEAD, 204, 304 */
    BODY_LENGTH,      /* Content-Length */
    BODY_CHUNKED,     /* decoded by http_chunks_take() */
    BODY_UNTIL_CLOSE, /* ends with the connection */
} http_body_t;

/** The response being read. */
typedef struct {
    http_head_t head;
    bool head_done; /* its status, headers and framing are good */
    bool to_head;   /* answers a HEAD request */
    bool failed;    /* not HTTP: nothing after this can be trusted */
    int io_end;     /* OTTER_IO_EOF or _ERROR once the connection said so while a body was due, else 1 */

    http_body_t body;
    int64_t content_length; /* -1: not told */
    int64_t body_done;      /* body bytes decoded so far */
    http_chunks_t chunks;
    bool chunked_flag; /* what esp_http_client_is_chunked_response() says */
    bool end_seen;     /* the whole body is decoded */
    bool persistent;
    char *early; /* what came behind the head, in the receive buffer, until the head is told of */
    size_t early_len;
    const char *cached; /* what is left of it, decoded */
    size_t cached_len;
} http_response_t;

struct esp_http_client {
    esp_http_client_config_t config; /* certificates, handler, numbers; its strings are NULL or not used */
    http_url_t url;
    char *username, *password;
    bool url_credentials;       /* they came in the URL: sent as Basic without being asked */
    http_challenge_t challenge; /* what the server asked for; answered with every request from then on */
    uint32_t nonce_count;       /* requests that answered it */
    int auth_count;             /* challenges taken since the last 2xx */
    char *auth_data;            /* of esp_http_client_set_auth_data(), for the response being read */
    char *common_name;
    char if_name[16];
    int timeout_ms;
    http_headers_t headers; /* of the request */

    otter_transport_t *transport;
    bool transport_is_tls;
    bool https_only; /* http_client_require_https() */
    http_state_t state;
    bool reused; /* this request went over a connection that had carried another */

    char *tx, *rx; /* buffer_size_tx, buffer_size */
    size_t tx_size, rx_size, tx_len;
    int write_len; /* of the last open */
    const char *post_data;
    int post_len;

    http_response_t response;
    int status;
    int redirect_count;
    /* esp_http_client_set_redirection() or _add_auth() was called: perform() has another request to make */
    bool again;
    http_failure_t failure;
    esp_tls_last_error_t tls_error; /* what event callbacks get */
};

/* method.c */
const char *http_method_name(esp_http_client_method_t method);

/* tell.c */
void http_client_event(esp_http_client_handle_t client, esp_http_client_event_id_t id, void *data, int len);
void http_client_header_event(esp_http_client_handle_t client, char *key, char *value);
/** Keeps the failure and tells HTTP_EVENT_ERROR. */
void http_client_fail(esp_http_client_handle_t client, http_stage_t stage,
                      const otter_transport_error_t *cause);
/** The same of a failure that is not the connection's. @return code */
esp_err_t http_client_refuse(esp_http_client_handle_t client, http_stage_t stage, esp_err_t code,
                             const char *format, ...) __attribute__((format(printf, 4, 5)));

/* connection.c */
OTTER_MUST_CHECK esp_err_t http_connection_open(esp_http_client_handle_t client);
void http_connection_close(esp_http_client_handle_t client);
/** The open connection can carry another request. */
bool http_connection_is_usable(esp_http_client_handle_t client);
/** The cause of what read or write just said; also sets errno. */
const otter_transport_error_t *http_connection_error(esp_http_client_handle_t client, int io);

/* response.c */
/** Forgets the last answer, before the next request. */
void http_response_reset(esp_http_client_handle_t client);
void http_response_free(http_response_t *response);
/**
 * Takes bytes of a head and of what follows it, which stays where it is until http_response_begin(). With the last byte of a
 * good head the state is STATE_RESPONSE.
 * @return false: refused; the failure is told
 */
bool http_response_take_head(esp_http_client_handle_t client, char *raw, size_t len);
/** After head_done: the application hears of the head, and of the body bytes that came with it, which are kept. */
void http_response_begin(esp_http_client_handle_t client);
/** Forgets the body bytes that came with the head. @return how many */
size_t http_response_drop_cached(esp_http_client_handle_t client);

/* authorization.c */
/**
 * The Authorization header of the next request, for the caller to free. *value stays NULL when none is due, or when the
 * application's own header is to go out.
 */
OTTER_MUST_CHECK esp_err_t http_client_authorization(esp_http_client_handle_t client, char **value);
/** A challenge was taken: requests carry its answer, whatever the application set as Authorization. */
bool http_client_answers_challenge(esp_http_client_handle_t client);
/** Before a request to another server: the answer to the old one's challenge is of no use to it, and a secret. */
void http_client_forget_challenge(esp_http_client_handle_t client);

/* request.c */
/** Before anything is connected: each line of the request fits the transmit buffer. Else the failure is told. */
OTTER_MUST_CHECK esp_err_t http_request_check(esp_http_client_handle_t client);
OTTER_MUST_CHECK esp_err_t http_request_send(esp_http_client_handle_t client);
