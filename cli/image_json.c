/* An image's facts as a cJSON object. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "image_json.h"

#include "otter/image_kind.h"
#include "json.h"

static cJSON *segments_json(const otter_image_info_t *info)
{
    cJSON *list = cJSON_CreateArray();
    for (uint32_t i = 0; i < info->segments_seen; i++) {
        cJSON *segment = cJSON_CreateObject();
        json_number(segment, "load_addr", true, info->segments[i].load_addr);
        json_number(segment, "length", true, info->segments[i].data_len);
        cJSON_AddItemToArray(list, segment);
    }
    return list;
}

static cJSON *app_json(const otter_image_info_t *info)
{
    if (!info->has_desc) {
        return cJSON_CreateNull();
    }
    cJSON *app = cJSON_CreateObject();
    const esp_app_desc_t *desc = &info->desc;
    char hex[2 * sizeof(desc->app_elf_sha256) + 1];
    json_text(app, "project_name", desc->project_name, sizeof(desc->project_name));
    json_text(app, "version", desc->version, sizeof(desc->version));
    json_number(app, "secure_version", true, desc->secure_version);
    json_text(app, "date", desc->date, sizeof(desc->date));
    json_text(app, "time", desc->time, sizeof(desc->time));
    json_text(app, "idf_ver", desc->idf_ver, sizeof(desc->idf_ver));
    otter_image_hex(hex, desc->app_elf_sha256, sizeof(desc->app_elf_sha256));
    json_text(app, "elf_sha256", hex, sizeof(hex));
    return app;
}

static cJSON *bootloader_json(const otter_image_info_t *info)
{
    if (!info->has_bootloader_desc) {
        return cJSON_CreateNull();
    }
    const esp_bootloader_desc_t *desc = &info->bootloader_desc;
    cJSON *json = cJSON_CreateObject();
    json_number(json, "version", true, desc->version);
    json_number(json, "secure_version", true, desc->secure_version);
    json_text(json, "idf_ver", desc->idf_ver, sizeof(desc->idf_ver));
    json_text(json, "date_time", desc->date_time, sizeof(desc->date_time));
    return json;
}

/** What the header says of the flash chip. */
static void add_flash(cJSON *object, const otter_image_info_t *info, const otter_chip_facts_t *facts)
{
    bool known = info->header_seen && info->header.magic == ESP_IMAGE_HEADER_MAGIC;
    const char *mode = known ? otter_image_flash_mode(&info->header) : NULL;
    unsigned mhz = known && facts != NULL ? otter_image_flash_mhz(&info->header, facts) : 0;
    uint32_t size = known ? otter_image_flash_size(&info->header) : 0;
    json_string(object, "flash_mode", mode);
    json_number(object, "flash_mhz", mhz != 0, mhz);
    json_number(object, "flash_size", size != 0, size);
}

/** What a device's own bootloader starts. */
static cJSON *payload_json(const otter_image_info_t *info)
{
    uint32_t off, len;
    if (!otter_image_payload(info, &off, &len)) {
        return cJSON_CreateNull();
    }
    cJSON *json = cJSON_CreateObject();
    json_number(json, "offset", true, off);
    json_number(json, "length", true, len);
    return json;
}

static void add_facts(cJSON *object, const otter_image_stream_t *s)
{
    const otter_image_info_t *info = &s->info;
    bool known = info->header_seen;
    const otter_chip_facts_t *facts = known ? otter_chip_facts(info->header.chip_id) : NULL;
    bool valid = s->verdict == ESP_OK;
    char hex[2 * OTTER_IMAGE_HASH_LEN + 1];

    json_bool(object, "valid", true, valid);
    json_string(object, "error", valid ? NULL : s->fault.why);
    json_string(object, "kind", otter_image_kind_key(otter_image_kind(info)));
    json_string(object, "chip", facts != NULL ? facts->name : NULL);
    json_number(object, "chip_id", known, info->header.chip_id);
    json_number(object, "entry", known, info->header.entry_addr);
    json_item(object, "segments", segments_json(info));
    json_bool(object, "checksum_valid", info->checksum_seen, info->checksum_valid);
    json_bool(object, "hash_valid", info->hash_compared, info->hash_valid);
    otter_image_hex(hex, info->digest, OTTER_IMAGE_HASH_LEN);
    json_string(object, "hash", info->hash_seen ? hex : NULL);
    otter_image_hex(hex, info->computed, OTTER_IMAGE_HASH_LEN);
    json_string(object, "computed_hash", info->hash_compared ? hex : NULL);
    json_number(object, "image_len", info->image_len != 0, info->image_len);
    json_number(object, "min_rev", known, info->header.min_chip_rev_full);
    json_number(object, "max_rev", known, info->header.max_chip_rev_full);
    bool limits = info->has_blk_limits && otter_image_kind(info) == OTTER_IMAGE_KIND_APP;
    json_number(object, "min_blk_rev", limits, info->min_blk_revision);
    json_number(object, "max_blk_rev", limits, info->max_blk_revision);
    add_flash(object, info, facts);
    json_item(object, "app", app_json(info));
    json_item(object, "bootloader", bootloader_json(info));
    json_item(object, "payload", payload_json(info));
}

cJSON *image_json(const otter_image_stream_t *s)
{
    cJSON *object = cJSON_CreateObject();
    add_facts(object, s);
    return object;
}
