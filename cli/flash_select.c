/* otter flash select: makes otadata say which app boots next, as an app or its bootloader would have. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "esp_log.h"
#include "flash_verbs.h"
#include "otter/boot.h"
#include "otter/ota_ops.h"
#include "otter/promise.h"

#define VERB "flash"

typedef struct {
    const char *flash, *slot;
    linux_device_options_t device;
    bool confirm;
} select_options_t;

/** "factory", "ota_1": what a partition is to the bootloader, whatever its label. NULL: nothing that it would boot. */
static const char *slot_name(const esp_partition_t *partition, char buf[12])
{
    if (partition->type != ESP_PARTITION_TYPE_APP) {
        return NULL;
    }
    if (otter_ota_is_slot(partition)) {
        snprintf(buf, 12, "ota_%u", (unsigned)partition->subtype - ESP_PARTITION_SUBTYPE_APP_OTA_MIN);
        return buf;
    }
    return partition->subtype == ESP_PARTITION_SUBTYPE_APP_FACTORY ? "factory" : NULL;
}

/** The partition of that label, else of that name. Says why not. */
static const esp_partition_t *find_slot(const linux_device_t *dev, const select_options_t *o)
{
    char labels[FLASH_LABELS_SIZE] = "", name[12];
    const otter_partition_list_t *list = &dev->device.partitions;
    const esp_partition_t *named = NULL;
    for (uint32_t i = 0; i < list->count; i++) {
        const esp_partition_t *item = &list->items[i];
        const char *is = slot_name(item, name);
        if (is == NULL) {
            continue;
        }
        if (strcmp(item->label, o->slot) == 0) {
            return item;
        }
        named = named == NULL && strcmp(is, o->slot) == 0 ? item : named;
        flash_add_label(labels, sizeof(labels), item->label);
    }
    if (named == NULL) {
        cli_fail(VERB, "%s has no app partition '%s' that can be selected; it has %s", o->flash, o->slot,
                 labels[0] != '\0' ? labels : "none");
    }
    return named;
}

/** Says why a selection failed, and what to do. */
static bool cannot_select(const select_options_t *o, const esp_partition_t *partition, esp_err_t err,
                          const otter_fault_t *fault)
{
    const char *why = otter_fault_text(fault, err);
    switch (err) {
    case ESP_ERR_OTA_VALIDATE_FAILED:
        return cli_refuse(
            VERB, "%s: %s holds no image that boots: %s; `otter flash write %s %s FILE` puts one there",
            o->flash, partition->label, why, o->flash, partition->label);
    case ESP_ERR_NOT_FOUND:
        return cli_refuse(VERB,
                          "%s: %s, which would keep a selection; `otter flash table` writes one that has",
                          o->flash, why);
    case ESP_ERR_OTA_SELECT_INFO_INVALID:
        return cli_refuse(VERB, "%s: %s; `otter flash erase %s otadata` begins anew", o->flash, why,
                          o->flash);
    default:
        return cli_refuse(VERB, "%s: cannot select %s: %s", o->flash, partition->label, why);
    }
}

/** A record selects this partition already, and nothing that a bootloader does at its next start will change that. */
static bool is_selected_for_good(otter_device_t *device, const otter_boot_result_t *boot,
                                 const esp_partition_t *partition, bool confirm)
{
    if (boot->partition != partition || boot->otadata_copy < 0 || boot->tried_count > 0) {
        return false;
    }
    esp_ota_img_states_t state = ESP_OTA_IMG_UNDEFINED;
    return confirm || (otter_ota_get_state_partition(device, partition, &state) == ESP_OK &&
                       (state == ESP_OTA_IMG_VALID || state == ESP_OTA_IMG_UNDEFINED));
}

/** What boots now counts as running, as for an app that selects another. */
static esp_err_t select_slot(linux_device_t *dev, const select_options_t *o, const esp_partition_t *partition,
                             otter_fault_t *fault)
{
    otter_boot_result_t boot;
    otter_device_t *device = &dev->device;
    esp_err_t err = ESP_OK;
    device->running = otter_boot(device, OTTER_BOOT_DRY_RUN, &boot) == ESP_OK ? boot.partition : NULL;
    device->config.rollback = device->config.rollback || o->confirm;
    if (!is_selected_for_good(device, &boot, partition, o->confirm)) {
        err = otter_ota_set_boot_partition(device, partition, fault);
    }
    if (err == ESP_ERR_NOT_FOUND && device->running == partition) {
        return ESP_OK; /* without otadata nothing need be selected */
    }
    if (err == ESP_OK && o->confirm && otter_ota_is_slot(partition)) {
        err = otter_ota_mark_app_valid_cancel_rollback(device, fault);
    }
    return err;
}

/** "copy 1, seq 2, VALID": the record that selects. */
static void tell_selection(linux_device_t *dev, const select_options_t *o, const esp_partition_t *partition)
{
    otter_ota_record_t records[2];
    int active = -1;
    otter_ignore(otter_ota_read_records(&dev->device, records, &active, NULL)); /* none is told as such */
    if (active < 0) {
        cli_did("%s: %s is selected, by no record of otadata", o->flash, partition->label);
    } else {
        cli_did("%s: %s is selected, by copy %d of otadata (seq %" PRIu32 ", %s)", o->flash, partition->label,
                active, records[active].seq, otter_ota_state_name(records[active].state));
    }
}

/** Selecting a version that is too old would erase it, as esp_ota_set_boot_partition() does: this command does not. */
static bool secure_version_is_good(linux_device_t *dev, const select_options_t *o,
                                   const esp_partition_t *partition)
{
    esp_app_desc_t desc;
    uint32_t burned;
    if (!o->device.anti_rollback ||
        otter_ota_get_partition_description(&dev->device, partition, &desc) != ESP_OK ||
        otter_ota_secure_version(&dev->device, &burned) != ESP_OK || desc.secure_version >= burned) {
        return true; /* or it is told when it is selected */
    }
    return cli_refuse(VERB,
                      "%s: %s has secure version %" PRIu32 ", and %s says %" PRIu32
                      ": write a newer one there, or leave --anti-rollback out",
                      o->flash, partition->label, desc.secure_version,
                      o->device.emulated_efuse ? "its eFuse partition" : dev->efuse.path, burned);
}

/** With the device open. Says what was done, or why not. */
static bool select_in(linux_device_t *dev, void *options, flash_changed_t *changed)
{
    (void)changed; /* all of the flash */
    const select_options_t *o = options;
    if (dev->device.partitions.status != ESP_OK || dev->device.partitions.count == 0) {
        return cli_refuse(
            VERB, "%s has no usable partition table at 0x%" PRIx32 "; `otter flash info %s` says more",
            o->flash, dev->device.config.table_offset, o->flash);
    }
    const esp_partition_t *partition = find_slot(dev, o);
    if (partition == NULL) {
        return false;
    }
    if (!secure_version_is_good(dev, o, partition)) {
        return false;
    }
    otter_fault_t fault = {0};
    esp_err_t err = select_slot(dev, o, partition, &fault);
    if (err != ESP_OK && !otter_flash_failed(err)) {
        return cannot_select(o, partition, err, &fault);
    }
    if (!flash_end_change(dev, o->flash, partition->label, err)) {
        return false;
    }
    tell_selection(dev, o, partition);
    return true;
}

static int flash_select(void *options)
{
    const select_options_t *o = options;
    return flash_change(o->flash, &o->device, select_in, options);
}

static const option_row_t rows[] = {
    {"FLASH", &option_argument, offsetof(select_options_t, flash), .help = NULL},
    {"SLOT", &option_argument, offsetof(select_options_t, slot), .help = NULL},
    {"confirm", &option_switch, offsetof(select_options_t, confirm),
     .help = "as an app that has passed its self-test: no trial, and no rollback from it"},
    OPTION_CHIP(offsetof(select_options_t, device), CHIP_FOUND_OUT),
    OPTION_REVISIONS(offsetof(select_options_t, device), "FLASH.efuse, else any"),
    OPTION_ROLLBACK(offsetof(select_options_t, device),
                    "without --confirm: as the bootloader was built; on begins a trial. Default: on for "
                    "linux and device, off for other chips"),
    OPTION_ANTI_ROLLBACK(offsetof(select_options_t, device)),
    OPTION_EFUSE(offsetof(select_options_t, device)),
    OPTION_FLASH_KEY(offsetof(select_options_t, device)),
    OPTION_TABLE_OFFSET(offsetof(select_options_t, device)),
    {0},
};

const cli_verb_t flash_select_verb = {
    .name = "flash select",
    .line = "make the app in a slot boot next",
    .about = "Makes the app in SLOT boot next: writes otadata, as esp_ota_set_boot_partition() does. SLOT is "
             "a label, or factory, "
             "ota_0, ota_1, ... The image in it must be one that boots.\n",
    .after = "example: otter flash select flash.bin ota_0 --confirm\n",
    .options = rows,
    .size = sizeof(select_options_t),
    .defaults = &(const select_options_t){.device = {.whole = true, .allow_no_md5 = true}},
    .run = flash_select,
};
