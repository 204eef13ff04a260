/* Where client events go besides the handle's own callback; src/idf puts the default event loop here. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/**
 * One event: an esp_http_client_event_id_t and its payload, which is copied before the call returns: the handle, an
 * esp_http_client_on_data_t or an esp_http_client_redirect_event_data_t.
 */
typedef void (*otter_http_event_mirror_t)(int32_t event_id, const void *data, size_t size);

/** NULL: nowhere (the default). One for the program. */
void otter_http_set_event_mirror(otter_http_event_mirror_t mirror);
