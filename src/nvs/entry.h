/* An entry of NVS: 32 bytes with a small value, or the head of a longer one. Pure bytes. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "otter/nvs_store.h"

/* Types that only entries have; values are NVS_TYPE_*. NVS_TYPE_BLOB is what a part of a blob has. */
#define ENTRY_BLOB_V1    0x41u /* a whole blob, of ESP-IDF before 3.3 */
#define ENTRY_BLOB_PART  0x42u
#define ENTRY_BLOB_INDEX 0x48u
#define ENTRY_TEXT       0x21u

#define ENTRY_PART_NONE  0xFFu /* the part number of all but parts of a blob */
#define ENTRY_VERSION_1  0x80u /* parts of a blob count from 0 or from here, in turns */
#define ENTRY_PARTS_MAX  0x7Fu
#define ENTRY_VALUE_SIZE 8u

/** FORMATS.md section 15. */
typedef struct {
    uint8_t ns, type;
    uint8_t span; /* entries, this one included */
    uint8_t part;
    char key[NVS_KEY_NAME_MAX_SIZE];
    uint8_t value[ENTRY_VALUE_SIZE];
} nvs_entry_t;

/** @return false: this is no entry; its checksum, its key or its length is wrong */
bool nvs_entry_decode(const uint8_t raw[OTTER_NVS_ENTRY_SIZE], nvs_entry_t *entry);
void nvs_entry_encode(const nvs_entry_t *entry, uint8_t raw[OTTER_NVS_ENTRY_SIZE]);

/** Bytes of an integer type; 0: it is none. */
uint32_t nvs_integer_size(uint32_t type);

/** The bytes follow in entries of their own. */
bool nvs_entry_has_data(const nvs_entry_t *entry);

/** Entries for a head and `len` bytes, at most OTTER_NVS_STRING_MAX. */
uint8_t nvs_span_of(uint32_t len);

/** @param entry  whose key is zeros yet @param key  what has no room is left out; zeros stay behind it */
void nvs_set_key(nvs_entry_t *entry, const char *key);

/** What a head says of the bytes behind it. */
static inline uint32_t nvs_entry_len(const nvs_entry_t *entry)
{
    return (uint32_t)(entry->value[0] | entry->value[1] << 8);
}

/** For a look-up without reading flash: 1 to 255. */
uint8_t nvs_key_hash(uint8_t ns, const char *key);
