/* What `otter flash info` found, as a cJSON object. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "flash_report.h"
#include "flash_nvs.h"

#include <string.h>

#include "efuse_words.h"
#include "image_json.h"
#include "otter/signature.h"
#include "json.h"
#include "table_json.h"

static cJSON *copy_json(const otter_ota_record_t *entry)
{
    cJSON *json = cJSON_CreateObject();
    bool written = !entry->erased;
    json_number(json, "seq", written, entry->seq);
    json_string(json, "state", written ? otter_ota_state_name(entry->state) : NULL);
    json_bool(json, "crc_valid", true, entry->whole);
    json_bool(json, "valid", true, entry->counts);
    return json;
}

static cJSON *slot_json(const flash_slot_t *slot)
{
    cJSON *json = cJSON_CreateObject();
    json_text(json, "label", slot->partition->label, 16);
    json_string(json, "state", slot->state);
    json_number(json, "interrupted_at", slot->interrupted, slot->arrived);
    json_item(json, "image", slot->blank ? cJSON_CreateNull() : image_json(&slot->stream));
    return json;
}

static cJSON *boot_json(const flash_report_t *r)
{
    const otter_boot_result_t *boot = &r->boot;
    cJSON *json = cJSON_CreateObject();
    json_text(json, "label", r->boots, 16);
    json_text(json, "reason", r->reason, sizeof(r->reason));
    json_number(json, "otadata_copy", boot->otadata_copy >= 0, boot->otadata_copy);
    cJSON *tried = cJSON_AddArrayToObject(json, "tried");
    for (uint32_t i = 0; i < boot->tried_count; i++) {
        cJSON *one = cJSON_CreateObject();
        json_text(one, "label", boot->tried[i].label, 16);
        json_text(one, "why", boot->tried[i].fault.why, sizeof(boot->tried[i].fault.why));
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
    const otter_image_info_t *info = &b->stream.info;
    bool valid = b->stream.verdict == ESP_OK;
    uint32_t size = otter_image_flash_size(&info->header);
    unsigned mhz = otter_image_flash_mhz(&info->header, b->place.chip);
    cJSON *json = cJSON_CreateObject();
    json_number(json, "offset", true, b->place.offset);
    json_number(json, "expected_offset", b->needed, b->expected.offset);
    json_bool(json, "valid", true, valid);
    json_string(json, "error", valid ? NULL : b->stream.fault.why);
    json_string(json, "chip", b->place.chip->name);
    json_text(json, "idf_ver", info->has_bootloader_desc ? info->bootloader_desc.idf_ver : NULL, 32);
    json_number(json, "version", info->has_bootloader_desc, info->bootloader_desc.version);
    json_number(json, "flash_size", size != 0, size);
    json_string(json, "flash_mode", otter_image_flash_mode(&info->header));
    json_number(json, "flash_mhz", mhz != 0, mhz);
    json_bool(json, "hash_valid", info->hash_seen, info->hash_valid);
    return json;
}

static cJSON *stray_json(const flash_stray_t *stray)
{
    otter_image_stream_t s = {.info = stray->image.info, .verdict = stray->image.verdict};
    memcpy(s.fault.why, stray->image.why, sizeof(s.fault.why));
    cJSON *json = cJSON_CreateObject();
    json_number(json, "offset", true, stray->image.offset);
    json_text(json, "partition", stray->inside, 16);
    json_item(json, "image", image_json(&s));
    return json;
}

static cJSON *core_dump_json(const flash_report_t *r)
{
    if (r->core_dump == NULL) {
        return cJSON_CreateNull();
    }
    cJSON *json = cJSON_CreateObject();
    json_text(json, "partition", r->core_dump->label, 16);
    json_number(json, "length", true, r->core_dump_length);
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
    json_string(json, "content", contents[n->place]);
    json_string(json, "file_content", contents[n->whole]);
    json_number(json, "table_at", n->elsewhere, n->offset);
    json_number(json, "file_begins_at", n->shifted, (double)r->dev.device.config.table_offset - n->offset);
    return json;
}

/** null of what could not be opened. */
static cJSON *geometry_json(const otter_flash_t *flash)
{
    if (flash == NULL) {
        return cJSON_CreateNull();
    }
    cJSON *json = cJSON_CreateObject();
    json_number(json, "sector_size", true, flash->erase_size);
    json_number(json, "write_unit", true, flash->write_size);
    json_bool(json, "write_once", true, flash->write_once);
    return json;
}

/** null where no boot will encrypt this flash. */
static cJSON *first_boot_json(const flash_report_t *r)
{
    if (!r->has_first_boot) {
        return cJSON_CreateNull();
    }
    cJSON *json = cJSON_CreateObject();
    json_bool(json, "begun", true, r->first_boot.begun);
    json_number(json, "sectors_done", r->first_boot.begun, r->first_boot.done);
    json_number(json, "sectors", r->first_boot.begun, r->first_boot.sectors);
    json_string(json, "cipher", otter_flash_cipher_name(r->dev.cipher.kind));
    return json;
}

cJSON *flash_report_json(const flash_report_t *r)
{
    cJSON *root = cJSON_CreateObject();
    const otter_chip_facts_t *facts = r->dev.flash != NULL ? otter_chip_facts(r->dev.device.chip.id) : NULL;
    json_number(root, "size", r->dev.flash != NULL, r->dev.flash != NULL ? r->dev.flash->size : 0);
    json_number(root, "file_size", r->dev.flash != NULL, r->file_length);
    json_item(root, "geometry", geometry_json(r->dev.flash));
    json_string(root, "flash_encryption",
                r->dev.flash != NULL && r->dev.flash->cipher != NULL
                    ? otter_flash_cipher_name(r->dev.cipher.kind)
                    : NULL);
    json_item(root, "first_boot", first_boot_json(r));
    json_string(root, "verdict", r->dev.flash != NULL ? r->verdict : NULL);
    json_item(root, "secure_boot", efuse_secure_boot_json(&r->dev.efuse, r->dev.device.config.trust.scheme));
    json_string(root, "chip", facts != NULL && r->no_table.file_is == NULL ? facts->name : NULL);
    json_item(root, "bootloader", bootloader_json(&r->bootloader));
    json_item(root, "nvs", flash_nvs_json(r));
    cJSON *partitions = cJSON_AddArrayToObject(root, "partitions");
    for (uint32_t i = 0; i < r->table.count; i++) {
        cJSON_AddItemToArray(partitions, table_entry_json(&r->table.entries[i]));
    }
    cJSON *otadata = cJSON_AddArrayToObject(root, "otadata");
    for (uint32_t i = 0; r->otadata_partition != NULL && i < 2; i++) {
        cJSON_AddItemToArray(otadata, copy_json(&r->otadata[i]));
    }
    cJSON *slots = cJSON_AddArrayToObject(root, "slots");
    for (uint32_t i = 0; i < r->app_count; i++) {
        cJSON_AddItemToArray(slots, slot_json(&r->slots[i]));
    }
    json_item(root, "boot", boot_json(r));
    cJSON *strays = cJSON_AddArrayToObject(root, "stray_images");
    for (uint32_t i = 0; i < r->stray_count; i++) {
        cJSON_AddItemToArray(strays, stray_json(&r->strays[i]));
    }
    json_item(root, "core_dump", core_dump_json(r));
    json_item(root, "no_table", no_table_json(r));
    json_item(root, "repairs", cJSON_Duplicate(r->repairs, true));
    json_item(root, "warnings", cJSON_Duplicate(r->warnings, true));
    return root;
}
