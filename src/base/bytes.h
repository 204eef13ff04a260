/* Bytes as erased flash reads. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ERASED_BYTE 0xFFu

/** Every byte is as erased flash reads; true of no bytes at all. */
static inline bool bytes_are_erased(const void *bytes, size_t len)
{
    const uint8_t *b = bytes;
    return len == 0 || (b[0] == ERASED_BYTE && memcmp(b, b + 1, len - 1) == 0);
}
