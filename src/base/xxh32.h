/* XXH32, a checksum that costs little: for large amounts of data in which only accidents are to be found. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/** Of the bytes so far; copy it with =, free nothing. */
typedef struct {
    uint32_t lanes[4];
    uint32_t len;     /* modulo 2^32 */
    uint8_t rest[16]; /* its first len % 16 bytes wait for others */
} xxh32_t;

/** Begin, with seed 0. */
void xxh32_begin(xxh32_t *sum);

/** The next bytes, in any pieces. */
void xxh32_add(xxh32_t *sum, const void *data, size_t len);

/** The checksum of all bytes so far; more may be added afterwards. */
uint32_t xxh32_value(const xxh32_t *sum);
