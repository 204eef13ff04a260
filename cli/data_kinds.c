/* Formats of data partitions, as far as it takes to notice what is in the wrong place. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "data_kinds.h"

#include <string.h>

#include "otter/bytes.h"
#include "otter/chip.h"
#include "otter/image.h"
#include "otter/image_kind.h"

#define PAGE            0x1000u /* of NVS */
#define RECORD          32u     /* of otadata, and the head of a page of NVS */
#define CHECKED_OF_PAGE 24u     /* of that head: what its CRC is over, behind the state */

/** Two copies, each in a sector of its own, of which one may be torn. */
static bool is_otadata(const uint8_t *data, size_t len, size_t sector)
{
    bool erased = true;
    for (size_t at = 0; at < 2 * sector && at < len; at += sector) {
        if (len - at < RECORD) {
            return false;
        }
        if (crc32_le(UINT32_MAX, data + at, 4) == le32_get(data + at + 28)) {
            return true;
        }
        erased = erased && bytes_are_erased(data + at, RECORD);
    }
    return erased;
}

/** Pages, of which one at least is in use, or none. */
static bool is_nvs(const uint8_t *data, size_t len, size_t sector)
{
    (void)sector; /* NVS has pages of its own */
    for (size_t at = 0; len - at >= PAGE; at += PAGE) {
        const uint8_t *head = data + at;
        if (crc32_le(UINT32_MAX, head + 4, CHECKED_OF_PAGE) == le32_get(head + 4 + CHECKED_OF_PAGE)) {
            return true;
        }
    }
    return bytes_are_erased(data, len);
}

static const struct data_kind {
    esp_partition_subtype_t subtype;
    /* in flash of such sectors; NULL: whatever is no image and no table */
    bool (*is)(const uint8_t *data, size_t len, size_t sector);
    const char *takes;
} kinds[] = {
    {ESP_PARTITION_SUBTYPE_DATA_OTA, is_otadata,
     "records that select a slot (`otter flash select` makes them)"},
    {ESP_PARTITION_SUBTYPE_DATA_NVS, is_nvs, "pages of NVS, as nvs_partition_gen.py makes them"},
    {ESP_PARTITION_SUBTYPE_DATA_PHY, NULL, "data of the radio"},
    {ESP_PARTITION_SUBTYPE_DATA_COREDUMP, NULL, "a core dump"},
    {ESP_PARTITION_SUBTYPE_DATA_NVS_KEYS, NULL, "keys of NVS"},
    {ESP_PARTITION_SUBTYPE_DATA_EFUSE_EM, NULL, "eFuses"},
    {ESP_PARTITION_SUBTYPE_DATA_FAT, NULL, "a file system"},
    {ESP_PARTITION_SUBTYPE_DATA_SPIFFS, NULL, "a file system"},
    {ESP_PARTITION_SUBTYPE_DATA_LITTLEFS, NULL, "a file system"},
};

/** "an app image", "a partition table", ...; NULL: nothing that belongs elsewhere. */
static const char *name_stranger(const uint8_t *data, size_t len)
{
    static const char *const names[] = {
        [OTTER_IMAGE_KIND_APP] = "an app image",
        [OTTER_IMAGE_KIND_BOOTLOADER] = "a bootloader image",
        [OTTER_IMAGE_KIND_RAM] = "a RAM program",
        [OTTER_IMAGE_KIND_ESP8266] = "an ESP8266 image",
    };
    const otter_image_rules_t rules = {.size = (uint32_t)len, .no_checks = true};
    otter_image_stream_t s = {0};
    const char *name = NULL;
    if (len >= OTTER_IMAGE_HEADER_SIZE && data[0] == ESP_IMAGE_HEADER_MAGIC &&
        otter_image_stream_begin(&s, &rules) == ESP_OK) {
        otter_image_stream_feed(&s, data, len);
        bool known = s.info.segments_seen > 0 && otter_chip_facts(s.info.header.chip_id) != NULL;
        name = known ? names[otter_image_kind(&s.info)] : NULL;
    }
    otter_image_stream_end(&s);
    bool blank =
        len == 0 || ((data[0] == 0 || data[0] == ERASED_BYTE) && memcmp(data, data + 1, len - 1) == 0);
    return name != NULL || blank ? name : otter_image_foreign_name(data, len);
}

data_verdict_t data_kind_judge(const esp_partition_t *partition, const uint8_t *data, size_t len,
                               otter_fault_t *fault)
{
    const struct data_kind *kind = NULL;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        kind = kinds[i].subtype == partition->subtype ? &kinds[i] : kind;
    }
    if (partition->type != ESP_PARTITION_TYPE_DATA || kind == NULL) {
        return DATA_FITS;
    }
    const char *stranger = name_stranger(data, len);
    if (stranger == NULL && (kind->is == NULL || kind->is(data, len, partition->erase_size))) {
        return DATA_FITS;
    }
    otter_fault(fault, ESP_ERR_INVALID_ARG, "%s is for %s, and this is %s", partition->label, kind->takes,
                stranger != NULL ? stranger : "something else");
    bool decides = kind->subtype == ESP_PARTITION_SUBTYPE_DATA_OTA;
    return stranger != NULL || decides ? DATA_MISPLACED : DATA_IN_DOUBT;
}
