/* What a transport consists of. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "esp_transport.h"

#define AHEAD_SIZE 1024

struct esp_transport_item_t {
    int port;
    void *context;
    connect_func connect;
    io_read_func read;
    io_func write;
    trans_func close, destroy;
    poll_func poll_read, poll_write;
    connect_func connect_async;
    payload_transfer_func payload;
    struct esp_transport_item_t *parent; /* what a web socket stands on */
    struct esp_transport_item_t *next;   /* in a list */
    char *scheme;
    /* of TCP and TLS alone */
    bool is_ours;
    esp_tls_t *tls; /* NULL: not connected */
    esp_tls_cfg_t config;
    tls_keep_alive_cfg_t keep_alive;
    struct esp_tls_last_error error;
    struct ifreq interface;
    char ahead[AHEAD_SIZE]; /* decrypted by a poll: a socket does not tell what TLS has read already */
    size_t ahead_at, ahead_len;
};
