/* otter confirm and otter reject: the verdict of a device that runs on the update that it is trying. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clean_text.h"
#include "cli.h"
#include "decision_file.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "flash_verbs.h"
#include "json.h"
#include "kinds.h"
#include "linux/linux_device.h"
#include "otter/boot.h"
#include "otter/ota_ops.h"
#include "otter/promise.h"

#define NAME_SIZE (CLEAN_TEXT_SIZE(16) + CLEAN_TEXT_SIZE(32) + CLEAN_TEXT_SIZE(32) + 8)

typedef struct {
    const char *flash, *decision;
    linux_device_options_t device;
    bool confirmed, json;
} verdict_options_t;

/** What otadata selects, and how far that has come. */
typedef struct {
    const esp_partition_t *slot; /* NULL: no record selects one */
    esp_ota_img_states_t state;
    char name[NAME_SIZE]; /* "ota_1 (gateway 2.0.0)" */
} selected_t;

/** What a verdict came to. */
typedef struct {
    const char *verb;
    const verdict_options_t *options;
    esp_err_t err;
    bool changed;
    const char *slot, *state; /* of what the verdict was about, as it stands now; NULL: nothing */
    char *text;               /* owned: what was done, or why not */
} outcome_t;

/** The end of a verdict: the words that go with its code. @return the code */
static esp_err_t conclude(outcome_t *outcome, esp_err_t err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static esp_err_t conclude(outcome_t *outcome, esp_err_t err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (vasprintf(&outcome->text, format, args) < 0) {
        outcome->text = NULL;
    }
    va_end(args);
    outcome->err = err;
    return err;
}

static const char *name_of(otter_device_t *device, const esp_partition_t *slot, char name[NAME_SIZE])
{
    esp_app_desc_t desc;
    char label[CLEAN_TEXT_SIZE(16)], project[CLEAN_TEXT_SIZE(32)], version[CLEAN_TEXT_SIZE(32)];
    clean_text(label, slot->label, 16);
    if (otter_ota_get_partition_description(device, slot, &desc) != ESP_OK) {
        snprintf(name, NAME_SIZE, "%s", label);
    } else {
        snprintf(name, NAME_SIZE, "%s (%s %s)", label, clean_text(project, desc.project_name, 32),
                 clean_text(version, desc.version, 32));
    }
    return name;
}

static const char *state_name(esp_ota_img_states_t state)
{
    return state == ESP_OTA_IMG_NEW              ? "NEW"
           : state == ESP_OTA_IMG_PENDING_VERIFY ? "PENDING_VERIFY"
           : state == ESP_OTA_IMG_VALID          ? "VALID"
                                                 : "UNDEFINED";
}

/** @return ESP_OK; else the verdict ends here */
static esp_err_t find_selected(linux_device_t *dev, outcome_t *outcome, selected_t *selected)
{
    otter_device_t *device = &dev->device;
    const char *flash = outcome->options->flash;
    *selected = (selected_t){.state = ESP_OTA_IMG_UNDEFINED};
    if (device->partitions.status != ESP_OK || device->partitions.count == 0) {
        return conclude(outcome, ESP_ERR_NOT_FOUND,
                        "%s has no usable partition table; `otter flash info %s` says more", flash, flash);
    }
    const esp_partition_t *slot = otter_ota_get_boot_partition(device);
    esp_err_t err =
        slot != NULL ? otter_ota_get_state_partition(device, slot, &selected->state) : ESP_ERR_NOT_FOUND;
    if (otter_flash_failed(err)) {
        return conclude(outcome, err, "%s: otadata cannot be read: %s", flash, esp_err_to_name(err));
    }
    if (err == ESP_OK) {
        selected->slot = slot;
        name_of(device, slot, selected->name);
        outcome->slot = slot->label;
        outcome->state = state_name(selected->state);
    }
    return ESP_OK;
}

/** What runs, as `otter boot` has kept it: true unless that is another slot than the one on trial. */
static bool runs(const verdict_options_t *o, const selected_t *selected, char label[CLEAN_TEXT_SIZE(16)],
                 otter_fault_t *fault)
{
    char selected_label[CLEAN_TEXT_SIZE(16)];
    cJSON *kept = decision_load(o->decision, o->flash, fault);
    const char *slot = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(kept, "slot"));
    snprintf(label, CLEAN_TEXT_SIZE(16), "%s", slot != NULL ? slot : "");
    clean_text(selected_label, selected->slot->label, 16);
    cJSON_Delete(kept);
    return strcmp(label, selected_label) == 0;
}

/** Is it the slot on trial that asks? @return ESP_OK; else the verdict ends here */
static esp_err_t check_runs(linux_device_t *dev, outcome_t *outcome, const selected_t *selected)
{
    const verdict_options_t *o = outcome->options;
    char label[CLEAN_TEXT_SIZE(16)];
    otter_fault_t fault = {0};
    if (o->decision != NULL && !runs(o, selected, label, &fault)) {
        return fault.code != ESP_OK
                   ? conclude(outcome, ESP_ERR_INVALID_STATE, "%s: %s: nothing is confirmed", o->decision,
                              fault.why)
                   : conclude(outcome, ESP_ERR_INVALID_STATE,
                              "%s is on trial, and %s runs: nothing is confirmed", selected->name, label);
    }
    /* Without that file the image tells: one that does not verify has not booted, something else has. */
    const otter_image_rules_t rules = {.chip = &dev->device.chip,
                                       .flash_offset = selected->slot->address,
                                       .size = selected->slot->size,
                                       .loading = true};
    if (o->decision == NULL && otter_image_verify(dev->flash, &rules, NULL, &fault) != ESP_OK) {
        return conclude(outcome, ESP_ERR_INVALID_STATE, "%s is on trial and cannot be what runs: %s",
                        selected->name, fault.why);
    }
    return ESP_OK;
}

/**
 * What is on the medium counts.
 * @param fault  of `err`, which is that of the change
 * @return the verdict's code
 */
static esp_err_t sync_and_conclude(linux_device_t *dev, outcome_t *outcome, esp_err_t err,
                                   otter_fault_t *fault, const char *state, const char *done)
{
    err = err != ESP_OK ? err : otter_flash_sync(dev->flash);
    if (err != ESP_OK) {
        return conclude(outcome, err, "cannot write %s: %s", outcome->options->flash,
                        otter_flash_failed(err) ? flash_explain(dev->flash, err, fault)
                                                : otter_fault_text(fault, err));
    }
    outcome->changed = true;
    outcome->state = state;
    return conclude(outcome, ESP_OK, "%s", done);
}

static esp_err_t confirm_selected(linux_device_t *dev, outcome_t *outcome)
{
    selected_t selected;
    char done[NAME_SIZE + 32];
    esp_err_t err = find_selected(dev, outcome, &selected);
    if (err != ESP_OK) {
        return err;
    }
    if (selected.slot == NULL) {
        return conclude(outcome, ESP_OK, "nothing is on trial: no record selects a slot");
    }
    if (selected.state != ESP_OTA_IMG_PENDING_VERIFY) {
        return conclude(outcome, ESP_OK, "nothing is on trial: %s %s", selected.name,
                        selected.state == ESP_OTA_IMG_NEW ? "waits for its first boot"
                                                          : "is confirmed already");
    }
    err = check_runs(dev, outcome, &selected);
    if (err != ESP_OK) {
        return err;
    }
    dev->device.running = selected.slot;
    snprintf(done, sizeof(done), "%s is confirmed", selected.name);
    otter_fault_t fault = {0};
    err = otter_ota_mark_app_valid_cancel_rollback(&dev->device, &fault);
    return sync_and_conclude(dev, outcome, err, &fault, "VALID", done);
}

/** "restart: ota_0 (gateway 1.0.0) boots next" */
static void tell_next(linux_device_t *dev, const selected_t *selected, char *done, size_t size)
{
    otter_boot_result_t boot;
    char next[NAME_SIZE] = "nothing";
    if (otter_boot(&dev->device, OTTER_BOOT_DRY_RUN, &boot) == ESP_OK) {
        name_of(&dev->device, boot.partition, next);
    }
    snprintf(done, size, "%s is rejected: restart, %s boots next", selected->name, next);
}

static esp_err_t reject_selected(linux_device_t *dev, outcome_t *outcome)
{
    selected_t selected;
    char done[2 * NAME_SIZE + 48] = "";
    otter_fault_t fault = {0};
    esp_err_t err = find_selected(dev, outcome, &selected);
    if (err != ESP_OK) {
        return err;
    }
    if (selected.slot == NULL) {
        return conclude(outcome, ESP_ERR_INVALID_STATE, "nothing is on trial: no record selects a slot");
    }
    bool on_trial = selected.state == ESP_OTA_IMG_PENDING_VERIFY || selected.state == ESP_OTA_IMG_NEW;
    if (!on_trial && !outcome->options->confirmed) {
        return conclude(outcome, ESP_ERR_INVALID_STATE,
                        "nothing is on trial: %s is confirmed; --confirmed gives it up all the same",
                        selected.name);
    }
    err = otter_ota_mark_app_invalid_rollback(&dev->device, &fault);
    if (err == ESP_ERR_OTA_ROLLBACK_FAILED) {
        return conclude(outcome, err, "%s is all that boots: there is nothing to go back to", selected.name);
    }
    if (err == ESP_OK) {
        tell_next(dev, &selected, done, sizeof(done));
    }
    return sync_and_conclude(dev, outcome, err, &fault, "INVALID", done);
}

static int tell(outcome_t *outcome)
{
    const verdict_options_t *o = outcome->options;
    const char *text = outcome->text != NULL ? outcome->text : "out of memory";
    int status = outcome->err == ESP_OK ? EXIT_DONE : EXIT_FAILED;
    if (o->json) {
        cJSON *json = cJSON_CreateObject();
        json_string(json, "result", esp_err_to_name(outcome->err));
        json_string(json, "text", text);
        json_bool(json, "changed", true, outcome->changed);
        json_text(json, "slot", outcome->slot, 16);
        json_string(json, "state", outcome->state);
        status = json_print(outcome->verb, json) != EXIT_DONE ? EXIT_FAILED : status;
    }
    if (outcome->err != ESP_OK) {
        (void)cli_fail(outcome->verb, "%s", text);
    } else if (!o->json) {
        cli_did("%s: %s", o->flash, text);
    }
    free(outcome->text);
    return status;
}

/** With the device open for it. @return exit status */
static int give_verdict(const char *verb, void *options,
                        esp_err_t (*give)(linux_device_t *dev, outcome_t *outcome))
{
    verdict_options_t *o = options;
    outcome_t outcome = {.verb = verb, .options = o};
    linux_device_t dev;
    otter_fault_t fault = {0};
    esp_log_level_set("*", ESP_LOG_NONE); /* the outcome says it once, in this command's own words */
    esp_err_t err = linux_device_open(&dev, o->flash, &o->device, &fault);
    if (err != ESP_OK) {
        otter_ignore(conclude(&outcome, err, "%s: %s", o->flash, fault.why)); /* told below */
        return tell(&outcome);
    }
    otter_ignore(give(&dev, &outcome)); /* so is this */
    int status = tell(&outcome);
    otter_ignore(linux_device_close(&dev)); /* synced, where something was written */
    return status;
}

static int confirm(void *options)
{
    return give_verdict("confirm", options, confirm_selected);
}

static int reject(void *options)
{
    return give_verdict("reject", options, reject_selected);
}

#define DEVICE_ROWS                                                                                          \
    {"json", &option_switch, offsetof(verdict_options_t, json),                                              \
     .help = "for programs; docs/JSON.md explains the keys"},                                                \
        OPTION_WAIT(offsetof(verdict_options_t, device)),                                                    \
        OPTION_ANTI_ROLLBACK(offsetof(verdict_options_t, device)),                                           \
        OPTION_EFUSE(offsetof(verdict_options_t, device)),                                                   \
        OPTION_TABLE_OFFSET(offsetof(verdict_options_t, device))

static const option_row_t confirm_rows[] = {
    {"FLASH", &option_argument, offsetof(verdict_options_t, flash), .help = NULL},
    {"decision", &option_file, offsetof(verdict_options_t, decision),
     .help = "what `otter boot --decision FILE` has kept: confirm nothing but what that has booted",
     .value = "FILE"},
    DEVICE_ROWS,
    {0},
};

static const option_row_t reject_rows[] = {
    {"FLASH", &option_argument, offsetof(verdict_options_t, flash), .help = NULL},
    {"confirmed", &option_switch, offsetof(verdict_options_t, confirmed),
     .help = "give up also what is confirmed, and go back to the version before it"},
    DEVICE_ROWS,
    {0},
};

const cli_verb_t confirm_verb = {
    .name = "confirm",
    .line = "say that the update on trial works: it stays",
    .about = "For the device that runs: confirms the update that `otter boot` has begun to try, as "
             "esp_ota_mark_app_valid_cancel_rollback() does. Without that the next boot goes back. Where "
             "nothing is on "
             "trial nothing is done, and that is no failure: it may run at every start.\n",
    .after = "example: otter confirm /dev/mmcblk0p3 --decision /run/otter.boot\n"
             "\n"
             "exit status: 0 what is selected is confirmed, or waits for its first boot; 1 not (one line on "
             "stderr "
             "says why); 2 wrong usage\n",
    .options = confirm_rows,
    .size = sizeof(verdict_options_t),
    .defaults = &(const verdict_options_t){.device = {.allow_no_md5 = true, .wait_ms = WAIT_MS}},
    .run = confirm,
};

const cli_verb_t reject_verb = {
    .name = "reject",
    .line = "say that the update on trial does not work: the next boot goes back",
    .about =
        "For the device that runs: gives up the update on trial, or one that waits for its first boot, as "
        "esp_ota_mark_app_invalid_rollback() does, if something else boots. The device is to be restarted "
        "then; "
        "this command does not.\n",
    .after = "example: otter reject /dev/mmcblk0p3 && reboot\n"
             "\n"
             "exit status: 0 rejected, restart now; 1 not: nothing is on trial, nothing else boots, or FLASH "
             "cannot be "
             "used (one line on stderr says why); 2 wrong usage\n",
    .options = reject_rows,
    .size = sizeof(verdict_options_t),
    .defaults = &(const verdict_options_t){.device = {.allow_no_md5 = true, .wait_ms = WAIT_MS}},
    .run = reject,
};
