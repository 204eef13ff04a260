/* Texts from images and flash, which anybody may have written, made fit for a terminal and for JSON. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/** Room for a cleaned text of `len` raw bytes: each bad byte becomes a three-byte mark. */
#define CLEAN_TEXT_SIZE(len) (3 * (len) + 1)

/**
 * Copies `raw` up to its first 0 or `len` bytes as valid UTF-8; what is not, and what could steer a terminal (control
 * characters, direction overrides), becomes U+FFFD.
 * @param dst  CLEAN_TEXT_SIZE(len) bytes
 * @return dst
 */
char *clean_text(char *dst, const char *raw, size_t len);

/**
 * The character at `p`, of `len` bytes at least 1.
 * @param code  its number
 * @return its bytes; 0: these are not UTF-8 (overlong forms, surrogates and what is beyond Unicode included)
 */
size_t utf8_decode(const uint8_t *p, size_t len, uint32_t *code);

/** The width that printf's %-*s needs for a clean text to take up `columns` of a terminal: it counts bytes. */
int clean_width(const char *text, int columns);
