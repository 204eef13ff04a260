/* Reads and writes of a connection with a wait of their own, for the transports that stand on it. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "esp_tls_connection.h"

/** As esp_tls_conn_read() and esp_tls_conn_write(); timeout_ms 0: what is there. */
ssize_t connection_read(esp_tls_t *tls, void *data, size_t len, int timeout_ms);
ssize_t connection_write(esp_tls_t *tls, const void *data, size_t len, int timeout_ms);
