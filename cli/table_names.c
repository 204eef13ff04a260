/* Keywords of the partition table's CSV form. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "table_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "esp_flash_partitions.h"
#include "host/options.h"

/* The order is that of the vendor tool's messages. */
static const table_keyword_t types[] = {
    {"bootloader", PART_TYPE_BOOTLOADER},
    {"partition_table", PART_TYPE_PARTITION_TABLE},
    {"app", PART_TYPE_APP},
    {"data", PART_TYPE_DATA},
    {NULL, 0},
};

#define SUBTYPES_MAX 64 /* of one type, with those that are added */
#define NAME_SIZE    32

/* What is behind the last one is NULL, and room for more. */
static table_keyword_t app_subtypes[SUBTYPES_MAX + 1] = {
    {"factory", 0x00}, {"test", 0x20},   {"ota_0", 0x10},  {"ota_1", 0x11},  {"ota_2", 0x12},
    {"ota_3", 0x13},   {"ota_4", 0x14},  {"ota_5", 0x15},  {"ota_6", 0x16},  {"ota_7", 0x17},
    {"ota_8", 0x18},   {"ota_9", 0x19},  {"ota_10", 0x1A}, {"ota_11", 0x1B}, {"ota_12", 0x1C},
    {"ota_13", 0x1D},  {"ota_14", 0x1E}, {"ota_15", 0x1F}, {"tee_0", 0x30},  {"tee_1", 0x31},
};

static table_keyword_t data_subtypes[SUBTYPES_MAX + 1] = {
    {"ota", 0x00},      {"phy", 0x01},    {"nvs", 0x02},       {"coredump", 0x03},
    {"nvs_keys", 0x04}, {"efuse", 0x05},  {"undefined", 0x06}, {"esphttpd", 0x80},
    {"fat", 0x81},      {"spiffs", 0x82}, {"littlefs", 0x83},  {"tee_ota", 0x90},
};

static table_keyword_t bootloader_subtypes[SUBTYPES_MAX + 1] = {
    {"primary", 0x00}, {"ota", 0x01}, {"recovery", 0x02}};

static table_keyword_t table_subtypes[SUBTYPES_MAX + 1] = {{"primary", 0x00}, {"ota", 0x01}};

static table_keyword_t no_subtypes[1];

const table_keyword_t *table_type_keywords(void)
{
    return types;
}

/** Of a named type; else the empty list. */
static table_keyword_t *subtypes_of(int64_t type)
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

const table_keyword_t *table_subtype_keywords(int64_t type)
{
    return subtypes_of(type);
}

/** Who has this name or this value. @return NULL: nobody */
static const table_keyword_t *find_taken(const table_keyword_t *list, const char *name, uint64_t value)
{
    while (list->name != NULL && strcasecmp(list->name, name) != 0 && list->value != value) {
        list++;
    }
    return list->name != NULL ? list : NULL;
}

bool table_add_subtype(const char *entry, char *why)
{
    char type[NAME_SIZE], name[NAME_SIZE], value[NAME_SIZE], more;
    char *end = value;
    unsigned long number = 0;
    if (sscanf(entry, " %31[^, ] , %31[^, ] , %31[^, ] %c", type, name, value, &more) == 3) {
        number = strtoul(value, &end, 16);
    }
    if (end == value || *end != '\0' || value[0] == '-' || number > UINT8_MAX) {
        snprintf(why, OPTIONS_WHY_SIZE, "'%s' is not 'type,name,value' with a hexadecimal value up to 0xff",
                 entry);
        return false;
    }
    const table_keyword_t *of_type = table_find_keyword(types, type);
    if (of_type == NULL) {
        snprintf(why, OPTIONS_WHY_SIZE,
                 "'%s' is no type that has named subtypes: app, data, bootloader, partition_table", type);
        return false;
    }
    table_keyword_t *list = subtypes_of(of_type->value), *last = list;
    for (; last->name != NULL; last++) {
    }
    const table_keyword_t *taken = find_taken(list, name, number);
    if (taken != NULL) {
        snprintf(why, OPTIONS_WHY_SIZE, "%s subtype '%s' (0x%02lx): '%s' is 0x%02x already", of_type->name,
                 name, number, taken->name, taken->value);
        return false;
    }
    char *copy = last - list < SUBTYPES_MAX ? strdup(name) : NULL;
    if (copy == NULL) {
        snprintf(why, OPTIONS_WHY_SIZE, "%s subtype '%s' (0x%02lx): there are too many", of_type->name, name,
                 number);
        return false;
    }
    *last = (table_keyword_t){copy, (uint8_t)number};
    return true;
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
