/* Rollouts: groups that follow each other, and when one stops by itself. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/server_parts.h"
#include "otter/text.h"

uint32_t fleet_server_roll_out(fleet_server_t *server, int64_t now_ms, const fleet_plan_t *plan)
{
    fleet_rollout_t *rollouts = fleet_server_grow(server->rollouts, server->rollout_count,
                                                  &server->rollout_room, sizeof(*server->rollouts));
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
        const uint32_t id =
            fleet_server_assign(server, server->now_ms, device, rollout->plan.release, &rollout->plan.order);
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
        text_format(why, sizeof(why), "%u of %u devices of group %u have it, and that is the end",
                    group->finished, group->count, (unsigned)(group - server->rollouts[number].groups) + 1);
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
