/* The server's devices and actions, and what it keeps of wrong requests. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "fleet/server_parts.h"
#include "otter/bytes.h"
#include "otter/crypto.h"
#include "otter/text.h"

void fleet_server_init(fleet_server_t *server)
{
    *server = (fleet_server_t){.tenant = "DEFAULT", .sleep_s = 300, .second = -1};
}

void fleet_server_free(fleet_server_t *server)
{
    for (uint32_t i = 0; i < server->target_count; i++) {
        free(server->targets[i].id);
        free(server->targets[i].attributes);
    }
    free(server->targets);
    free(server->actions);
    free(server->rollouts);
    free(server->table);
    fleet_server_init(server);
}

static bool hash_with(bool begun, otter_digest_t *digest, const fleet_release_t *release, uint8_t *hash)
{
    if (begun) {
        otter_digest_update(digest, release->bytes, release->size);
        otter_digest_finish(digest, hash);
    }
    otter_digest_end(digest);
    return begun;
}

bool fleet_release_hash(fleet_release_t *release)
{
    otter_digest_t sha1 = {0}, sha256 = {0};
    return hash_with(otter_sha1_begin(&sha1), &sha1, release, release->sha1) &&
           hash_with(otter_sha256_begin(&sha256), &sha256, release, release->sha256);
}

void *fleet_server_grow(void *rows, uint32_t count, uint32_t *room, size_t size)
{
    if (count < *room) {
        return rows;
    }
    const uint32_t more = *room == 0 ? 16 : 2 * *room;
    void *bigger = realloc(rows, more * size);
    *room = bigger != NULL ? more : *room;
    return bigger;
}

/* ---- devices ---- */

static uint32_t slot_of(const fleet_server_t *server, const char *id, size_t len)
{
    return crc32_le(0, id, len) & (server->table_size - 1);
}

uint32_t fleet_server_find(const fleet_server_t *server, const char *id, size_t len)
{
    if (server->table_size == 0) {
        return FLEET_NONE;
    }
    for (uint32_t at = slot_of(server, id, len);; at = (at + 1) & (server->table_size - 1)) {
        const uint32_t device = server->table[at];
        if (device == FLEET_NONE ||
            (strlen(server->targets[device].id) == len && memcmp(server->targets[device].id, id, len) == 0)) {
            return device;
        }
    }
}

static void enter(fleet_server_t *server, uint32_t device)
{
    const char *id = server->targets[device].id;
    uint32_t at = slot_of(server, id, strlen(id));
    while (server->table[at] != FLEET_NONE) {
        at = (at + 1) & (server->table_size - 1);
    }
    server->table[at] = device;
}

static bool grow_table(fleet_server_t *server)
{
    if (server->target_count < server->table_size / 2) {
        return true;
    }
    const uint32_t size = server->table_size == 0 ? 64 : 2 * server->table_size;
    uint32_t *table = malloc(size * sizeof(*table));
    if (table == NULL) {
        return false;
    }
    memset(table, 0xFF, size * sizeof(*table));
    free(server->table);
    server->table = table;
    server->table_size = size;
    for (uint32_t i = 0; i < server->target_count; i++) {
        enter(server, i);
    }
    return true;
}

uint32_t fleet_server_add(fleet_server_t *server, const char *id)
{
    fleet_target_t *targets = fleet_server_grow(server->targets, server->target_count, &server->target_room,
                                                sizeof(*server->targets));
    server->targets = targets != NULL ? targets : server->targets;
    if (targets == NULL || !grow_table(server) || fleet_server_find(server, id, strlen(id)) != FLEET_NONE) {
        return FLEET_NONE;
    }
    fleet_target_t *target = &server->targets[server->target_count];
    *target =
        (fleet_target_t){.id = text_copy(id), .oldest = FLEET_NONE, .youngest = FLEET_NONE, .seen_ms = -1};
    if (target->id == NULL) {
        return FLEET_NONE;
    }
    enter(server, server->target_count);
    return server->target_count++;
}

/* ---- actions ---- */

fleet_action_t *fleet_server_action(const fleet_server_t *server, uint32_t id)
{
    return id == 0 || id > server->action_count ? NULL : &server->actions[id - 1];
}

fleet_action_t *fleet_server_active(const fleet_server_t *server, uint32_t device)
{
    uint32_t at = server->targets[device].oldest;
    while (at != FLEET_NONE && !fleet_action_is_open(&server->actions[at])) {
        at = server->actions[at].next;
    }
    return at != FLEET_NONE ? &server->actions[at] : NULL;
}

uint32_t fleet_server_assign(fleet_server_t *server, int64_t now_ms, uint32_t device,
                             const fleet_release_t *release, const fleet_order_t *order)
{
    fleet_action_t *actions = fleet_server_grow(server->actions, server->action_count, &server->action_room,
                                                sizeof(*server->actions));
    if (actions == NULL) {
        return 0;
    }
    server->actions = actions;
    fleet_target_t *target = &server->targets[device];
    for (uint32_t at = target->oldest; at != FLEET_NONE; at = server->actions[at].next) {
        fleet_server_cancel(server, server->actions[at].id);
    }
    const uint32_t at = server->action_count++;
    server->actions[at] = (fleet_action_t){.id = at + 1,
                                           .device = device,
                                           .release = release,
                                           .rollout = FLEET_NONE,
                                           .order = *order,
                                           .status = order->confirm ? FLEET_CONFIRM : FLEET_RUNNING,
                                           .assigned_ms = now_ms,
                                           .next = FLEET_NONE};
    if (target->youngest == FLEET_NONE) {
        target->oldest = at;
    } else {
        server->actions[target->youngest].next = at;
    }
    target->youngest = at;
    fleet_action_age(&server->actions[at], now_ms);
    return at + 1;
}

void fleet_server_cancel(fleet_server_t *server, uint32_t action_id)
{
    fleet_action_t *action = fleet_server_action(server, action_id);
    if (action != NULL && (action->status == FLEET_CONFIRM || action->status == FLEET_RUNNING)) {
        action->status = FLEET_CANCELING;
        action->was_canceled = true;
    }
}

void fleet_action_end(fleet_server_t *server, fleet_action_t *action, fleet_status_t status)
{
    action->status = status;
    action->ended_ms = server->now_ms;
    if (action->rollout == FLEET_NONE) {
        return;
    }
    fleet_group_t *group = &server->rollouts[action->rollout].groups[action->group];
    group->finished += status == FLEET_FINISHED;
    group->failed += status == FLEET_FAILED;
    group->canceled += status == FLEET_CANCELED;
}

void fleet_action_age(fleet_action_t *action, int64_t now_ms)
{
    const fleet_order_t *order = &action->order;
    if (action->status != FLEET_RUNNING) {
        return;
    }
    if (order->mode == FLEET_TIMEFORCED && !action->forced && now_ms >= order->force_at_ms) {
        action->forced = true;
        action->changes++;
    }
    if (order->window_until_ms == 0) {
        return;
    }
    const bool open = now_ms >= order->window_from_ms && now_ms < order->window_until_ms;
    if (now_ms >= order->window_until_ms) {
        action->status = FLEET_CANCELING; /* as hawkBit does when a window is over */
        action->was_canceled = true;
    } else if (open != action->open) {
        action->open = open;
        action->changes++;
    }
}

/* ---- what is counted ---- */

int fleet_server_complain(fleet_server_t *server, int status, const char *what, const char *about)
{
    if (server->complaints++ == 0) {
        text_format(server->complaint, sizeof(server->complaint), "%s: %s", what, about);
    }
    return status;
}

void fleet_server_count_poll(fleet_server_t *server)
{
    fleet_load_t *load = &server->load;
    load->polls++;
    if (++server->second_polls > load->most_polls) {
        load->most_polls = server->second_polls;
        load->most_polls_ms = server->now_ms;
    }
}
