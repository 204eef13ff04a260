/* The handshake's proof, which a web socket's server makes and its client checks. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#define OTTER_WEBSOCKET_ACCEPT_SIZE 29 /* with its 0 */

/** RFC 6455 section 4.2.2: what proves that the key was read. @return false: no memory */
bool otter_websocket_accept(const char *key, char accept[OTTER_WEBSOCKET_ACCEPT_SIZE]);
