/* One device with two slots in a simulated world: power, requests and answers fail at each point of an action in turn. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "esp_log.h"
#include "fleet/link.h"
#include "fleet/world.h"

#define END_MS 86400000

/* What goes wrong with a request. */
typedef enum { LOSE_REQUEST, LOSE_ANSWER, LOSE_HALF, LOSSES } loss_t;

static struct {
    loss_t kind;
    uint32_t at, count, sent; /* requests from this number on; requests so far */
} loss;

static void send_or_lose(fleet_device_t *device, const otter_ddi_order_t *order)
{
    const uint32_t number = loss.sent++;
    const bool lost = number >= loss.at && number - loss.at < loss.count;
    if (lost && loss.kind == LOSE_REQUEST) {
        device->answer_at = device->world->now_ms + 10000;
        return;
    }
    fleet_simulated_wire.send(device, order);
    device->cut_off = lost && loss.kind == LOSE_HALF;
    if (lost && loss.kind == LOSE_ANSWER) {
        free(device->answer);
        device->answer = NULL;
    }
}

/** A world of one device, and a rollout of 2.0.0 and then of 3.0.0 to it; both lose what `loss` says. */
static fleet_world_t *open_world(bool crashes, uint32_t releases)
{
    static fleet_wire_t wire;
    static const fleet_world_config_t defaults = FLEET_WORLD_DEFAULTS;
    fleet_world_config_t config = defaults;
    fleet_world_t *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    config.devices = 1;
    config.image_size = 16384;
    config.poll_s = 60;
    config.lose = config.cuts = 0;
    config.bad_percent = 100;
    memcpy(config.link_percent, (const uint32_t[FLEET_LINKS]){100}, sizeof(config.link_percent));
    config.plan.percent[0] = 100;
    config.plan.group_count = 1;
    config.plan.success_percent = 1;
    config.plan.error_percent = 100;
    config.release_count = releases;
    config.releases[0].version = "1.0.0";
    config.releases[1].version = "2.0.0";
    config.releases[2].version = "3.0.0";
    config.releases[releases - 1].crashes = crashes;
    assert_true(fleet_world_open(world, &config));
    wire = fleet_simulated_wire;
    wire.send = send_or_lose;
    world->wire = &wire;
    loss.sent = 0;
    return world;
}

static void close_world(fleet_world_t *world)
{
    fleet_world_close(world);
    free(world);
}

/** It has ended, and the server knows the truth; a trial was begun again only where its record was lost. */
static void assert_truth(fleet_world_t *world, const char *what, uint32_t number)
{
    const bool good = fleet_world_judge(world);
    if (!world->over || !good || world->trials_again > 2) {
        fail_msg("%s %" PRIu32 ": %s%s%s, %" PRIu64 " installs, %" PRIu64 " again", what, number,
                 world->over ? "" : "it does not end, ", world->verdict.first, world->server.complaint,
                 world->installs, world->trials_again);
    }
}

/** @return false: there were fewer operations */
static bool try_cutting(uint32_t operation, bool crashes)
{
    fleet_world_t *world = open_world(crashes, 3);
    fleet_device_t *device = &world->devices[0];
    loss.count = 0;
    device->cut_op = device->flash.ops + operation;
    device->flash.random = operation;
    (void)fleet_world_run(world, END_MS);
    assert_truth(world, "power cut at operation", operation);
    const bool fired = world->cuts > 0;
    close_world(world);
    return fired;
}

static void power_that_fails_at_any_operation_of_two_updates_leaves_the_truth(void **state)
{
    (void)state;
    for (int crashes = 0; crashes < 2; crashes++) {
        uint32_t operation = 0;
        while (try_cutting(operation, crashes != 0)) {
            operation++;
        }
        assert_true(operation > 40);
    }
}

static bool try_losing(loss_t kind, uint32_t at, uint32_t count, bool crashes)
{
    fleet_world_t *world = open_world(crashes, 2);
    loss.kind = kind;
    loss.at = at;
    loss.count = count;
    (void)fleet_world_run(world, END_MS);
    assert_truth(world, "lost from request", at);
    assert_int_equal(world->installs, 1);
    assert_int_equal(world->server.actions[0].status, crashes ? FLEET_FAILED : FLEET_FINISHED);
    const bool more = loss.sent > at;
    close_world(world);
    return more;
}

/* One client installed an action four times, as three answers to its last word were lost. */
static void each_request_and_answer_that_is_lost_leaves_one_install(void **state)
{
    (void)state;
    for (loss_t kind = LOSE_REQUEST; kind < LOSSES; kind++) {
        for (uint32_t count = 1; count <= 4; count += 3) {
            for (uint32_t at = 0; try_losing(kind, at, count, false); at++) {
            }
            for (uint32_t at = 0; try_losing(kind, at, count, true); at++) {
            }
        }
    }
}

/** Cancels when the device has been served so often. @return false: it was over before */
static bool try_cancelling(uint32_t step)
{
    fleet_world_t *world = open_world(false, 2);
    loss.count = 0;
    while (world->server.action_count == 0) {
        (void)fleet_world_run(world, world->now_ms + 1);
    }
    const fleet_action_t *action = &world->server.actions[0];
    for (uint32_t i = 0; i < step && !world->over; i++) {
        (void)fleet_world_run(world, world->now_ms + 500);
    }
    const bool open = fleet_action_is_open(action);
    fleet_server_cancel(&world->server, 1);
    (void)fleet_world_run(world, END_MS);
    const bool installed = fleet_device_runs(&world->devices[0], &world->releases[1]);
    if (!installed) { /* a group whose device was cancelled ends as any */
        assert_int_equal(action->status, FLEET_CANCELED);
        assert_int_equal(world->installs, 0);
    } else {
        assert_int_equal(action->status, FLEET_FINISHED);
        assert_int_equal(world->installs, 1);
    }
    assert_truth(world, "cancelled after step", step);
    close_world(world);
    return open;
}

static void a_cancellation_at_any_moment_ends_in_what_is_so(void **state)
{
    (void)state;
    uint32_t step = 0;
    while (try_cancelling(step)) {
        step++;
    }
    assert_true(step > 20); /* of two seconds, nearly */
}

/** A device that has what it takes to be cancelled, held for its window, and refused for a while, all in one life. */
static void a_window_a_quota_and_a_limit_of_requests_do_not_make_it_lie(void **state)
{
    (void)state;
    static const fleet_order_t orders[] = {
        {.window_from_ms = 1800000, .window_until_ms = 3600000},
        {.window_from_ms = 600000, .window_until_ms = 600001}, /* over before it is seen */
        {.confirm = true},
        {.quota = 1},
        {.mode = FLEET_TIMEFORCED, .force_at_ms = 1200000},
    };
    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        fleet_world_t *world = open_world(false, 2);
        loss.count = 0;
        world->config.plan.order = orders[i];
        world->server.rate = 2;
        (void)fleet_world_run(world, END_MS);
        assert_truth(world, "order", (uint32_t)i);
        const fleet_action_t *action = &world->server.actions[0];
        assert_int_equal(action->status, i == 1 ? FLEET_CANCELED : FLEET_FINISHED);
        assert_true(i != 0 ||
                    (action->ended_ms >= 1800000 && action->ended_ms < 3600000)); /* not before it opens */
        close_world(world);
    }
}

int main(void)
{
    esp_log_level_set("*", ESP_LOG_NONE);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(power_that_fails_at_any_operation_of_two_updates_leaves_the_truth),
        cmocka_unit_test(each_request_and_answer_that_is_lost_leaves_one_install),
        cmocka_unit_test(a_cancellation_at_any_moment_ends_in_what_is_so),
        cmocka_unit_test(a_window_a_quota_and_a_limit_of_requests_do_not_make_it_lie),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
