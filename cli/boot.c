/* otter boot: the boot step of a device whose own bootloader, or initramfs, starts what is in the slot. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "otter/boot.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "decision_file.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "flash_verbs.h"
#include "json.h"
#include "kinds.h"
#include "linux/linux_device.h"
#include "otter/image.h"
#include "otter/promise.h"
#include "shell_word.h"

#define VERB "boot"

typedef struct {
    const char *flash, *decision;
    linux_device_options_t device;
    bool dry_run, json;
} boot_options_t;

/* The keys of the decision (docs/JSON.md), and what a shell calls them. */
static const struct {
    const char *key, *variable;
} facts[] = {
    {"slot", "OTTER_SLOT"},
    {"slot_offset", "OTTER_SLOT_OFFSET"},
    {"slot_length", "OTTER_SLOT_LENGTH"},
    {"image_length", "OTTER_IMAGE_LENGTH"},
    {"payload_offset", "OTTER_PAYLOAD_OFFSET"},
    {"payload_length", "OTTER_PAYLOAD_LENGTH"},
    {"project", "OTTER_PROJECT"},
    {"version", "OTTER_VERSION"},
    {"state", "OTTER_STATE"},
    {"trial", "OTTER_TRIAL"},
    {"reason", "OTTER_REASON"},
};

/** As this boot leaves the record of what boots. NULL: it boots without one. */
static const char *state_of(const otter_boot_result_t *boot)
{
    if (boot->partition == NULL || boot->otadata_copy < 0 || boot->tried_count > 0) {
        return NULL;
    }
    switch (boot->otadata_state[boot->otadata_copy]) {
    case ESP_OTA_IMG_PENDING_VERIFY:
        return "PENDING_VERIFY";
    case ESP_OTA_IMG_VALID:
        return "VALID";
    case ESP_OTA_IMG_NEW:
        return "NEW";
    default:
        return "UNDEFINED";
    }
}

/** The image that boots and what is in it, for who is to start it. */
static void add_image(cJSON *json, linux_device_t *dev, const otter_boot_result_t *boot)
{
    const esp_partition_t *slot = boot->partition;
    otter_image_info_t info = {0};
    uint32_t off = 0, len = 0;
    bool has_payload = false;
    if (slot != NULL) {
        const otter_image_rules_t rules = {
            .flash_offset = slot->address, .size = slot->size, .no_checks = true};
        has_payload = otter_image_verify(dev->flash, &rules, &info, NULL) == ESP_OK &&
                      otter_image_payload(&info, &off, &len);
    }
    json_number(json, "image_length", slot != NULL, boot->image.image_len);
    json_number(json, "payload_offset", has_payload, slot != NULL ? (double)slot->address + off : 0);
    json_number(json, "payload_length", has_payload, len);
    json_text(json, "project", info.has_desc ? info.desc.project_name : NULL, sizeof(info.desc.project_name));
    json_text(json, "version", info.has_desc ? info.desc.version : NULL, sizeof(info.desc.version));
}

static cJSON *decision_json(linux_device_t *dev, const otter_boot_result_t *boot, esp_err_t err)
{
    const esp_partition_t *slot = err == ESP_OK ? boot->partition : NULL;
    const char *state = slot != NULL ? state_of(boot) : NULL;
    cJSON *json = cJSON_CreateObject();
    json_string(json, "result", esp_err_to_name(err));
    json_text(json, "slot", slot != NULL ? slot->label : NULL, sizeof(slot->label));
    json_number(json, "slot_offset", slot != NULL, slot != NULL ? slot->address : 0);
    json_number(json, "slot_length", slot != NULL, slot != NULL ? slot->size : 0);
    add_image(json, dev, boot);
    json_string(json, "state", state);
    json_bool(json, "trial", slot != NULL, state != NULL && strcmp(state, "PENDING_VERIFY") == 0);
    json_text(json, "reason", boot->reason, sizeof(boot->reason));
    cJSON *tried = cJSON_AddArrayToObject(json, "tried");
    for (uint32_t i = 0; i < boot->tried_count; i++) {
        cJSON *one = cJSON_CreateObject();
        json_text(one, "label", boot->tried[i].label, sizeof(boot->tried[i].label));
        json_text(one, "why", boot->tried[i].fault.why, sizeof(boot->tried[i].fault.why));
        cJSON_AddItemToArray(tried, one);
    }
    return json;
}

/** One line for each fact, that a shell can evaluate. */
static void print_for_shell(const cJSON *json)
{
    for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, facts[i].key);
        char word[1024] = "";
        if (cJSON_IsString(item)) {
            shell_word(item->valuestring, word, sizeof(word));
        } else if (cJSON_IsNumber(item)) {
            snprintf(word, sizeof(word), "%.0f", item->valuedouble);
        } else if (cJSON_IsBool(item)) {
            snprintf(word, sizeof(word), "%s", cJSON_IsTrue(item) ? "yes" : "no");
        }
        printf("%s=%s\n", facts[i].variable, word);
    }
}

static int tell(const boot_options_t *o, cJSON *json)
{
    if (o->json) {
        return json_print(VERB, json);
    }
    print_for_shell(json);
    cJSON_Delete(json);
    return EXIT_DONE;
}

/** What was decided since the machine started. NULL: nothing, or it is to be decided anew. */
static cJSON *find_kept(const boot_options_t *o)
{
    otter_fault_t fault = {0};
    return o->decision != NULL && !o->dry_run ? decision_load(o->decision, o->flash, &fault) : NULL;
}

static void keep(const boot_options_t *o, const cJSON *json)
{
    otter_fault_t fault = {0};
    if (o->decision != NULL && !o->dry_run && !decision_save(o->decision, o->flash, json, &fault)) {
        cli_note(VERB, "cannot write %s: %s; who asks again ends the trial of what boots now", o->decision,
                 fault.why);
    }
}

/** With the device open. @return exit status */
static int decide(const boot_options_t *o, linux_device_t *dev)
{
    otter_boot_result_t boot;
    esp_err_t err = otter_boot(&dev->device, o->dry_run ? OTTER_BOOT_DRY_RUN : OTTER_BOOT_COMMIT, &boot);
    cJSON *json = decision_json(dev, &boot, err);
    if (err != ESP_OK) {
        cli_fail(VERB, "%s: nothing boots: %s; `otter flash info %s` tells more", o->flash, boot.reason,
                 o->flash);
        if (o->json) {
            otter_ignore(json_print(VERB, json)); /* it has failed already */
        } else {
            cJSON_Delete(json);
        }
        return EXIT_FAILED;
    }
    keep(o, json);
    return tell(o, json);
}

/** @return exit status */
static int fail_to_open(const boot_options_t *o, esp_err_t err, const char *why)
{
    if (o->json) {
        cJSON *json = cJSON_CreateObject();
        json_string(json, "result", esp_err_to_name(err));
        json_string(json, "slot", NULL);
        json_string(json, "reason", why);
        otter_ignore(json_print(VERB, json)); /* it has failed already */
    }
    return cli_fail(VERB, "%s: %s", o->flash, why);
}

/** A medium that takes no more writes boots what is confirmed all the same: a trial that cannot be counted has failed. */
static esp_err_t open_flash(boot_options_t *o, linux_device_t *dev, otter_fault_t *fault)
{
    esp_err_t err = linux_device_open(dev, o->flash, &o->device, fault);
    if (err != ESP_ERR_NOT_ALLOWED || o->device.read_only) {
        return err;
    }
    cli_note(VERB, "%s: %s: nothing is recorded, and what is on trial is passed over", o->flash, fault->why);
    o->device.read_only = true;
    return linux_device_open(dev, o->flash, &o->device, fault);
}

static int boot(void *options)
{
    boot_options_t *o = options;
    linux_device_t dev;
    otter_fault_t fault = {0};
    esp_log_level_set("*", ESP_LOG_NONE); /* the reason says it once, in this command's own words */
    if (o->decision != NULL && !decision_can_be_kept()) {
        return cli_fail(
            VERB,
            "--decision needs /proc, which tells one start of the machine from the next: mount it first");
    }
    cJSON *kept = find_kept(o);
    if (kept != NULL) {
        return tell(o, kept);
    }
    o->device.read_only = o->dry_run;
    o->device.boots = true;
    esp_err_t err = open_flash(o, &dev, &fault);
    if (err != ESP_OK) {
        return fail_to_open(o, err, fault.why);
    }
    int status = decide(o, &dev);
    otter_ignore(linux_device_close(&dev)); /* records are synced when they are written */
    return status;
}

static const option_row_t rows[] = {
    {"FLASH", &option_argument, offsetof(boot_options_t, flash), .help = NULL},
    {"dry-run", &option_switch, offsetof(boot_options_t, dry_run),
     .help = "say what the next boot would be, and write nothing"},
    {"decision", &option_file, offsetof(boot_options_t, decision),
     .help = "keep the decision in FILE, and tell the same one again for as long as the machine is not "
             "restarted; "
             "`otter confirm` and `otter reject` then know what runs",
     .value = "FILE"},
    {"json", &option_switch, offsetof(boot_options_t, json),
     .help = "for programs; docs/JSON.md explains the keys"},
    OPTION_WAIT(offsetof(boot_options_t, device)),
    OPTION_CHIP(offsetof(boot_options_t, device), CHIP_FOUND_OUT),
    OPTION_REVISIONS(offsetof(boot_options_t, device), "FLASH.efuse, else any"),
    OPTION_ROLLBACK(
        offsetof(boot_options_t, device),
        "off: what is selected boots for good, confirmed or not. Default: on for linux and device, off "
        "for other chips"),
    OPTION_ANTI_ROLLBACK(offsetof(boot_options_t, device)),
    OPTION_EFUSE(offsetof(boot_options_t, device)),
    OPTION_FLASH_KEY(offsetof(boot_options_t, device)),
    OPTION_ENCRYPT_FLASH(offsetof(boot_options_t, device)),
    OPTION_TABLE_OFFSET(offsetof(boot_options_t, device)),
    {0},
};

const cli_verb_t boot_verb = {
    .name = VERB,
    .line = "decide once what a device boots, for its own bootloader or initramfs",
    .about =
        "Makes the boot decision on FLASH, once for each start of a device, as a chip's bootloader does: "
        "finishes "
        "copies that a power cut left, counts the trial of an update that was not booted yet, gives up one "
        "that "
        "was booted and not confirmed, verifies images until one is good. Then it says which slot that is "
        "and "
        "where, in lines that a shell can evaluate; what to do with it is the caller's.\n"
        "Who asks twice boots twice: the second time an update on trial has failed it. --decision keeps an "
        "initramfs that tries again from that.\n",
    .after =
        "example: decision=$(otter boot /dev/mmcblk0p3 --decision /run/otter.boot) && eval \"$decision\"\n"
        "         losetup -r -o $OTTER_PAYLOAD_OFFSET /dev/loop0 /dev/mmcblk0p3\n"
        "\n"
        "OTTER_PAYLOAD_OFFSET is empty where the image is for a chip. exit status: 0 decided, 1 nothing "
        "boots or "
        "FLASH cannot be used (one line on stderr says why), 2 wrong usage. docs/LINUX.md has the rest.\n",
    .options = rows,
    .size = sizeof(boot_options_t),
    .defaults =
        &(const boot_options_t){.device = {.allow_no_md5 = true, .wait_ms = WAIT_MS, .needs_efuse = true}},
    .run = boot,
};
