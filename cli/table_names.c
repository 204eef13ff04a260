/* Keywords of the partition table's CSV form. */
#include "table_names.h"

#include <stdio.h>
#include <strings.h>

#include "esp_flash_partitions.h"

/* The order is that of the vendor tool's messages. */
static const table_keyword_t types[] = {
    {"bootloader", PART_TYPE_BOOTLOADER},
    {"partition_table", PART_TYPE_PARTITION_TABLE},
    {"app", PART_TYPE_APP},
    {"data", PART_TYPE_DATA},
    {NULL, 0},
};

static const table_keyword_t app_subtypes[] = {
    {"factory", 0x00}, {"test", 0x20},   {"ota_0", 0x10},  {"ota_1", 0x11},  {"ota_2", 0x12},
    {"ota_3", 0x13},   {"ota_4", 0x14},  {"ota_5", 0x15},  {"ota_6", 0x16},  {"ota_7", 0x17},
    {"ota_8", 0x18},   {"ota_9", 0x19},  {"ota_10", 0x1A}, {"ota_11", 0x1B}, {"ota_12", 0x1C},
    {"ota_13", 0x1D},  {"ota_14", 0x1E}, {"ota_15", 0x1F}, {"tee_0", 0x30},  {"tee_1", 0x31},
    {NULL, 0},
};

static const table_keyword_t data_subtypes[] = {
    {"ota", 0x00},      {"phy", 0x01},       {"nvs", 0x02},      {"coredump", 0x03}, {"nvs_keys", 0x04},
    {"efuse", 0x05},    {"undefined", 0x06}, {"esphttpd", 0x80}, {"fat", 0x81},      {"spiffs", 0x82},
    {"littlefs", 0x83}, {"tee_ota", 0x90},   {NULL, 0},
};

static const table_keyword_t bootloader_subtypes[] = {
    {"primary", 0x00}, {"ota", 0x01}, {"recovery", 0x02}, {NULL, 0}};

static const table_keyword_t table_subtypes[] = {{"primary", 0x00}, {"ota", 0x01}, {NULL, 0}};

static const table_keyword_t no_subtypes[] = {{NULL, 0}};

const table_keyword_t *table_type_keywords(void)
{
    return types;
}

const table_keyword_t *table_subtype_keywords(int64_t type)
{
    switch (type) {
    case PART_TYPE_APP:
        return app_subtypes;
    case PART_TYPE_DATA:
        return data_subtypes;
    case PART_TYPE_BOOTLOADER:
        return bootloader_subtypes;
    case PART_TYPE_PARTITION_TABLE:
        return table_subtypes;
    default:
        return no_subtypes;
    }
}

const table_keyword_t *table_find_keyword(const table_keyword_t *list, const char *name)
{
    for (; list->name != NULL; list++) {
        if (strcasecmp(list->name, name) == 0) {
            return list;
        }
    }
    return NULL;
}

bool table_is_subtype_name(const char *name)
{
    for (const table_keyword_t *type = types; type->name != NULL; type++) {
        if (table_find_keyword(table_subtype_keywords(type->value), name) != NULL) {
            return true;
        }
    }
    return false;
}

static const char *name_of(const table_keyword_t *list, uint8_t value, char buf[8])
{
    for (; list->name != NULL; list++) {
        if (list->value == value) {
            return list->name;
        }
    }
    snprintf(buf, 8, "%u", value);
    return buf;
}

const char *table_type_name(uint8_t type, char buf[8])
{
    return name_of(types, type, buf);
}

const char *table_subtype_name(uint8_t type, uint8_t subtype, char buf[8])
{
    return name_of(table_subtype_keywords(type), subtype, buf);
}

const char *table_flags_name(uint32_t flags)
{
    static const char *const names[] = {"", "encrypted", "readonly", "encrypted:readonly"};
    return names[flags & (PART_FLAG_ENCRYPTED | PART_FLAG_READONLY)];
}
