/* The handshake's proof, which a web socket's server makes and its client checks. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define OTTER_WEBSOCKET_KEY_SIZE    25 /* with its 0, as the next one */
#define OTTER_WEBSOCKET_ACCEPT_SIZE 29

/** RFC 6455 section 4.2.2: what proves that the key was read. @return false: no memory */
bool otter_websocket_accept(const char *key, char accept[OTTER_WEBSOCKET_ACCEPT_SIZE]);

/** A client's key, and what its server must answer. @return false: no memory */
bool otter_websocket_challenge(char key[OTTER_WEBSOCKET_KEY_SIZE], char accept[OTTER_WEBSOCKET_ACCEPT_SIZE]);

/** Ends the head of an answer behind its last line, if its empty line has come.
    @return where in `head` what stands behind it begins, frames maybe; 0: it has not come */
size_t otter_websocket_end_head(char *head);

/** A field in the head of an answer. @param len  bytes of its value, without blanks behind. @return NULL: it is not there */
const char *otter_websocket_field(const char *head, const char *name, size_t *len);

/** The status of an answer. @return 0: it is no HTTP */
int otter_websocket_status(const char *head);

/** Whether an answer takes the connection over, with the right proof. */
bool otter_websocket_is_accepted(const char *head, const char *accept);
