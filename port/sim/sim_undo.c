/* The undo log of simulator flash: a page is kept once per mark, at its first change after it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/sim_undo.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/sim_medium.h"

#define MARKS_MAX 64u

typedef struct {
    uint32_t page;
    uint8_t kept_at; /* the mark for which it had been kept before */
    bool weak;
    uint8_t bytes[SIM_PAGE], mask[SIM_PAGE];
} kept_t;

struct sim_undo {
    kept_t **kept; /* reused: those at and above `count` are spare */
    uint32_t count, room;
    uint32_t marks;            /* open ones */
    uint32_t start[MARKS_MAX]; /* per mark (from 1): `count` when it was set */
    uint8_t kept_at[];         /* per page: the last mark for which it was kept */
};

static void *need(void *memory)
{
    if (memory == NULL) {
        fprintf(stderr, "sim_undo: out of memory\n");
        abort();
    }
    return memory;
}

static kept_t *next_kept(struct sim_undo *undo)
{
    if (undo->count == undo->room) {
        undo->room += 16;
        undo->kept = need(realloc(undo->kept, undo->room * sizeof(*undo->kept)));
        memset(undo->kept + undo->count, 0, 16 * sizeof(*undo->kept));
    }
    kept_t **kept = &undo->kept[undo->count++];
    if (*kept == NULL) {
        *kept = need(malloc(sizeof(**kept)));
    }
    return *kept;
}

void sim_undo_save(sim_flash_t *sim, uint32_t off, uint32_t len)
{
    struct sim_undo *undo = sim->undo;
    if (undo == NULL) {
        return;
    }
    for (uint32_t page = off / SIM_PAGE; page <= (off + len - 1) / SIM_PAGE; page++) {
        if (undo->kept_at[page] == undo->marks) {
            continue;
        }
        kept_t *kept = next_kept(undo);
        kept->page = page;
        kept->kept_at = undo->kept_at[page];
        kept->weak = sim->weak[page] != NULL;
        memcpy(kept->bytes, sim->bytes + page * SIM_PAGE, SIM_PAGE);
        if (kept->weak) {
            memcpy(kept->mask, sim->weak[page], SIM_PAGE);
        }
        undo->kept_at[page] = (uint8_t)undo->marks;
    }
}

uint32_t sim_undo_mark(sim_flash_t *sim)
{
    if (sim->undo == NULL) {
        sim->undo = need(calloc(1, sizeof(*sim->undo) + sim->flash.size / SIM_PAGE));
    }
    struct sim_undo *undo = sim->undo;
    if (undo->marks + 1 == MARKS_MAX) {
        fprintf(stderr, "sim_undo: too many marks\n");
        abort();
    }
    undo->start[++undo->marks] = undo->count;
    return undo->marks;
}

void sim_undo_rewind(sim_flash_t *sim, uint32_t mark)
{
    struct sim_undo *undo = sim->undo;
    while (undo->count > undo->start[mark]) {
        const kept_t *kept = undo->kept[--undo->count];
        memcpy(sim->bytes + kept->page * SIM_PAGE, kept->bytes, SIM_PAGE);
        sim_medium_set_weak(sim, kept->page * SIM_PAGE, kept->weak ? kept->mask : NULL);
        undo->kept_at[kept->page] = kept->kept_at;
    }
    undo->marks = mark;
}

/** Quick, and sees every byte; nobody forges anything here. */
static uint64_t digest_of(uint64_t sum, const uint8_t *bytes)
{
    for (uint32_t i = 0; i < SIM_PAGE; i += 8) {
        uint64_t word;
        memcpy(&word, bytes + i, sizeof(word));
        sum = (sum ^ word) * 0x9E3779B97F4A7C15u;
        sum ^= sum >> 29;
    }
    return sum;
}

uint64_t sim_undo_changes(const sim_flash_t *sim, uint32_t mark)
{
    const struct sim_undo *undo = sim->undo;
    uint64_t sum = 0;
    for (uint32_t i = undo->start[mark]; i < undo->count; i++) {
        const kept_t *kept = undo->kept[i];
        const uint8_t *now = sim->bytes + kept->page * SIM_PAGE;
        if (kept->kept_at < mark &&
            memcmp(now, kept->bytes, SIM_PAGE) != 0) { /* later ones are of the same page */
            sum += digest_of(kept->page + 1, now);
        }
    }
    return sum;
}

void sim_undo_forget(sim_flash_t *sim)
{
    struct sim_undo *undo = sim->undo;
    for (uint32_t i = 0; undo != NULL && i < undo->room; i++) {
        free(undo->kept[i]);
    }
    if (undo != NULL) {
        free(undo->kept);
    }
    free(undo);
    sim->undo = NULL;
}
