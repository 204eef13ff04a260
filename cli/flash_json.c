/* What `otter flash info` found, as a cJSON object. */
#include "flash_report.h"

#include <string.h>

#include "clean_text.h"
#include "image_json.h"
#include "table_json.h"

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
    add_number_or_null(json, "interrupted_at", slot->interrupted, slot->arrived);
    cJSON_AddItemToObject(json, "image", slot->blank ? cJSON_CreateNull() : image_json(&slot->stream));
    return json;
}

static cJSON *boot_json(const flash_report_t *r)
{
    const otter_boot_result_t *boot = &r->boot;
    char label[CLEAN_TEXT_SIZE(16)], text[CLEAN_TEXT_SIZE(sizeof(r->reason))];
    cJSON *json = cJSON_CreateObject();
    add_string_or_null(json, "label", r->boots != NULL ? clean_text(label, r->boots, 16) : NULL);
    cJSON_AddStringToObject(json, "reason", clean_text(text, r->reason, sizeof(r->reason)));
    add_number_or_null(json, "otadata_copy", boot->otadata_copy >= 0, boot->otadata_copy);
    cJSON *tried = cJSON_AddArrayToObject(json, "tried");
    for (uint32_t i = 0; i < boot->tried_count; i++) {
        cJSON *one = cJSON_CreateObject();
        cJSON_AddStringToObject(one, "label", clean_text(label, boot->tried[i].label, 16));
        cJSON_AddStringToObject(one, "why", clean_text(text, boot->tried[i].why, sizeof(boot->tried[i].why)));
        cJSON_AddItemToArray(tried, one);
    }
    return json;
}

/** null where the flash has none. */
static cJSON *bootloader_json(const flash_bootloader_t *b)
{
    if (!b->found) {
        return cJSON_CreateNull();
    }
    const image_info_t *info = &b->stream.info;
    bool valid = b->stream.verdict == ESP_OK;
    uint32_t size = image_flash_size(&info->header);
    unsigned mhz = image_flash_mhz(&info->header, b->place.chip);
    char text[CLEAN_TEXT_SIZE(sizeof(b->stream.why))], version[CLEAN_TEXT_SIZE(32)];
    cJSON *json = cJSON_CreateObject();
    cJSON_AddNumberToObject(json, "offset", b->place.offset);
    add_number_or_null(json, "expected_offset", b->needed, b->expected.offset);
    cJSON_AddBoolToObject(json, "valid", valid);
    add_string_or_null(json, "error", valid ? NULL : clean_text(text, b->stream.why, sizeof(b->stream.why)));
    cJSON_AddStringToObject(json, "chip", b->place.chip->name);
    add_string_or_null(json, "idf_ver",
                       info->has_bootloader_desc ? clean_text(version, info->bootloader_desc.idf_ver, 32)
                                                 : NULL);
    add_number_or_null(json, "version", info->has_bootloader_desc, info->bootloader_desc.version);
    add_number_or_null(json, "flash_size", size != 0, size);
    add_string_or_null(json, "flash_mode", image_flash_mode(&info->header));
    add_number_or_null(json, "flash_mhz", mhz != 0, mhz);
    cJSON_AddItemToObject(json, "hash_valid",
                          info->hash_seen ? cJSON_CreateBool(info->hash_valid) : cJSON_CreateNull());
    return json;
}

static cJSON *stray_json(const flash_stray_t *stray)
{
    char label[CLEAN_TEXT_SIZE(16)];
    image_stream_t s = {.info = stray->image.info, .verdict = stray->image.verdict};
    memcpy(s.why, stray->image.why, sizeof(s.why));
    cJSON *json = cJSON_CreateObject();
    cJSON_AddNumberToObject(json, "offset", stray->image.offset);
    add_string_or_null(json, "partition",
                       stray->inside != NULL ? clean_text(label, stray->inside, 16) : NULL);
    cJSON_AddItemToObject(json, "image", image_json(&s));
    return json;
}

static cJSON *core_dump_json(const flash_report_t *r)
{
    char label[CLEAN_TEXT_SIZE(16)];
    if (r->core_dump == NULL) {
        return cJSON_CreateNull();
    }
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "partition", clean_text(label, r->core_dump->label, 16));
    cJSON_AddNumberToObject(json, "length", r->core_dump_length);
    return json;
}

/** What lies at the place of the table; null where the table does. */
static cJSON *no_table_json(const flash_report_t *r)
{
    static const char *const contents[] = {
        [FLASH_ERASED] = "erased", [FLASH_ZERO] = "zeros", [FLASH_NOISE] = "noise", [FLASH_DATA] = "data"};
    const flash_no_table_t *n = &r->no_table;
    if (r->has_table || r->dev.flash == NULL) {
        return cJSON_CreateNull();
    }
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "content", contents[n->place]);
    cJSON_AddStringToObject(json, "file_content", contents[n->whole]);
    add_number_or_null(json, "table_at", n->elsewhere, n->offset);
    add_number_or_null(json, "file_begins_at", n->shifted,
                       (double)r->dev.device.config.table_offset - n->offset);
    return json;
}

cJSON *flash_report_json(const flash_report_t *r)
{
    cJSON *root = cJSON_CreateObject();
    const otter_chip_facts_t *facts = r->dev.flash != NULL ? otter_chip_facts(r->dev.device.chip.id) : NULL;
    add_number_or_null(root, "size", r->dev.flash != NULL, r->dev.flash != NULL ? r->dev.flash->size : 0);
    add_number_or_null(root, "file_size", r->dev.flash != NULL, r->file_length);
    add_string_or_null(root, "verdict", r->dev.flash != NULL ? r->verdict : NULL);
    add_string_or_null(root, "chip", facts != NULL && r->no_table.file_is == NULL ? facts->name : NULL);
    cJSON_AddItemToObject(root, "bootloader", bootloader_json(&r->bootloader));
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
    cJSON_AddItemToObject(root, "boot", boot_json(r));
    cJSON *strays = cJSON_AddArrayToObject(root, "stray_images");
    for (uint32_t i = 0; i < r->stray_count; i++) {
        cJSON_AddItemToArray(strays, stray_json(&r->strays[i]));
    }
    cJSON_AddItemToObject(root, "core_dump", core_dump_json(r));
    cJSON_AddItemToObject(root, "no_table", no_table_json(r));
    cJSON_AddItemToObject(root, "repairs", cJSON_Duplicate(r->repairs, true));
    cJSON_AddItemToObject(root, "warnings", cJSON_Duplicate(r->warnings, true));
    return root;
}
