/* Which tears each operation gets: records at each of their write units, longer programs and erases at chosen points. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sweep/tears.h"

#include "otter/bytes.h"

#define RECORD_HANGS 6u
#define LOSSES       3u
#define BEGINNINGS   6u /* of an erase: which bits come first is chance */

typedef struct {
    tear_t *out;
    uint32_t count, salt;
} list_t;

static uint32_t mix(uint32_t value)
{
    value = (value ^ (value >> 16)) * 0x7FEB352Du;
    value = (value ^ (value >> 15)) * 0x846CA68Bu;
    value ^= value >> 16;
    return value != 0 ? value : 1;
}

static void add(list_t *list, sim_tear_t tear, uint32_t len, bool weak)
{
    if (list->count < TEARS_MAX) {
        list->out[list->count] =
            (tear_t){.tear = tear, .len = len, .weak = weak, .seed = mix(mix(list->salt) + list->count)};
        list->count++;
    }
}

/** A program: after `points` of its write units, evenly spread. */
static void add_program(list_t *list, uint32_t len, uint32_t unit, uint32_t points, uint32_t seeds)
{
    uint32_t units = len / unit;
    points = min_u32(points, units);
    for (uint32_t i = 0; i < points; i++) {
        uint32_t at = (uint32_t)((uint64_t)i * units / points) * unit;
        if (at != 0) {
            add(list, SIM_TEAR_PREFIX, at, false);
        }
        for (uint32_t seed = 0; seed < seeds; seed++) {
            add(list, SIM_TEAR_BITS, at, false);
            add(list, SIM_TEAR_BITS, at, true);
        }
    }
    if (points > 1 && points < units) { /* all but the last unit */
        add(list, SIM_TEAR_PREFIX, len - unit, false);
        add(list, SIM_TEAR_BITS, len - unit, true);
    }
    for (uint32_t i = 0; len <= 32 && points > 2 && i < RECORD_HANGS; i++) {
        add(list, SIM_TEAR_BITS, len - unit,
            true); /* all is there but some bits: now it reads as whole, now as torn */
    }
}

/** An erase: from its start up to some byte (within a record too), and all over the sector. */
static void add_erase(list_t *list, uint32_t size, tears_t how_many)
{
    const uint32_t prefixes[] = {size / 2, 32, 4, 24, 28, 1, 256, size - 1, 8, 31, 2, 64};
    static const uint32_t amounts[] = {1, 4, sizeof(prefixes) / sizeof(prefixes[0])};
    for (uint32_t i = 0; i < amounts[how_many]; i++) {
        add(list, SIM_TEAR_PREFIX, prefixes[i], false);
        add(list, SIM_TEAR_BITS, 0, false);
        add(list, SIM_TEAR_BITS, 0, true);
        if (how_many != TEARS_FEW) {
            add(list, SIM_TEAR_BITS, prefixes[i], true);
        }
    }
    for (uint32_t i = 0; how_many == TEARS_ALL && i < 40; i++) {
        add(list, SIM_TEAR_BITS, 0, i % 2 != 0);
    }
}

uint32_t tears_of(const op_t *op, uint32_t write_size, tears_t how_many, uint32_t salt, tear_t out[TEARS_MAX])
{
    static const struct {
        uint32_t record_points, points, seeds; /* of programs up to 32 bytes, and of longer ones */
    } amounts[] = {{2, 2, 1}, {32, 6, 1}, {32, 64, 3}};
    list_t list = {.out = out, .salt = salt};
    add(&list, SIM_TEAR_BEFORE, 0, false);
    switch (op->kind) {
    case OP_PROGRAM:
        add_program(&list, op->len, write_size,
                    op->len <= 32 ? amounts[how_many].record_points : amounts[how_many].points,
                    amounts[how_many].seeds);
        break;
    case OP_ERASE:
        for (uint32_t i = 0; i < (how_many == TEARS_FEW ? 1u : BEGINNINGS); i++) {
            add(&list, SIM_TEAR_FEW, 0, false);
        }
        add_erase(&list, op->len, how_many);
        break;
    case OP_REVOKE:
    case OP_CRYPT: /* one bit */
        break;
    case OP_EFUSE:
        for (uint32_t version = 1; version < op->len; version++) {
            add(&list, SIM_TEAR_PREFIX, version, false);
        }
        break;
    }
    add(&list, SIM_TEAR_AFTER, 0, false);
    for (uint32_t i = 0; i < (how_many == TEARS_FEW ? 1u : LOSSES); i++) {
        add(&list, SIM_TEAR_LOST, 0, false);
    }
    return list.count;
}

cut_kind_t tear_kind(const tear_t *tear)
{
    switch (tear->tear) {
    case SIM_TEAR_PREFIX:
        return CUT_PREFIX;
    case SIM_TEAR_FEW:
        return CUT_FEW;
    case SIM_TEAR_BITS:
        return tear->weak ? CUT_WEAK : CUT_BITS;
    case SIM_TEAR_AFTER:
        return CUT_AFTER;
    case SIM_TEAR_LOST:
        return CUT_LOST;
    case SIM_TEAR_BEFORE:
    case SIM_TEAR_COUNT:
        break;
    }
    return CUT_BEFORE;
}

const char *cut_kind_name(cut_kind_t kind)
{
    static const char *const names[CUT_COUNT] = {"before",   "prefix", "some bits", "weak bits",
                                                 "few bits", "after",  "lost"};
    return names[kind];
}
