/* What the application does to otadata: which copy is rewritten, and how, as pure plans over the two records. */
#pragma once

#include "boot/otadata.h"

/** One change. Write first, then erase; either may be absent. */
typedef struct {
    bool write;
    uint32_t copy; /* rewritten with `entry` */
    otadata_entry_t entry;
    bool erase_other; /* afterwards the other copy is erased: the record has moved */
} select_plan_t;

#define SELECT_NO_SLOT UINT32_MAX /* what runs is no slot: factory, test */

/**
 * Make `slot` boot next.
 * @param running_slot  the slot that runs, SELECT_NO_SLOT
 * @param state         of the new record: NEW with rollback, else UNDEFINED
 * @return ESP_OK (plan->write false: the records say it already), ESP_ERR_OTA_SELECT_INFO_INVALID (sequence numbers
 *         are used up)
 */
esp_err_t select_plan_slot(const otadata_entry_t two[OTADATA_COPY_COUNT], uint32_t slot, uint32_t slot_count,
                           uint32_t running_slot, uint32_t state, select_plan_t *plan);

/** Confirm the active record, which exists. Nothing to write when it is VALID. */
void select_plan_confirm(const otadata_entry_t two[OTADATA_COPY_COUNT], uint32_t slot_count,
                         select_plan_t *plan);

/** Declare the active record, which exists, INVALID. */
void select_plan_reject(const otadata_entry_t two[OTADATA_COPY_COUNT], select_plan_t *plan);
