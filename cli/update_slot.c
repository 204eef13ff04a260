/* Which slot an update may write: what the bootloader's decision says, and what it may be wrong about. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "update_slot.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "otter/image.h"
#include "otter/ota_ops.h"
#include "otter/boot.h"

#define DOUBTS_MAX (OTTER_BOOT_TRIED_MAX + 1)

/** A partition that may run although it does not boot here. */
typedef struct {
    const esp_partition_t *partition;
    char why[OTTER_WHY_MAX + 128]; /* how that can be, and what to tell so that it is known */
} doubt_t;

typedef struct {
    otter_device_t *device;
    const update_slot_options_t *options;
    otter_boot_mode_t mode;       /* no commit */
    otter_boot_result_t boot;     /* what boots, and what was passed over before it */
    const esp_partition_t *first; /* what the bootloader looked at first; NULL: nothing */
    doubt_t doubts[DOUBTS_MAX];
    size_t doubt_count;
} choice_t;

static const esp_partition_t *find_app(const otter_device_t *device, const char *label)
{
    for (uint32_t i = 0; i < device->partitions.count; i++) {
        const esp_partition_t *p = &device->partitions.items[i];
        if (p->type == ESP_PARTITION_TYPE_APP && strcmp(p->label, label) == 0) {
            return p;
        }
    }
    return NULL;
}

static const doubt_t *find_doubt(const choice_t *choice, const esp_partition_t *partition)
{
    for (size_t i = 0; i < choice->doubt_count; i++) {
        if (choice->doubts[i].partition == partition) {
            return &choice->doubts[i];
        }
    }
    return NULL;
}

__attribute__((format(printf, 3, 4))) static void
add_doubt(choice_t *choice, const esp_partition_t *partition, const char *format, ...)
{
    if (partition == NULL || partition == choice->boot.partition || choice->doubt_count == DOUBTS_MAX ||
        find_doubt(choice, partition) != NULL) {
        return;
    }
    doubt_t *doubt = &choice->doubts[choice->doubt_count++];
    doubt->partition = partition;
    va_list args;
    va_start(args, format);
    vsnprintf(doubt->why, sizeof(doubt->why), format, args);
    va_end(args);
}

/** Complete and undamaged, whatever chip it is for: then only what is known of the device speaks against it. */
static bool is_whole(const choice_t *choice, const esp_partition_t *partition)
{
    const otter_image_rules_t rules = {.flash_offset = partition->address, .size = partition->size};
    return otter_image_verify(choice->device->flash, &rules, NULL, NULL) == ESP_OK;
}

/** The file ends before the partition does. */
static bool is_cut(const choice_t *choice, const esp_partition_t *partition)
{
    uint32_t length = choice->options->file_length;
    return partition->address > length || partition->size > length - partition->address;
}

static void doubt_what_was_passed_over(choice_t *choice)
{
    const otter_boot_result_t *boot = &choice->boot;
    for (uint32_t i = 0; i < boot->tried_count; i++) {
        const esp_partition_t *passed = find_app(choice->device, boot->tried[i].label);
        if (passed != NULL && is_whole(choice, passed)) {
            add_doubt(choice, passed,
                      "its image is whole, only the chip that this file seems to be of does not boot it (%s)",
                      boot->tried[i].fault.why);
        } else if (passed != NULL && is_cut(choice, passed)) {
            add_doubt(choice, passed, "it lies where this file has ended, which may be a part of a dump (%s)",
                      boot->tried[i].fault.why);
        } else if (i == 0 && boot->partition == NULL) {
            add_doubt(choice, passed,
                      "nothing boots by this file, and it is what the bootloader looks at first (%s)",
                      boot->tried[i].fault.why);
        }
    }
}

/** Whether the bootloader of another chip has rollback is its build's secret; it matters while something is on trial. */
static void doubt_rollback(choice_t *choice)
{
    otter_device_config_t *config = &choice->device->config;
    otter_boot_result_t other;
    esp_ota_img_states_t state;
    if (choice->options->rollback_is_known || choice->first == NULL ||
        otter_ota_get_state_partition(choice->device, choice->first, &state) != ESP_OK ||
        state != ESP_OTA_IMG_PENDING_VERIFY) {
        return;
    }
    config->rollback = !config->rollback;
    if (otter_boot(choice->device, choice->mode, &other) == ESP_OK) {
        add_doubt(choice, other.partition,
                  "it boots if the bootloader has %s, which --rollback on or off tells",
                  config->rollback ? "rollback" : "no rollback");
    }
    config->rollback = !config->rollback;
}

/**
 * One that was never booted is no ground to stand on: as on a device that runs an unconfirmed app, nothing is updated before
 * it has been tried, or the app to fall back to would be overwritten.
 */
static esp_err_t check_trial(const choice_t *choice, update_outcome_t *outcome)
{
    otter_device_t *device = choice->device;
    const esp_partition_t *running = device->running;
    esp_ota_img_states_t state;
    bool may_roll_back = device->config.rollback || !choice->options->rollback_is_known;
    if (!may_roll_back || otter_ota_get_state_partition(device, running, &state) != ESP_OK ||
        state != ESP_OTA_IMG_NEW) {
        return ESP_OK;
    }
    bool is_device = device->chip.id == OTTER_CHIP_DEVICE;
    update_outcome_error(outcome,
                         "version %s in %s waits for its first boot and could not fall back: %s%s%s, or use "
                         "--rollback off",
                         outcome->from_version, running->label,
                         is_device ? "restart the device" : "boot it first (`otter run ",
                         is_device ? "" : choice->options->flash_path, is_device ? "" : "`)");
    return ESP_ERR_OTA_ROLLBACK_INVALID_STATE;
}

/** The bootloader's decision, and what speaks against it. */
static esp_err_t decide_running(choice_t *choice, update_outcome_t *outcome)
{
    otter_device_t *device = choice->device;
    esp_err_t err = otter_boot(device, choice->mode, &choice->boot);
    if (otter_flash_failed(err) || err == ESP_ERR_NO_MEM) {
        update_outcome_error(outcome, "%s: what boots cannot be told: %s", choice->options->flash_path,
                             choice->boot.reason);
        return err;
    }
    device->running = choice->boot.partition;
    choice->first =
        choice->boot.tried_count > 0 ? find_app(device, choice->boot.tried[0].label) : device->running;
    doubt_what_was_passed_over(choice);
    doubt_rollback(choice);
    if (device->running == NULL) {
        return ESP_OK; /* an update is what such a device needs */
    }
    esp_app_desc_t desc;
    if (otter_ota_get_partition_description(device, device->running, &desc) == ESP_OK) {
        update_outcome_version(outcome->from_version, &desc);
    }
    return check_trial(choice, outcome);
}

static esp_err_t refuse(const choice_t *choice, const doubt_t *doubt, update_outcome_t *outcome)
{
    update_outcome_error(outcome,
                         "%s may be what the device runs: %s; --overwrite-selected gives it up, "
                         "`otter flash info %s` tells more",
                         doubt->partition->label, doubt->why, choice->options->flash_path);
    return ESP_ERR_OTA_PARTITION_CONFLICT;
}

/** The partition that --slot names, if it can be written. */
static esp_err_t take_named(const choice_t *choice, const esp_partition_t **slot, update_outcome_t *outcome)
{
    const char *label = choice->options->slot;
    const esp_partition_t *named = NULL;
    for (uint32_t i = 0; i < choice->device->partitions.count && named == NULL; i++) {
        const esp_partition_t *p = &choice->device->partitions.items[i];
        named = strcmp(p->label, label) == 0 ? p : NULL;
    }
    if (named == NULL) {
        update_outcome_error(outcome, "there is no partition '%s'; `otter flash info %s` lists them", label,
                             choice->options->flash_path);
        return ESP_ERR_NOT_FOUND;
    }
    if (!otter_ota_is_slot(named)) {
        update_outcome_error(outcome, "%s is no update slot (ota_n)", label);
        return ESP_ERR_INVALID_ARG;
    }
    if (named == choice->device->running) {
        update_outcome_error(outcome, "%s is the slot that runs: choose another", label);
        return ESP_ERR_OTA_PARTITION_CONFLICT;
    }
    const doubt_t *doubt = find_doubt(choice, named);
    if (doubt != NULL && !choice->options->overwrite_selected) {
        return refuse(choice, doubt, outcome);
    }
    *slot = named;
    return ESP_OK;
}

/** The next slot, as the session counts, that is in no doubt. */
static esp_err_t take_next(const choice_t *choice, const esp_partition_t **slot, update_outcome_t *outcome)
{
    otter_device_t *device = choice->device;
    const esp_partition_t *next = device->running != NULL ? device->running : choice->first;
    const doubt_t *passed = NULL;
    for (int i = 0; i < OTTER_BOOT_TRIED_MAX; i++) {
        next = otter_ota_get_next_update_partition(device, next);
        if (next == NULL || next == device->running) {
            continue;
        }
        const doubt_t *doubt = find_doubt(choice, next);
        if (doubt == NULL) {
            *slot = next;
            if (passed != NULL && !choice->options->quiet) {
                fprintf(stderr, "otter update: %s is left alone, it may be what the device runs: %s\n",
                        passed->partition->label, passed->why);
            }
            return ESP_OK;
        }
        passed = passed != NULL ? passed : doubt;
    }
    if (passed != NULL && !choice->options->overwrite_selected) {
        return refuse(choice, passed, outcome);
    }
    *slot = passed != NULL ? passed->partition : NULL;
    return ESP_OK;
}

static esp_err_t choose(choice_t *choice, const esp_partition_t **slot, update_outcome_t *outcome)
{
    *slot = NULL;
    esp_err_t err = decide_running(choice, outcome);
    if (err != ESP_OK) {
        return err;
    }
    return choice->options->slot != NULL ? take_named(choice, slot, outcome)
                                         : take_next(choice, slot, outcome);
}

esp_err_t update_slot_choose(otter_device_t *device, const update_slot_options_t *options,
                             const esp_partition_t **slot, update_outcome_t *outcome)
{
    choice_t choice = {.device = device, .options = options, .mode = OTTER_BOOT_DRY_RUN};
    return choose(&choice, slot, outcome);
}

/* ---- beside something else ---- */

/**
 * By its head at least, no other partition holds an image, of whatever chip, nor could what is missing of the file: if the one
 * that seems to run is damaged, nothing boots, and nothing is in doubt but that one.
 */
static bool is_alone(const choice_t *choice)
{
    const otter_device_t *device = choice->device;
    for (uint32_t i = 0; i < device->partitions.count; i++) {
        const esp_partition_t *p = &device->partitions.items[i];
        const otter_image_rules_t rules = {.flash_offset = p->address, .size = p->size, .known = true};
        if (p->type != ESP_PARTITION_TYPE_APP || p == device->running) {
            continue;
        }
        if (is_cut(choice, p)) {
            return false;
        }
        esp_err_t err = otter_image_verify(device->flash, &rules, NULL, NULL);
        if (err == ESP_OK || otter_flash_failed(err) || err == ESP_ERR_NO_MEM) {
            return false;
        }
    }
    return true;
}

static void check_choice(void *arg, uint32_t upto)
{
    (void)upto;
    update_slot_check_t *check = arg;
    check->err = update_slot_choose(&check->device, &check->options, &check->slot, &check->outcome);
}

bool update_slot_begin_check(update_slot_check_t *check, otter_device_t *device,
                             const update_slot_options_t *options, const esp_partition_t **slot)
{
    update_slot_options_t in_silence = *options;
    in_silence.quiet = true; /* who finds out tells */
    choice_t guess = {.device = device, .options = &in_silence, .mode = OTTER_BOOT_GUESS};
    check->device = *device;
    check->options = *options;
    bool guessed = choose(&guess, slot, &check->outcome) == ESP_OK && *slot != NULL &&
                   device->running != NULL && guess.boot.tried_count == 0 && guess.doubt_count == 0;
    free(check->outcome.error);
    check->outcome.error = NULL;
    if (!guessed) {
        device->running = NULL;
        return false;
    }
    check->is_needless = !options->overwrite_selected && is_alone(&guess);
    if (!check->is_needless) {
        check->outcome = (update_outcome_t){0}; /* of the guess */
        otter_beside_begin(&check->beside, check_choice, check);
        otter_beside_kick(&check->beside, 0);
    }
    return true;
}

/** The same partition, of the device. */
static const esp_partition_t *of_device(otter_device_t *device, const update_slot_check_t *check,
                                        const esp_partition_t *own)
{
    if (own == NULL) {
        return NULL;
    }
    const size_t i = (size_t)(own - check->device.partitions.items);
    device->partitions.items[i] = *own; /* what boots may stand behind the end of the list */
    return &device->partitions.items[i];
}

esp_err_t update_slot_end_check(update_slot_check_t *check, otter_device_t *device,
                                const esp_partition_t **slot, update_outcome_t *outcome)
{
    otter_beside_end(&check->beside);
    if (check->outcome.error != NULL) {
        update_outcome_error(outcome, "%s", check->outcome.error);
        free(check->outcome.error);
    }
    memcpy(outcome->from_version, check->outcome.from_version, sizeof(outcome->from_version));
    if (!check->is_needless) {
        device->running = of_device(device, check, check->device.running);
        *slot = of_device(device, check, check->slot);
    }
    return check->err;
}
