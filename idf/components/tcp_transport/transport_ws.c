/* A web socket over another transport: its handshake, and its frames by wslay. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <wslay/wslay.h>

#include "esp_log.h"
#include "esp_random.h"
#include "esp_transport_ws.h"
#include "otter_websocket.h"
#include "transport_item.h"

static const char TAG[] = "transport_ws";

#define HEAD_SIZE   4096 /* bytes of a server's answer, with the 0 */
#define CONTROL_MAX 125  /* bytes that a control frame may have */
#define AGENT       "ESP32 Websocket Client"

typedef struct {
    esp_transport_handle_t parent;
    char *path, *subprotocol, *user_agent, *headers, *auth, *redirection;
    bool propagates;
    int status;
    wslay_frame_context_ptr reader, writer;
    int timeout_ms; /* of the read, or the write, that is under way */
    int write_timeout_ms;
    int failure; /* what the parent's read said, below 0 */
    bool moved;  /* it has brought bytes */
    /* the frame that is read */
    bool seen; /* one is known */
    bool fin;
    uint8_t opcode;
    uint64_t length, left; /* bytes of payload; left: not given to the reader yet */
    const uint8_t *piece;  /* of it, in wslay's memory until its next call */
    size_t piece_len;
    bool fresh; /* a poll has found this piece */
    /* the answer, and behind it what came along */
    char head[HEAD_SIZE];
    size_t head_at, head_len;
} ws_t;

static int ws_close(esp_transport_handle_t t);

/** @return NULL: this is none */
static ws_t *ws_of(esp_transport_handle_t t)
{
    return t != NULL && t->close == ws_close ? t->context : NULL;
}

/* ---- the handshake ---- */

static bool ask(ws_t *ws, const char *host, int port, const char *key, int timeout_ms)
{
    char *text = NULL;
    const char *protocol = ws->subprotocol, *auth = ws->auth;
    int len = asprintf(
        &text,
        "GET %s HTTP/1.1\r\nConnection: Upgrade\r\nHost: %s:%d\r\nUser-Agent: %s\r\n"
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n%s%s%s%s%s%s%s\r\n",
        ws->path, host, port, ws->user_agent != NULL ? ws->user_agent : AGENT, key,
        protocol != NULL ? "Sec-WebSocket-Protocol: " : "", protocol != NULL ? protocol : "",
        protocol != NULL ? "\r\n" : "", auth != NULL ? "Authorization: " : "", auth != NULL ? auth : "",
        auth != NULL ? "\r\n" : "", ws->headers != NULL ? ws->headers : "");
    bool ok = len > 0;
    for (int sent = 0; ok && sent < len;) {
        int now = esp_transport_write(ws->parent, text + sent, len - sent, timeout_ms);
        ok = now > 0;
        sent += now;
    }
    free(text);
    return ok;
}

/** Reads the answer, up to its empty line. */
static bool read_answer(ws_t *ws, int timeout_ms)
{
    ws->head_len = ws->head_at = 0;
    while (ws->head_len < HEAD_SIZE - 1) {
        int got = esp_transport_read(ws->parent, ws->head + ws->head_len, (int)(HEAD_SIZE - 1 - ws->head_len),
                                     timeout_ms);
        if (got <= 0) {
            return false;
        }
        ws->head_len += (size_t)got;
        ws->head[ws->head_len] = '\0';
        ws->head_at = otter_websocket_end_head(ws->head);
        if (ws->head_at != 0) {
            return true;
        }
    }
    return false;
}

/** @return 0: it speaks frames from here on; a status that points elsewhere; -1 */
static int judge_answer(ws_t *ws, const char *host, const char *accept)
{
    size_t len = 0;
    const char *place = otter_websocket_field(ws->head, "Location", &len);
    ws->status = otter_websocket_status(ws->head);
    if (otter_websocket_is_accepted(ws->head, accept)) {
        return 0;
    }
    if (ws->status >= 300 && ws->status < 400 && place != NULL) {
        free(ws->redirection);
        ws->redirection = strndup(place, len);
        return ws->redirection != NULL ? ws->status : -1;
    }
    ESP_LOGE(TAG, "%s%s is no web socket: %.60s", host, ws->path, ws->head);
    return -1;
}

static void forget_frames(ws_t *ws)
{
    wslay_frame_context_free(ws->reader);
    wslay_frame_context_free(ws->writer);
    ws->reader = ws->writer = NULL;
    ws->seen = ws->fresh = false;
    ws->left = ws->length = 0;
    ws->piece_len = 0;
    ws->failure = 0;
}

/** wslay's: what came along with the answer, then the parent's bytes. */
static ssize_t receive(uint8_t *to, size_t size, int flags, void *arg)
{
    (void)flags;
    ws_t *ws = arg;
    size_t early = ws->head_len - ws->head_at;
    if (early > 0) {
        size = size < early ? size : early;
        memcpy(to, ws->head + ws->head_at, size);
        ws->head_at += size;
        ws->moved = true;
        return (ssize_t)size;
    }
    int got =
        esp_transport_read(ws->parent, (char *)to, (int)(size < INT_MAX ? size : INT_MAX), ws->timeout_ms);
    ws->failure = got < 0 ? got : 0;
    ws->moved = got > 0;
    return got > 0 ? got : -1;
}

static ssize_t transmit(const uint8_t *data, size_t size, int flags, void *arg)
{
    (void)flags;
    const ws_t *ws = arg;
    int sent = esp_transport_write(ws->parent, (const char *)data, (int)(size < INT_MAX ? size : INT_MAX),
                                   ws->write_timeout_ms);
    return sent > 0 ? sent : -1;
}

static int make_mask(uint8_t *to, size_t size, void *arg)
{
    (void)arg;
    esp_fill_random(to, size);
    return 0;
}

static bool begin_frames(ws_t *ws)
{
    static const struct wslay_frame_callbacks callbacks = {
        .recv_callback = receive, .send_callback = transmit, .genmask_callback = make_mask};
    return wslay_frame_context_init(&ws->reader, &callbacks, ws) == 0 &&
           wslay_frame_context_init(&ws->writer, &callbacks, ws) == 0;
}

static int ws_connect(esp_transport_handle_t t, const char *host, int port, int timeout_ms)
{
    ws_t *ws = t->context;
    char key[OTTER_WEBSOCKET_KEY_SIZE], accept[OTTER_WEBSOCKET_ACCEPT_SIZE];
    forget_frames(ws);
    ws->status = -1;
    if (esp_transport_connect(ws->parent, host, port, timeout_ms) < 0) {
        return -1;
    }
    int result = -1;
    if (!otter_websocket_challenge(key, accept) || !ask(ws, host, port, key, timeout_ms) ||
        !read_answer(ws, timeout_ms)) {
        ESP_LOGE(TAG, "%s does not answer", host);
    } else {
        result = judge_answer(ws, host, accept);
        result = result == 0 && !begin_frames(ws) ? -1 : result;
    }
    if (result != 0) {
        (void)esp_transport_close(ws->parent); /* it is of no use */
    }
    return result;
}

/* ---- sending ---- */

static int send_frame(ws_t *ws, int opcode, const char *data, int len, int timeout_ms)
{
    if (ws->writer == NULL || len < 0 || (len > 0 && data == NULL)) {
        return -1;
    }
    struct wslay_frame_iocb part = {.fin = (opcode & WS_TRANSPORT_OPCODES_FIN) != 0,
                                    .opcode = (uint8_t)(opcode & 0x0f),
                                    .mask = 1,
                                    .payload_length = (uint64_t)len,
                                    .data = (const uint8_t *)data,
                                    .data_length = (size_t)len};
    ws->write_timeout_ms = timeout_ms;
    ssize_t sent;
    do {
        sent = wslay_frame_send(ws->writer, &part);
        if (sent > 0) {
            part.data += sent;
            part.data_length -= (size_t)sent;
        }
    } while (sent >= 0 && part.data_length > 0);
    return sent >= 0 ? len : -1;
}

static int ws_write(esp_transport_handle_t t, const char *b, int len, int timeout_ms)
{
    const int opcode = len == 0 ? WS_TRANSPORT_OPCODES_PING : WS_TRANSPORT_OPCODES_BINARY;
    return send_frame(t->context, opcode | WS_TRANSPORT_OPCODES_FIN, b, len, timeout_ms);
}

int esp_transport_ws_send_raw(esp_transport_handle_t t, ws_transport_opcodes_t opcode, const char *b, int len,
                              int timeout_ms)
{
    ws_t *ws = ws_of(t);
    return ws != NULL ? send_frame(ws, (int)opcode, b, len, timeout_ms) : ESP_ERR_INVALID_ARG;
}

/* ---- receiving ---- */

/** The next piece of a frame, or the head of one without a payload. @return 1; 0: not in time; below 0: the end */
static int fetch(ws_t *ws, int timeout_ms)
{
    if (ws->reader == NULL) {
        return ERR_TCP_TRANSPORT_CONNECTION_FAILED;
    }
    struct wslay_frame_iocb part = {0};
    ssize_t got = WSLAY_ERR_WANT_READ;
    ws->timeout_ms = timeout_ms;
    do { /* while bytes of a head have come, and it wants more of them */
        ws->failure = 0;
        ws->moved = false;
        got = wslay_frame_recv(ws->reader, &part);
    } while (got == WSLAY_ERR_WANT_READ && ws->moved);
    if (got == WSLAY_ERR_WANT_READ) {
        return ws->failure;
    }
    if (got < 0 || part.payload_length > INT_MAX) {
        ESP_LOGE(TAG, "the server sends what is no frame");
        return ERR_TCP_TRANSPORT_CONNECTION_FAILED;
    }
    if (ws->left == 0) {
        ws->opcode = part.opcode;
        ws->fin = part.fin != 0;
        ws->length = ws->left = part.payload_length;
    }
    ws->seen = true;
    ws->piece = part.data;
    ws->piece_len = part.data_length;
    return 1;
}

/** As much of the piece as there is room for. */
static int take(ws_t *ws, char *to, int room)
{
    size_t len = ws->piece_len < (size_t)room ? ws->piece_len : (size_t)room;
    memcpy(to, ws->piece, len);
    ws->piece += len;
    ws->piece_len -= len;
    ws->left -= len;
    return (int)len;
}

/** A control frame that the reader is not to see. @return 0; below 0: the end */
static int serve_control(ws_t *ws, int timeout_ms)
{
    char content[CONTROL_MAX];
    int len = 0;
    while (ws->left > 0) {
        int got = ws->piece_len > 0 ? 1 : fetch(ws, timeout_ms);
        if (got <= 0 || ws->left > sizeof(content) - (size_t)len) {
            return got < 0 ? got : ERR_TCP_TRANSPORT_CONNECTION_FAILED;
        }
        len += take(ws, content + len, (int)sizeof(content) - len);
    }
    if (ws->opcode == WS_TRANSPORT_OPCODES_PONG) {
        return 0;
    }
    const int answer =
        ws->opcode == WS_TRANSPORT_OPCODES_PING ? WS_TRANSPORT_OPCODES_PONG : WS_TRANSPORT_OPCODES_CLOSE;
    return send_frame(ws, answer | WS_TRANSPORT_OPCODES_FIN, content, len, timeout_ms) < 0 ? -1 : 0;
}

static int ws_read(esp_transport_handle_t t, char *buffer, int len, int timeout_ms)
{
    ws_t *ws = t->context;
    if (buffer == NULL || len <= 0) {
        return -1;
    }
    if (ws->piece_len == 0 && !ws->fresh) {
        ws->seen = ws->left > 0; /* the rest of one that is known */
        int got = fetch(ws, timeout_ms);
        if (got <= 0) {
            return got;
        }
    }
    ws->fresh = false;
    if ((ws->opcode & WS_TRANSPORT_OPCODES_CLOSE) != 0 && !ws->propagates) {
        return serve_control(ws, timeout_ms);
    }
    return take(ws, buffer, len);
}

static int ws_poll_read(esp_transport_handle_t t, int timeout_ms)
{
    ws_t *ws = t->context;
    if (ws->piece_len > 0 || ws->fresh) {
        return 1;
    }
    int got = fetch(ws, 0); /* wslay may have it already */
    ws->fresh = got > 0;
    return got != 0 ? 1 : esp_transport_poll_read(ws->parent, timeout_ms);
}

static int ws_poll_write(esp_transport_handle_t t, int timeout_ms)
{
    const ws_t *ws = t->context;
    return esp_transport_poll_write(ws->parent, timeout_ms);
}

bool esp_transport_ws_get_fin_flag(esp_transport_handle_t t)
{
    const ws_t *ws = ws_of(t);
    return ws != NULL && ws->fin;
}

ws_transport_opcodes_t esp_transport_ws_get_read_opcode(esp_transport_handle_t t)
{
    const ws_t *ws = ws_of(t);
    return ws != NULL && ws->seen ? (ws_transport_opcodes_t)ws->opcode : WS_TRANSPORT_OPCODES_NONE;
}

int esp_transport_ws_get_read_payload_len(esp_transport_handle_t t)
{
    const ws_t *ws = ws_of(t);
    return ws != NULL ? (int)ws->length : 0;
}

int esp_transport_ws_get_upgrade_request_status(esp_transport_handle_t t)
{
    const ws_t *ws = ws_of(t);
    return ws != NULL && ws->status > 0 ? ws->status : -1;
}

char *esp_transport_ws_get_redir_uri(esp_transport_handle_t t)
{
    const ws_t *ws = ws_of(t);
    return ws != NULL ? ws->redirection : NULL;
}

int esp_transport_ws_poll_connection_closed(esp_transport_handle_t t, int timeout_ms)
{
    struct pollfd stream = {.fd = esp_transport_get_socket(t), .events = POLLIN};
    char byte;
    int ready = stream.fd >= 0 ? poll(&stream, 1, timeout_ms) : -1;
    if (ready <= 0) {
        return ready;
    }
    ssize_t got = recv(stream.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got == 0 || (got < 0 && (errno == ECONNRESET || errno == ENOTCONN)) ? 1 : -1;
}

/* ---- its life ---- */

static int ws_close(esp_transport_handle_t t)
{
    ws_t *ws = t->context;
    forget_frames(ws);
    return esp_transport_close(ws->parent);
}

static int ws_destroy(esp_transport_handle_t t)
{
    ws_t *ws = t->context;
    forget_frames(ws);
    free(ws->path);
    free(ws->subprotocol);
    free(ws->user_agent);
    free(ws->headers);
    free(ws->auth);
    free(ws->redirection);
    free(ws);
    return 0;
}

static esp_transport_handle_t payload_of(esp_transport_handle_t t)
{
    return t->parent;
}

/** @return false: no memory, and what was there stays */
static bool keep(char **to, const char *text)
{
    char *copy = text != NULL ? strdup(text) : NULL;
    if (text != NULL && copy == NULL) {
        return false;
    }
    free(*to);
    *to = copy;
    return true;
}

esp_transport_handle_t esp_transport_ws_init(esp_transport_handle_t parent_handle)
{
    esp_transport_handle_t t = parent_handle != NULL ? esp_transport_init() : NULL;
    ws_t *ws = t != NULL ? calloc(1, sizeof(*ws)) : NULL;
    if (ws == NULL || !keep(&ws->path, "/")) {
        free(ws);
        free(t);
        return NULL;
    }
    ws->parent = parent_handle;
    ws->status = -1;
    t->context = ws;
    t->parent = parent_handle;
    (void)esp_transport_set_func(t, ws_connect, ws_read, ws_write, ws_close, ws_poll_read, ws_poll_write,
                                 ws_destroy); /* t is there */
    (void)esp_transport_set_parent_transport_func(t, payload_of);
    return t;
}

void esp_transport_ws_set_path(esp_transport_handle_t t, const char *path)
{
    ws_t *ws = ws_of(t);
    if (ws != NULL && path != NULL && !keep(&ws->path, path)) {
        ESP_LOGE(TAG, "no memory for the path");
    }
}

static esp_err_t set_text(ws_t *ws, char **to, const char *text)
{
    return ws == NULL ? ESP_ERR_INVALID_ARG : keep(to, text) ? ESP_OK : ESP_ERR_NO_MEM;
}

esp_err_t esp_transport_ws_set_subprotocol(esp_transport_handle_t t, const char *sub_protocol)
{
    ws_t *ws = ws_of(t);
    return set_text(ws, ws != NULL ? &ws->subprotocol : NULL, sub_protocol);
}

esp_err_t esp_transport_ws_set_user_agent(esp_transport_handle_t t, const char *user_agent)
{
    ws_t *ws = ws_of(t);
    return set_text(ws, ws != NULL ? &ws->user_agent : NULL, user_agent);
}

esp_err_t esp_transport_ws_set_headers(esp_transport_handle_t t, const char *headers)
{
    ws_t *ws = ws_of(t);
    return set_text(ws, ws != NULL ? &ws->headers : NULL, headers);
}

esp_err_t esp_transport_ws_set_auth(esp_transport_handle_t t, const char *auth)
{
    ws_t *ws = ws_of(t);
    return set_text(ws, ws != NULL ? &ws->auth : NULL, auth);
}

esp_err_t esp_transport_ws_set_config(esp_transport_handle_t t, const esp_transport_ws_config_t *config)
{
    ws_t *ws = ws_of(t);
    if (ws == NULL || config == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    const struct {
        char **to;
        const char *text;
    } texts[] = {{&ws->path, config->ws_path},
                 {&ws->subprotocol, config->sub_protocol},
                 {&ws->user_agent, config->user_agent},
                 {&ws->headers, config->headers},
                 {&ws->auth, config->auth}};
    ws->propagates = config->propagate_control_frames;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (texts[i].text != NULL && !keep(texts[i].to, texts[i].text)) {
            return ESP_ERR_NO_MEM;
        }
    }
    return ESP_OK;
}
