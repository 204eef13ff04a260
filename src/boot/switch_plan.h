/* What the application does to otadata: which copy is rewritten, and how, as pure plans over the two records. */
#pragma once

#include "boot/otadata.h"

typedef enum {
    CHANGE_WRITE,  /* erased, then programmed with `entry` */
    CHANGE_ERASE,  /* erased */
    CHANGE_CONFIRM /* only the state is programmed, to VALID: the record counts all the time */
} switch_change_kind_t;

/** How one copy changes. */
typedef struct {
    switch_change_kind_t kind;
    uint32_t copy;
    otadata_entry_t entry; /* as it is afterwards; ERASE: before */
} switch_change_t;

#define SWITCH_CHANGES_MAX 2u

/** Changes in the order in which they are made durable; none: the records say it already. */
typedef struct {
    uint32_t count;
    switch_change_t changes[SWITCH_CHANGES_MAX];
} switch_plan_t;

#define SWITCH_NO_SLOT UINT32_MAX /* what runs is no slot: factory, test */

/** What the owner wants, where. */
typedef struct {
    uint32_t slot;       /* to boot next, or to be overwritten */
    uint32_t state;      /* of its record: NEW with rollback, else UNDEFINED */
    uint32_t running;    /* the slot that runs, SWITCH_NO_SLOT */
    uint32_t slot_count; /* > 0 */
    bool factory;        /* there is a factory application: without a record, it boots */
} switch_wish_t;

/**
 * Make `wish->slot` boot next.
 * @return ESP_OK, ESP_ERR_OTA_SELECT_INFO_INVALID (sequence numbers are used up)
 */
esp_err_t switch_plan_select(const otadata_entry_t two[OTADATA_COPY_COUNT], const switch_wish_t *wish,
                             switch_plan_t *plan);

/**
 * Confirm the active record, which exists: as in ESP-IDF it counts what is selected, not what runs.
 * @param bytewise  single bytes can be programmed, also of a record that is there
 */
void switch_plan_confirm(const otadata_entry_t two[OTADATA_COPY_COUNT], uint32_t slot_count, bool bytewise,
                         switch_plan_t *plan);

/** Declare the active record, which exists, INVALID. */
void switch_plan_reject(const otadata_entry_t two[OTADATA_COPY_COUNT], uint32_t slot_count,
                        switch_plan_t *plan);

/**
 * Before `wish->slot` is overwritten: no record may boot it, and what runs must boot, or what was selected and is another.
 * @return ESP_OK, ESP_ERR_OTA_SELECT_INFO_INVALID (sequence numbers are used up)
 */
esp_err_t switch_plan_release(const otadata_entry_t two[OTADATA_COPY_COUNT], const switch_wish_t *wish,
                              switch_plan_t *plan);

/**
 * Give `slot`, which runs without a record, one that decides: in the copy that is not active, numbered above it.
 * @return ESP_OK, ESP_ERR_OTA_SELECT_INFO_INVALID (sequence numbers are used up)
 */
esp_err_t switch_plan_fallback(const otadata_entry_t two[OTADATA_COPY_COUNT], uint32_t slot,
                               uint32_t slot_count, uint32_t state, switch_plan_t *plan);

/**
 * True if `wish->slot` holds what must boot when the trial of what is selected fails, although it does not run: an image on
 * trial has selected another one.
 */
bool switch_plan_is_fallback(const otadata_entry_t two[OTADATA_COPY_COUNT], const switch_wish_t *wish);
