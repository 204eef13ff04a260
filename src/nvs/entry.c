/* NVS entries: the format is in FORMATS.md section 15. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "nvs/entry.h"

#include <string.h>

#include "otter/bytes.h"

enum { AT_NS, AT_TYPE, AT_SPAN, AT_PART, AT_CRC = 4, AT_KEY = 8, AT_VALUE = 24 };

_Static_assert(AT_VALUE + ENTRY_VALUE_SIZE == OTTER_NVS_ENTRY_SIZE, "the value ends an entry");
_Static_assert(AT_KEY + NVS_KEY_NAME_MAX_SIZE == AT_VALUE, "the key lies before it");

static uint32_t crc_of(const uint8_t *raw)
{
    return crc32_le(crc32_le(UINT32_MAX, raw, AT_CRC), raw + AT_KEY, OTTER_NVS_ENTRY_SIZE - AT_KEY);
}

uint32_t nvs_integer_size(uint32_t type)
{
    uint32_t size = type & 0x0F;
    bool known = (type >> 4) <= 1 && (size == 1 || size == 2 || size == 4 || size == 8);
    return known ? size : 0;
}

bool nvs_entry_has_data(const nvs_entry_t *entry)
{
    return entry->type == ENTRY_TEXT || entry->type == ENTRY_BLOB_PART || entry->type == ENTRY_BLOB_V1;
}

void nvs_set_key(nvs_entry_t *entry, const char *key)
{
    for (size_t i = 0; i < sizeof(entry->key) - 1 && key[i] != '\0'; i++) {
        entry->key[i] = key[i];
    }
}

uint8_t nvs_span_of(uint32_t len)
{
    return (uint8_t)(1 + (len + OTTER_NVS_ENTRY_SIZE - 1) / OTTER_NVS_ENTRY_SIZE);
}

static bool span_is_right(const nvs_entry_t *entry)
{
    if (nvs_entry_has_data(entry)) {
        return nvs_entry_len(entry) <= OTTER_NVS_STRING_MAX &&
               entry->span == nvs_span_of(nvs_entry_len(entry));
    }
    return entry->span == 1 && (nvs_integer_size(entry->type) != 0 || entry->type == ENTRY_BLOB_INDEX);
}

bool nvs_entry_decode(const uint8_t raw[OTTER_NVS_ENTRY_SIZE], nvs_entry_t *entry)
{
    *entry =
        (nvs_entry_t){.ns = raw[AT_NS], .type = raw[AT_TYPE], .span = raw[AT_SPAN], .part = raw[AT_PART]};
    memcpy(entry->key, raw + AT_KEY, sizeof(entry->key));
    memcpy(entry->value, raw + AT_VALUE, sizeof(entry->value));
    return le32_get(raw + AT_CRC) == crc_of(raw) && entry->key[0] != '\0' &&
           memchr(entry->key, '\0', sizeof(entry->key)) != NULL && span_is_right(entry);
}

void nvs_entry_encode(const nvs_entry_t *entry, uint8_t raw[OTTER_NVS_ENTRY_SIZE])
{
    raw[AT_NS] = entry->ns;
    raw[AT_TYPE] = entry->type;
    raw[AT_SPAN] = entry->span;
    raw[AT_PART] = entry->part;
    memcpy(raw + AT_KEY, entry->key, sizeof(entry->key));
    memcpy(raw + AT_VALUE, entry->value, sizeof(entry->value));
    le32_put(raw + AT_CRC, crc_of(raw));
}

uint8_t nvs_key_hash(uint8_t ns, const char *key)
{
    uint32_t crc = crc32_le(ns, key, strlen(key));
    return (uint8_t)(1 + (crc ^ crc >> 16) % 255);
}
