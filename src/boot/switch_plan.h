/* Plans for what the application changes in otadata: which copy is rewritten, and how. Pure; ota/switch.c carries them out. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "boot/otadata.h"
#include "otter/promise.h"

typedef enum {
    CHANGE_WRITE,  /* erased, then programmed with `entry` */
    CHANGE_ERASE,  /* erased */
    CHANGE_CONFIRM /* only the state is programmed, to VALID, and the record is valid at every moment */
} switch_change_kind_t;

/** How one copy changes. */
typedef struct {
    switch_change_kind_t kind;
    uint32_t copy;
    otadata_entry_t entry; /* as it is afterwards; ERASE: before */
} switch_change_t;

#define SWITCH_CHANGES_MAX 2u

/** Changes in the order in which they are made durable. None if the records say already what is wanted. */
typedef struct {
    uint32_t count;
    switch_change_t changes[SWITCH_CHANGES_MAX];
} switch_plan_t;

#define SWITCH_NO_SLOT UINT32_MAX /* what runs is no slot: factory, test */

/** What the application wants, and where it stands. */
typedef struct {
    uint32_t slot;       /* the one to boot next, or the one to be overwritten */
    uint32_t state;      /* of its record: NEW with rollback, else UNDEFINED */
    uint32_t running;    /* the slot that runs, SWITCH_NO_SLOT */
    uint32_t slot_count; /* > 0 */
    bool factory;        /* there is a factory application: it boots if no record selects a slot */
} switch_wish_t;

/**
 * Make `wish->slot` boot next.
 * @return ESP_OK, ESP_ERR_OTA_SELECT_INFO_INVALID (sequence numbers are used up)
 */
OTTER_MUST_CHECK esp_err_t switch_plan_select(const otadata_entry_t two[OTADATA_COPY_COUNT],
                                              const switch_wish_t *wish, switch_plan_t *plan);

/**
 * Confirm the active record, which exists. As in ESP-IDF that is the record of what is selected, whatever runs.
 * @param bytewise  the flash can program single bytes, also in a record that is written already
 */
void switch_plan_confirm(const otadata_entry_t two[OTADATA_COPY_COUNT], uint32_t slot_count, bool bytewise,
                         switch_plan_t *plan);

/** Declare the active record, which exists, INVALID. */
void switch_plan_reject(const otadata_entry_t two[OTADATA_COPY_COUNT], uint32_t slot_count,
                        switch_plan_t *plan);

/**
 * `wish->slot` is about to be overwritten: afterwards no record boots it. What boots is the image that runs, or another slot
 * if that is selected.
 * @return ESP_OK, ESP_ERR_OTA_SELECT_INFO_INVALID (sequence numbers are used up)
 */
OTTER_MUST_CHECK esp_err_t switch_plan_release(const otadata_entry_t two[OTADATA_COPY_COUNT],
                                               const switch_wish_t *wish, switch_plan_t *plan);

/**
 * Give the fallback, which runs in `slot` without a record, one that decides: in the copy that is not active, with a number
 * above the active one's.
 * @return ESP_OK, ESP_ERR_OTA_SELECT_INFO_INVALID (sequence numbers are used up)
 */
OTTER_MUST_CHECK esp_err_t switch_plan_fallback(const otadata_entry_t two[OTADATA_COPY_COUNT], uint32_t slot,
                                                uint32_t slot_count, uint32_t state, switch_plan_t *plan);

/**
 * True if `wish->slot` holds the fallback although it does not run: an image on trial has selected another slot.
 */
bool switch_plan_is_fallback(const otadata_entry_t two[OTADATA_COPY_COUNT], const switch_wish_t *wish);
