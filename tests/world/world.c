/* The world of one seed: releases, devices, the order in which things happen, and the story they make. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "otter/system.h"
#include "sim/sim_system.h"
#include "world.h"

#define STEPS_MIN               40u
#define STEPS_MAX               240u
#define SIGNS_ONE_IN            50u /* worlds: a signature costs as much as a boot */
#define STRANGERS_PERCENT       30  /* of releases there */
#define PERFORMS_JUDGED_PERCENT 25  /* of worlds: judging costs as much as a boot */

void story(const world_t *world, const world_device_t *d, const char *format, ...)
{
    char text[512];
    int len = snprintf(text, sizeof(text), "%10.3f %c ", (double)(otter_now_us() - world->start_us) / 1e6,
                       d != NULL ? d->name : '-');
    va_list args;
    va_start(args, format);
    vsnprintf(text + len, sizeof(text) - (size_t)len, format, args);
    va_end(args);
    if (world->trace) {
        puts(text);
    }
    uint64_t *hash = &((world_t *)world)->story_hash; /* all that a story changes */
    for (const char *p = text; *p != '\0'; p++) {
        *hash = (*hash ^ (uint8_t)*p) * 0x100000001B3u;
    }
}

void world_fail(world_t *world, const world_device_t *d, const char *format, ...)
{
    char text[sizeof(world->failure)];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    story(world, d, "BROKEN: %s", text);
    if (!world->failed) {
        world->failed = true;
        snprintf(world->failure, sizeof(world->failure), "device %c: %.220s", d != NULL ? d->name : '-',
                 text);
    }
}

/** The last release is the one at which all arrive: healthy, and as secure as any. One more is for another chip. */
static bool make_releases(world_t *world)
{
    chance_t *c = &world->chance;
    uint32_t secure_version = 0;
    unsigned count = 3 + chance_below(c, WORLD_RELEASES_MAX - 3);
    for (unsigned i = 0; i <= count && i < WORLD_RELEASES_MAX; i++) {
        release_t *release = &world->releases[i];
        release->foreign = i == count;
        secure_version += i > 0 && chance_percent(c, 30);
        if (world->signs) {
            bool stranger = i > 0 && i + 1 < count && chance_percent(c, STRANGERS_PERCENT);
            release->signer = stranger ? 'c' : 'a';
        }
        if (!release_make(release, c, i, secure_version)) {
            return false;
        }
        release->healthy = i + 1 == count || i == 0 || chance_percent(c, 75);
        story(world, NULL, "release %u: %u bytes, secure version %u%s%s%s", i, (unsigned)release->len,
              (unsigned)secure_version, release->healthy ? "" : ", never confirms itself",
              release->foreign ? ", for another chip" : "", release->signer == 'c' ? ", a stranger's" : "");
    }
    world->release_count = count;
    world->published = chance_below(c, 2);
    world->judges_performs = chance_percent(c, PERFORMS_JUDGED_PERCENT);
    return true;
}

static void publish(world_t *world)
{
    chance_t *c = &world->chance;
    network_run(world);
    bool back = chance_percent(c, 20);
    world->published =
        back ? chance_below(c, world->release_count) : (world->published + 1) % world->release_count;
    world->tally->publishes++;
    story(world, NULL, "server: release %u is published", world->published);
}

static void live(world_t *world)
{
    chance_t *c = &world->chance;
    uint32_t steps = STEPS_MIN + chance_below(c, STEPS_MAX - STEPS_MIN);
    for (uint32_t i = 0; i < steps && !world->failed; i++) {
        world->tally->steps++;
        if (chance_percent(c, 4)) {
            publish(world);
        }
        take_turn(&world->devices[chance_below(c, world->device_count)]);
        if (chance_percent(c, 20)) {
            sim_clock_advance_ms(chance_below(c, 3000));
            network_run(world);
        }
    }
}

static void calm_down(world_t *world)
{
    world->calm = true;
    world->published = world->release_count - 1;
    for (unsigned i = 0; i < world->device_count && !world->failed; i++) {
        calm_device(&world->devices[i], (int)world->published);
    }
}

static bool populate(world_t *world)
{
    if (!make_releases(world)) {
        return false;
    }
    unsigned count = 1 + chance_below(&world->chance, WORLD_DEVICES_MAX);
    for (unsigned i = 0; i < count; i++) {
        world->device_count = i + 1;
        if (!device_init(&world->devices[i], world, (char)('A' + i))) {
            return false;
        }
    }
    world->tally->devices += count;
    return true;
}

bool world_run(world_t *world, uint64_t seed, bool trace, tally_t *tally)
{
    network_t network = world->network; /* its memory is used again */
    memset(world, 0, sizeof(*world));
    world->network = network;
    network_clear(&world->network);
    world->seed = seed;
    world->signs = seed % SIGNS_ONE_IN == 7;
    world->chance.state = seed;
    world->trace = trace;
    world->tally = tally;
    world->story_hash = 0xCBF29CE484222325u;
    sim_clock_take();
    sim_random_seed((uint32_t)seed);
    world->start_us = otter_now_us();
    tally->worlds++;
    if (populate(world)) {
        live(world);
        if (!world->failed) {
            calm_down(world);
        }
    } else {
        world_fail(world, NULL, "out of memory");
    }
    for (unsigned i = 0; i < world->device_count; i++) {
        device_free(&world->devices[i]);
    }
    for (unsigned i = 0; i < WORLD_RELEASES_MAX; i++) {
        release_free(&world->releases[i]);
    }
    return !world->failed;
}
