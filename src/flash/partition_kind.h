/* What a partition is by its type and subtype, for rows of a table and partitions alike. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "esp_partition.h"

/** An application partition with an ota_n subtype. */
static inline bool kind_is_slot(uint32_t type, uint32_t subtype)
{
    return type == ESP_PARTITION_TYPE_APP && subtype >= ESP_PARTITION_SUBTYPE_APP_OTA_MIN &&
           subtype < ESP_PARTITION_SUBTYPE_APP_OTA_MAX;
}

/** The records that say which slot boots. */
static inline bool kind_is_otadata(uint32_t type, uint32_t subtype)
{
    return type == ESP_PARTITION_TYPE_DATA && subtype == ESP_PARTITION_SUBTYPE_DATA_OTA;
}

/** What stands for eFuses where a device emulates them. */
static inline bool kind_is_emulated_efuse(uint32_t type, uint32_t subtype)
{
    return type == ESP_PARTITION_TYPE_DATA && subtype == ESP_PARTITION_SUBTYPE_DATA_EFUSE_EM;
}

/** The bootloader that the ROM starts. */
static inline bool kind_is_primary_bootloader(uint32_t type, uint32_t subtype)
{
    return type == ESP_PARTITION_TYPE_BOOTLOADER && subtype == ESP_PARTITION_SUBTYPE_BOOTLOADER_PRIMARY;
}

/** A bootloader that the ROM starts: the first, or where that is broken and the chip has one, the second. */
static inline bool kind_starts_devices(uint32_t type, uint32_t subtype)
{
    return kind_is_primary_bootloader(type, subtype) ||
           (type == ESP_PARTITION_TYPE_BOOTLOADER && subtype == ESP_PARTITION_SUBTYPE_BOOTLOADER_RECOVERY);
}

/** The table that the bootloader reads. */
static inline bool kind_is_primary_table(uint32_t type, uint32_t subtype)
{
    return type == ESP_PARTITION_TYPE_PARTITION_TABLE &&
           subtype == ESP_PARTITION_SUBTYPE_PARTITION_TABLE_PRIMARY;
}

/** Either: a cut in the middle of writing it leaves a device that cannot start, and it lies where no other partition may. */
static inline bool kind_is_primary(uint32_t type, uint32_t subtype)
{
    return kind_is_primary_bootloader(type, subtype) || kind_is_primary_table(type, subtype);
}

/** With flash encryption it is encrypted, whatever its flags say: what boots, and what says what boots. */
static inline bool kind_is_encrypted(uint32_t type, uint32_t subtype)
{
    return type == ESP_PARTITION_TYPE_APP || type == ESP_PARTITION_TYPE_BOOTLOADER ||
           type == ESP_PARTITION_TYPE_PARTITION_TABLE ||
           (type == ESP_PARTITION_TYPE_DATA &&
            (subtype == ESP_PARTITION_SUBTYPE_DATA_OTA || subtype == ESP_PARTITION_SUBTYPE_DATA_TEE_OTA ||
             subtype == ESP_PARTITION_SUBTYPE_DATA_NVS_KEYS));
}
