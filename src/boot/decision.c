/* The boot decision: which image is tried first, what becomes of the records, and which image is next if one does not load. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/decision.h"
#include "otter/promise.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* One boot's effect on a record's state, rollback enabled. No row: the state stays. */
static const struct boot_rule {
    uint32_t now, next;
    /* true: for the chosen copy, after the choice. false: for both copies, before it, whether their CRC is right or not */
    bool if_chosen;
} boot_rules[] = {
    {ESP_OTA_IMG_PENDING_VERIFY, ESP_OTA_IMG_ABORTED, false}, /* the trial ended without a confirmation */
    {ESP_OTA_IMG_NEW, ESP_OTA_IMG_PENDING_VERIFY, true},      /* the trial begins */
};

/** Applies the rules of one kind to a copy and notes the rewrite. */
static void apply_rules(boot_decision_t *decision, uint32_t copy, bool chosen)
{
    otadata_entry_t *entry = &decision->after[copy];
    for (size_t i = 0; i < sizeof(boot_rules) / sizeof(boot_rules[0]); i++) {
        if (boot_rules[i].if_chosen == chosen && boot_rules[i].now == entry->state) {
            entry->state = boot_rules[i].next;
            OTTER_ASSERT(decision->rewrite_count < BOOT_REWRITES_MAX);
            decision->rewrites[decision->rewrite_count++] = (boot_rewrite_t){.copy = copy, .entry = *entry};
            return;
        }
    }
}

/** Chooses the slot that the active copy selects. If its record is NEW, the trial begins. */
static void choose_active(boot_decision_t *decision, const boot_candidates_t *have, bool rollback)
{
    decision->index = (int)otadata_slot(decision->after[decision->active].seq, have->slot_count);
    decision->raise_version = decision->after[decision->active].state == ESP_OTA_IMG_VALID;
    if (rollback) {
        apply_rules(decision, (uint32_t)decision->active, true);
    }
}

static void choose_plain(boot_decision_t *decision, const boot_candidates_t *have, bool rollback)
{
    const otadata_entry_t *two = decision->after;
    if ((otadata_is_refused(&two[0]) && otadata_is_refused(&two[1])) || have->slot_count == 0) {
        decision->index = have->factory ? BOOT_INDEX_FACTORY : 0;
        decision->initial_contents =
            !have->factory && otadata_is_uninitialised(&two[0]) && otadata_is_uninitialised(&two[1]);
        return;
    }
    decision->active = otadata_active(two);
    if (decision->active != OTADATA_NONE) {
        choose_active(decision, have, rollback);
    } /* no copy is active, for instance because a CRC is wrong: factory is first, and no record is changed */
}

static void choose_anti_rollback(boot_decision_t *decision, const boot_candidates_t *have, bool rollback,
                                 const bool *new_enough)
{
    const otadata_entry_t *two = decision->after;
    if (otadata_is_uninitialised(&two[0]) && otadata_is_uninitialised(&two[1])) {
        decision->initial_contents = true;
        return;
    }
    const bool eligible[OTADATA_COPY_COUNT] = {
        otadata_is_valid(&two[0]) && new_enough[0],
        otadata_is_valid(&two[1]) && new_enough[1],
    };
    if (have->slot_count != 0) {
        decision->active = otadata_pick(two, eligible, true);
    }
    if (decision->active != OTADATA_NONE) {
        choose_active(decision, have, rollback);
    }
}

void boot_decide(const otadata_entry_t two[OTADATA_COPY_COUNT], const boot_candidates_t *have, bool rollback,
                 const bool *new_enough, boot_decision_t *out)
{
    *out = (boot_decision_t){.index = BOOT_INDEX_FACTORY, .active = OTADATA_NONE};
    memcpy(out->after, two, sizeof(out->after));
    if (!have->otadata) {
        return;
    }
    for (uint32_t copy = 0; rollback && copy < OTADATA_COPY_COUNT; copy++) {
        apply_rules(out, copy, false);
    }
    if (new_enough != NULL) {
        choose_anti_rollback(out, have, rollback, new_enough);
    } else {
        choose_plain(out, have, rollback);
        out->raise_version = false;
    }
}

uint32_t boot_order(int first, const boot_candidates_t *have, int order[BOOT_ORDER_MAX])
{
    int slots = (int)(have->slot_count < BOOT_SLOTS_MAX ? have->slot_count : BOOT_SLOTS_MAX);
    int top = first < slots ? first : slots - 1;
    uint32_t count = 0;
    OTTER_ASSERT(top >= BOOT_INDEX_FACTORY); /* the slots above it begin at 0 */
    for (int i = top; i >= 0; i--) {
        if (have->slots[i]) {
            order[count++] = i;
        }
    }
    if (have->factory) {
        order[count++] = BOOT_INDEX_FACTORY;
    }
    for (int i = top + 1; i < slots; i++) {
        if (have->slots[i]) {
            order[count++] = i;
        }
    }
    if (have->test) {
        order[count++] = BOOT_INDEX_TEST;
    }
    OTTER_ASSERT(count <= BOOT_ORDER_MAX);
    return count;
}

bool boot_initial_entry(const boot_decision_t *decision, int started, otadata_entry_t *entry)
{
    if (!decision->initial_contents || started < 0) {
        return false;
    }
    *entry = otadata_make((uint32_t)started + 1, ESP_OTA_IMG_VALID);
    return true;
}

const char *boot_index_name(int index, char buf[12])
{
    if (index == BOOT_INDEX_FACTORY) {
        return "factory";
    }
    if (index == BOOT_INDEX_TEST) {
        return "test";
    }
    snprintf(buf, 12, "ota_%u", (unsigned)index % 100u);
    return buf;
}

/** The decision itself changes this copy: its trial begins (the active one), or has ended unconfirmed. */
static bool is_rewritten(const boot_decision_t *decision, uint32_t copy)
{
    for (uint32_t i = 0; i < decision->rewrite_count; i++) {
        if (decision->rewrites[i].copy == copy) {
            return true;
        }
    }
    return false;
}

/** "erased", "seq 2 ABORTED", "seq 2 never confirmed, now ABORTED", "seq 2 with a wrong CRC". Returns buf. */
static const char *describe_copy(const boot_decision_t *decision, uint32_t copy, char *buf, size_t size)
{
    const otadata_entry_t *entry = &decision->after[copy];
    if (entry->seq == OTADATA_SEQ_ERASED) {
        return "erased";
    }
    snprintf(buf, size, "seq %" PRIu32 " %s%s", entry->seq,
             is_rewritten(decision, copy) ? "never confirmed, now " : "",
             otadata_crc_matches(entry) ? otadata_state_name(entry->state) : "with a wrong CRC");
    return buf;
}

/** The copy that decides, its state as it is in flash and what becomes of it, and the trial that this boot ends. */
static void explain_active(const boot_decision_t *decision, const char *first, char *buf, uint32_t size)
{
    uint32_t active = (uint32_t)decision->active;
    const otadata_entry_t *entry = &decision->after[active];
    bool trial = is_rewritten(decision, active);
    snprintf(buf, size, "otadata copy %" PRIu32 " is active (seq %" PRIu32 ", %s) and selects %s%s", active,
             entry->seq, trial ? "NEW: on trial from this boot on" : otadata_state_name(entry->state), first,
             is_rewritten(decision, active ^ 1u) ? "; the trial of the other copy was never confirmed" : "");
}

const char *boot_explain(const boot_decision_t *decision, const boot_candidates_t *have, char *buf,
                         uint32_t size)
{
    char name[12], text[2][56];
    int order[BOOT_ORDER_MAX];
    bool any = boot_order(decision->index, have, order) > 0;
    const char *first =
        boot_index_name(any && decision->active == OTADATA_NONE ? order[0] : decision->index, name);
    if (!any) {
        snprintf(buf, size, "there is no app partition that counts (factory, test, or slots from ota_0 on)");
    } else if (!have->otadata) {
        snprintf(buf, size, "there is no otadata partition: %s is first", first);
    } else if (decision->active != OTADATA_NONE) {
        explain_active(decision, first, buf, size);
    } else {
        snprintf(buf, size, "no otadata copy selects a slot (copy 0 %s, copy 1 %s): %s is first",
                 describe_copy(decision, 0, text[0], sizeof(text[0])),
                 describe_copy(decision, 1, text[1], sizeof(text[1])), first);
    }
    return buf;
}
