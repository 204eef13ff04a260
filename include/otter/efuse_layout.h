/* Where a chip has what in its eFuses: for dumps of them, and for the partition that stands for them (FORMATS.md section 11). */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define OTTER_EFUSE_DUMP_BLOCKS                                                                              \
    11u /* at most; each is taken as OTTER_EFUSE_BLOCK_LEN bytes, whatever the chip has */

/** Bits of one block, the lowest first; width 0: the chip has none. */
typedef struct {
    uint8_t block, bit, width;
} otter_efuse_field_t;

typedef struct {
    uint16_t chip_id;
    uint8_t blocks;     /* 4 or 11 */
    uint8_t words[2];   /* of blocks 0 and 1 in a dump of espefuse's; all others have 8 */
    uint8_t key_block;  /* the first that holds a key */
    uint8_t key_blocks; /* how many do */
    otter_efuse_field_t secure_version, secure_boot, aggressive_revoke, sha384;
    otter_efuse_field_t revoke;          /* of key 0; those of 1 and 2 are the next bits */
    otter_efuse_field_t purpose;         /* of the first key block; the others follow */
    otter_efuse_field_t purpose_high[6]; /* one more bit of each */
    uint8_t newer; /* sha384 and purpose_high mean this only from chip version v<newer>.0 on */
    otter_efuse_field_t crypt_count;
    otter_efuse_field_t crypt_config; /* ESP32 */
    otter_efuse_field_t long_key; /* ESP32-C2: its key block is one of flash encryption, not half of one */
    otter_efuse_field_t read_protect;                         /* a bit for each key block, from the first */
    otter_efuse_field_t major, major_high, minor, minor_high; /* of the chip's revision */
    otter_efuse_field_t blk_major, blk_minor;
} otter_efuse_layout_t;

/** NULL: there is no such chip. */
const otter_efuse_layout_t *otter_efuse_layout(uint16_t chip_id);

/**
 * A field of at most 32 bits.
 * @param dump  blocks one after the other, OTTER_EFUSE_BLOCK_LEN bytes each, little endian
 * @return 0 where the chip has no such field
 */
uint32_t otter_efuse_field(const uint8_t *dump, otter_efuse_field_t field);

#ifdef __cplusplus
}
#endif
