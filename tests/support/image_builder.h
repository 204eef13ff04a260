/* Images as esptool makes them, of one segment, written byte by byte and not by the code under test. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define IMAGE_DATA_AT                  32u /* offset of the segment's bytes, behind the image's header and its own */
#define IMAGE_DROM                     0x3F400020u /* where an ESP32 has constants */
#define IMAGE_ENTRY                    0x40080000u
#define IMAGE_DESCRIPTOR               256u /* bytes at the start of an application's segment */
#define IMAGE_SEGMENT_MAX(len, hashed) ((((len) - ((hashed) ? 32u : 0u)) / 16u) * 16u - IMAGE_DATA_AT - 4u)

typedef struct {
    uint16_t chip, max_revision; /* max_revision: major x 100 + minor */
    uint8_t flash_code;          /* header byte 3: size code in the high half, frequency code in the low */
    uint32_t entry, load_addr;
    uint32_t segment; /* bytes of it, a multiple of 4 */
    bool hashed;
} image_plan_t;

/** Bytes of the whole image. */
uint32_t image_len(const image_plan_t *plan);

/** Describes an application in the first IMAGE_DESCRIPTOR bytes of its segment. */
void image_describe(uint8_t *image, const char *project, const char *version, uint32_t secure_version);

/** Headers, checksum and SHA-256 around the segment's bytes, which are in place. Ends the program without memory. */
void image_finish(const image_plan_t *plan, uint8_t *image);

/**
 * Packs bytes as pairs of a length, 1 to 255, and the byte that is repeated.
 * @param packed  2 * len bytes
 * @return bytes of it
 */
uint32_t image_pack(const uint8_t *bytes, uint32_t len, uint8_t *packed);
