/* Saying what a flash file holds. */
#include "flash_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "clean_text.h"
#include "image_json.h"
#include "table_json.h"
#include "table_csv.h"

/* ---- for people ---- */

static void print_device(const flash_report_t *r)
{
    char size[32];
    const otter_device_t *device = &r->dev.device;
    const otter_chip_facts_t *facts = otter_chip_facts(device->chip.id);
    table_format_size(device->flash->size, size);
    printf("%s: %sB of flash, chip %s (from %s), rollback %s\n", r->path, size,
           facts != NULL ? facts->name : "unknown", r->dev.chip_source,
           device->config.rollback ? "on" : "off");
}

static void print_partitions(const flash_report_t *r)
{
    static const char *const md5[] = {"without MD5", "MD5 good", "MD5 WRONG"};
    printf("\npartition table at 0x%" PRIx32 ", %s\n", r->dev.device.config.table_offset, md5[r->table.md5]);
    table_print_heading("  ");
    for (uint32_t i = 0; i < r->table.count; i++) {
        table_print_entry("  ", &r->table.entries[i]);
    }
}

static void print_copy(const flash_report_t *r, uint32_t copy, bool active)
{
    const otadata_entry_t *entry = &r->otadata[copy];
    printf("  copy %" PRIu32 ": ", copy);
    if (entry->seq == OTADATA_SEQ_ERASED) {
        printf("erased\n");
        return;
    }
    printf("seq %" PRIu32, entry->seq);
    if (r->slot_count > 0) {
        printf(" (ota_%" PRIu32 ")", otadata_slot(entry->seq, r->slot_count));
    }
    printf(", %s, crc 0x%08" PRIx32 " %s%s\n", otadata_state_name(entry->state), entry->crc,
           otadata_crc_matches(entry) ? "right" : "WRONG", active ? "  <- active" : "");
}

static void print_otadata(const flash_report_t *r)
{
    if (r->otadata_partition == NULL) {
        printf("\notadata: none\n");
        return;
    }
    printf("\notadata at 0x%" PRIx32 "\n", r->otadata_partition->address);
    int active = otadata_active(r->otadata);
    for (uint32_t copy = 0; copy < OTADATA_COPY_COUNT; copy++) {
        print_copy(r, copy, (int)copy == active);
    }
}

static void print_slot(const flash_slot_t *slot)
{
    char label[CLEAN_TEXT_SIZE(16)], project[CLEAN_TEXT_SIZE(32)], version[CLEAN_TEXT_SIZE(32)];
    printf("  %-16s %-14s ", clean_text(label, slot->partition->label, 16),
           slot->state != NULL ? slot->state : "-");
    const image_stream_t *s = &slot->stream;
    if (slot->blank) {
        printf("blank\n");
        return;
    }
    if (s->info.has_desc) {
        printf("%s %s, ", clean_text(project, s->info.desc.project_name, 32),
               clean_text(version, s->info.desc.version, 32));
    }
    if (s->verdict == ESP_OK) {
        printf("valid, %" PRIu32 " bytes of %" PRIu32 "%s\n", s->info.image_len, slot->partition->size,
               s->info.hash_seen ? "" : ", no SHA-256 appended");
    } else {
        printf("NOT BOOTABLE: %s\n", s->why);
    }
}

static void print_boot(const flash_report_t *r)
{
    char label[CLEAN_TEXT_SIZE(16)], text[CLEAN_TEXT_SIZE(sizeof(r->boot.reason))];
    printf("\nboots next: %s\n",
           r->boot.partition != NULL ? clean_text(label, r->boot.partition->label, 16) : "NOTHING");
    printf("  %s\n", clean_text(text, r->boot.reason, sizeof(r->boot.reason)));
    for (uint32_t i = 0; i < r->boot.tried_count; i++) {
        printf("  passed over %s: %s\n", clean_text(label, r->boot.tried[i].label, 16),
               clean_text(text, r->boot.tried[i].why, sizeof(r->boot.tried[i].why)));
    }
}

void flash_report_print(const flash_report_t *r)
{
    print_device(r);
    print_partitions(r);
    print_otadata(r);
    printf("\napp partitions (state by otadata, image as the bootloader judges it)\n");
    for (uint32_t i = 0; i < r->app_count; i++) {
        print_slot(&r->slots[i]);
    }
    print_boot(r);
    const cJSON *warning;
    cJSON_ArrayForEach(warning, r->warnings)
    {
        printf("warning: %s\n", warning->valuestring);
    }
}

/* ---- for programs ---- */

static void add_number_or_null(cJSON *object, const char *key, bool known, double value)
{
    if (known) {
        cJSON_AddNumberToObject(object, key, value);
    } else {
        cJSON_AddNullToObject(object, key);
    }
}

static void add_string_or_null(cJSON *object, const char *key, const char *value)
{
    if (value != NULL) {
        cJSON_AddStringToObject(object, key, value);
    } else {
        cJSON_AddNullToObject(object, key);
    }
}

static cJSON *copy_json(const otadata_entry_t *entry)
{
    cJSON *json = cJSON_CreateObject();
    bool written = entry->seq != OTADATA_SEQ_ERASED;
    add_number_or_null(json, "seq", written, entry->seq);
    add_string_or_null(json, "state", written ? otadata_state_name(entry->state) : NULL);
    cJSON_AddBoolToObject(json, "crc_valid", written && otadata_crc_matches(entry));
    cJSON_AddBoolToObject(json, "valid", otadata_is_valid(entry));
    return json;
}

static cJSON *slot_json(const flash_slot_t *slot)
{
    char label[CLEAN_TEXT_SIZE(16)];
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "label", clean_text(label, slot->partition->label, 16));
    add_string_or_null(json, "state", slot->state);
    cJSON_AddItemToObject(json, "image", slot->blank ? cJSON_CreateNull() : image_json(&slot->stream));
    return json;
}

static cJSON *boot_json(const otter_boot_result_t *boot)
{
    char label[CLEAN_TEXT_SIZE(16)], text[CLEAN_TEXT_SIZE(sizeof(boot->reason))];
    cJSON *json = cJSON_CreateObject();
    add_string_or_null(json, "label",
                       boot->partition != NULL ? clean_text(label, boot->partition->label, 16) : NULL);
    cJSON_AddStringToObject(json, "reason", clean_text(text, boot->reason, sizeof(boot->reason)));
    cJSON *tried = cJSON_AddArrayToObject(json, "tried");
    for (uint32_t i = 0; i < boot->tried_count; i++) {
        cJSON *one = cJSON_CreateObject();
        cJSON_AddStringToObject(one, "label", clean_text(label, boot->tried[i].label, 16));
        cJSON_AddStringToObject(one, "why", clean_text(text, boot->tried[i].why, sizeof(boot->tried[i].why)));
        cJSON_AddItemToArray(tried, one);
    }
    return json;
}

cJSON *flash_report_json(const flash_report_t *r)
{
    cJSON *root = cJSON_CreateObject();
    const otter_chip_facts_t *facts = r->dev.flash != NULL ? otter_chip_facts(r->dev.device.chip.id) : NULL;
    add_number_or_null(root, "size", r->dev.flash != NULL, r->dev.flash != NULL ? r->dev.flash->size : 0);
    add_string_or_null(root, "chip", facts != NULL ? facts->name : NULL);
    cJSON *partitions = cJSON_AddArrayToObject(root, "partitions");
    for (uint32_t i = 0; i < r->table.count; i++) {
        cJSON_AddItemToArray(partitions, table_entry_json(&r->table.entries[i]));
    }
    cJSON *otadata = cJSON_AddArrayToObject(root, "otadata");
    for (uint32_t i = 0; r->otadata_partition != NULL && i < OTADATA_COPY_COUNT; i++) {
        cJSON_AddItemToArray(otadata, copy_json(&r->otadata[i]));
    }
    cJSON *slots = cJSON_AddArrayToObject(root, "slots");
    for (uint32_t i = 0; i < r->app_count; i++) {
        cJSON_AddItemToArray(slots, slot_json(&r->slots[i]));
    }
    cJSON_AddItemToObject(root, "boot", boot_json(&r->boot));
    cJSON_AddItemToObject(root, "warnings", cJSON_Duplicate(r->warnings, true));
    return root;
}
