/* What the files of the server share: answers to what devices ask, and what becomes of what they tell. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "fleet/server.h"

/**
 * Room for one more of `size` bytes.
 * @return the rows, perhaps elsewhere; NULL: out of memory, and they are where they were
 */
OTTER_MUST_CHECK void *fleet_server_grow(void *rows, uint32_t count, uint32_t *room, size_t size);

/** @return `status`, after the first time it was done has been kept */
int fleet_server_complain(fleet_server_t *server, int status, const char *what, const char *about);

void fleet_server_count_poll(fleet_server_t *server);

/** NULL: there is none of this id. */
fleet_action_t *fleet_server_action(const fleet_server_t *server, uint32_t id);

/** It ends, and its group counts it. */
void fleet_action_end(fleet_server_t *server, fleet_action_t *action, fleet_status_t status);

/** What time makes of it: forced, its window open or over. */
void fleet_action_age(fleet_action_t *action, int64_t now_ms);

/* ---- server_ask.c ---- */

/** @param path  behind the device's id. @return the status */
int fleet_server_dispatch(fleet_server_t *server, uint32_t device, const char *path,
                          const fleet_request_t *request, fleet_answer_t *answer);

/* ---- server_tell.c ---- */

int fleet_take_attributes(fleet_server_t *server, uint32_t device, const char *body, fleet_answer_t *answer);
int fleet_take_feedback(fleet_server_t *server, fleet_action_t *action, const char *body,
                        fleet_answer_t *answer);
int fleet_take_cancel_feedback(fleet_server_t *server, fleet_action_t *action, const char *body,
                               fleet_answer_t *answer);
int fleet_take_confirmation(fleet_server_t *server, fleet_action_t *action, const char *body);
