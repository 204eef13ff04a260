/* The clock: which device is next, and what the power company, the links and the operator do meanwhile. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/world.h"

#include <stdlib.h>
#include <string.h>

#include "fleet/link.h"
#include "fleet/release.h"
#include "otter/bytes.h"
#include "otter/text.h"

#define DAY_MS      INT64_C(86400000)
#define TICK_MS     2000 /* as hawkBit's scheduler */
#define SAMPLE_MS   2000 /* at first */
#define OUTAGE_MS   300000
#define BLACKOUT_MS 60000

/* ---- the line of devices ---- */

static bool comes_first(const fleet_world_t *world, uint32_t a, uint32_t b)
{
    const int64_t at_a = world->devices[a].at_ms, at_b = world->devices[b].at_ms;
    return at_a < at_b || (at_a == at_b && a < b);
}

static void put_in_place(fleet_world_t *world, uint32_t place, uint32_t device)
{
    world->line[place] = device;
    world->devices[device].place = place;
}

/** The device's time has changed: it moves to where it belongs. */
static void line_up(fleet_world_t *world, uint32_t device)
{
    const uint32_t count = world->line_count;
    uint32_t place = world->devices[device].place;
    while (place > 0 && comes_first(world, device, world->line[(place - 1) / 2])) {
        put_in_place(world, place, world->line[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    for (uint32_t below = 2 * place + 1; below < count; below = 2 * place + 1) {
        if (below + 1 < count && comes_first(world, world->line[below + 1], world->line[below])) {
            below++;
        }
        if (!comes_first(world, world->line[below], device)) {
            break;
        }
        put_in_place(world, place, world->line[below]);
        place = below;
    }
    put_in_place(world, place, device);
}

/* ---- the making ---- */

static void check_closing(void *ctx, const fleet_action_t *action, bool success)
{
    fleet_world_t *world = ctx;
    fleet_device_t *device = &world->devices[action->device];
    world->verdict.closings++;
    device->failed = !success;
    device->torn = false;
    if (fleet_device_runs(device, action->release) != success) {
        fleet_world_accuse(world, &world->verdict.lies, device,
                           success ? "told success, and does not run it confirmed"
                                   : "told failure, and runs it confirmed");
    }
}

/** By the shares of the links. */
static uint8_t draw_link(fleet_world_t *world)
{
    uint32_t percent = fleet_world_random(world, 100);
    uint8_t link = 0;
    while (link + 1u < FLEET_LINKS && percent >= world->config.link_percent[link]) {
        percent -= world->config.link_percent[link++];
    }
    return link;
}

static bool open_devices(fleet_world_t *world)
{
    const uint32_t count = world->config.devices;
    world->devices = calloc(count, sizeof(*world->devices));
    world->line = calloc(count, sizeof(*world->line));
    if (world->devices == NULL || world->line == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        fleet_device_t *device = &world->devices[i];
        if (!fleet_device_open(device, world, i) || fleet_server_add(&world->server, device->id) != i) {
            return false;
        }
        device->bad = fleet_world_random(world, 100) < world->config.bad_percent;
        device->config.attributes = device->attributes;
        device->attributes[2].value = device->bad ? "B" : "A";
        device->link = draw_link(world);
        device->at_ms =
            fleet_world_random(world, world->config.server != NULL ? 1000 : world->config.poll_s * 1000);
        put_in_place(world, world->line_count++, i);
        line_up(world, i);
    }
    return true;
}

bool fleet_world_open(fleet_world_t *world, const fleet_world_config_t *config)
{
    memset(world, 0, sizeof(*world));
    world->config = *config;
    world->random = config->seed * 2654435761u | 1u;
    world->sample_step_ms = SAMPLE_MS;
    world->wire = &fleet_simulated_wire;
    fleet_server_init(&world->server);
    world->server.base = config->server != NULL ? config->server : "https://fleet.simulated";
    world->server.tenant = config->tenant != NULL ? config->tenant : "DEFAULT";
    world->authorization = config->authorization != NULL ? config->authorization : "GatewayToken simulated";
    world->server.token = "simulated";
    world->server.sleep_s = config->poll_s;
    world->server.rate = config->rate;
    world->server.on_closing = check_closing;
    world->server.ctx = world;
    for (uint32_t i = 0; i < config->release_count; i++) {
        if (!fleet_release_make(&world->releases[i], config->releases[i].version, config->image_size)) {
            return false;
        }
    }
    return open_devices(world);
}

void fleet_world_close(fleet_world_t *world)
{
    for (uint32_t i = 0; world->devices != NULL && i < world->config.devices; i++) {
        fleet_device_close(&world->devices[i]);
    }
    free(world->devices);
    free(world->line);
    sparse_pool_free(&world->pool);
    for (uint32_t i = 0; i < FLEET_RELEASES_MAX; i++) {
        fleet_release_free(&world->releases[i]);
    }
    fleet_server_free(&world->server);
}

/* ---- the operator ---- */

static uint32_t count_open(const fleet_world_t *world)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < world->server.action_count; i++) {
        count += fleet_action_is_open(&world->server.actions[i]);
    }
    return count;
}

/** Whoever has got what was stopped gets back what was there before. */
static void withdraw(fleet_world_t *world, uint32_t release)
{
    const fleet_order_t order = {.mode = FLEET_FORCED};
    for (uint32_t i = 0; i < world->config.devices; i++) {
        if (world->devices[i].runs == release && world->devices[i].on &&
            fleet_server_assign(&world->server, world->now_ms, i, &world->releases[release - 1], &order) ==
                0) {
            return;
        }
    }
}

/** @return false: there is nothing left to be done */
static bool operate(fleet_world_t *world)
{
    fleet_server_t *server = &world->server;
    fleet_server_tick(server, world->now_ms);
    const fleet_rollout_t *last =
        server->rollout_count == 0 ? NULL : &server->rollouts[server->rollout_count - 1];
    if (last != NULL && (last->ended_ms == 0 || count_open(world) > 0)) {
        return true;
    }
    if (last != NULL && last->progress == FLEET_STOPPED && world->config.withdraw &&
        world->withdrawn < world->rolled_out) {
        world->withdrawn = world->rolled_out;
        withdraw(world, world->rolled_out);
        return true;
    }
    if (world->rolled_out + 1 >= world->config.release_count) {
        return false;
    }
    fleet_plan_t plan = world->config.plan;
    plan.release = &world->releases[++world->rolled_out];
    return fleet_server_roll_out(server, world->now_ms, &plan) != FLEET_NONE;
}

/* ---- time ---- */

void fleet_world_sample(fleet_world_t *world)
{
    if (world->sample_count == FLEET_SAMPLES) { /* half as many, at twice the distance */
        for (uint32_t i = 0; i < FLEET_SAMPLES / 2; i++) {
            world->samples[i] = world->samples[2 * i];
        }
        world->sample_count = FLEET_SAMPLES / 2;
        world->sample_step_ms *= 2;
    }
    fleet_sample_t *sample = &world->samples[world->sample_count++];
    *sample = (fleet_sample_t){.at_ms = world->now_ms, .requests = world->server.load.requests};
    for (uint32_t i = 0; i < world->config.devices; i++) {
        const fleet_device_t *device = &world->devices[i];
        sample->off += !device->on;
        if (device->runs < FLEET_RELEASES_MAX) {
            sample->failed += device->failed;
            sample->failed_on[device->runs] += device->failed;
            sample->runs[device->runs] += !device->failed;
        }
        sample->busy += device->on && (device->trial || device->reset_at != FLEET_NEVER ||
                                       !otter_ddi_is_idle(&device->agent));
    }
    world->sample_at = world->now_ms + world->sample_step_ms;
}

static void plan_cut(fleet_world_t *world, fleet_device_t *device)
{
    if (world->config.cuts > 0 && device->cut_at == FLEET_NEVER) {
        const int64_t mean_ms = 100 * DAY_MS / world->config.cuts;
        device->cut_at = world->now_ms + 2 * mean_ms * fleet_world_random(world, 1000000) / 1000000;
    }
}

void fleet_world_serve(fleet_world_t *world, uint32_t index)
{
    fleet_device_t *device = &world->devices[index];
    bool cut = device->on && device->cut_at <= world->now_ms;
    if (!cut) {
        device->at_ms = fleet_device_act(device);
        cut = device->flash.dead;
    }
    if (cut) {
        world->cuts++;
        fleet_device_cut(device, world->now_ms + 1000 + fleet_world_random(world, OUTAGE_MS));
    } else if (device->on) {
        plan_cut(world, device);
        device->at_ms = device->at_ms < device->cut_at ? device->at_ms : device->cut_at;
    }
    line_up(world, index);
}

static void black_out(fleet_world_t *world)
{
    world->blacked_out = true;
    for (uint32_t i = 0; i < world->config.devices; i++) {
        fleet_device_cut(&world->devices[i], world->now_ms + BLACKOUT_MS);
        line_up(world, i);
    }
}

bool fleet_world_run(fleet_world_t *world, int64_t until_ms)
{
    const int64_t end_ms = world->config.days * DAY_MS;
    const int64_t blackout_ms = world->config.blackout_s * INT64_C(1000);
    while (world->now_ms < until_ms && world->now_ms < end_ms) {
        const uint32_t next = world->line[0];
        const int64_t at = world->devices[next].at_ms;
        if (world->tick_at <= at) {
            world->now_ms = world->tick_at;
            world->tick_at += TICK_MS;
            if (world->now_ms >= world->sample_at) {
                fleet_world_sample(world);
            }
            if (blackout_ms > 0 && world->now_ms >= blackout_ms && !world->blacked_out) {
                black_out(world);
            }
            if (world->now_ms > world->config.poll_s * INT64_C(1000) && !operate(world)) {
                fleet_world_sample(world);
                world->over = true;
                return false;
            }
        } else {
            world->now_ms = at;
            fleet_world_serve(world, next);
        }
    }
    return world->now_ms < end_ms;
}

/* ---- the end ---- */

/** What the server says last of a device, against what its flash holds. */
static bool is_true(fleet_world_t *world, fleet_device_t *device)
{
    const fleet_server_t *server = &world->server;
    const uint32_t youngest = server->targets[device->number].youngest;
    if (youngest == FLEET_NONE || !device->on) {
        return true;
    }
    const fleet_action_t *action = &server->actions[youngest];
    if (action->status == FLEET_FINISHED) {
        return fleet_device_runs(device, action->release);
    }
    return action->status != FLEET_FAILED || !fleet_device_runs(device, action->release);
}

bool fleet_world_judge(fleet_world_t *world)
{
    fleet_verdict_t *verdict = &world->verdict;
    for (uint32_t i = 0; i < world->config.devices; i++) {
        if (!is_true(world, &world->devices[i])) {
            fleet_world_accuse(world, &verdict->untrue, &world->devices[i],
                               "is not what the server says of it at the end");
        }
    }
    for (uint32_t i = 0; i < world->server.action_count; i++) {
        const fleet_action_t *action = &world->server.actions[i];
        if (action->status == FLEET_FINISHED && action->closings != 1) {
            fleet_world_accuse(world, &verdict->untrue, &world->devices[action->device],
                               "has an action that is finished without having been closed once");
        }
    }
    verdict->open = count_open(world);
    return verdict->lies == 0 && verdict->installed_twice == 0 && verdict->untrue == 0 &&
           verdict->dead == 0 && world->server.complaints == 0;
}
