/* otter flash select: makes otadata say which app boots next, as an app or its bootloader would have. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "boot/decision.h"
#include "boot/otadata_flash.h"
#include "cli.h"
#include "esp_log.h"
#include "flash/partition_list.h"
#include "flash_verbs.h"
#include "ota/switch.h"
#include "otter/boot.h"

#define VERB "flash"

typedef struct {
    const char *flash, *slot;
    linux_device_options_t device;
    bool confirm;
} select_options_t;

static int take_option(int c, select_options_t *o)
{
    switch (c) {
    case 'k':
        o->confirm = true;
        return EXIT_DONE;
    case 'c':
        o->device.chip = otter_chip_by_name(optarg);
        return o->device.chip != NULL ? EXIT_DONE : cli_usage(VERB, "'%s' is not a chip", optarg);
    case 'o':
        return cli_parse_offset(optarg, 1, &o->device.table_offset)
                   ? EXIT_DONE
                   : cli_usage(VERB, "'%s' is not an offset in flash", optarg);
    case 'r':
        o->device.rollback = strcmp(optarg, "on") == 0 ? LINUX_DEVICE_ON : LINUX_DEVICE_OFF;
        return strcmp(optarg, "on") == 0 || strcmp(optarg, "off") == 0
                   ? EXIT_DONE
                   : cli_usage(VERB, "--rollback is on or off, not '%s'", optarg);
    default:
        return cli_usage(VERB, "select does not know an option, or it needs a value");
    }
}

static int parse_options(int argc, char **argv, select_options_t *o)
{
    static const struct option options[] = {
        {"confirm", no_argument, NULL, 'k'},
        {"chip", required_argument, NULL, 'c'},
        {"rollback", required_argument, NULL, 'r'},
        {"table-offset", required_argument, NULL, 'o'},
        {"offset", required_argument, NULL, 'o'}, /* as the other verbs called it */
        {0},
    };
    int c;
    optind = 0;
    opterr = 0;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        int status = take_option(c, o);
        if (status != EXIT_DONE) {
            return status;
        }
    }
    if (argc - optind != 2) {
        return cli_usage(VERB, "select takes FLASH SLOT");
    }
    o->flash = argv[optind];
    o->slot = argv[optind + 1];
    return EXIT_DONE;
}

/** "factory", "ota_1": what a partition is to the bootloader, whatever its label. NULL: nothing that it would boot. */
static const char *slot_name(const esp_partition_t *partition, char buf[12])
{
    if (partition->type != ESP_PARTITION_TYPE_APP) {
        return NULL;
    }
    if (ota_is_slot(partition)) {
        return boot_index_name((int)partition->subtype - ESP_PARTITION_SUBTYPE_APP_OTA_MIN, buf);
    }
    return partition->subtype == ESP_PARTITION_SUBTYPE_APP_FACTORY ? "factory" : NULL;
}

/** The partition of that label, else of that name. Says why not. */
static const esp_partition_t *find_slot(const linux_device_t *dev, const select_options_t *o)
{
    char labels[512] = "", name[12];
    size_t used = 0;
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
        int n = snprintf(labels + used, sizeof(labels) - used, "%s%s", used == 0 ? "" : ", ", item->label);
        used = n > 0 && (size_t)n < sizeof(labels) - used ? used + (size_t)n : used;
    }
    if (named == NULL) {
        cli_fail(VERB, "%s has no app partition '%s' that can be selected; it has %s", o->flash, o->slot,
                 used > 0 ? labels : "none");
    }
    return named;
}

/** Says why a selection failed, and what to do. */
static int cannot_select(const linux_device_t *dev, const select_options_t *o,
                         const esp_partition_t *partition, esp_err_t err)
{
    switch (err) {
    case ESP_ERR_OTA_VALIDATE_FAILED:
        return cli_fail(
            VERB, "%s: %s holds no image that boots: %s; `otter flash write %s %s FILE` puts one there",
            o->flash, partition->label, ota_last_reason(&dev->device), o->flash, partition->label);
    case ESP_ERR_NOT_FOUND:
        return cli_fail(VERB,
                        "%s: the table has no otadata partition, which would keep a selection; `otter flash "
                        "table` writes one that has",
                        o->flash);
    case ESP_ERR_INVALID_ARG:
        return cli_fail(VERB, "%s: %s comes behind a gap in the OTA slots, so no record can select it",
                        o->flash, partition->label);
    case ESP_ERR_OTA_SELECT_INFO_INVALID:
        return cli_fail(VERB,
                        "%s: the sequence numbers of otadata are used up; `otter flash erase %s otadata` "
                        "begins anew",
                        o->flash, o->flash);
    default:
        return cli_fail(VERB, "%s: cannot select %s: %s", o->flash, partition->label, esp_err_to_name(err));
    }
}

/** A record selects this partition already, and nothing that a bootloader does at its next start will change that. */
static bool is_settled(otter_device_t *device, const otter_boot_result_t *boot,
                       const esp_partition_t *partition, bool confirm)
{
    if (boot->partition != partition || boot->otadata_copy < 0 || boot->tried_count > 0) {
        return false;
    }
    esp_ota_img_states_t state = ESP_OTA_IMG_UNDEFINED;
    return confirm || (ota_get_state_partition(device, partition, &state) == ESP_OK &&
                       (state == ESP_OTA_IMG_VALID || state == ESP_OTA_IMG_UNDEFINED));
}

/** What boots now counts as running, as for an app that selects another. */
static esp_err_t select_slot(linux_device_t *dev, const select_options_t *o, const esp_partition_t *partition)
{
    otter_boot_result_t boot;
    otter_device_t *device = &dev->device;
    esp_err_t err = ESP_OK;
    device->running = otter_boot(device, OTTER_BOOT_DRY_RUN, &boot) == ESP_OK ? boot.partition : NULL;
    device->config.rollback = device->config.rollback || o->confirm;
    if (!is_settled(device, &boot, partition, o->confirm)) {
        err = ota_set_boot_partition(device, partition);
    }
    if (err == ESP_ERR_NOT_FOUND && device->running == partition) {
        return ESP_OK; /* without otadata nothing need be selected */
    }
    if (err == ESP_OK && o->confirm && ota_is_slot(partition)) {
        err = ota_mark_app_valid_cancel_rollback(device);
    }
    return err;
}

/** "copy 1, seq 2, VALID": the record that selects. */
static void tell_selection(const linux_device_t *dev, const select_options_t *o,
                           const esp_partition_t *partition)
{
    otadata_entry_t two[OTADATA_COPY_COUNT];
    const esp_partition_t *otadata = partition_list_find(
        &dev->device.partitions, NULL, ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_OTA, NULL);
    int active = OTADATA_NONE;
    if (otadata != NULL && otadata_read(dev->flash, otadata->address, otadata->size, two) == ESP_OK) {
        active = otadata_active(two);
    }
    if (active == OTADATA_NONE) {
        cli_did("%s: %s is selected, by no record of otadata", o->flash, partition->label);
    } else {
        cli_did("%s: %s is selected, by copy %d of otadata (seq %" PRIu32 ", %s)", o->flash, partition->label,
                active, two[active].seq, otadata_state_name(two[active].state));
    }
}

/** With the device open; it stays open. */
static int select_in(linux_device_t *dev, const select_options_t *o)
{
    if (dev->device.partitions.status != ESP_OK || dev->device.partitions.count == 0) {
        return cli_fail(VERB,
                        "%s has no usable partition table at 0x%" PRIx32 "; `otter flash info %s` says more",
                        o->flash, dev->device.config.table_offset, o->flash);
    }
    (void)otter_boot_finish_copies(&dev->device);
    const esp_partition_t *partition = find_slot(dev, o);
    if (partition == NULL) {
        return EXIT_FAILED;
    }
    esp_err_t err = select_slot(dev, o, partition);
    if (err != ESP_OK) {
        return cannot_select(dev, o, partition, err);
    }
    tell_selection(dev, o, partition);
    return EXIT_DONE;
}

int flash_select_verb(int argc, char **argv)
{
    select_options_t o = {.slot = "", .device = {.whole = true, .allow_no_md5 = true}};
    linux_device_t dev;
    char why[256];
    int status = parse_options(argc, argv, &o);
    if (status != EXIT_DONE) {
        return status;
    }
    if (linux_device_open(&dev, o.flash, &o.device, why, sizeof(why)) != ESP_OK) {
        return cli_fail(VERB, "%s: %s", o.flash, why);
    }
    esp_log_level_set("*", ESP_LOG_NONE); /* this command says it once, in its own words */
    status = select_in(&dev, &o);
    esp_err_t closed = linux_device_close(&dev);
    if (status == EXIT_DONE && closed != ESP_OK) {
        return cli_fail(VERB, "cannot write %s: %s", o.flash, esp_err_to_name(closed));
    }
    if (status == EXIT_DONE) {
        flash_tell_next(o.flash, &o.device);
        flash_tell_esptool(dev.device.chip.id, 0, o.flash);
    }
    return status;
}
