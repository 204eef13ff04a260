/* Which slot an update may write: none that may be what the device runs, as far as its flash file can tell. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "esp_err.h"
#include "otter/device.h"
#include "otter/promise.h"
#include "otter/system.h"
#include "update_report.h"

typedef struct {
    const char *flash_path;  /* for messages */
    uint32_t file_length;    /* bytes in it; what the flash has behind them is taken for erased */
    const char *slot;        /* the partition that was asked for; NULL: the next one that is free */
    bool rollback_is_known;  /* somebody told whether the bootloader has rollback, or it is otter's own */
    bool overwrite_selected; /* also a slot that may run though it does not boot here, if there is no other */
    bool quiet;              /* nothing about a slot that is left alone */
} update_slot_options_t;

/**
 * Decides what counts as running (device->running; NULL: nothing boots) and where the update goes. The bootloader's decision
 * is made with what is known here: chip, revisions and rollback may be guesses. Whatever it passed over although it is whole,
 * and whatever otadata selects where nothing boots, may run in truth and is left alone.
 * @param slot  receives the partition to write; NULL: as the update session decides
 * @return ESP_OK; else the reason is in the outcome, for the session's own codes:
 *         ESP_ERR_OTA_ROLLBACK_INVALID_STATE, ESP_ERR_OTA_PARTITION_CONFLICT, ESP_ERR_NOT_FOUND, ESP_ERR_INVALID_ARG,
 *         ESP_ERR_FLASH_OP_*, ESP_ERR_NO_MEM
 */
OTTER_MUST_CHECK esp_err_t update_slot_choose(otter_device_t *device, const update_slot_options_t *options,
                                              const esp_partition_t **slot, update_outcome_t *outcome);

/** A choice that is made beside something else which writes nothing. Zeros to begin with. */
typedef struct {
    otter_device_t device; /* its own, on the same flash */
    update_slot_options_t options;
    const esp_partition_t *slot;
    update_outcome_t outcome;
    esp_err_t err;
    bool is_needless;
    otter_beside_t beside;
} update_slot_check_t;

/**
 * Guesses what update_slot_choose() will say, from the heads of the images, and begins to find out beside the caller: reading
 * and hashing the image that boots takes time. Where it would say no other slot even if that image were damaged, as nothing else
 * could boot, there is nothing to find out. That is seen from what flash holds now: nothing is remembered between two updates.
 * @param slot  receives the guess, device->running too. They may be used for whatever does not write
 * @return false: nothing can be guessed, and nothing has begun: update_slot_choose() tells
 */
bool update_slot_begin_check(update_slot_check_t *check, otter_device_t *device,
                             const update_slot_options_t *options, const esp_partition_t **slot);

/**
 * Waits for the choice. Before this has returned ESP_OK nothing may be written: if the image that seems to boot is damaged, the
 * slot may hold the one that does.
 * @param slot  receives the choice, which is the guess, but for such a damage
 * @return as update_slot_choose()
 */
OTTER_MUST_CHECK esp_err_t update_slot_end_check(update_slot_check_t *check, otter_device_t *device,
                                                 const esp_partition_t **slot, update_outcome_t *outcome);
