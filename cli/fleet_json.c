/* Plan, load, verdict and curve of a simulated rollout as JSON (docs/JSON.md). */
/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet_json.h"

#include "cli.h"
#include "fleet/report.h"
#include "json.h"

#define CURVE_MAX 200u /* points of the curve, or a few more */

static void put(cJSON *object, const char *key, double value)
{
    json_number(object, key, true, value);
}

/** Whole ones. */
static double seconds(int64_t ms)
{
    const int64_t whole = ms / 1000;
    return (double)whole;
}

static cJSON *list_groups(const fleet_rollout_t *rollout)
{
    cJSON *groups = cJSON_CreateArray();
    for (uint32_t i = 0; i < rollout->plan.group_count; i++) {
        const fleet_group_t *group = &rollout->groups[i];
        cJSON *row = cJSON_CreateObject();
        put(row, "devices", group->count);
        json_number(row, "started_s", group->progress != FLEET_WAITING, seconds(group->started_ms));
        json_number(row, "ended_s", group->progress == FLEET_ENDED, seconds(group->ended_ms));
        put(row, "success", group->finished);
        put(row, "failure", group->failed);
        cJSON_AddItemToArray(groups, row);
    }
    return groups;
}

static cJSON *list_rollouts(const fleet_world_t *world)
{
    static const char *const progress[] = {"waiting", "running", "stopped", "done"};
    cJSON *rollouts = cJSON_CreateArray();
    for (uint32_t i = 0; i < world->server.rollout_count; i++) {
        const fleet_rollout_t *rollout = &world->server.rollouts[i];
        fleet_times_t times;
        const bool timed = fleet_report_times(world, i, &times) && times.longest > 0;
        cJSON *row = cJSON_CreateObject();
        json_string(row, "version", rollout->plan.release->version);
        json_string(row, "state", progress[rollout->progress]);
        json_string(row, "why", rollout->why[0] != '\0' ? rollout->why : NULL);
        json_number(row, "stopped_s", rollout->progress == FLEET_STOPPED, seconds(rollout->stopped_ms));
        json_number(row, "update_s_median", timed, (double)times.median / 1000);
        json_number(row, "update_s_95", timed, (double)times.most_of_all / 1000);
        json_number(row, "update_s_longest", timed, (double)times.longest / 1000);
        json_item(row, "groups", list_groups(rollout));
        cJSON_AddItemToArray(rollouts, row);
    }
    return rollouts;
}

static cJSON *describe_load(const fleet_world_t *world)
{
    const fleet_load_t *load = &world->server.load;
    cJSON *object = cJSON_CreateObject();
    put(object, "requests", (double)load->requests);
    put(object, "polls", (double)load->polls);
    put(object, "downloads", (double)load->downloads);
    put(object, "bytes", (double)world->bytes);
    put(object, "refused", (double)load->refused);
    put(object, "most_requests_in_a_second", load->most_requests);
    put(object, "most_polls_in_a_second", load->most_polls);
    return object;
}

static cJSON *describe_trouble(const fleet_world_t *world)
{
    cJSON *object = cJSON_CreateObject();
    put(object, "power_cuts", (double)world->cuts);
    put(object, "requests_lost", (double)world->lost_requests);
    put(object, "answers_lost", (double)(world->lost_answers + world->half_answers));
    put(object, "downloads_broken", (double)world->broken_downloads);
    return object;
}

static cJSON *describe_verdict(const fleet_world_t *world, bool good)
{
    const fleet_verdict_t *verdict = &world->verdict;
    cJSON *object = cJSON_CreateObject();
    json_bool(object, "true", true, good);
    put(object, "installs", (double)(world->installs - world->trials_again));
    put(object, "trials_again", (double)world->trials_again);
    put(object, "installed_twice", verdict->installed_twice);
    put(object, "last_words", (double)verdict->closings);
    put(object, "lies", verdict->lies);
    put(object, "untrue_at_the_end", verdict->untrue);
    put(object, "dead", verdict->dead);
    put(object, "wrong_requests", (double)world->server.complaints);
    put(object, "not_ended", verdict->open);
    json_string(object, "first", verdict->first[0] != '\0' ? verdict->first : NULL);
    return object;
}

static cJSON *list_curve(const fleet_world_t *world)
{
    cJSON *curve = cJSON_CreateArray();
    const uint32_t step = world->sample_count / CURVE_MAX + 1;
    for (uint32_t i = 0; i < world->sample_count; i += step) {
        const fleet_sample_t *sample = &world->samples[i];
        cJSON *row = cJSON_CreateObject(), *runs = cJSON_CreateObject();
        put(row, "s", seconds(sample->at_ms));
        for (uint32_t r = 0; r < world->config.release_count; r++) {
            put(runs, world->config.releases[r].version, sample->runs[r] + sample->failed_on[r]);
        }
        json_item(row, "runs", runs);
        put(row, "failed", sample->failed);
        put(row, "busy", sample->busy);
        put(row, "off", sample->off);
        cJSON_AddItemToArray(curve, row);
    }
    return curve;
}

int fleet_json_print(const char *verb, const fleet_world_t *world, bool good)
{
    cJSON *object = cJSON_CreateObject();
    put(object, "devices", world->config.devices);
    put(object, "seed", world->config.seed);
    put(object, "simulated_s", seconds(world->now_ms));
    json_item(object, "rollouts", list_rollouts(world));
    json_item(object, "load", describe_load(world));
    json_item(object, "trouble", describe_trouble(world));
    json_item(object, "verdict", describe_verdict(world, good));
    json_item(object, "curve", list_curve(world));
    return json_print(verb, object);
}
