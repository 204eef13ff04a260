/*
 * Plans for the changes that an application makes to the two records. A change rewrites one copy: its sector is erased, then
 * 32 bytes are programmed. A power cut in between leaves that copy blank and the other one untouched.
 *
 * The fallback is the image that must boot again if the selected one is never confirmed: the image that runs, or, if that is
 * on trial itself, the confirmed one before it.
 *
 * Invariants. Each says what a power cut may cost, and why the fallback never is the price.
 * 1. While a record selects the fallback, the new record goes into the *other* copy. Only a complete record has the right
 *    CRC, so the old one decides until the new one is complete (switch_plan_select, rules 7 and 9; switch_plan_confirm of what
 *    is not on trial).
 * 2. A record is replaced *in place* only if to lose it means to boot the fallback: it selects an image that was never
 *    confirmed (NEW, PENDING_VERIFY), or one that is being rejected, or one that does not run. And the other copy selects the
 *    fallback, or is blank where the search without records finds the fallback.
 * 3. Where there are trials, the record beside the new one selects the fallback or nothing. So a selection that was taken back
 *    before it booted does not come up when the next one fails its trial (switch_plan_select, rules 0, 3, 4, 5 and 8).
 * 4. Sequence numbers only grow from one selection to the next and never wrap (otadata_next_seq): the newest complete record
 *    always wins. Two records never get the same number.
 * 5. What is already so is not written again: a repeated call costs no wear, and no cut can harm it.
 * 6. A record that a cut left half written does not outlive the next selection (switch_plan_select, rules 0 and 1).
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include "boot/switch_plan.h"
#include "otter/promise.h"

#include <string.h>

typedef enum {
    REPLACE_NOTHING,
    REPLACE_ACTIVE_KEEP_SEQ, /* only its state changes */
    REPLACE_ACTIVE,
    REPLACE_ACTIVE_ALONE, /* so that the other copy selects the fallback, or is blank if that boots without a record */
    REPLACE_OTHER
} record_action_t;

/* Facts about the records that a rule asks for; a rule applies if all of its facts hold. */
enum {
    SAME_SLOT = 1u << 0,   /* the active record selects the wanted slot already */
    SAME_STATE = 1u << 1,  /* ... and has the wanted state */
    ON_TRIAL = 1u << 2,    /* the active record is NEW or PENDING_VERIFY */
    NOT_RUNNING = 1u << 3, /* the active record selects another image than the running one */
    OTHER_CONFIRMED =
        1u << 4, /* the other record is VALID, or boots without a trial although there are trials */
    OTHER_IS_FALLBACK = 1u << 5, /* ... and selects the running slot */
    OTHER_TORN = 1u << 6,        /* the other record was left half written by a power cut */
    TRIAL_WANTED = 1u << 7,      /* the new record begins a trial */
    NOT_STARTED = 1u << 8,       /* the active record is NEW: its image has not been started */
};

/* First match wins; the last one always matches. */
static const struct switch_rule {
    unsigned facts;
    record_action_t action;
} switch_rules[] = {
    /* 0: as rule 5, whatever is left of the other record. */
    {OTHER_TORN | TRIAL_WANTED | NOT_RUNNING, REPLACE_ACTIVE_ALONE},
    /* 1: bits of the other record may hang: it may read as whole next time, so it goes. */
    {OTHER_TORN, REPLACE_OTHER},
    /* 2: the active record says already what is wanted. */
    {SAME_SLOT | SAME_STATE, REPLACE_NOTHING},
    /* 3: the selected image does not run: it did not boot, or not yet. The other record selects what runs, and stays. */
    {NOT_RUNNING | OTHER_IS_FALLBACK, REPLACE_ACTIVE},
    /* 4: an image on trial runs. It has selected a slot, and selects again before the restart. The fallback is what was
     * confirmed before the trial: the other record, which stays. */
    {NOT_RUNNING | NOT_STARTED | OTHER_CONFIRMED, REPLACE_ACTIVE},
    /* 5: the selected image does not run, and no record selects the fallback. */
    {TRIAL_WANTED | NOT_RUNNING, REPLACE_ACTIVE_ALONE},
    /* 6: the image on trial is selected once more: its own record changes, the fallback's stays. */
    {SAME_SLOT | ON_TRIAL, REPLACE_ACTIVE_KEEP_SEQ},
    /* 7: the image that runs and is confirmed is selected once more: a new record beside the old one. */
    {SAME_SLOT, REPLACE_OTHER},
    /* 8: the image that runs is on trial, and selects another slot before it is confirmed: the fallback's record stays. */
    {ON_TRIAL | OTHER_CONFIRMED, REPLACE_ACTIVE},
    /* 9: an ordinary update: what runs is confirmed, and its record stays. */
    {0, REPLACE_OTHER},
};

static bool is_on_trial(uint32_t state)
{
    return state == ESP_OTA_IMG_NEW || state == ESP_OTA_IMG_PENDING_VERIFY;
}

static unsigned gather_facts(const otadata_entry_t *active, const otadata_entry_t *other,
                             const switch_wish_t *wish)
{
    const bool trials = is_on_trial(wish->state);
    const bool confirmed = otadata_is_valid(other) &&
                           (other->state == ESP_OTA_IMG_VALID || (trials && !is_on_trial(other->state)));
    unsigned facts = 0;
    facts |= otadata_selects(active, wish->slot, wish->slot_count) ? SAME_SLOT : 0u;
    facts |= active->state == wish->state ? SAME_STATE : 0u;
    facts |= is_on_trial(active->state) ? ON_TRIAL : 0u;
    facts |= !otadata_selects(active, wish->running, wish->slot_count) ? NOT_RUNNING : 0u;
    facts |= confirmed ? OTHER_CONFIRMED : 0u;
    facts |= confirmed && otadata_selects(other, wish->running, wish->slot_count) ? OTHER_IS_FALLBACK : 0u;
    facts |= otadata_is_torn(other) ? OTHER_TORN : 0u;
    facts |= trials ? TRIAL_WANTED : 0u;
    facts |= active->state == ESP_OTA_IMG_NEW ? NOT_STARTED : 0u;
    return facts;
}

static record_action_t choose_action(unsigned facts)
{
    size_t i = 0;
    while ((facts & switch_rules[i].facts) != switch_rules[i].facts) {
        i++;
    }
    return switch_rules[i].action;
}

static void plan_change(switch_change_kind_t kind, uint32_t copy, const otadata_entry_t *entry,
                        switch_plan_t *plan)
{
    OTTER_ASSERT(plan->count < SWITCH_CHANGES_MAX);
    OTTER_ASSERT(copy < OTADATA_COPY_COUNT);
    plan->changes[plan->count++] = (switch_change_t){.kind = kind, .copy = copy, .entry = *entry};
}

static void plan_erase(const otadata_entry_t *two, uint32_t copy, switch_plan_t *plan)
{
    plan_change(CHANGE_ERASE, copy, &two[copy], plan);
}

/** A new record in `copy`, with the label that its sector held: ESP-IDF keeps it. */
static void plan_write(const otadata_entry_t *two, uint32_t copy, uint32_t seq, uint32_t state,
                       switch_plan_t *plan)
{
    otadata_entry_t entry = otadata_make(seq, state);
    memcpy(entry.label, two[copy].label, sizeof(entry.label));
    plan_change(CHANGE_WRITE, copy, &entry, plan);
}

/** A new record in `copy` that selects `slot`, with the next number above `after`. */
static esp_err_t plan_next(const otadata_entry_t *two, uint32_t copy, uint32_t after, uint32_t slot,
                           const switch_wish_t *wish, switch_plan_t *plan)
{
    uint32_t seq;
    esp_err_t err = otadata_next_seq(after, slot, wish->slot_count, &seq);
    if (err == ESP_OK) {
        plan_write(two, copy, seq, slot == wish->slot ? wish->state : ESP_OTA_IMG_UNDEFINED, plan);
    }
    return err;
}

esp_err_t switch_plan_fallback(const otadata_entry_t two[OTADATA_COPY_COUNT], uint32_t slot,
                               uint32_t slot_count, uint32_t state, switch_plan_t *plan)
{
    const switch_wish_t wish = {.slot = slot, .state = state, .running = slot, .slot_count = slot_count};
    const int active = otadata_active(two);
    *plan = (switch_plan_t){0};
    if (active != OTADATA_NONE) {
        return plan_next(two, (uint32_t)active ^ 1u, two[active].seq, slot, &wish, plan);
    }
    const bool second = otadata_is_torn(&two[1]) && !otadata_is_torn(&two[0]);
    return plan_next(two, second ? 1 : 0, 0, slot, &wish, plan);
}

/** Nothing has booted by a record so far, so the fallback boots without one: it is factory, or else the first slot. */
static bool fallback_has_no_record(const otadata_entry_t *two, uint32_t copy, const switch_wish_t *wish)
{
    const bool booted_by_record = otadata_is_valid(&two[copy]) && two[copy].state != ESP_OTA_IMG_NEW;
    return !booted_by_record && !otadata_is_valid(&two[copy ^ 1u]) && (wish->factory || wish->running == 0);
}

/** Once `copy` selects another slot, no record selects the slot that runs, and it would not boot without one either. */
static bool fallback_needs_record(const otadata_entry_t *two, uint32_t copy, const switch_wish_t *wish)
{
    return wish->running != SWITCH_NO_SLOT && !fallback_has_no_record(two, copy, wish) &&
           !otadata_selects(&two[copy ^ 1u], wish->running, wish->slot_count);
}

/** The active record is of a trial that did not end in a confirmation: at the next boot the other record decides. */
static bool trial_is_over(const otadata_entry_t *two, uint32_t active)
{
    return two[active].state == ESP_OTA_IMG_PENDING_VERIFY && otadata_is_valid(&two[active ^ 1u]);
}

/** Where the fallback's record goes: not in place of the record by which the next boot would decide. */
static uint32_t copy_for_fallback(const otadata_entry_t *two, uint32_t active)
{
    return trial_is_over(two, active) ? active : active ^ 1u;
}

/**
 * REPLACE_ACTIVE_ALONE: before the new record is written to one copy, the other one is made the fallback's, or is erased if
 * it selects something that was taken back.
 * @param copy  the active one, or 0 if none is
 */
static esp_err_t plan_alone(const otadata_entry_t *two, uint32_t copy, uint32_t after,
                            const switch_wish_t *wish, switch_plan_t *plan)
{
    const uint32_t other = copy ^ 1u;
    if (!is_on_trial(wish->state) ||
        !fallback_needs_record(two, copy, wish)) { /* the other copy need not select the fallback */
        const bool taken_back =
            otadata_is_valid(&two[other]) && !otadata_selects(&two[other], wish->running, wish->slot_count);
        if (otadata_is_valid(&two[copy]) && (taken_back || otadata_is_torn(&two[other]))) {
            plan_erase(two, other, plan);
        }
        return plan_next(two, copy, after, wish->slot, wish, plan);
    }
    const uint32_t fallback_copy = copy_for_fallback(two, copy);
    esp_err_t err = plan_next(two, fallback_copy, after, wish->running, wish, plan);
    if (err != ESP_OK) {
        return err;
    }
    if (wish->running == wish->slot) {
        plan_erase(two, fallback_copy ^ 1u, plan);
        return ESP_OK;
    }
    return plan_next(two, fallback_copy ^ 1u, plan->changes[0].entry.seq, wish->slot, wish, plan);
}

static esp_err_t plan_action(record_action_t action, const otadata_entry_t *two, uint32_t active,
                             const switch_wish_t *wish, switch_plan_t *plan)
{
    const uint32_t seq = two[active].seq;
    switch (action) {
    case REPLACE_ACTIVE_KEEP_SEQ:
        plan_write(two, active, seq, wish->state, plan);
        return ESP_OK;
    case REPLACE_ACTIVE:
        return plan_next(two, active, seq, wish->slot, wish, plan);
    case REPLACE_ACTIVE_ALONE:
        return plan_alone(two, active, seq, wish, plan);
    case REPLACE_OTHER:
        return plan_next(two, active ^ 1u, seq, wish->slot, wish, plan);
    case REPLACE_NOTHING:
        break;
    }
    return ESP_OK;
}

esp_err_t switch_plan_select(const otadata_entry_t two[OTADATA_COPY_COUNT], const switch_wish_t *wish,
                             switch_plan_t *plan)
{
    const int found = otadata_active(two);
    *plan = (switch_plan_t){0};
    esp_err_t err;
    if (found == OTADATA_NONE) {
        err = plan_alone(two, 0, 0, wish, plan);
    } else {
        const uint32_t active = (uint32_t)found;
        const unsigned facts = gather_facts(&two[active], &two[active ^ 1u], wish);
        err = plan_action(choose_action(facts), two, active, wish, plan);
    }
    if (err != ESP_OK) {
        plan->count = 0;
    }
    return err;
}

esp_err_t switch_plan_release(const otadata_entry_t two[OTADATA_COPY_COUNT], const switch_wish_t *wish,
                              switch_plan_t *plan)
{
    const int found = otadata_active(two);
    *plan = (switch_plan_t){0};
    if (found == OTADATA_NONE) {
        return ESP_OK;
    }
    const uint32_t active = (uint32_t)found, other = active ^ 1u;
    const bool decides = otadata_selects(&two[active], wish->slot, wish->slot_count);
    if (!decides &&
        !(trial_is_over(two, active) && otadata_selects(&two[other], wish->slot, wish->slot_count))) {
        return ESP_OK;
    }
    if (wish->running == SWITCH_NO_SLOT) {
        if (otadata_is_valid(&two[other])) {
            plan_erase(two, other, plan); /* it would decide next, and is not what runs */
        }
    } else if (fallback_needs_record(two, active, wish)) {
        const uint32_t fallback_copy = copy_for_fallback(two, active);
        esp_err_t err = plan_next(two, fallback_copy, two[active].seq, wish->running, wish, plan);
        if (err != ESP_OK || fallback_copy == active) {
            return err;
        }
    }
    if (decides) {
        plan_erase(two, active, plan);
    }
    return ESP_OK;
}

bool switch_plan_is_fallback(const otadata_entry_t two[OTADATA_COPY_COUNT], const switch_wish_t *wish)
{
    const int active = otadata_active(two);
    return active != OTADATA_NONE && two[active].state == ESP_OTA_IMG_NEW &&
           !otadata_selects(&two[active], wish->running, wish->slot_count) &&
           otadata_selects(&two[active ^ 1], wish->slot, wish->slot_count);
}

/**
 * VALID can be reached from here by clearing bits, its first byte before the others: no state in between, and none that
 * hanging bits can read as, is one that is refused.
 */
static bool is_above_valid(uint32_t state)
{
    const uint32_t first = state & 0xFFu, others = state >> 8;
    return first == ESP_OTA_IMG_VALID ||
           (others == 0xFFFFFFu && (first & ESP_OTA_IMG_VALID) == ESP_OTA_IMG_VALID);
}

void switch_plan_confirm(const otadata_entry_t two[OTADATA_COPY_COUNT], uint32_t slot_count, bool bytewise,
                         switch_plan_t *plan)
{
    *plan = (switch_plan_t){0};
    const uint32_t active = (uint32_t)otadata_active(two), other = active ^ 1u;
    const otadata_entry_t *now = &two[active];
    if (now->state == ESP_OTA_IMG_VALID) {
        return;
    }
    if (bytewise && is_above_valid(now->state)) {
        otadata_entry_t entry = *now;
        entry.state = ESP_OTA_IMG_VALID;
        plan_change(CHANGE_CONFIRM, active, &entry, plan);
        return;
    }
    const uint32_t slot = otadata_slot(now->seq, slot_count);
    const bool has_fallback = otadata_is_valid(&two[other]);
    const bool in_place =
        now->state == ESP_OTA_IMG_PENDING_VERIFY || (now->state == ESP_OTA_IMG_NEW && has_fallback);
    uint32_t seq;
    if (in_place || otadata_next_seq(now->seq, slot, slot_count, &seq) != ESP_OK) {
        plan_write(two, active, now->seq, ESP_OTA_IMG_VALID, plan);
        return;
    }
    /* The active record decides, so it stays until the confirmed one is complete; then the fallback's takes its place. */
    plan_write(two, other, seq, ESP_OTA_IMG_VALID, plan);
    if (has_fallback && !otadata_selects(&two[other], slot, slot_count)) {
        plan_change(CHANGE_WRITE, active, &two[other], plan);
    } else {
        plan_erase(two, active, plan); /* or a later reject would "fall back" to this very image */
    }
}

void switch_plan_reject(const otadata_entry_t two[OTADATA_COPY_COUNT], uint32_t slot_count,
                        switch_plan_t *plan)
{
    *plan = (switch_plan_t){0};
    const uint32_t active = (uint32_t)otadata_active(two), other = active ^ 1u;
    if (otadata_selects(&two[other], otadata_slot(two[active].seq, slot_count), slot_count)) {
        plan_erase(two, other, plan); /* an older record of the same image */
    }
    plan_write(two, active, two[active].seq, ESP_OTA_IMG_INVALID, plan);
}
