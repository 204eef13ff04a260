/* The table of eFuse fields, chip by chip, as espefuse 5.3.1 has them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "otter/efuse_layout.h"

#include <stddef.h>

#include "otter/chip.h"
#include "otter/efuse.h"

#define ELEVEN .blocks = 11, .words = {6, 6}, .key_block = 4, .key_blocks = 6, .read_protect = {0, 32, 7}
/* What is no chip of Espressif's: as ESP32-S3, with a version of 32 bits in the block that is the user's. */
#define OURS                                                                                                 \
    ELEVEN, .secure_version = {3, 128, 32}, .secure_boot = {0, 116, 1}, .aggressive_revoke = {0, 117, 1},    \
            .revoke = {0, 85, 1}, .purpose = {0, 88, 4}, .crypt_count = {0, 82, 3}

/* clang-format off */
static const otter_efuse_layout_t layouts[] = {
    {.chip_id = 0x0000, /* ESP32 */
     .blocks = 4, .words = {7, 8}, .key_block = 1, .key_blocks = 2, .secure_version = {3, 128, 32},
     .secure_boot = {0, 197, 1}, .crypt_count = {0, 20, 7}, .crypt_config = {0, 188, 4}, .read_protect = {0, 16, 4},
     .major = {0, 111, 1}, .major_high = {0, 180, 1}, .minor = {0, 184, 2}},
    {.chip_id = 0x0002, /* ESP32-S2 */
     ELEVEN, .secure_version = {0, 139, 16}, .secure_boot = {0, 116, 1}, .aggressive_revoke = {0, 117, 1},
     .revoke = {0, 85, 1}, .purpose = {0, 88, 4}, .crypt_count = {0, 82, 3}, .major = {1, 114, 2},
     .minor = {1, 132, 3}, .minor_high = {1, 116, 1}, .blk_major = {1, 121, 2}, .blk_minor = {2, 132, 3}},
    {.chip_id = 0x0005, /* ESP32-C3 */
     ELEVEN, .secure_version = {0, 142, 16}, .secure_boot = {0, 116, 1}, .aggressive_revoke = {0, 117, 1},
     .revoke = {0, 85, 1}, .purpose = {0, 88, 4}, .crypt_count = {0, 82, 3}, .major = {1, 184, 2},
     .minor = {1, 114, 3}, .minor_high = {1, 183, 1}, .blk_major = {2, 128, 2}, .blk_minor = {1, 120, 3}},
    {.chip_id = 0x0009, /* ESP32-S3 */
     ELEVEN, .secure_version = {0, 142, 16}, .secure_boot = {0, 116, 1}, .aggressive_revoke = {0, 117, 1},
     .revoke = {0, 85, 1}, .purpose = {0, 88, 4}, .crypt_count = {0, 82, 3}, .major = {1, 184, 2},
     .minor = {1, 114, 3}, .minor_high = {1, 183, 1}, .blk_major = {2, 128, 2}, .blk_minor = {1, 120, 3}},
    {.chip_id = 0x000C, /* ESP32-C2 */
     .blocks = 4, .words = {2, 3}, .key_block = 3, .key_blocks = 1, .secure_version = {0, 54, 4},
     .secure_boot = {0, 53, 1}, .crypt_count = {0, 39, 3}, .long_key = {0, 42, 1},
     .read_protect = {0, 32, 2}, .major = {2, 52, 2},
     .minor = {2, 48, 4}, .blk_major = {2, 60, 2}, .blk_minor = {2, 57, 3}},
    {.chip_id = 0x000D, /* ESP32-C6 */
     ELEVEN, .secure_version = {0, 142, 16}, .secure_boot = {0, 116, 1}, .aggressive_revoke = {0, 117, 1},
     .revoke = {0, 85, 1}, .purpose = {0, 88, 4}, .crypt_count = {0, 82, 3}, .major = {1, 118, 2},
     .minor = {1, 114, 4}, .blk_major = {1, 126, 2}, .blk_minor = {1, 123, 3}},
    {.chip_id = 0x0010, /* ESP32-H2 */
     ELEVEN, .secure_version = {0, 137, 16}, .secure_boot = {0, 116, 1}, .aggressive_revoke = {0, 117, 1},
     .revoke = {0, 85, 1}, .purpose = {0, 88, 4}, .crypt_count = {0, 82, 3}, .major = {1, 117, 2},
     .minor = {1, 114, 3}, .blk_major = {2, 133, 2}, .blk_minor = {2, 130, 3}},
    {.chip_id = 0x0012, /* ESP32-P4 */
     ELEVEN, .secure_version = {0, 137, 16}, .secure_boot = {0, 116, 1}, .aggressive_revoke = {0, 117, 1},
     .sha384 = {0, 179, 1}, .revoke = {0, 85, 1}, .purpose = {0, 88, 4}, .crypt_count = {0, 82, 3},
     .major = {1, 68, 2}, .major_high = {1, 87, 1}, .minor = {1, 64, 4}, .blk_major = {1, 75, 2},
     .blk_minor = {1, 72, 3},
     .newer = 3, .purpose_high = {{0, 155, 1}, {0, 156, 1}, {0, 157, 1}, {0, 158, 1}, {0, 159, 1}, {0, 164, 1}}},
    {.chip_id = 0x0014, /* ESP32-C61 */
     ELEVEN, .secure_version = {0, 104, 16}, .secure_boot = {0, 90, 1}, .aggressive_revoke = {0, 91, 1},
     .revoke = {0, 58, 1}, .purpose = {0, 64, 4}, .crypt_count = {0, 55, 3}, .major = {1, 68, 2},
     .minor = {1, 64, 4}, .blk_major = {1, 75, 2}, .blk_minor = {1, 72, 3}},
    {.chip_id = 0x0017, /* ESP32-C5 */
     ELEVEN, .secure_version = {0, 137, 9}, .secure_boot = {0, 121, 1}, .aggressive_revoke = {0, 122, 1},
     .sha384 = {0, 159, 1}, .revoke = {0, 83, 1}, .purpose = {0, 86, 5}, .crypt_count = {0, 80, 3},
     .major = {1, 68, 2}, .minor = {1, 64, 4}, .blk_major = {1, 75, 2}, .blk_minor = {1, 72, 3}},
    {.chip_id = 0x0019, /* ESP32-H21 */
     ELEVEN, .secure_version = {0, 137, 16}, .secure_boot = {0, 116, 1}, .aggressive_revoke = {0, 117, 1},
     .revoke = {0, 85, 1}, .purpose = {0, 88, 4}, .crypt_count = {0, 82, 3}, .major = {1, 168, 2},
     .minor = {1, 164, 4}, .blk_major = {1, 117, 2}, .blk_minor = {1, 114, 3}},
    {.chip_id = 0x001C, /* ESP32-H4 */
     ELEVEN, .secure_version = {0, 135, 16}, .secure_boot = {0, 101, 1}, .aggressive_revoke = {0, 102, 1},
     .sha384 = {0, 100, 1}, .revoke = {0, 58, 1}, .purpose = {0, 64, 5}, .crypt_count = {0, 55, 3},
     .major = {1, 118, 2}, .minor = {1, 114, 4}, .blk_major = {1, 125, 2}, .blk_minor = {1, 122, 3}},
    {.chip_id = OTTER_CHIP_LINUX, OURS},
    {.chip_id = OTTER_CHIP_DEVICE, OURS},
};
/* clang-format on */

const otter_efuse_layout_t *otter_efuse_layout(uint16_t chip_id)
{
    for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
        if (layouts[i].chip_id == chip_id) {
            return &layouts[i];
        }
    }
    return NULL;
}

uint32_t otter_efuse_field(const uint8_t *dump, otter_efuse_field_t field)
{
    uint32_t value = 0;
    dump += field.block * OTTER_EFUSE_BLOCK_LEN;
    for (uint32_t i = 0; i < field.width; i++) {
        const uint32_t bit = field.bit + i;
        value |= (uint32_t)(dump[bit / 8] >> bit % 8 & 1u) << i;
    }
    return value;
}
