/* The application's otadata plans, exhaustively: every pair of records, every wish, with a power cut after the erase. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "boot/decision.h"
#include "boot/select.h"

static const uint32_t states[] = {ESP_OTA_IMG_NEW,     ESP_OTA_IMG_PENDING_VERIFY, ESP_OTA_IMG_VALID,
                                  ESP_OTA_IMG_INVALID, ESP_OTA_IMG_ABORTED,        ESP_OTA_IMG_UNDEFINED};
static const uint32_t seqs[] = {OTADATA_SEQ_ERASED, 1, 2, 3, 4, 5};

#define STATE_COUNT (sizeof(states) / sizeof(states[0]))
#define SEQ_COUNT   (sizeof(seqs) / sizeof(seqs[0]))
#define PAIR_COUNT  (SEQ_COUNT * SEQ_COUNT * STATE_COUNT * STATE_COUNT)

static const otadata_entry_t erased = {
    .seq = UINT32_MAX, .label = {0}, .state = UINT32_MAX, .crc = UINT32_MAX};

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

static int boots(const otadata_entry_t two[2], uint32_t slot_count, bool rollback, otadata_entry_t after[2])
{
    boot_candidates_t have = {.otadata = true, .factory = true, .slot_count = slot_count};
    memset(have.slots, true, slot_count);
    boot_selection_t selection;
    boot_select(two, &have, rollback, NULL, &selection);
    if (after != NULL) {
        memcpy(after, selection.after, sizeof(selection.after));
    }
    return selection.index;
}

/** The running, confirmed image: a VALID record that names it. */
static bool is_confirmed(const otadata_entry_t two[2], uint32_t slot_count, uint32_t slot)
{
    for (int copy = 0; copy < 2; copy++) {
        if (otadata_is_valid(&two[copy]) && two[copy].state == ESP_OTA_IMG_VALID &&
            otadata_slot(two[copy].seq, slot_count) == slot) {
            return true;
        }
    }
    return false;
}

static void carry_out(const select_plan_t *plan, bool cut, otadata_entry_t two[2])
{
    if (plan->write) {
        two[plan->copy] = cut ? erased : plan->entry;
    }
}

static void describe(const char *what, const otadata_entry_t two[2], uint32_t slot, uint32_t running)
{
    fail_msg("%s: copy 0 seq %u %s, copy 1 seq %u %s, wanted slot %u, running %d", what, two[0].seq,
             otadata_state_name(two[0].state), two[1].seq, otadata_state_name(two[1].state), slot,
             (int)running);
}

/** One wish on one pair: done, it takes effect; cut, the confirmed image that runs is not lost. */
static void check_selection(const otadata_entry_t before[2], uint32_t slot, uint32_t running,
                            uint32_t slot_count, bool rollback)
{
    otadata_entry_t two[2], after[2];
    select_plan_t plan;
    uint32_t state = rollback ? ESP_OTA_IMG_NEW : ESP_OTA_IMG_UNDEFINED;
    assert_int_equal(select_plan_slot(before, slot, slot_count, running, state, &plan), ESP_OK);

    memcpy(two, before, sizeof(two));
    carry_out(&plan, false, two);
    if (boots(two, slot_count, rollback, after) != (int)slot) {
        describe("the selected slot does not boot", before, slot, running);
    }
    if (running == SELECT_NO_SLOT || !is_confirmed(before, slot_count, running)) {
        return;
    }
    if (rollback && slot != running && boots(after, slot_count, true, NULL) != (int)running &&
        is_confirmed(after, slot_count, running)) {
        describe("an unconfirmed trial does not fall back", before, slot, running);
    }
    memcpy(two, before, sizeof(two));
    int old = boots(two, slot_count, rollback, NULL);
    carry_out(&plan, true, two);
    int now = boots(two, slot_count, rollback, NULL);
    if (now != old && now != (int)running) {
        describe("a cut loses the confirmed image", before, slot, running);
    }
}

static void selecting_takes_effect_and_a_cut_loses_nothing_confirmed(void **state)
{
    (void)state;
    for (size_t pair = 0; pair < PAIR_COUNT; pair++) {
        otadata_entry_t two[2];
        make_pair(pair, two);
        for (uint32_t slot_count = 2; slot_count <= 3; slot_count++) {
            for (uint32_t slot = 0; slot < slot_count; slot++) {
                for (uint32_t running = 0; running <= slot_count; running++) {
                    uint32_t from = running < slot_count ? running : SELECT_NO_SLOT;
                    check_selection(two, slot, from, slot_count, false);
                    check_selection(two, slot, from, slot_count, true);
                }
            }
        }
    }
}

static void selecting_again_writes_nothing(void **state)
{
    (void)state;
    otadata_entry_t two[2] = {otadata_make(1, ESP_OTA_IMG_VALID), erased};
    select_plan_t plan;
    assert_int_equal(select_plan_slot(two, 1, 2, 0, ESP_OTA_IMG_NEW, &plan), ESP_OK);
    assert_true(plan.write);
    carry_out(&plan, false, two);
    assert_int_equal(select_plan_slot(two, 1, 2, 0, ESP_OTA_IMG_NEW, &plan), ESP_OK);
    assert_false(plan.write);
}

static void another_mind_before_the_restart_keeps_the_running_images_record(void **state)
{
    (void)state;
    otadata_entry_t two[2] = {otadata_make(1, ESP_OTA_IMG_VALID), otadata_make(2, ESP_OTA_IMG_NEW)};
    select_plan_t plan;
    assert_int_equal(select_plan_slot(two, 2, 3, 0, ESP_OTA_IMG_NEW, &plan), ESP_OK);
    assert_true(plan.write);
    assert_int_equal(plan.copy, 1);
    assert_int_equal(plan.entry.seq, 3);
}

static void used_up_numbers_are_refused(void **state)
{
    (void)state;
    const otadata_entry_t two[2] = {otadata_make(0xFFFFFFFE, ESP_OTA_IMG_VALID),
                                    otadata_make(0xFFFFFFFD, ESP_OTA_IMG_VALID)};
    select_plan_t plan;
    assert_int_equal(select_plan_slot(two, 0, 2, 1, ESP_OTA_IMG_NEW, &plan), ESP_ERR_OTA_SELECT_INFO_INVALID);
    assert_false(plan.write);
}

static void confirming_takes_effect_and_a_cut_loses_nothing_confirmed(void **state)
{
    (void)state;
    for (size_t pair = 0; pair < PAIR_COUNT; pair++) {
        otadata_entry_t before[2], two[2];
        make_pair(pair, before);
        int active = otadata_active(before);
        if (active == OTADATA_NONE) {
            continue;
        }
        uint32_t slot = otadata_slot(before[active].seq, 2);
        select_plan_t plan;
        select_plan_confirm(before, 2, &plan);
        assert_int_equal(plan.write, before[active].state != ESP_OTA_IMG_VALID);

        memcpy(two, before, sizeof(two));
        carry_out(&plan, false, two);
        if (boots(two, 2, true, NULL) != (int)slot || two[otadata_active(two)].state != ESP_OTA_IMG_VALID) {
            describe("not confirmed", before, slot, slot);
        }
        memcpy(two, before, sizeof(two));
        carry_out(&plan, true, two);
        bool on_trial =
            before[active].state == ESP_OTA_IMG_NEW || before[active].state == ESP_OTA_IMG_PENDING_VERIFY;
        bool has_previous = otadata_is_valid(&before[active ^ 1]);
        if (!on_trial && !has_previous && boots(two, 2, false, NULL) != (int)slot) {
            describe("a cut loses the only record", before, slot, slot);
        }
    }
}

static void confirming_the_only_record_leaves_one_record(void **state)
{
    (void)state;
    const otadata_entry_t two[2] = {otadata_make(1, ESP_OTA_IMG_UNDEFINED), erased};
    select_plan_t plan;
    select_plan_confirm(two, 2, &plan);
    assert_true(plan.write && plan.erase_other);
    assert_int_equal(plan.copy, 1);
    assert_int_equal(plan.entry.seq, 3);
    assert_int_equal(plan.entry.state, ESP_OTA_IMG_VALID);
}

static void rejecting_leads_to_where_a_cut_leads(void **state)
{
    (void)state;
    for (size_t pair = 0; pair < PAIR_COUNT; pair++) {
        otadata_entry_t before[2], done[2], cut[2];
        make_pair(pair, before);
        if (otadata_active(before) == OTADATA_NONE) {
            continue;
        }
        select_plan_t plan;
        select_plan_reject(before, &plan);
        memcpy(done, before, sizeof(done));
        memcpy(cut, before, sizeof(cut));
        carry_out(&plan, false, done);
        carry_out(&plan, true, cut);
        assert_int_equal(boots(done, 2, true, NULL), boots(cut, 2, true, NULL));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(selecting_takes_effect_and_a_cut_loses_nothing_confirmed),
        cmocka_unit_test(selecting_again_writes_nothing),
        cmocka_unit_test(another_mind_before_the_restart_keeps_the_running_images_record),
        cmocka_unit_test(used_up_numbers_are_refused),
        cmocka_unit_test(confirming_takes_effect_and_a_cut_loses_nothing_confirmed),
        cmocka_unit_test(confirming_the_only_record_leaves_one_record),
        cmocka_unit_test(rejecting_leads_to_where_a_cut_leads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
