/* An image's facts as a cJSON object. */
#include "image_json.h"

#include "clean_text.h"
#include "image/kind.h"

/* cJSON_Add* return NULL when memory is out; `ok` remembers it over a whole object. */

static void add(cJSON *object, const char *key, cJSON *value, bool *ok)
{
    if (value == NULL || !cJSON_AddItemToObject(object, key, value)) {
        cJSON_Delete(value);
        *ok = false;
    }
}

static void add_number(cJSON *object, const char *key, bool known, uint32_t value, bool *ok)
{
    add(object, key, known ? cJSON_CreateNumber(value) : cJSON_CreateNull(), ok);
}

static void add_bool(cJSON *object, const char *key, bool known, bool value, bool *ok)
{
    add(object, key, known ? cJSON_CreateBool(value) : cJSON_CreateNull(), ok);
}

static void add_text(cJSON *object, const char *key, const char *raw, size_t len, bool *ok)
{
    char text[CLEAN_TEXT_SIZE(sizeof(((image_stream_t *)0)->why))];
    add(object, key, cJSON_CreateString(clean_text(text, raw, len)), ok);
}

static cJSON *segments_json(const image_info_t *info, bool *ok)
{
    cJSON *list = cJSON_CreateArray();
    for (uint32_t i = 0; list != NULL && i < info->segments_seen; i++) {
        cJSON *segment = cJSON_CreateObject();
        if (segment == NULL || !cJSON_AddItemToArray(list, segment)) {
            cJSON_Delete(segment);
            *ok = false;
            break;
        }
        add_number(segment, "load_addr", true, info->segments[i].load_addr, ok);
        add_number(segment, "length", true, info->segments[i].data_len, ok);
    }
    return list;
}

static cJSON *app_json(const image_info_t *info, bool *ok)
{
    if (!info->has_desc) {
        return cJSON_CreateNull();
    }
    cJSON *app = cJSON_CreateObject();
    if (app == NULL) {
        return NULL;
    }
    const esp_app_desc_t *desc = &info->desc;
    char hex[2 * sizeof(desc->app_elf_sha256) + 1];
    add_text(app, "project_name", desc->project_name, sizeof(desc->project_name), ok);
    add_text(app, "version", desc->version, sizeof(desc->version), ok);
    add_number(app, "secure_version", true, desc->secure_version, ok);
    add_text(app, "date", desc->date, sizeof(desc->date), ok);
    add_text(app, "time", desc->time, sizeof(desc->time), ok);
    add_text(app, "idf_ver", desc->idf_ver, sizeof(desc->idf_ver), ok);
    image_hex(hex, desc->app_elf_sha256, sizeof(desc->app_elf_sha256));
    add_text(app, "elf_sha256", hex, sizeof(hex), ok);
    return app;
}

static cJSON *bootloader_json(const image_info_t *info, bool *ok)
{
    if (!info->has_bootloader_desc) {
        return cJSON_CreateNull();
    }
    cJSON *json = cJSON_CreateObject();
    if (json != NULL) {
        const esp_bootloader_desc_t *desc = &info->bootloader_desc;
        add_number(json, "version", true, desc->version, ok);
        add_number(json, "secure_version", true, desc->secure_version, ok);
        add_text(json, "idf_ver", desc->idf_ver, sizeof(desc->idf_ver), ok);
        add_text(json, "date_time", desc->date_time, sizeof(desc->date_time), ok);
    }
    return json;
}

/** What the header says of the flash chip. */
static void add_flash(cJSON *object, const image_info_t *info, const otter_chip_facts_t *facts, bool *ok)
{
    bool known = info->header_seen && info->header.magic == ESP_IMAGE_HEADER_MAGIC;
    const char *mode = known ? image_flash_mode(&info->header) : NULL;
    unsigned mhz = known && facts != NULL ? image_flash_mhz(&info->header, facts) : 0;
    uint32_t size = known ? image_flash_size(&info->header) : 0;
    add(object, "flash_mode", mode != NULL ? cJSON_CreateString(mode) : cJSON_CreateNull(), ok);
    add_number(object, "flash_mhz", mhz != 0, mhz, ok);
    add_number(object, "flash_size", size != 0, size, ok);
}

static void add_facts(cJSON *object, const image_stream_t *s, bool *ok)
{
    const image_info_t *info = &s->info;
    bool known = info->header_seen;
    const otter_chip_facts_t *facts = known ? otter_chip_facts(info->header.chip_id) : NULL;
    bool valid = s->verdict == ESP_OK;
    char hex[2 * IMAGE_HASH_LEN + 1];

    add_bool(object, "valid", true, valid, ok);
    add(object, "error", valid ? cJSON_CreateNull() : cJSON_CreateString(s->why), ok);
    add(object, "kind", cJSON_CreateString(image_kind_key(image_kind(info))), ok);
    add(object, "chip", facts != NULL ? cJSON_CreateString(facts->name) : cJSON_CreateNull(), ok);
    add_number(object, "chip_id", known, info->header.chip_id, ok);
    add_number(object, "entry", known, info->header.entry_addr, ok);
    add(object, "segments", segments_json(info, ok), ok);
    add_bool(object, "checksum_valid", info->checksum_seen, info->checksum_valid, ok);
    add_bool(object, "hash_valid", info->hash_compared, info->hash_valid, ok);
    image_hex(hex, info->digest, IMAGE_HASH_LEN);
    add(object, "hash", info->hash_seen ? cJSON_CreateString(hex) : cJSON_CreateNull(), ok);
    image_hex(hex, info->computed, IMAGE_HASH_LEN);
    add(object, "computed_hash", info->hash_compared ? cJSON_CreateString(hex) : cJSON_CreateNull(), ok);
    add_number(object, "image_len", info->image_len != 0, info->image_len, ok);
    add_number(object, "min_rev", known, info->header.min_chip_rev_full, ok);
    add_number(object, "max_rev", known, info->header.max_chip_rev_full, ok);
    add_number(object, "min_blk_rev", info->has_desc, info->desc.min_efuse_blk_rev_full, ok);
    add_number(object, "max_blk_rev", info->has_desc, info->desc.max_efuse_blk_rev_full, ok);
    add_flash(object, info, facts, ok);
    add(object, "app", app_json(info, ok), ok);
    add(object, "bootloader", bootloader_json(info, ok), ok);
}

cJSON *image_json(const image_stream_t *s)
{
    cJSON *object = cJSON_CreateObject();
    bool ok = object != NULL;
    if (ok) {
        add_facts(object, s, &ok);
    }
    if (!ok) {
        cJSON_Delete(object);
        return NULL;
    }
    return object;
}
