/* A transport that is plain TCP. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "esp_transport.h"

#ifdef __cplusplus
extern "C" {
#endif

/** @return NULL: no memory */
esp_transport_handle_t esp_transport_tcp_init(void);
void esp_transport_tcp_set_keep_alive(esp_transport_handle_t t, esp_transport_keep_alive_t *keep_alive_cfg);

/** Copied. */
void esp_transport_tcp_set_interface_name(esp_transport_handle_t t, struct ifreq *if_name);

#ifdef __cplusplus
}
#endif
