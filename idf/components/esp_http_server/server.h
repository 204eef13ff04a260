/* The parts of the server: connections and bodies are libmicrohttpd's, in its thread; handlers run in the server's task. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <microhttpd.h>
#include <pthread.h>

#include "esp_http_server.h"
#include "otter_httpd.h"

#define BODY_ROOM 16384 /* bytes that may wait for httpd_req_recv() */

typedef struct server server_t;
typedef struct websocket websocket_t;

/** What an application keeps with a session, and what frees it; NULL: free(). */
typedef struct {
    void *ctx;
    httpd_free_ctx_fn_t free_ctx;
} context_t;

/** A connection. */
typedef struct session {
    struct session *next;
    server_t *server;
    int fd; /* the client's: applications name the session by it */
    int io; /* libmicrohttpd's: the same one, or its end of a link */
    /* of a link, through which the bytes pass where one of these is set; belong to the server's lock */
    httpd_send_func_t send_fn;
    httpd_recv_func_t recv_fn;
    httpd_pending_func_t pending_fn;
    bool linked, entered;      /* entered: libmicrohttpd has it */
    struct exchange *exchange; /* the request that is under way */
    unsigned users;            /* who still knows of it: requests, its link */
    uint64_t used; /* the server's count of requests then: the least is the one that has been idle longest */
    bool gone;     /* the connection is closed */
    context_t ctx, transport_ctx;
    websocket_t *websocket; /* NULL: it speaks HTTP */
} session_t;

/** How far the handler's side is. */
typedef enum {
    EXCHANGE_OPEN,     /* nothing has been answered */
    EXCHANGE_ANSWERED, /* `response` is to be sent, and perhaps the handler still has parts of it */
    EXCHANGE_FAILED,   /* the connection is to be closed */
} exchange_state_t;

/** A request and its answer, between the two threads. All but what the handler alone uses belongs to the server's lock. */
typedef struct exchange {
    struct exchange *next; /* in the queue of the task */
    server_t *server;
    session_t *session;
    struct MHD_Connection *connection;
    httpd_req_t request;
    httpd_err_code_t error; /* what is wrong with it, else HTTPD_ERR_CODE_MAX */
    unsigned holders;       /* libmicrohttpd, and the handler or who answers for it */
    bool queued;            /* the task has been told */
    bool over;              /* libmicrohttpd has done with it: all is sent, or the client is gone */
    bool suspended;
    bool detached; /* another task answers */
    bool raw;      /* the application has sent bytes of its own: the connection ends with the handler */
    httpd_uri_t websocket_uri; /* of a web socket that is asked for */
    bool upgraded;             /* it has been one; libmicrohttpd's threads alone read this */
    exchange_state_t state;
    /* the body */
    uint8_t body[BODY_ROOM];
    size_t body_at, body_len;
    size_t left;    /* what the handler has not taken yet of content_len */
    bool body_over; /* all of it has come */
    /* the answer */
    struct MHD_Response *response;
    unsigned status;
    const char *out; /* what the handler waits to be taken */
    size_t out_len;
    uint64_t taken; /* by libmicrohttpd: bytes of the answer, and of a body that nobody reads */
    bool out_over;  /* no more follow */
    bool sent;      /* all of the answer went out */
    const char *status_line, *type;
    struct {
        const char *field, *value;
    } * fields;
    size_t field_count;
    char *fields_of_request; /* "name\0value\0...\0" */
} exchange_t;

typedef struct work {
    struct work *next;
    httpd_work_fn_t function;
    void *arg;
} work_t;

struct server {
    httpd_config_t config;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* of anything below, and of any exchange */
    struct MHD_Daemon *daemon;
    int listener;
    otter_httpd_open_t secure;
    pthread_t door;           /* accepts */
    pthread_mutex_t greeting; /* one open_fn at a time */
    unsigned guests;          /* threads of connections: greeted, or linked */
    unsigned entering;        /* of these and the door: between themselves and libmicrohttpd */
    unsigned holders;         /* who starts and stops it, its task, each exchange, each session */
    bool stopping, task_ended;
    exchange_t *first, **last; /* wait for the task */
    work_t *work, **last_work;
    session_t *sessions;
    uint64_t requests;
    httpd_uri_t *handlers;
    size_t handler_count;
    httpd_err_handler_func_t error_handlers[HTTPD_ERR_CODE_MAX];
    /* web sockets */
    bool watched; /* there is a thread that reads them */
    pthread_t watcher;
    int wake;
    exchange_t *ended; /* libmicrohttpd has done with them; by atomic operations */
};

void server_lock(server_t *server);
void server_unlock(server_t *server);
/** Waits for a change, at most until then. @return false: the time is over */
bool server_wait(server_t *server, const struct timespec *until);
struct timespec server_deadline(unsigned seconds);
/** Unlocks; the last holder frees it. */
void server_release(server_t *server);
void server_post(int32_t id, const void *data, size_t size);

/** Unlocks and gives one hold up. */
void exchange_release(exchange_t *exchange);
/** With the lock held, which it gives up, and the hold of libmicrohttpd, which has done with it. */
void exchange_over(exchange_t *exchange);
/** With the lock held: libmicrohttpd goes on with it. */
void exchange_resume(exchange_t *exchange);
/** With the lock held: nothing more of this comes to a good end. */
void exchange_fail(exchange_t *exchange);
/** The handler has returned. */
void exchange_end(exchange_t *exchange, esp_err_t err);
/** Of a request that is not answered yet, else NULL. */
exchange_t *exchange_of(const httpd_req_t *r);

/** What libmicrohttpd calls (transfer.c). */
void *transfer_see_uri(void *cls, const char *uri, struct MHD_Connection *connection);
enum MHD_Result transfer_go_on(void *cls, struct MHD_Connection *connection, const char *url,
                               const char *method, const char *version, const char *data, size_t *size,
                               void **context);
void transfer_end(void *cls, struct MHD_Connection *connection, void **context,
                  enum MHD_RequestTerminationCode why);
/** A connection that was accepted: in the list. @return NULL: no memory */
session_t *session_begin(server_t *server, int fd);
/** It is told of its end, and not in the list any more; its caller closes it.
    @param is_open  the application's close_fn may look */
void session_end(session_t *session, bool is_open);
/** Libmicrohttpd knows a linked one no more. */
void session_left(session_t *session);
/** With the lock held: closes the connection, whatever it does. */
void session_shut(const session_t *session);
/** Whether the server's number of connections is reached; with the lock held. */
bool session_is_full(const server_t *server);
/** With the lock held: where there is one too many, closes the one that has been idle longest. */
void session_make_room(server_t *server);

/** Accepts clients, from httpd_start() until `stopping`. @return false: there is no thread for it */
bool door_open(server_t *server);
/** None comes in any more, and none is between the door and libmicrohttpd. */
void door_close(server_t *server);
/** libmicrohttpd has ended: so have all links. */
void door_closed(server_t *server);
/** libmicrohttpd gets session->io. @return false: that is closed */
bool door_enter(session_t *session);
/** Carries bytes between client and libmicrohttpd through the session's functions, until one of them ends, and ends the
    session. */
void link_run(session_t *session);

void session_notify(void *cls, struct MHD_Connection *connection, void **context,
                    enum MHD_ConnectionNotificationCode code);

/** Frees what is kept, in the way that it wants. */
void context_free(const context_t *context);

/** With the lock held. */
session_t *session_find(server_t *server, int fd);
/** With the lock held, which it gives up: frees what is gone and not used. */
void session_release(session_t *session);

/** Finds the handler for a request, and calls it. */
esp_err_t uri_handle(exchange_t *exchange);
/** Calls this one, with the connection's context. */
esp_err_t uri_call(exchange_t *exchange, const httpd_uri_t *uri);

/** A field of the request, else NULL. */
const char *request_field(const exchange_t *exchange, const char *field);

/** Whether the request wants a web socket. */
bool websocket_is_asked(const exchange_t *exchange);
/** Makes it one, which reads nothing until websocket_handled().
    @return ESP_OK; ESP_FAIL: it was answered, or the client is gone; ESP_ERR_HTTPD_ALLOC_MEM */
esp_err_t websocket_accept(exchange_t *exchange, const httpd_uri_t *uri);
/** The handler has returned: the next frame may come, or with another code than ESP_OK the end. */
void websocket_handled(session_t *session, esp_err_t err);
/** With the lock held: there is a thread that reads web sockets. @return false: there is none */
bool websocket_watch(server_t *server);
/** Ends all web sockets; `stopping` is set. */
void websocket_stop(server_t *server);
/** libmicrohttpd has ended, too. */
void websocket_stopped(server_t *server);
/**
 * libmicrohttpd has done with the request that became a web socket. It says so with a lock of its own held, which others take
 * under the server's: so the thread that reads web sockets does the rest.
 */
void websocket_ended(exchange_t *exchange);
void frames_end(websocket_t *ws);
