/* Web sockets: libmicrohttpd gives them up, one thread reads all of them, and handlers get frames in the server's task. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <wslay/wslay.h>

#include "server.h"

#define FRAME_MAX (16u << 20) /* bytes of one frame; a longer one ends the connection */

/** What becomes of a look at a web socket. */
typedef enum {
    FRAME_NONE,  /* more is to come */
    FRAME_WHOLE, /* websocket_t.frame has it */
    FRAME_END,   /* the client is gone, or speaks something else */
} frame_state_t;

struct websocket {
    server_t *server;
    struct MHD_UpgradeResponseHandle *upgrade;
    int socket;
    httpd_uri_t uri; /* whose handler gets the frames */
    /* reading: the thread's, and the task's while `waiting` */
    wslay_frame_context_ptr reader;
    uint8_t *early; /* what came along with the request */
    size_t early_at, early_len;
    httpd_ws_frame_t frame; /* payload: of the heap */
    size_t got;             /* bytes of its payload */
    bool begun;             /* its head is known */
    bool waiting;           /* for its handler; belongs to the server's lock, as the next one */
    bool look;              /* bytes of the next frame may have been received already */
    /* sending */
    pthread_mutex_t sending;
    bool closed; /* the socket is libmicrohttpd's again */
    int wait_s;  /* until the client takes more */
};

/** @return NULL: no memory */
websocket_t *frames_begin(int socket, const void *early, size_t early_len);
/** Reads as much as there is. */
frame_state_t frames_read(websocket_t *ws);
/** Makes room for the next frame. */
void frames_next(websocket_t *ws);
/** From any task. @return ESP_OK; ESP_FAIL: the connection has ended, or takes nothing */
esp_err_t frames_send(websocket_t *ws, const httpd_ws_frame_t *frame);
