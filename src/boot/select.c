/*
 * Plans for the application's record changes. A plan rewrites one copy: its sector is erased, then 32 bytes are
 * programmed, and a power cut in between leaves that copy blank and the other untouched.
 *
 * Invariants: what a cut may cost, and why it is never a confirmed image
 * 1. A record is replaced through the *other* copy while it is the one that names the confirmed image: it stays active
 *    until the new one is complete, because only a complete record has the right CRC (select_plan_slot, rules 3 and 6;
 *    select_plan_confirm when no other record is valid).
 * 2. A record is replaced *in place* only if losing it is the same as going back: it names an image that was never
 *    confirmed (NEW, PENDING_VERIFY), is being rejected, or names another slot than the running one. The other copy, or
 *    the fallback search, then boots what booted before the update.
 * 3. A trial never overwrites the record it would fall back to: the confirmed one is kept while the active one is on
 *    trial or selects what does not run (select_plan_slot, rules 4 and 5).
 * 4. Sequence numbers only grow from one selection to the next and never wrap (otadata_next_seq), so the newest complete
 *    record always wins. Two records never get the same number.
 * 5. What is already so is not written again: a repeated call costs no wear and opens no window.
 * 6. A record that a cut left half written does not outlive the next selection (select_plan_slot, rule 0).
 */
#include "boot/select.h"

#include <string.h>

typedef enum { REPLACE_NOTHING, REPLACE_ACTIVE_KEEP_SEQ, REPLACE_ACTIVE, REPLACE_OTHER } select_action_t;

/* Facts about the records that a rule asks for; a rule applies if all of its facts hold. */
enum {
    SAME_SLOT = 1u << 0,       /* the active record selects the wanted slot already */
    SAME_STATE = 1u << 1,      /* ... and has the wanted state */
    ON_TRIAL = 1u << 2,        /* the active record is NEW or PENDING_VERIFY */
    NOT_RUNNING = 1u << 3,     /* the active record selects another image than the running one */
    OTHER_CONFIRMED = 1u << 4, /* the other record is VALID */
    OTHER_IS_HOME = 1u << 5,   /* ... and selects the running slot */
    OTHER_TORN = 1u << 6,      /* the other record was left half written by a power cut */
};

/* First match wins; the last one always matches. */
static const struct select_rule {
    unsigned facts;
    select_action_t action;
} select_rules[] = {
    {OTHER_TORN, REPLACE_OTHER},               /* 0 bits of it may hang: it might read as whole next time */
    {SAME_SLOT | SAME_STATE, REPLACE_NOTHING}, /* 1 it is so */
    {SAME_SLOT | ON_TRIAL, REPLACE_ACTIVE_KEEP_SEQ},    /* 2 the trial's record changes, not its fallback */
    {SAME_SLOT | NOT_RUNNING, REPLACE_ACTIVE_KEEP_SEQ}, /* 2 */
    {SAME_SLOT, REPLACE_OTHER},                         /* 3 the running image is selected afresh */
    {ON_TRIAL | OTHER_CONFIRMED, REPLACE_ACTIVE},       /* 4 another mind before the trial was passed */
    {NOT_RUNNING | OTHER_IS_HOME, REPLACE_ACTIVE},      /* 5 what was selected did not boot */
    {0, REPLACE_OTHER},                                 /* 6 an ordinary update */
};

static bool is_on_trial(uint32_t state)
{
    return state == ESP_OTA_IMG_NEW || state == ESP_OTA_IMG_PENDING_VERIFY;
}

static unsigned gather_facts(const otadata_entry_t *active, const otadata_entry_t *other, uint32_t slot,
                             uint32_t slot_count, uint32_t running_slot, uint32_t state)
{
    unsigned facts = 0;
    facts |= otadata_slot(active->seq, slot_count) == slot ? SAME_SLOT : 0u;
    facts |= active->state == state ? SAME_STATE : 0u;
    facts |= is_on_trial(active->state) ? ON_TRIAL : 0u;
    facts |= otadata_slot(active->seq, slot_count) != running_slot ? NOT_RUNNING : 0u;
    bool confirmed = otadata_is_valid(other) && other->state == ESP_OTA_IMG_VALID;
    facts |= confirmed ? OTHER_CONFIRMED : 0u;
    facts |= confirmed && otadata_slot(other->seq, slot_count) == running_slot ? OTHER_IS_HOME : 0u;
    facts |= otadata_is_torn(other) ? OTHER_TORN : 0u;
    return facts;
}

static select_action_t choose_action(unsigned facts)
{
    size_t i = 0;
    while ((facts & select_rules[i].facts) != select_rules[i].facts) {
        i++;
    }
    return select_rules[i].action;
}

/** A record for `copy`, with the label its sector held: ESP-IDF keeps it. */
static void plan_write(const otadata_entry_t *two, uint32_t copy, uint32_t seq, uint32_t state,
                       select_plan_t *plan)
{
    plan->write = true;
    plan->copy = copy;
    plan->entry = otadata_make(seq, state);
    memcpy(plan->entry.label, two[copy].label, sizeof(plan->entry.label));
}

esp_err_t select_plan_slot(const otadata_entry_t two[OTADATA_COPY_COUNT], uint32_t slot, uint32_t slot_count,
                           uint32_t running_slot, uint32_t state, select_plan_t *plan)
{
    *plan = (select_plan_t){0};
    int found = otadata_active(two);
    if (found == OTADATA_NONE) {
        plan_write(two, 0, slot + 1, state, plan);
        return ESP_OK;
    }
    uint32_t active = (uint32_t)found, other = active ^ 1u, seq;
    const otadata_entry_t *now = &two[active];
    select_action_t action =
        choose_action(gather_facts(now, &two[other], slot, slot_count, running_slot, state));
    if (action == REPLACE_NOTHING) {
        return ESP_OK;
    }
    if (action == REPLACE_ACTIVE_KEEP_SEQ) {
        plan_write(two, active, now->seq, state, plan);
        return ESP_OK;
    }
    esp_err_t err = otadata_next_seq(now->seq, slot, slot_count, &seq);
    if (err == ESP_OK) {
        plan_write(two, action == REPLACE_ACTIVE ? active : other, seq, state, plan);
    }
    return err;
}

void select_plan_confirm(const otadata_entry_t two[OTADATA_COPY_COUNT], uint32_t slot_count,
                         select_plan_t *plan)
{
    *plan = (select_plan_t){0};
    uint32_t active = (uint32_t)otadata_active(two), other = active ^ 1u, seq;
    const otadata_entry_t *now = &two[active];
    if (now->state == ESP_OTA_IMG_VALID) {
        return;
    }
    bool only_record = !is_on_trial(now->state) && !otadata_is_valid(&two[other]);
    if (only_record &&
        otadata_next_seq(now->seq, otadata_slot(now->seq, slot_count), slot_count, &seq) == ESP_OK) {
        plan_write(two, other, seq, ESP_OTA_IMG_VALID, plan);
        plan->erase_other = true; /* or a later reject would "fall back" to this very image */
        return;
    }
    plan_write(two, active, now->seq, ESP_OTA_IMG_VALID, plan);
}

void select_plan_reject(const otadata_entry_t two[OTADATA_COPY_COUNT], select_plan_t *plan)
{
    *plan = (select_plan_t){0};
    uint32_t active = (uint32_t)otadata_active(two);
    plan_write(two, active, two[active].seq, ESP_OTA_IMG_INVALID, plan);
}
