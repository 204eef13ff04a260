/* The parts of a client: its stream (TCP or TLS), the handshake, and the task that reads frames. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <wslay/wslay.h>

#include "esp_websocket_client.h"
#include "freertos/semphr.h"
#include "freertos/task.h"

#define HEAD_SIZE 4096 /* bytes of a server's answer, with the 0 */

typedef struct {
    char *host, *path, *fields; /* fields: what the application adds, or "" */
    int port;
    bool secure;
} place_t;

struct esp_websocket_client {
    esp_websocket_client_config_t config;
    place_t place;
    char *credentials; /* the field with them, or "" */
    char *subprotocol, *user_agent;
    esp_event_loop_handle_t events;
    SemaphoreHandle_t ended; /* its task has */
    atomic_bool started;     /* until its end is noticed */
    atomic_bool stops, connected, said_goodbye;
    atomic_int reconnect_ms, ping_s;
    int status; /* of the last handshake */
    /* the connection */
    pthread_mutex_t lock; /* of tls, which is no one's alone */
    pthread_mutex_t sending;
    esp_tls_t *tls;
    wslay_frame_context_ptr reader;
    char head[HEAD_SIZE]; /* the answer, and behind it what came along */
    size_t head_at, head_len;
};

/** Connects. @return ESP_OK; ESP_FAIL, and the log says why */
esp_err_t stream_open(esp_websocket_client_handle_t client);
void stream_close(esp_websocket_client_handle_t client);
/** What is there. @return bytes; 0: nothing; -1: the end */
ssize_t stream_read(esp_websocket_client_handle_t client, void *to, size_t size);
/** All of it, waiting for room. @return false: the end, or too long */
bool stream_write(esp_websocket_client_handle_t client, const void *data, size_t size);
/** Waits for something to read. @return false: nothing came */
bool stream_wait(esp_websocket_client_handle_t client, int timeout_ms);

/** @return ESP_OK: the server speaks frames from here on; ESP_FAIL, and the log says why */
esp_err_t handshake(esp_websocket_client_handle_t client);
