/* Fletcher's checksum, which costs next to nothing: for large amounts of data in which only accidents are to be found. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/**
 * Of the bytes so far, taken as words of four bytes (little endian, the last one filled up with zeros): their sum, and the sum of
 * what that was after each of them, both modulo 2^64. Zeros are none at all; copy it with =, free nothing.
 */
typedef struct {
    uint64_t sum, sum_of_sums;
    uint32_t waiting; /* bytes of an unfinished word */
    uint8_t rest[4];
} fletcher_t;

/** The next bytes, in any pieces. */
void fletcher_add(fletcher_t *sum, const void *data, size_t len);

/** The checksum of all bytes so far, the CRC-32 of both sums; more may be added afterwards. */
uint32_t fletcher_value(const fletcher_t *sum);
