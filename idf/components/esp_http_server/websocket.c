/* A web socket's life: the handshake in the server's task, its frames from one thread to the handlers, its end. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "websocket.h"

#include <poll.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "esp_log.h"
#include "otter_websocket.h"

static const char TAG[] = "httpd";

/* ---- the handshake ---- */

bool websocket_is_asked(const exchange_t *exchange)
{
    const char *upgrade = request_field(exchange, "Upgrade");
    return exchange->request.method == HTTP_GET && upgrade != NULL && strcasecmp(upgrade, "websocket") == 0;
}

/** Whether a list has that word, between commas and blanks. */
static bool has_word(const char *list, const char *word)
{
    const size_t len = strlen(word);
    while (list != NULL && *list != '\0') {
        list += strspn(list, ", \t");
        size_t word_len = strcspn(list, ", \t");
        if (word_len == len && len > 0 && strncmp(list, word, len) == 0) {
            return true;
        }
        list += word_len;
    }
    return false;
}

/** In libmicrohttpd's thread: the socket is ours. */
static void on_upgrade(void *cls, struct MHD_Connection *connection, void *context, const char *early,
                       size_t early_len, MHD_socket socket, struct MHD_UpgradeResponseHandle *upgrade)
{
    (void)connection, (void)context;
    exchange_t *exchange = cls;
    server_t *server = exchange->server;
    exchange->upgraded = true;
    websocket_t *ws = frames_begin(socket, early, early_len);
    server_lock(server);
    if (ws == NULL || server->stopping || !websocket_watch(server)) {
        exchange->state = EXCHANGE_FAILED;
        (void)pthread_cond_broadcast(&server->changed);
        server_unlock(server);
        frames_end(ws);
        (void)MHD_upgrade_action(upgrade, MHD_UPGRADE_ACTION_CLOSE); /* it takes no other */
        return;
    }
    ws->server = server;
    ws->upgrade = upgrade;
    ws->uri = exchange->websocket_uri;
    ws->wait_s = server->config.send_wait_timeout;
    ws->waiting = true; /* until its handler knows of it */
    exchange->session->websocket = ws;
    (void)pthread_cond_broadcast(&server->changed);
    server_unlock(server);
}

static struct MHD_Response *make_answer(exchange_t *exchange, const httpd_uri_t *uri)
{
    char accept[OTTER_WEBSOCKET_ACCEPT_SIZE];
    const char *subprotocol = uri->supported_subprotocol;
    if (!otter_websocket_accept(request_field(exchange, "Sec-WebSocket-Key"), accept)) {
        return NULL;
    }
    struct MHD_Response *response = MHD_create_response_for_upgrade(on_upgrade, exchange);
    bool ok = response != NULL && MHD_add_response_header(response, "Upgrade", "websocket") == MHD_YES &&
              MHD_add_response_header(response, "Sec-WebSocket-Accept", accept) == MHD_YES;
    if (ok && subprotocol != NULL &&
        has_word(request_field(exchange, "Sec-WebSocket-Protocol"), subprotocol)) {
        ok = MHD_add_response_header(response, "Sec-WebSocket-Protocol", subprotocol) == MHD_YES;
    }
    if (!ok && response != NULL) {
        MHD_destroy_response(response);
    }
    return ok ? response : NULL;
}

/** Waits until libmicrohttpd has given the socket up. */
static bool await_upgrade(exchange_t *exchange)
{
    server_t *server = exchange->server;
    const struct timespec until = server_deadline(server->config.send_wait_timeout);
    bool in_time = true;
    while (exchange->session->websocket == NULL && exchange->state == EXCHANGE_ANSWERED && !exchange->over &&
           in_time) {
        in_time = server_wait(server, &until);
    }
    return exchange->session->websocket != NULL;
}

esp_err_t websocket_accept(exchange_t *exchange, const httpd_uri_t *uri)
{
    const char *version = request_field(exchange, "Sec-WebSocket-Version");
    if (request_field(exchange, "Sec-WebSocket-Key") == NULL || version == NULL ||
        strcmp(version, "13") != 0) {
        ESP_LOGW(TAG, "%s: a web socket of version %s", exchange->request.uri,
                 version != NULL ? version : "0");
        (void)httpd_resp_send_err(&exchange->request, HTTPD_400_BAD_REQUEST, NULL); /* it ends in any case */
        return ESP_FAIL;
    }
    struct MHD_Response *response = make_answer(exchange, uri);
    if (response == NULL) {
        return ESP_ERR_HTTPD_ALLOC_MEM;
    }
    server_lock(exchange->server);
    exchange->response = response;
    exchange->status = MHD_HTTP_SWITCHING_PROTOCOLS;
    exchange->websocket_uri = *uri;
    exchange->state = EXCHANGE_ANSWERED;
    exchange_resume(exchange);
    bool ok = await_upgrade(exchange);
    server_unlock(exchange->server);
    return ok ? ESP_OK : ESP_FAIL;
}

static void wake(server_t *server)
{
    const uint64_t one = 1;
    ssize_t done = write(server->wake, &one, sizeof(one));
    (void)done; /* it is full: then the thread wakes already */
}

void websocket_ended(exchange_t *exchange)
{
    server_t *server = exchange->server;
    exchange->next = __atomic_load_n(&server->ended, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&server->ended, &exchange->next, exchange, true, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED)) {
    }
    if (server->watched) {
        wake(server);
    }
}

static void end_exchanges(server_t *server)
{
    exchange_t *exchange = __atomic_exchange_n(&server->ended, NULL, __ATOMIC_ACQUIRE);
    while (exchange != NULL) {
        exchange_t *next = exchange->next;
        server_lock(server);
        exchange_over(exchange);
        exchange = next;
    }
}

/* ---- frames, in the server's task ---- */

void websocket_handled(session_t *session, esp_err_t err)
{
    websocket_t *ws = session->websocket;
    if (err != ESP_OK || (ws->begun && ws->frame.type == HTTPD_WS_TYPE_CLOSE)) {
        (void)shutdown(ws->socket, SHUT_RDWR); /* the thread sees its end */
    }
    frames_next(ws);
    server_lock(session->server);
    ws->waiting = false;
    ws->look = true;
    server_unlock(session->server);
    wake(session->server);
}

static void handle_frame(void *arg)
{
    session_t *session = arg;
    exchange_t *exchange = session->exchange;
    exchange->request.method = 0; /* as ESP-IDF has it for all frames behind the handshake */
    exchange->request.content_len = 0;
    websocket_handled(session, uri_call(exchange, &session->websocket->uri));
}

esp_err_t httpd_ws_recv_frame(httpd_req_t *req, httpd_ws_frame_t *pkt, size_t max_len)
{
    exchange_t *exchange = exchange_of(req);
    websocket_t *ws = exchange != NULL ? exchange->session->websocket : NULL;
    if (ws == NULL || pkt == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (!ws->begun) {
        return ESP_ERR_INVALID_STATE;
    }
    uint8_t *payload = pkt->payload;
    *pkt = ws->frame;
    pkt->payload = payload;
    if (max_len == 0) {
        return ESP_OK;
    }
    if (pkt->len > max_len) {
        ESP_LOGW(TAG, "a frame of %zu bytes, and room for %zu", pkt->len, max_len);
        return ESP_ERR_INVALID_SIZE;
    }
    if (pkt->len > 0 && payload == NULL) {
        return ESP_FAIL;
    }
    if (pkt->len > 0) {
        memcpy(payload, ws->frame.payload, pkt->len);
    }
    return ESP_OK;
}

/* ---- sending, from any task ---- */

/** A session that somebody uses. */
static session_t *hold_session(server_t *server, int fd)
{
    server_lock(server);
    session_t *session = session_find(server, fd);
    if (session != NULL) {
        session->users++;
    }
    server_unlock(server);
    return session;
}

static void let_session_go(session_t *session)
{
    server_lock(session->server);
    session->users--;
    session_release(session);
}

esp_err_t httpd_ws_send_frame_async(httpd_handle_t hd, int fd, httpd_ws_frame_t *frame)
{
    session_t *session = hd != NULL && frame != NULL ? hold_session(hd, fd) : NULL;
    if (session == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = ESP_ERR_INVALID_STATE;
    if (session->websocket != NULL) {
        err = frame->len > 0 && frame->payload == NULL ? ESP_ERR_INVALID_ARG
                                                       : frames_send(session->websocket, frame);
    }
    let_session_go(session);
    return err;
}

esp_err_t httpd_ws_send_frame(httpd_req_t *req, httpd_ws_frame_t *pkt)
{
    return req != NULL ? httpd_ws_send_frame_async(req->handle, httpd_req_to_sockfd(req), pkt)
                       : ESP_ERR_INVALID_ARG;
}

esp_err_t httpd_ws_send_data(httpd_handle_t handle, int socket, httpd_ws_frame_t *frame)
{
    return httpd_ws_send_frame_async(handle, socket, frame);
}

typedef struct {
    httpd_handle_t handle;
    int socket;
    httpd_ws_frame_t frame;
    transfer_complete_cb callback;
    void *arg;
} transfer_t;

static void do_transfer(void *arg)
{
    transfer_t *transfer = arg;
    esp_err_t err = httpd_ws_send_frame_async(transfer->handle, transfer->socket, &transfer->frame);
    if (transfer->callback != NULL) {
        transfer->callback(err, transfer->socket, transfer->arg);
    }
    free(transfer);
}

esp_err_t httpd_ws_send_data_async(httpd_handle_t handle, int socket, httpd_ws_frame_t *frame,
                                   transfer_complete_cb callback, void *arg)
{
    transfer_t *transfer = handle != NULL && frame != NULL ? malloc(sizeof(*transfer)) : NULL;
    if (transfer == NULL) {
        return handle != NULL && frame != NULL ? ESP_ERR_NO_MEM : ESP_ERR_INVALID_ARG;
    }
    *transfer = (transfer_t){handle, socket, *frame, callback, arg};
    esp_err_t err = httpd_queue_work(handle, do_transfer, transfer);
    if (err != ESP_OK) {
        free(transfer);
    }
    return err;
}

httpd_ws_client_info_t httpd_ws_get_fd_info(httpd_handle_t hd, int fd)
{
    httpd_ws_client_info_t info = HTTPD_WS_CLIENT_INVALID;
    if (hd != NULL) {
        server_lock(hd);
        session_t *session = session_find(hd, fd);
        if (session != NULL) {
            info = session->websocket != NULL ? HTTPD_WS_CLIENT_WEBSOCKET : HTTPD_WS_CLIENT_HTTP;
        }
        server_unlock(hd);
    }
    return info;
}

/* ---- the thread that reads ---- */

/** Gives the socket back; the session ends with it. */
static void end_socket(session_t *session)
{
    websocket_t *ws = session->websocket;
    (void)pthread_mutex_lock(&ws->sending);
    ws->closed = true;
    (void)pthread_mutex_unlock(&ws->sending);
    (void)MHD_upgrade_action(ws->upgrade, MHD_UPGRADE_ACTION_CLOSE); /* it takes no other */
}

/** What the server does with a control frame by itself. @return false: the handler wants it, or it is none */
static bool is_served(websocket_t *ws)
{
    httpd_ws_frame_t *frame = &ws->frame;
    if ((unsigned)frame->type < HTTPD_WS_TYPE_CLOSE || ws->uri.handle_ws_control_frames) {
        return false;
    }
    if (frame->type == HTTPD_WS_TYPE_PING) {
        frame->type = HTTPD_WS_TYPE_PONG;
        (void)frames_send(ws, frame); /* where it fails, reading fails, too */
    } else if (frame->type == HTTPD_WS_TYPE_CLOSE) {
        (void)frames_send(ws, frame);
        (void)shutdown(ws->socket, SHUT_RDWR);
    }
    frames_next(ws);
    return true;
}

/** Reads until a frame waits for its handler. */
static void read_socket(session_t *session)
{
    websocket_t *ws = session->websocket;
    frame_state_t state;
    do {
        state = frames_read(ws);
    } while (state == FRAME_WHOLE && is_served(ws));
    if (state == FRAME_END) {
        end_socket(session);
    } else if (state == FRAME_WHOLE) {
        server_lock(session->server);
        ws->waiting = true; /* the session stays as long */
        server_unlock(session->server);
        (void)httpd_queue_work(session->server, handle_frame,
                               session); /* else the server ends, and this with it */
    }
}

/** With the lock held. @param look one of them is to be read without waiting. @return how many are to be read, [0] wakes */
static size_t list_sockets(server_t *server, struct pollfd *fds, session_t **sessions, size_t room,
                           bool *look)
{
    *look = false;
    size_t count = 1;
    fds[0] = (struct pollfd){.fd = server->wake, .events = POLLIN};
    for (session_t *s = server->sessions; s != NULL && count < room; s = s->next) {
        if (s->websocket != NULL && !s->websocket->waiting && !s->websocket->closed) {
            sessions[count] = s;
            *look = *look || s->websocket->look;
            fds[count++] = (struct pollfd){.fd = s->websocket->socket, .events = POLLIN};
        }
    }
    return count;
}

/** With the lock held, which it gives up meanwhile: all that is still open. */
static void end_all(server_t *server)
{
    session_t *session = server->sessions;
    while (session != NULL) {
        if (session->websocket != NULL && !session->websocket->closed) {
            server_unlock(server);
            end_socket(session);
            server_lock(server);
            session = server->sessions; /* it may be gone already */
        } else {
            session = session->next;
        }
    }
}

static void *watch(void *arg)
{
    server_t *server = arg;
    size_t room = server->config.max_open_sockets + 2u;
    struct pollfd *fds = calloc(room, sizeof(*fds));
    session_t **sessions = calloc(room, sizeof(*sessions)); // NOLINT(bugprone-sizeof-expression)
    server_lock(server);
    while (!server->stopping && fds != NULL && sessions != NULL) {
        bool look;
        size_t count = list_sockets(server, fds, sessions, room, &look);
        server_unlock(server);
        (void)poll(fds, count, look ? 0 : -1); /* httpd_stop() wakes it */
        uint64_t woken;
        if (fds[0].revents != 0 && read(server->wake, &woken, sizeof(woken)) < 0) {
            fds[0].revents = 0; /* somebody has read it: nothing is lost */
        }
        end_exchanges(server);
        for (size_t i = 1; i < count; i++) {
            if (fds[i].revents != 0 || sessions[i]->websocket->look) {
                sessions[i]->websocket->look = false;
                read_socket(sessions[i]);
            }
        }
        server_lock(server);
    }
    end_all(server);
    server_unlock(server);
    free(fds);
    free(sessions);
    return NULL;
}

bool websocket_watch(server_t *server)
{
    if (server->watched) {
        return true;
    }
    server->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (server->wake < 0) {
        return false;
    }
    server->watched = pthread_create(&server->watcher, NULL, watch, server) == 0;
    if (!server->watched) {
        close(server->wake);
    }
    return server->watched;
}

void websocket_stop(server_t *server)
{
    server_lock(server);
    bool watched = server->watched;
    server_unlock(server);
    if (watched) {
        wake(server);
        (void)pthread_join(server->watcher, NULL); /* it ends: `stopping` is set */
    }
}

void websocket_stopped(server_t *server)
{
    end_exchanges(server);
    if (server->watched) {
        close(server->wake);
    }
}
