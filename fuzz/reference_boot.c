/* A second opinion on the boot decision (FORMATS.md sections 4, 7 and 8). */
/* SPDX-License-Identifier: Apache-2.0 */
#include "reference.h"

#include <string.h>

enum { NEW = 0, PENDING = 1, VALID = 2, INVALID = 3, ABORTED = 4 };

static uint32_t seq_of(const uint8_t *r)
{
    return reference_le32(r);
}

static uint32_t state_of(const uint8_t *r)
{
    return reference_le32(r + 24);
}

static bool crc_is_right(const uint8_t *r)
{
    return reference_crc32(0xFFFFFFFFu, r, 4) == reference_le32(r + 28);
}

static bool is_blank(const uint8_t *r)
{
    return seq_of(r) == 0xFFFFFFFFu;
}

static bool is_refused(const uint8_t *r)
{
    return is_blank(r) || state_of(r) == INVALID || state_of(r) == ABORTED;
}

static bool is_uninitialised(const uint8_t *r)
{
    return is_blank(r) || !crc_is_right(r);
}

static void set_state(reference_boot_t *out, int copy, uint8_t state)
{
    memset(out->after[copy] + 24, 0, 4);
    out->after[copy][24] = state;
    out->changed[copy] = true;
}

/** The better of the usable records: greater sequence number, record 0 on a tie. */
static int best(const reference_boot_t *out, const bool usable[2])
{
    if (usable[0] && usable[1]) {
        return seq_of(out->after[1]) > seq_of(out->after[0]);
    }
    return usable[0] ? 0 : usable[1] ? 1 : -1;
}

void reference_boot_decide(const uint8_t raw[2][32], const reference_have_t *have, bool rollback,
                           const bool *new_enough, reference_boot_t *out)
{
    *out = (reference_boot_t){.first = -1, .active = -1};
    memcpy(out->after, raw, sizeof(out->after));
    if (!have->otadata) {
        return;
    }
    for (int i = 0; rollback && i < 2; i++) {
        if (state_of(raw[i]) == PENDING) {
            set_state(out, i, ABORTED);
        }
    }
    const uint8_t *a = out->after[0], *b = out->after[1];
    bool both_new = is_uninitialised(a) && is_uninitialised(b);
    if (new_enough != NULL && both_new) {
        out->initial_contents = true;
        return;
    }
    if (new_enough == NULL && ((is_refused(a) && is_refused(b)) || have->slot_count == 0)) {
        out->first = have->factory ? -1 : 0;
        out->initial_contents = !have->factory && both_new;
        return;
    }
    bool usable[2];
    for (int i = 0; i < 2; i++) {
        usable[i] = !is_refused(out->after[i]) && crc_is_right(out->after[i]) && have->slot_count != 0 &&
                    (new_enough == NULL || new_enough[i]);
    }
    out->active = best(out, usable);
    if (out->active < 0) {
        return;
    }
    uint8_t *chosen = out->after[out->active];
    out->first = (int)((uint32_t)(seq_of(chosen) - 1) % have->slot_count);
    if (rollback && state_of(chosen) == NEW) {
        set_state(out, out->active, PENDING);
    }
}

unsigned reference_boot_order(int first, const reference_have_t *have, int order[32])
{
    unsigned n = 0;
    for (int i = first; i >= 0; i--) {
        if (i < 16 && (uint32_t)i < have->slot_count && have->slots[i]) {
            order[n++] = i;
        }
    }
    if (have->factory) {
        order[n++] = -1;
    }
    for (int i = first + 1; i < 16 && (uint32_t)i < have->slot_count; i++) {
        if (have->slots[i]) {
            order[n++] = i;
        }
    }
    if (have->test) {
        order[n++] = -2;
    }
    return n;
}
