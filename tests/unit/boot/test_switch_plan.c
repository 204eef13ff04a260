/*
 * The application's otadata plans, exhaustively: every pair of records, every set of whole images, what the bootloader makes
 * of them, then every one or two wishes of the application, a power cut in every change, and trials that fail.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "boot/decision.h"
#include "boot/switch_plan.h"

static const uint32_t states[] = {ESP_OTA_IMG_NEW,     ESP_OTA_IMG_PENDING_VERIFY, ESP_OTA_IMG_VALID,
                                  ESP_OTA_IMG_INVALID, ESP_OTA_IMG_ABORTED,        ESP_OTA_IMG_UNDEFINED};
static const uint32_t seqs[] = {OTADATA_SEQ_ERASED, 1, 2, 3, 4, 5};

#define STATE_COUNT (sizeof(states) / sizeof(states[0]))
#define SEQ_COUNT   (sizeof(seqs) / sizeof(seqs[0]))
#define PAIR_COUNT  (SEQ_COUNT * SEQ_COUNT * STATE_COUNT * STATE_COUNT)

#define FF4 0xFF, 0xFF, 0xFF, 0xFF
static const otadata_entry_t erased = {
    .seq = UINT32_MAX, .label = {FF4, FF4, FF4, FF4, FF4}, .state = UINT32_MAX, .crc = UINT32_MAX};

/* ---- a device: records, and which images are whole ---- */

#define NOTHING (-3) /* as an index: no image is whole */

typedef struct {
    otadata_entry_t two[2];
    boot_candidates_t have;
    bool rollback;
    unsigned whole; /* bit n: slot n; bit slot_count: factory */
    int running;    /* since the last start */
} model_t;

static bool is_whole(const model_t *m, int index)
{
    return (m->whole >> (index == BOOT_INDEX_FACTORY ? m->have.slot_count : (uint32_t)index) & 1u) != 0;
}

/** The bootloader: decides, rewrites, searches. */
static int start(model_t *m)
{
    boot_decision_t decision;
    otadata_entry_t entry;
    int order[BOOT_ORDER_MAX];
    boot_decide(m->two, &m->have, m->rollback, NULL, &decision);
    memcpy(m->two, decision.after, sizeof(m->two));
    uint32_t count = boot_order(decision.index, &m->have, order);
    m->running = NOTHING;
    for (uint32_t i = 0; i < count && m->running == NOTHING; i++) {
        m->running = is_whole(m, order[i]) ? order[i] : NOTHING;
    }
    if (m->running != NOTHING && boot_initial_entry(&decision, m->running, &entry)) {
        m->two[0] = entry;
    }
    return m->running;
}

static int would_start(const model_t *m)
{
    model_t copy = *m;
    return start(&copy);
}

static uint32_t running_slot(const model_t *m)
{
    return m->running < 0 ? SWITCH_NO_SLOT : (uint32_t)m->running;
}

/** A record says that what runs is on trial. */
static bool is_on_trial(const model_t *m)
{
    for (int copy = 0; copy < 2; copy++) {
        if (otadata_selects(&m->two[copy], running_slot(m), m->have.slot_count) &&
            m->two[copy].state == ESP_OTA_IMG_PENDING_VERIFY) {
            return true;
        }
    }
    return false;
}

/** What starts when the trial that begins now fails, if there is one. */
static int starts_in_the_end(const model_t *m)
{
    model_t copy = *m;
    start(&copy);
    return start(&copy);
}

/** Carries out the first `count` changes; of the next one only the erase, if there is one. */
static void carry_out(model_t *m, const switch_plan_t *plan, uint32_t count)
{
    for (uint32_t i = 0; i < plan->count && i <= count; i++) {
        const switch_change_t *change = &plan->changes[i];
        otadata_entry_t *entry = &m->two[change->copy];
        if (change->kind == CHANGE_CONFIRM) {
            entry->state = i == count ? 0xFFFFFF00u | ESP_OTA_IMG_VALID : ESP_OTA_IMG_VALID;
        } else {
            *entry = i == count || change->kind == CHANGE_ERASE ? erased : change->entry;
        }
    }
}

static void fail_case(const char *what, const model_t *before, const char *wish, int slot)
{
    fail_msg("%s: copy 0 seq %u %s, copy 1 seq %u %s, %u slots, whole %#x, rollback %d, running %d, %s %d",
             what, before->two[0].seq, otadata_state_name(before->two[0].state), before->two[1].seq,
             otadata_state_name(before->two[1].state), before->have.slot_count, before->whole,
             before->rollback, before->running, wish, slot);
}

/* ---- every device ---- */

static void make_pair(size_t number, otadata_entry_t two[2])
{
    for (int copy = 0; copy < 2; copy++) {
        uint32_t seq = seqs[number % SEQ_COUNT];
        number /= SEQ_COUNT;
        uint32_t state = states[number % STATE_COUNT];
        number /= STATE_COUNT;
        two[copy] = seq == OTADATA_SEQ_ERASED ? erased : otadata_make(seq, state);
    }
}

static bool is_trial(uint32_t state)
{
    return state == ESP_OTA_IMG_NEW || state == ESP_OTA_IMG_PENDING_VERIFY;
}

/** Nothing writes the same number twice, a trial without rollback, or a trial above a selection that has not booted. */
static bool can_be(const model_t *m)
{
    const otadata_entry_t *low = &m->two[m->two[0].seq < m->two[1].seq ? 0 : 1],
                          *high = &m->two[low == m->two];
    if (!m->rollback) {
        return !is_trial(low->state) && !is_trial(high->state) && low->seq != high->seq;
    }
    bool blank = high->seq == OTADATA_SEQ_ERASED;
    return blank || (low->seq != high->seq && !(low->state == ESP_OTA_IMG_NEW && is_trial(high->state)));
}

/** Calls `check` with every device that has just started an image. */
static void for_every_device(void (*check)(const model_t *m))
{
    for (size_t pair = 0; pair < PAIR_COUNT; pair++) {
        for (uint32_t slots = 2; slots <= 3; slots++) {
            for (unsigned whole = 1; whole < 2u << slots; whole++) {
                for (int rollback = 0; rollback <= 1; rollback++) {
                    model_t m = {.rollback = rollback != 0, .whole = whole};
                    m.have = (boot_candidates_t){.otadata = true, .slot_count = slots};
                    m.have.factory = (whole >> slots) != 0;
                    memset(m.have.slots, true, slots);
                    make_pair(pair, m.two);
                    if (can_be(&m)) {
                        start(&m);
                        check(&m);
                    }
                }
            }
        }
    }
}

static switch_wish_t wish_for(const model_t *m, uint32_t slot)
{
    return (switch_wish_t){.slot = slot,
                           .state = m->rollback ? ESP_OTA_IMG_NEW : ESP_OTA_IMG_UNDEFINED,
                           .running = running_slot(m),
                           .slot_count = m->have.slot_count,
                           .factory = m->have.factory};
}

/**
 * Selects `slot`. Done, it starts next, and if its trial fails what runs now is back; cut anywhere, what starts is what runs
 * now, what had been selected before, or the new one.
 * @param fallback  what runs now, or what comes when its own trial fails
 */
static model_t check_wish(const model_t *before, uint32_t slot, int fallback)
{
    const switch_wish_t wish = wish_for(before, slot);
    switch_plan_t plan;
    assert_int_equal(switch_plan_select(before->two, &wish, &plan), ESP_OK);
    const int earlier = would_start(before);
    for (uint32_t done = 0; done < plan.count; done++) {
        model_t cut = *before;
        carry_out(&cut, &plan, done);
        int now = would_start(&cut);
        if (now != fallback && now != earlier && now != before->running) {
            fail_case("a cut starts what nobody wants", before, "selecting", (int)slot);
        }
        if (before->rollback && starts_in_the_end(&cut) != fallback && now != before->running &&
            before->running == fallback && earlier == fallback) {
            fail_case("after a cut a failed trial does not lead to the fallback", before, "selecting",
                      (int)slot);
        }
    }
    model_t after = *before;
    carry_out(&after, &plan, plan.count);
    if (would_start(&after) != (int)slot) {
        fail_case("the selected slot does not start", before, "selecting", (int)slot);
    }
    if (before->rollback && (int)slot != before->running && starts_in_the_end(&after) != fallback) {
        fail_case("a failed trial does not lead to the fallback", before, "selecting", (int)slot);
    }
    return after;
}

/** What an image on trial has selected fails, too: then fallback is needed, and no update may have begun in its slot. */
static void check_fallback(const model_t *before, int fallback)
{
    for (uint32_t slot = 0; slot < before->have.slot_count; slot++) {
        const switch_wish_t wish = wish_for(before, slot);
        if ((int)slot == before->running || is_on_trial(before) ||
            switch_plan_is_fallback(before->two, &wish)) {
            continue; /* is refused */
        }
        model_t after = *before;
        switch_plan_t plan;
        assert_int_equal(switch_plan_release(before->two, &wish, &plan), ESP_OK);
        carry_out(&after, &plan, plan.count);
        after.whole &= ~(1u << slot);
        if (starts_in_the_end(&after) != fallback && (int)slot == fallback) {
            fail_case("an update during a trial costs the fallback", before, "beginning in", (int)slot);
        }
    }
}

/** An update into `slot` begins: from its first erase on, what runs starts, or another slot that had been selected. */
static void check_release(const model_t *before, uint32_t slot)
{
    const switch_wish_t wish = wish_for(before, slot);
    switch_plan_t plan;
    const int earlier = would_start(before), fallback = before->running;
    assert_int_equal(switch_plan_release(before->two, &wish, &plan), ESP_OK);
    for (uint32_t done = 0; done < plan.count; done++) {
        model_t cut = *before;
        carry_out(&cut, &plan, done);
        int now = would_start(&cut);
        if (now != fallback && now != earlier) {
            fail_case("a cut starts what nobody wants", before, "beginning in", (int)slot);
        }
    }
    model_t after = *before;
    carry_out(&after, &plan, plan.count);
    after.whole &= ~(1u << slot);
    int now = would_start(&after);
    if (now != fallback && (now != earlier || earlier == (int)slot)) {
        fail_case("neither what runs nor what was selected starts", before, "beginning in", (int)slot);
    }
}

/** What is selected is confirmed. Cut anywhere, it starts as before, or, while it is on trial, what it would fall back to. */
static void check_confirmation(const model_t *before, int fallback, bool bytewise)
{
    const int active = otadata_active(before->two), expected = would_start(before);
    if (active == OTADATA_NONE) {
        return;
    }
    switch_plan_t plan;
    switch_plan_confirm(before->two, before->have.slot_count, bytewise, &plan);
    const int slot = (int)otadata_slot(before->two[active].seq, before->have.slot_count);
    const bool trial = is_trial(before->two[active].state);
    for (uint32_t done = 0; done < plan.count; done++) {
        model_t cut = *before;
        carry_out(&cut, &plan, done);
        int now = would_start(&cut);
        if (now != expected && !(trial && now == fallback)) {
            fail_case("a cut loses what decides", before, "confirming", slot);
        }
    }
    model_t after = *before;
    carry_out(&after, &plan, plan.count);
    if (is_whole(before, slot) && (would_start(&after) != slot || starts_in_the_end(&after) != slot)) {
        fail_case("what was confirmed does not start for good", before, "confirming", slot);
    }
}

/** The slot holds a whole image, or gets one by an update, which does not begin during a trial. */
static bool can_select(model_t *m, uint32_t slot, bool trial)
{
    m->whole |= trial ? 0 : 1u << slot;
    return is_whole(m, (int)slot);
}

static void check_device(const model_t *m)
{
    const bool trial = is_on_trial(m);
    const int fallback = trial ? would_start(m) : m->running;
    check_confirmation(m, fallback, true);
    check_confirmation(m, fallback, false);
    for (uint32_t first = 0; first < m->have.slot_count; first++) {
        model_t once = *m;
        if (!trial && (int)first != m->running && m->running != NOTHING) {
            check_release(m, first);
        }
        if (!can_select(&once, first, trial)) {
            continue;
        }
        once = check_wish(&once, first, fallback);
        check_confirmation(&once, fallback, true);
        check_confirmation(&once, fallback, false);
        if (trial && (int)first != m->running && (int)first != fallback) {
            check_fallback(&once, fallback);
        }
        for (uint32_t next = 0; next < m->have.slot_count && !trial; next++) {
            if ((int)next != m->running) {
                check_release(&once, next);
            }
        }
        /* A trial that is selected afresh by its own application is had once more, whatever comes then. */
        const bool once_more = trial && (int)first == m->running;
        for (uint32_t second = 0; second < m->have.slot_count && !once_more; second++) {
            model_t twice = once;
            if (can_select(&twice, second, trial)) {
                (void)check_wish(&twice, second, fallback);
            }
        }
    }
}

static void wishes_come_true_and_neither_cuts_nor_failed_trials_lose_the_fallback(void **state)
{
    (void)state;
    for_every_device(check_device);
}

/* ---- single cases ---- */

#define BLANK                                                                                                \
    {                                                                                                        \
        UINT32_MAX, UINT32_MAX                                                                               \
    }
#define AT(n, st)                                                                                            \
    {                                                                                                        \
        n, ESP_OTA_IMG_##st                                                                                  \
    }
#define NO_SLOT    SWITCH_NO_SLOT
#define COPIES_MAX 2

typedef struct {
    uint32_t seq, state;
} short_record_t;

static otadata_entry_t whole_record(const short_record_t *r)
{
    return r->seq == UINT32_MAX ? erased : otadata_make(r->seq, r->state);
}

static const struct {
    const char *name;
    short_record_t two[2];
    uint32_t slot, slot_count, running;
    uint32_t count; /* changes */
    struct {
        uint32_t copy;
        switch_change_kind_t kind;
        short_record_t entry;
    } changes[COPIES_MAX];
} selections[] = {
    {"an ordinary update", {AT(1, VALID), BLANK}, 1, 2, 0, 1, {{1, CHANGE_WRITE, AT(2, NEW)}}},
    {"the same again", {AT(1, VALID), AT(2, NEW)}, 1, 2, 0, 0, {{0}}},
    {"a second selection, the fallback has a record",
     {AT(1, VALID), AT(2, NEW)},
     2,
     3,
     0,
     1,
     {{1, CHANGE_WRITE, AT(3, NEW)}}},
    {"a second selection, the fallback's record was never confirmed",
     {AT(1, UNDEFINED), AT(2, NEW)},
     2,
     3,
     0,
     1,
     {{1, CHANGE_WRITE, AT(3, NEW)}}},
    {"a second selection, the fallback is factory",
     {AT(1, NEW), BLANK},
     1,
     2,
     NO_SLOT,
     1,
     {{0, CHANGE_WRITE, AT(2, NEW)}}},
    {"a second selection, a third image between",
     {AT(1, NEW), AT(2, NEW)},
     0,
     2,
     NO_SLOT,
     2,
     {{0, CHANGE_ERASE, AT(1, NEW)}, {1, CHANGE_WRITE, AT(3, NEW)}}},
    {"what was selected did not boot, the fallback has no record",
     {AT(1, PENDING_VERIFY), BLANK},
     2,
     3,
     1,
     2,
     {{1, CHANGE_WRITE, AT(2, UNDEFINED)}, {0, CHANGE_WRITE, AT(3, NEW)}}},
    {"no record at all, the fallback is not where the search begins",
     {BLANK, BLANK},
     0,
     2,
     1,
     2,
     {{1, CHANGE_WRITE, AT(2, UNDEFINED)}, {0, CHANGE_WRITE, AT(3, NEW)}}},
    {"no record at all, the search finds the fallback",
     {BLANK, BLANK},
     1,
     2,
     0,
     1,
     {{0, CHANGE_WRITE, AT(2, NEW)}}},
};

static void the_records_are_these(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(selections) / sizeof(selections[0]); i++) {
        const otadata_entry_t two[2] = {whole_record(&selections[i].two[0]),
                                        whole_record(&selections[i].two[1])};
        const switch_wish_t wish = {.slot = selections[i].slot,
                                    .state = ESP_OTA_IMG_NEW,
                                    .running = selections[i].running,
                                    .slot_count = selections[i].slot_count};
        switch_plan_t plan;
        assert_int_equal(switch_plan_select(two, &wish, &plan), ESP_OK);
        bool same = plan.count == selections[i].count;
        for (uint32_t n = 0; same && n < plan.count; n++) {
            const otadata_entry_t entry = whole_record(&selections[i].changes[n].entry);
            same = plan.changes[n].copy == selections[i].changes[n].copy &&
                   plan.changes[n].kind == selections[i].changes[n].kind &&
                   plan.changes[n].entry.seq == entry.seq && plan.changes[n].entry.state == entry.state;
        }
        if (!same) {
            fail_msg("%s: %u changes, the first in copy %u: seq %u %s", selections[i].name, plan.count,
                     plan.changes[0].copy, plan.changes[0].entry.seq,
                     otadata_state_name(plan.changes[0].entry.state));
        }
    }
}

static void used_up_numbers_are_refused(void **state)
{
    (void)state;
    const otadata_entry_t two[2] = {otadata_make(0xFFFFFFFE, ESP_OTA_IMG_VALID),
                                    otadata_make(0xFFFFFFFD, ESP_OTA_IMG_VALID)};
    const switch_wish_t wish = {.slot = 0, .state = ESP_OTA_IMG_NEW, .running = 1, .slot_count = 2};
    switch_plan_t plan;
    assert_int_equal(switch_plan_select(two, &wish, &plan), ESP_ERR_OTA_SELECT_INFO_INVALID);
    assert_int_equal(plan.count, 0);
}

static void confirming_the_only_record_leaves_one_record(void **state)
{
    (void)state;
    const otadata_entry_t two[2] = {otadata_make(1, ESP_OTA_IMG_UNDEFINED), erased};
    switch_plan_t plan;
    switch_plan_confirm(two, 2, false, &plan);
    assert_int_equal(plan.count, 2);
    assert_int_equal(plan.changes[0].copy, 1);
    assert_int_equal(plan.changes[0].entry.seq, 3);
    assert_int_equal(plan.changes[0].entry.state, ESP_OTA_IMG_VALID);
    assert_int_equal(plan.changes[1].copy, 0);
    assert_int_equal(plan.changes[1].kind, CHANGE_ERASE);
}

static void confirming_beside_another_record_keeps_the_fallback(void **state)
{
    (void)state;
    const otadata_entry_t two[2] = {otadata_make(1, ESP_OTA_IMG_VALID),
                                    otadata_make(2, ESP_OTA_IMG_UNDEFINED)};
    switch_plan_t plan;
    switch_plan_confirm(two, 2, false, &plan);
    assert_int_equal(plan.count, 2);
    assert_int_equal(plan.changes[0].copy, 0);
    assert_int_equal(plan.changes[0].entry.seq, 4);
    assert_int_equal(plan.changes[0].entry.state, ESP_OTA_IMG_VALID);
    assert_int_equal(plan.changes[1].copy, 1);
    assert_int_equal(plan.changes[1].kind, CHANGE_WRITE);
    assert_int_equal(plan.changes[1].entry.seq, 1);
}

static void confirming_byte_by_byte_meets_no_refused_state(void **state)
{
    (void)state;
    for (uint32_t bits = 0; bits < 256; bits++) {
        const otadata_entry_t two[2] = {otadata_make(1, 0xFFFFFF00u | bits), erased};
        switch_plan_t plan;
        switch_plan_confirm(two, 2, true, &plan);
        assert_int_equal(plan.changes[0].kind == CHANGE_CONFIRM, (bits & 2u) != 0);
        const otadata_entry_t low[2] = {otadata_make(1, bits),
                                        erased}; /* as the states that have a meaning */
        if (otadata_is_refused(&low[0])) {
            continue;
        }
        switch_plan_confirm(low, 2, true, &plan);
        assert_true(plan.count == 0 || plan.changes[0].kind != CHANGE_CONFIRM);
    }
}

static void rejecting_leads_to_where_a_cut_leads(void **state)
{
    (void)state;
    for (size_t pair = 0; pair < PAIR_COUNT; pair++) {
        model_t before = {.rollback = true, .whole = 7};
        before.have = (boot_candidates_t){.otadata = true, .factory = true, .slot_count = 2};
        before.have.slots[0] = before.have.slots[1] = true;
        make_pair(pair, before.two);
        const int active = otadata_active(before.two);
        if (active == OTADATA_NONE) {
            continue;
        }
        const int rejected = (int)otadata_slot(before.two[active].seq, 2);
        switch_plan_t plan;
        switch_plan_reject(before.two, 2, &plan);
        model_t done = before, cut = before;
        carry_out(&done, &plan, plan.count);
        carry_out(&cut, &plan, plan.count - 1);
        assert_int_equal(would_start(&done), would_start(&cut));
        assert_int_not_equal(would_start(&done), rejected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wishes_come_true_and_neither_cuts_nor_failed_trials_lose_the_fallback),
        cmocka_unit_test(the_records_are_these),
        cmocka_unit_test(used_up_numbers_are_refused),
        cmocka_unit_test(confirming_the_only_record_leaves_one_record),
        cmocka_unit_test(confirming_beside_another_record_keeps_the_fallback),
        cmocka_unit_test(confirming_byte_by_byte_meets_no_refused_state),
        cmocka_unit_test(rejecting_leads_to_where_a_cut_leads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
