/* Reads and writes of a connection with a wait of their own, for the transports that stand on it. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "esp_tls_connection.h"
#include "otter/transport.h"

/** As esp_tls_conn_read() and esp_tls_conn_write(); timeout_ms 0: what is there. */
ssize_t connection_read(esp_tls_t *tls, void *data, size_t len, int timeout_ms);
ssize_t connection_write(esp_tls_t *tls, const void *data, size_t len, int timeout_ms);

/** The server's side of TLS on a socket, which stays the caller's; connect() is its handshake. @return NULL: no memory */
otter_transport_t *server_transport_new(const esp_tls_cfg_server_t *cfg, int fd);
/** Bytes that it has decrypted, and nobody has read. */
int server_transport_pending(const otter_transport_t *t);
/** @return ESP_OK; ESP_FAIL: certificate and key cannot be read, or do not fit; why is in the log */
esp_err_t server_identity_check(const esp_tls_cfg_server_t *cfg);
