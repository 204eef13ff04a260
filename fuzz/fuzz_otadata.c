/*
 * otadata records, the boot decision over them, and the plans that change them.
 * Input: both records, then what the table offers, options, slots.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "boot/decision.h"
#include "boot/otadata.h"
#include "boot/switch_plan.h"
#include "fuzz.h"
#include "reference.h"

static void check_same_records(const otadata_entry_t two[2], const uint8_t raw[2][32])
{
    for (int i = 0; i < 2; i++) {
        uint8_t bytes[OTADATA_ENTRY_SIZE];
        otadata_encode(&two[i], bytes);
        FUZZ_CHECK(memcmp(bytes, raw[i], sizeof(bytes)) == 0, "record %d", i);
    }
}

static void check_decision(const uint8_t raw[2][32], const otadata_entry_t two[2],
                           const boot_candidates_t *have, bool rollback, const bool *new_enough)
{
    reference_have_t want_have = {have->otadata, have->factory, have->test, {0}, have->slot_count};
    memcpy(want_have.slots, have->slots, sizeof(want_have.slots));
    reference_boot_t want;
    boot_decision_t got;
    reference_boot_decide(raw, &want_have, rollback, new_enough, &want);
    boot_decide(two, have, rollback, new_enough, &got);
    FUZZ_CHECK(got.index == want.first && got.active == want.active &&
                   got.initial_contents == want.initial_contents,
               "first %d by %d initial %d, the reference says %d by %d initial %d", got.index, got.active,
               got.initial_contents, want.first, want.active, want.initial_contents);
    check_same_records(got.after, (const uint8_t(*)[32])want.after);
    bool changed[2] = {false, false};
    for (uint32_t i = 0; i < got.rewrite_count; i++) {
        changed[got.rewrites[i].copy] = true;
    }
    FUZZ_CHECK(changed[0] == want.changed[0] && changed[1] == want.changed[1], "another record is written");
    int order[BOOT_ORDER_MAX], want_order[32];
    uint32_t count = boot_order(got.index, have, order);
    FUZZ_CHECK(count == reference_boot_order(want.first, &want_have, want_order), "%u candidates", count);
    FUZZ_CHECK(memcmp(order, want_order, count * sizeof(order[0])) == 0, "another order");
    char text[192];
    FUZZ_CHECK(boot_explain(&got, have, text, sizeof(text)) == text && text[0] != '\0', "no reason");
}

/** The records after a plan, as the flash will hold them. */
static void apply(const otadata_entry_t two[2], const switch_plan_t *plan, otadata_entry_t after[2])
{
    static const uint8_t erased[OTADATA_ENTRY_SIZE] = {
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
    memcpy(after, two, 2 * sizeof(two[0]));
    FUZZ_CHECK(plan->count <= SWITCH_CHANGES_MAX, "%u changes", plan->count);
    for (uint32_t i = 0; i < plan->count; i++) {
        const switch_change_t *change = &plan->changes[i];
        FUZZ_CHECK(change->copy < 2, "copy %u", change->copy);
        if (change->kind == CHANGE_ERASE) {
            otadata_decode(erased, &after[change->copy]);
            continue;
        }
        FUZZ_CHECK(otadata_crc_matches(&change->entry), "a record with a wrong CRC");
        FUZZ_CHECK(change->entry.seq != OTADATA_SEQ_ERASED, "a record that reads as erased");
        after[change->copy] = change->entry;
    }
}

static void check_select(const otadata_entry_t two[2], uint32_t slot, uint32_t slot_count, uint32_t running,
                         uint32_t state)
{
    switch_plan_t plan;
    int before = otadata_active(two);
    const switch_wish_t wish = {.slot = slot, .state = state, .running = running, .slot_count = slot_count};
    if (switch_plan_select(two, &wish, &plan) != ESP_OK) {
        FUZZ_CHECK(before >= 0 && two[before].seq >= OTADATA_SEQ_ERASED - 2 * slot_count,
                   "refused for no reason");
        return;
    }
    otadata_entry_t after[2];
    apply(two, &plan, after);
    int active = otadata_active(after);
    FUZZ_CHECK(active >= 0 && otadata_slot(after[active].seq, slot_count) == slot &&
                   after[active].state == state,
               "slot %u of %u is not selected", slot, slot_count);
    /* Invariant 1 of switch_plan.c: the record of the confirmed, running image is never the one that is replaced. */
    if (before >= 0 && two[before].state == ESP_OTA_IMG_VALID &&
        otadata_slot(two[before].seq, slot_count) == running) {
        FUZZ_CHECK(plan.count == 0 || plan.changes[0].copy != (uint32_t)before,
                   "the confirmed image's record is replaced in place");
    }
}

static void check_confirm_and_reject(const otadata_entry_t two[2], uint32_t slot_count)
{
    int before = otadata_active(two);
    if (before < 0) {
        return; /* the callers look */
    }
    switch_plan_t plan;
    otadata_entry_t after[2];
    switch_plan_confirm(two, slot_count, slot_count % 2 == 0, &plan);
    apply(two, &plan, after);
    int active = otadata_active(after);
    FUZZ_CHECK(active >= 0 && after[active].state == ESP_OTA_IMG_VALID, "not confirmed");
    FUZZ_CHECK(otadata_slot(after[active].seq, slot_count) == otadata_slot(two[before].seq, slot_count),
               "another slot");
    switch_plan_reject(two, slot_count, &plan);
    apply(two, &plan, after);
    active = otadata_active(after);
    FUZZ_CHECK(active != before, "rejected and still active");
    FUZZ_CHECK(otadata_is_refused(&after[before]), "not rejected");
}

static void check_next_seq(uint32_t current, uint32_t slot, uint32_t slot_count)
{
    uint32_t next = 0;
    esp_err_t err = otadata_next_seq(current, slot, slot_count, &next);
    uint64_t want = (uint64_t)current + 1;
    while ((want - 1) % slot_count != slot) {
        want++;
    }
    FUZZ_CHECK((err == ESP_OK) == (want < OTADATA_SEQ_ERASED), "0x%x for %llu", err,
               (unsigned long long)want);
    FUZZ_CHECK(err != ESP_OK || next == want, "%u, should be %llu", next, (unsigned long long)want);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input_t in = {data, size};
    uint8_t raw[2][OTADATA_ENTRY_SIZE];
    otadata_entry_t two[2];
    memset(raw, 0xFF, sizeof(raw));
    for (int i = 0; i < 2; i++) {
        fuzz_input_t bytes = fuzz_take(&in, sizeof(raw[i]));
        if (bytes.len > 0) {
            memcpy(raw[i], bytes.bytes, bytes.len);
        }
    }
    uint8_t flags = fuzz_u8(&in);
    for (int i = 0; i < 2; i++) {
        uint32_t crc = reference_crc32(0xFFFFFFFFu, raw[i], 4);
        for (int k = 0; (flags & (0x40 << i)) != 0 && k < 4; k++) {
            raw[i][28 + k] = (uint8_t)(crc >> 8 * k);
        }
        otadata_decode(raw[i], &two[i]);
        FUZZ_CHECK(otadata_crc_matches(&two[i]) == (crc == reference_le32(raw[i] + 28)), "CRC of record %d",
                   i);
    }
    check_same_records(two, (const uint8_t(*)[32])raw);

    boot_candidates_t have = {
        .otadata = (flags & 1) != 0, .factory = (flags & 2) != 0, .test = (flags & 4) != 0};
    uint16_t slots = fuzz_u16(&in);
    for (uint32_t i = 0; i < BOOT_SLOTS_MAX; i++) {
        have.slots[i] = (slots >> i & 1) != 0;
    }
    have.slot_count = fuzz_u8(&in) % 96; /* rows with a slot's subtype, duplicates too */
    bool new_enough[2] = {(flags & 0x10) != 0, (flags & 0x20) != 0};
    bool rollback = (flags & 8) != 0;
    check_decision((const uint8_t(*)[32])raw, two, &have, rollback, NULL);
    check_decision((const uint8_t(*)[32])raw, two, &have, rollback, new_enough);

    uint32_t slot_count = 1 + fuzz_u8(&in) % BOOT_SLOTS_MAX;
    uint32_t slot = fuzz_u8(&in) % slot_count, running = fuzz_u8(&in);
    running = running < slot_count ? running : SWITCH_NO_SLOT;
    check_select(two, slot, slot_count, running, rollback ? ESP_OTA_IMG_NEW : ESP_OTA_IMG_UNDEFINED);
    check_confirm_and_reject(two, slot_count);
    check_next_seq(two[0].seq, slot, slot_count);
    return 0;
}
