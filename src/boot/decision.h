/* The boot decision as a function of values: records and what exists in, first choice, order and rewrites out. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "boot/otadata.h"

#define BOOT_SLOTS_MAX 16u

/* What boots, as ESP-IDF's bootloader counts: ota_n is n. */
#define BOOT_INDEX_FACTORY (-1)
#define BOOT_INDEX_TEST    (-2)

#define BOOT_ORDER_MAX (BOOT_SLOTS_MAX + 2u)

/** What the partition table offers. */
typedef struct {
    bool otadata, factory, test;
    bool slots[BOOT_SLOTS_MAX];
    uint32_t slot_count; /* rows with an ota_n subtype, duplicates too; a slot at or above it never boots */
} boot_candidates_t;

/** One copy that the decision changes. */
typedef struct {
    uint32_t copy;
    otadata_entry_t entry;
} boot_rewrite_t;

#define BOOT_REWRITES_MAX 3u /* both copies swept, then the chosen one started */

typedef struct {
    int index;             /* tried first */
    int active;            /* the copy that decided, OTADATA_NONE */
    bool initial_contents; /* a slot that starts gets the first record: see boot_initial_entry */
    bool raise_version; /* anti-rollback: the active image is confirmed, older ones are refused from now on */
    otadata_entry_t after[OTADATA_COPY_COUNT]; /* the records once the rewrites are done */
    boot_rewrite_t rewrites[BOOT_REWRITES_MAX];
    uint32_t rewrite_count; /* to be written in this order, before any image is looked at */
} boot_decision_t;

/**
 * Choose (FORMATS.md section 7, with anti-rollback section 8).
 * @param new_enough  per copy: the image of its slot may run on this device. NULL: no anti-rollback.
 */
void boot_decide(const otadata_entry_t two[OTADATA_COPY_COUNT], const boot_candidates_t *have, bool rollback,
                 const bool *new_enough, boot_decision_t *out);

/** The candidates in the order they are tried: first choice, down to factory, up, test. @return how many */
uint32_t boot_order(int first, const boot_candidates_t *have, int order[BOOT_ORDER_MAX]);

/** True if `started` gets the first record of a new device; it belongs into copy 0. */
bool boot_initial_entry(const boot_decision_t *decision, int started, otadata_entry_t *entry);

/** One line on why `decision` chose what it chose. Returns buf. */
const char *boot_explain(const boot_decision_t *decision, const boot_candidates_t *have, char *buf,
                         uint32_t size);

/** "factory", "test", "ota_3". Returns buf. */
const char *boot_index_name(int index, char buf[12]);
