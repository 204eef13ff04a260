/* otter flash info: looks at everything that decides how a device boots, and changes nothing. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/le.h"
#include "boot/otadata_flash.h"
#include "clean_text.h"
#include "cli.h"
#include "flash/partition_list.h"
#include "flash_report.h"
#include "flash_verbs.h"

#define VERB      "flash"
#define LINE_SIZE 256

typedef struct {
    const char *path;
    linux_device_options_t device;
    bool json;
} info_options_t;

static int take_option(info_options_t *o, int c)
{
    switch (c) {
    case 'j':
        o->json = true;
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
        return cli_usage(VERB, "info does not know an option, or it needs a value");
    }
}

static int parse_options(int argc, char **argv, info_options_t *o)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'},
        {"chip", required_argument, NULL, 'c'},
        {"offset", required_argument, NULL, 'o'},
        {"rollback", required_argument, NULL, 'r'},
        {0},
    };
    int c;
    optind = 0;
    opterr = 0;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        int status = take_option(o, c);
        if (status != EXIT_DONE) {
            return status;
        }
    }
    if (argc - optind != 1) {
        return cli_usage(VERB, "info takes one flash file");
    }
    o->path = argv[optind];
    return EXIT_DONE;
}

static void warn(void *arg, const char *line)
{
    flash_report_t *r = arg;
    char clean[CLEAN_TEXT_SIZE(LINE_SIZE)];
    cJSON_AddItemToArray(r->warnings, cJSON_CreateString(clean_text(clean, line, LINE_SIZE)));
}

/** The table as it is, and the partitions as far as they can be used. @return false: there is no table */
static bool look_at_table(flash_report_t *r)
{
    uint8_t raw[PARTITION_TABLE_LEN];
    otter_device_t *device = &r->dev.device;
    uint32_t offset = device->config.table_offset;
    if (!range_fits(offset, PARTITION_TABLE_SECTOR, device->flash->size) ||
        otter_flash_read(device->flash, offset, raw, sizeof(raw)) != ESP_OK ||
        partition_table_decode(raw, &r->table) != ESP_OK || r->table.count == 0) {
        return false;
    }
    partition_table_check(&r->table, offset, device->flash->size, warn, r);
    return true;
}

static const esp_partition_t *find(const flash_report_t *r, esp_partition_type_t type, unsigned subtype)
{
    return partition_list_find(&r->dev.device.partitions, NULL, type, (esp_partition_subtype_t)subtype, NULL);
}

static void look_at_otadata(flash_report_t *r)
{
    const esp_partition_t *partition = find(r, ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_OTA);
    if (partition == NULL) {
        return;
    }
    if (otadata_read(r->dev.flash, partition->address, partition->size, r->otadata) != ESP_OK) {
        warn(r, "otadata cannot be read: it is too small, or beyond the end of the flash");
        return;
    }
    r->otadata_partition = partition;
    for (uint32_t copy = 0; copy < OTADATA_COPY_COUNT; copy++) {
        const otadata_entry_t *entry = &r->otadata[copy];
        if (entry->seq != OTADATA_SEQ_ERASED && !otadata_crc_matches(entry)) {
            char line[LINE_SIZE];
            snprintf(line, sizeof(line),
                     "otadata copy %" PRIu32 " is torn or damaged: its crc is 0x%08" PRIx32
                     ", and 0x%08" PRIx32 " would be right for seq %" PRIu32,
                     copy, entry->crc, otadata_crc(entry->seq), entry->seq);
            warn(r, line);
        }
    }
}

static bool is_ota_slot(const esp_partition_t *partition)
{
    return partition->type == ESP_PARTITION_TYPE_APP &&
           partition->subtype >= ESP_PARTITION_SUBTYPE_APP_OTA_MIN &&
           partition->subtype < ESP_PARTITION_SUBTYPE_APP_OTA_MAX;
}

/** State by the copy that selects this slot; where both do, by the active one. NULL if none does. */
static const char *slot_state(const flash_report_t *r, const esp_partition_t *partition)
{
    const char *state = NULL;
    int active = otadata_active(r->otadata);
    for (uint32_t copy = 0; r->otadata_partition != NULL && copy < OTADATA_COPY_COUNT; copy++) {
        const otadata_entry_t *entry = &r->otadata[copy];
        if (is_ota_slot(partition) && entry->seq != OTADATA_SEQ_ERASED && otadata_crc_matches(entry) &&
            otadata_slot(entry->seq, r->slot_count) ==
                (uint32_t)partition->subtype - ESP_PARTITION_SUBTYPE_APP_OTA_MIN &&
            (state == NULL || (int)copy == active)) {
            state = otadata_state_name(entry->state);
        }
    }
    return state;
}

/** Nothing was ever written where an image begins. */
static bool is_blank(otter_flash_t *flash, const esp_partition_t *partition)
{
    uint8_t head[IMAGE_GATE_SIZE];
    if (partition->size < sizeof(head) ||
        otter_flash_read(flash, partition->address, head, sizeof(head)) != ESP_OK) {
        return false;
    }
    for (size_t i = 0; i < sizeof(head); i++) {
        if (head[i] != 0xFF) {
            return false;
        }
    }
    return true;
}

static void look_at_slot(flash_report_t *r, const esp_partition_t *partition)
{
    flash_slot_t *slot = &r->slots[r->app_count++];
    slot->partition = partition;
    slot->state = slot_state(r, partition);
    image_rules_t rules = {.chip = &r->dev.device.chip,
                           .flash_offset = partition->address,
                           .size = partition->size,
                           .loading = true};
    if (!range_fits(partition->address, partition->size, r->dev.flash->size)) {
        slot->stream.verdict = ESP_ERR_INVALID_SIZE;
        snprintf(slot->stream.why, sizeof(slot->stream.why), "the partition is beyond the end of the flash");
        return;
    }
    slot->blank = is_blank(r->dev.flash, partition);
    if (!slot->blank) {
        slot->stream.verdict = image_stream_from_flash(&slot->stream, r->dev.flash, &rules);
        if (slot->stream.verdict != ESP_OK && slot->stream.why[0] == '\0') {
            snprintf(slot->stream.why, sizeof(slot->stream.why), "%s", esp_err_to_name(slot->stream.verdict));
        }
    }
}

/** @return false when out of memory */
static bool look_at_slots(flash_report_t *r)
{
    const otter_partition_list_t *list = &r->dev.device.partitions;
    r->slots = calloc(list->count + 1, sizeof(*r->slots));
    for (uint32_t i = 0; r->slots != NULL && i < list->count; i++) {
        r->slot_count += is_ota_slot(&list->items[i]);
    }
    for (uint32_t i = 0; r->slots != NULL && i < list->count; i++) {
        if (list->items[i].type == ESP_PARTITION_TYPE_APP) {
            look_at_slot(r, &list->items[i]);
        }
    }
    return r->slots != NULL;
}

/** Fills the report of an open device. @return EXIT_DONE, or EXIT_FAILED after saying that nothing can be said */
static int look_at_all(flash_report_t *r)
{
    uint32_t offset = r->dev.device.config.table_offset;
    if (!look_at_table(r)) {
        snprintf(r->boot.reason, sizeof(r->boot.reason), "there is no partition table at 0x%" PRIx32, offset);
        return cli_fail(VERB, "%s has no partition table at 0x%" PRIx32 "; --offset says where it is",
                        r->path, offset);
    }
    look_at_otadata(r);
    if (!look_at_slots(r)) {
        return cli_fail(VERB, "out of memory");
    }
    (void)otter_boot(&r->dev.device, OTTER_BOOT_DRY_RUN, &r->boot); /* its reason says what went wrong */
    return EXIT_DONE;
}

static int print_json(const flash_report_t *r)
{
    cJSON *json = flash_report_json(r);
    char *text = json != NULL ? cJSON_Print(json) : NULL;
    cJSON_Delete(json);
    if (text == NULL) {
        return cli_fail(VERB, "out of memory");
    }
    puts(text);
    free(text);
    return EXIT_DONE;
}

static void free_report(flash_report_t *r)
{
    for (uint32_t i = 0; i < r->app_count; i++) {
        image_stream_end(&r->slots[i].stream);
    }
    free(r->slots);
    cJSON_Delete(r->warnings);
    if (r->dev.flash != NULL) {
        (void)linux_device_close(&r->dev); /* opened read-only: nothing to lose */
    }
    free(r);
}

int flash_info_verb(int argc, char **argv)
{
    info_options_t o = {.device = {.read_only = true, .allow_no_md5 = true}};
    int status = parse_options(argc, argv, &o);
    if (status != EXIT_DONE) {
        return status;
    }
    flash_report_t *r = calloc(1, sizeof(*r));
    if (r == NULL) {
        return cli_fail(VERB, "out of memory");
    }
    char why[LINE_SIZE];
    r->path = o.path;
    r->warnings = cJSON_CreateArray();
    if (linux_device_open(&r->dev, o.path, &o.device, why, sizeof(why)) != ESP_OK) {
        r->dev.flash = NULL;
        snprintf(r->boot.reason, sizeof(r->boot.reason), "%.*s", (int)sizeof(r->boot.reason) - 1, why);
        status = cli_fail(VERB, "%s: %s", o.path, why);
    } else {
        status = look_at_all(r);
    }
    if (o.json) {
        status = print_json(r) == EXIT_DONE ? status : EXIT_FAILED;
    } else if (status == EXIT_DONE) {
        flash_report_print(r);
    }
    free_report(r);
    return status;
}
