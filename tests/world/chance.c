/* The one source of chance: splitmix64. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "world.h"

uint32_t chance_next(chance_t *c)
{
    uint64_t z = (c->state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return (uint32_t)(z >> 32);
}

uint32_t chance_below(chance_t *c, uint32_t n)
{
    return (uint32_t)(((uint64_t)chance_next(c) * n) >> 32);
}

bool chance_percent(chance_t *c, uint32_t percent)
{
    return chance_below(c, 100) < percent;
}
