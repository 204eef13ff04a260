/* The frames of a web socket, by wslay. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "websocket.h"

/** wslay's: the next bytes, from what came early or the socket. */
static ssize_t receive(uint8_t *to, size_t size, int flags, void *arg)
{
    (void)flags;
    websocket_t *ws = arg;
    size_t left = ws->early_len - ws->early_at;
    if (left > 0) {
        size = size < left ? size : left;
        memcpy(to, ws->early + ws->early_at, size);
        ws->early_at += size;
        return (ssize_t)size;
    }
    ssize_t got = recv(ws->socket, to, size, MSG_DONTWAIT);
    if (got == 0) {
        errno = ECONNRESET; /* wslay takes 0 and -1 alike; errno says which it was */
    }
    return got > 0 ? got : -1;
}

/** wslay's: sends some bytes, and waits for room. */
static ssize_t transmit(const uint8_t *data, size_t size, int flags, void *arg)
{
    (void)flags;
    websocket_t *ws = arg;
    struct pollfd fd = {.fd = ws->socket, .events = POLLOUT};
    ssize_t sent;
    do {
        sent = send(ws->socket, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (sent < 0 && errno == EAGAIN && poll(&fd, 1, ws->wait_s * 1000) == 1);
    return sent > 0 ? sent : -1;
}

websocket_t *frames_begin(int socket, const void *early, size_t early_len)
{
    static const struct wslay_frame_callbacks callbacks = {.recv_callback = receive};
    websocket_t *ws = calloc(1, sizeof(*ws));
    if (ws == NULL) {
        return NULL;
    }
    ws->socket = socket;
    ws->early = malloc(early_len + 1);
    if (ws->early == NULL || wslay_frame_context_init(&ws->reader, &callbacks, ws) != 0) {
        free(ws->early);
        free(ws);
        return NULL;
    }
    ws->early_len = early_len;
    memcpy(ws->early, early, early_len);
    (void)pthread_mutex_init(&ws->sending, NULL); /* it does not fail on Linux */
    return ws;
}

void frames_end(websocket_t *ws)
{
    if (ws != NULL) {
        wslay_frame_context_free(ws->reader);
        (void)pthread_mutex_destroy(&ws->sending);
        free(ws->frame.payload);
        free(ws->early);
        free(ws);
    }
}

void frames_next(websocket_t *ws)
{
    free(ws->frame.payload);
    ws->frame = (httpd_ws_frame_t){0};
    ws->got = 0;
    ws->begun = false;
}

/** The head of a frame is there. @return false: it is none that a client may send, or too long */
static bool begin_frame(websocket_t *ws, const struct wslay_frame_iocb *part)
{
    if (part->rsv != 0 || !part->mask || part->payload_length > FRAME_MAX) {
        return false;
    }
    ws->begun = true;
    ws->frame = (httpd_ws_frame_t){.final = part->fin != 0,
                                   .fragmented = part->fin == 0 || part->opcode == WSLAY_CONTINUATION_FRAME,
                                   .type = (httpd_ws_type_t)part->opcode,
                                   .len = (size_t)part->payload_length,
                                   .payload = malloc((size_t)part->payload_length + 1)};
    return ws->frame.payload != NULL;
}

frame_state_t frames_read(websocket_t *ws)
{
    for (;;) {
        struct wslay_frame_iocb part = {0};
        errno = 0;
        ssize_t got = wslay_frame_recv(ws->reader, &part);
        if (got == WSLAY_ERR_WANT_READ && errno == 0) {
            continue; /* some bytes of a head have come, and it wants more of them */
        }
        if (got < 0) {
            return got == WSLAY_ERR_WANT_READ && errno == EAGAIN ? FRAME_NONE : FRAME_END;
        }
        if (!ws->begun && !begin_frame(ws, &part)) {
            return FRAME_END;
        }
        memcpy(ws->frame.payload + ws->got, part.data, part.data_length);
        ws->got += part.data_length;
        if (ws->got == ws->frame.len) {
            return FRAME_WHOLE;
        }
    }
}

/** With the lock of sending. */
static bool send_all(wslay_frame_context_ptr sender, const httpd_ws_frame_t *frame)
{
    struct wslay_frame_iocb part = {.fin = !frame->fragmented || frame->final,
                                    .opcode = (uint8_t)frame->type,
                                    .payload_length = frame->len,
                                    .data = frame->payload,
                                    .data_length = frame->len};
    ssize_t sent;
    do {
        sent = wslay_frame_send(sender, &part);
        if (sent > 0) {
            part.data += sent;
            part.data_length -= (size_t)sent;
        }
    } while (sent >= 0 && part.data_length > 0);
    return sent >= 0;
}

esp_err_t frames_send(websocket_t *ws, const httpd_ws_frame_t *frame)
{
    static const struct wslay_frame_callbacks callbacks = {.send_callback = transmit};
    wslay_frame_context_ptr sender;
    if (wslay_frame_context_init(&sender, &callbacks, ws) != 0) {
        return ESP_ERR_NO_MEM;
    }
    (void)pthread_mutex_lock(&ws->sending);
    bool ok = !ws->closed && send_all(sender, frame);
    (void)pthread_mutex_unlock(&ws->sending);
    wslay_frame_context_free(sender);
    return ok ? ESP_OK : ESP_FAIL;
}
