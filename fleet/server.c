/* The server's state: devices, actions, and how requests find them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/server.h"

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

/** Room for one more of `size` bytes. @return the rows, perhaps elsewhere; NULL: out of memory, and they are where they were */
static void *grow(void *rows, uint32_t count, uint32_t *room, size_t size)
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
        if (device == FLEET_NONE || (strlen(server->targets[device].id) == len &&
                                     memcmp(server->targets[device].id, id, len) == 0)) {
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
    fleet_target_t *targets =
        grow(server->targets, server->target_count, &server->target_room, sizeof(*server->targets));
    server->targets = targets != NULL ? targets : server->targets;
    if (targets == NULL || !grow_table(server) || fleet_server_find(server, id, strlen(id)) != FLEET_NONE) {
        return FLEET_NONE;
    }
    fleet_target_t *target = &server->targets[server->target_count];
    *target = (fleet_target_t){
        .id = text_copy(id), .oldest = FLEET_NONE, .youngest = FLEET_NONE, .seen_ms = -1};
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
    fleet_action_t *actions =
        grow(server->actions, server->action_count, &server->action_room, sizeof(*server->actions));
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

/* ---- time ---- */

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

uint32_t fleet_server_roll_out(fleet_server_t *server, int64_t now_ms, const fleet_plan_t *plan)
{
    fleet_rollout_t *rollouts =
        grow(server->rollouts, server->rollout_count, &server->rollout_room, sizeof(*server->rollouts));
    if (rollouts == NULL) {
        return FLEET_NONE;
    }
    server->rollouts = rollouts;
    fleet_rollout_t *rollout = &server->rollouts[server->rollout_count];
    *rollout = (fleet_rollout_t){.plan = *plan, .progress = FLEET_STARTED, .started_ms = now_ms};
    uint32_t first = 0, percent = 0;
    for (uint32_t i = 0; i < plan->group_count; i++) {
        percent += plan->percent[i];
        const uint32_t end = i + 1 == plan->group_count
                                 ? server->target_count
                                 : (uint32_t)((uint64_t)server->target_count * percent / 100);
        rollout->groups[i] = (fleet_group_t){.first = first, .count = end - first};
        first = end;
    }
    return server->rollout_count++;
}

static void start_group(fleet_server_t *server, uint32_t number, uint32_t index)
{
    fleet_rollout_t *rollout = &server->rollouts[number];
    fleet_group_t *group = &rollout->groups[index];
    group->progress = FLEET_STARTED;
    group->started_ms = server->now_ms;
    for (uint32_t device = group->first; device < group->first + group->count; device++) {
        const uint32_t id = fleet_server_assign(server, server->now_ms, device, rollout->plan.release,
                                                &rollout->plan.order);
        fleet_action_t *action = fleet_server_action(server, id);
        if (action == NULL) {
            fleet_server_stop(server, server->now_ms, number, "out of memory");
            return;
        }
        action->rollout = number;
        action->group = index;
    }
}

/** @return true: as far as this group goes, the next one may start */
static bool judge_group(fleet_server_t *server, uint32_t number, fleet_group_t *group)
{
    char why[96];
    const fleet_plan_t *plan = &server->rollouts[number].plan;
    const uint32_t over = group->finished + group->failed + group->canceled;
    if (group->progress == FLEET_STARTED && over >= group->count) {
        group->progress = FLEET_ENDED;
        group->ended_ms = server->now_ms;
    }
    if (group->failed > 0 && (uint64_t)group->failed * 100 >= (uint64_t)plan->error_percent * group->count) {
        text_format(why, sizeof(why), "%u of %u devices of group %u have failed", group->failed, group->count,
                    (unsigned)(group - server->rollouts[number].groups) + 1);
        fleet_server_stop(server, server->now_ms, number, why);
        return false;
    }
    const bool success = (uint64_t)group->finished * 100 >= (uint64_t)plan->success_percent * group->count;
    if (!success && group->progress == FLEET_ENDED) {
        text_format(why, sizeof(why), "%u of %u devices of group %u have it, and that is the end", group->finished,
                    group->count, (unsigned)(group - server->rollouts[number].groups) + 1);
        fleet_server_stop(server, server->now_ms, number, why);
    }
    return success;
}

static void judge_rollout(fleet_server_t *server, uint32_t number)
{
    fleet_rollout_t *rollout = &server->rollouts[number];
    bool next = true, all_over = true;
    for (uint32_t i = 0; i < rollout->plan.group_count; i++) {
        fleet_group_t *group = &rollout->groups[i];
        if (group->progress == FLEET_WAITING && next && rollout->progress == FLEET_STARTED) {
            start_group(server, number, i);
        }
        next = group->progress != FLEET_WAITING && judge_group(server, number, group) && next;
        all_over = all_over && (group->progress == FLEET_ENDED ||
                                (group->progress == FLEET_WAITING && rollout->progress == FLEET_STOPPED));
    }
    if (all_over && rollout->ended_ms == 0) {
        rollout->ended_ms = server->now_ms;
        rollout->progress = rollout->progress == FLEET_STOPPED ? FLEET_STOPPED : FLEET_ENDED;
    }
}

void fleet_server_stop(fleet_server_t *server, int64_t now_ms, uint32_t rollout, const char *why)
{
    fleet_rollout_t *what = &server->rollouts[rollout];
    if (what->progress == FLEET_STARTED) {
        what->progress = FLEET_STOPPED;
        what->stopped_ms = now_ms;
        text_format(what->why, sizeof(what->why), "%s", why);
    }
}

void fleet_server_tick(fleet_server_t *server, int64_t now_ms)
{
    server->now_ms = now_ms;
    for (uint32_t i = 0; i < server->rollout_count; i++) {
        if (server->rollouts[i].ended_ms == 0) {
            judge_rollout(server, i);
        }
    }
}

/* ---- requests ---- */

int fleet_server_complain(fleet_server_t *server, int status, const char *what, const char *about)
{
    if (server->complaints++ == 0) {
        text_format(server->complaint, sizeof(server->complaint), "%s: %s", what, about);
    }
    return status;
}

/** @return true: too many in this second */
static bool count_request(fleet_server_t *server)
{
    fleet_load_t *load = &server->load;
    const int64_t second = server->now_ms / 1000;
    if (second != server->second) {
        server->second = second;
        server->second_requests = server->second_polls = 0;
    }
    load->requests++;
    if (++server->second_requests > load->most_requests) {
        load->most_requests = server->second_requests;
        load->most_requests_ms = server->now_ms;
    }
    const bool refused = server->rate != 0 && server->second_requests > server->rate;
    load->refused += refused;
    return refused;
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

/** The device's part of the path, behind "/TENANT/controller/v1/". NULL: it is another path. */
static const char *path_of(const fleet_server_t *server, const char *url)
{
    const char *pieces[] = {server->base, "/", server->tenant, "/controller/v1/"};
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        const size_t len = strlen(pieces[i]);
        if (strncmp(url, pieces[i], len) != 0) {
            return NULL;
        }
        url += len;
    }
    return url;
}

static bool is_authorized(const fleet_server_t *server, const char *authorization)
{
    static const char scheme[] = "GatewayToken ";
    return server->token == NULL ||
           (authorization != NULL && strncmp(authorization, scheme, sizeof(scheme) - 1) == 0 &&
            strcmp(authorization + sizeof(scheme) - 1, server->token) == 0);
}

static int handle(fleet_server_t *server, const fleet_request_t *request, fleet_answer_t *answer)
{
    const char *id = path_of(server, request->url);
    if (!is_authorized(server, request->authorization)) {
        return fleet_server_complain(server, 401, "without the token", request->url);
    }
    if (id == NULL) {
        return fleet_server_complain(server, 404, "no path of this server", request->url);
    }
    const size_t len = strcspn(id, "/?");
    if (len == 0 || len > 128) {
        return fleet_server_complain(server, 400, "no id of a device", request->url);
    }
    char name[129];
    text_format(name, sizeof(name), "%.*s", (int)len, id);
    text_format(server->line, sizeof(server->line), "%s %s %s", name, request->method,
                id[len] == '\0' ? "poll" : id + len + 1);
    uint32_t device = fleet_server_find(server, id, len);
    if (device == FLEET_NONE && id[len] == '\0' && server->token != NULL) {
        device = fleet_server_add(server, name); /* as a gateway token does */
    }
    if (device == FLEET_NONE || server->targets[device].deleted) {
        return 404;
    }
    return fleet_server_dispatch(server, device, id + len, request, answer);
}

void fleet_server_handle(fleet_server_t *server, int64_t now_ms, const fleet_request_t *request,
                         fleet_answer_t *answer)
{
    OTTER_ASSERT(now_ms >= server->now_ms);
    server->now_ms = now_ms;
    server->line[0] = answer->text[0] = '\0';
    answer->file = NULL;
    answer->status = count_request(server) ? 429 : handle(server, request, answer);
    if (server->on_line != NULL) {
        char line[300];
        text_format(line, sizeof(line), "%s %d", server->line, answer->status);
        server->on_line(server->ctx, now_ms, line);
    }
}
