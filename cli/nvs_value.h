/* Values of NVS as people type and read them. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nvs.h"

#define NVS_VALUE_TEXT_SIZE 80u
#define NVS_TYPE_NAMES      "u8, i8, u16, i16, u32, i32, u64, i64, str, blob"

/** "u8", "str", ...; "?" for what is none. */
const char *nvs_type_name(nvs_type_t type);

/** @return false: there is no such type */
bool nvs_type_parse(const char *name, nvs_type_t *type);

/** "number from -128 to 127", ... */
const char *nvs_type_wants(nvs_type_t type);

/**
 * A number, a text, or hexadecimal digits.
 * @param bytes  room for the text's length and nine bytes more
 */
bool nvs_value_parse(nvs_type_t type, const char *text, uint8_t *bytes, size_t *size);

/** The number in little-endian bytes. @return text, of NVS_VALUE_TEXT_SIZE bytes */
const char *nvs_integer_text(nvs_type_t type, const uint8_t *bytes, char *text);

/** Two digits a byte, `before` in front of each. @return text */
const char *nvs_value_hex(const uint8_t *bytes, size_t size, const char *before, char *text);

/** What to tell people of a code. */
const char *nvs_error_text(esp_err_t err);
