/* What devices and their wires ask of their world: chance, links, releases by version, and somebody to complain to. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "fleet/world.h"
#include "otter/bytes.h"
#include "otter/text.h"

const fleet_link_t fleet_links[FLEET_LINKS] = {
    {"lan", "a cable: 5 ms, 5 MB/s", 5, 5000000, 1},
    {"wifi", "40 ms, 500 KB/s, 0.5 % lost", 40, 500000, 50},
    {"lte", "a mobile network: 150 ms, 100 KB/s, 1 % lost", 150, 100000, 100},
    {"nb", "a narrow band: 2 s, 4 KB/s, 5 % lost", 2000, 4000, 500},
};

uint32_t fleet_world_random(fleet_world_t *world, uint32_t below)
{
    uint32_t x = world->random;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    world->random = x;
    return (uint32_t)((uint64_t)(x * 2654435769u) * below >> 32);
}

uint32_t fleet_world_release(fleet_world_t *world, const char *version)
{
    fleet_world_config_t *config = &world->config;
    uint32_t release = 0;
    while (release < config->release_count && strcmp(config->releases[release].version, version) != 0) {
        release++;
    }
    if (release == config->release_count && release < FLEET_RELEASES_MAX) {
        text_format(world->learnt[release], sizeof(world->learnt[release]), "%s", version);
        config->releases[config->release_count++].version = world->learnt[release];
    }
    return min_u32(release, FLEET_RELEASES_MAX - 1);
}

void fleet_world_accuse(fleet_world_t *world, uint32_t *count, const fleet_device_t *device, const char *what)
{
    (*count)++;
    if (world->verdict.first[0] == '\0') {
        text_format(world->verdict.first, sizeof(world->verdict.first), "%s %s (%lld s)", device->id, what,
                    (long long)(world->now_ms / 1000));
    }
}
