/* Values of NVS as people type and read them: one table of types. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "nvs_value.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "host/number.h"
#include "otter/bytes.h"

static const struct {
    const char *name, *wants;
    nvs_type_t type;
    uint32_t size; /* of integers, bytes */
    bool is_signed;
} types[] = {
    {"u8", "number from 0 to 255", NVS_TYPE_U8, 1, false},
    {"i8", "number from -128 to 127", NVS_TYPE_I8, 1, true},
    {"u16", "number from 0 to 65535", NVS_TYPE_U16, 2, false},
    {"i16", "number from -32768 to 32767", NVS_TYPE_I16, 2, true},
    {"u32", "number of 32 bits", NVS_TYPE_U32, 4, false},
    {"i32", "number of 32 bits with sign", NVS_TYPE_I32, 4, true},
    {"u64", "number of 64 bits", NVS_TYPE_U64, 8, false},
    {"i64", "number of 64 bits with sign", NVS_TYPE_I64, 8, true},
    {"str", "text", NVS_TYPE_STR, 0, false},
    {"blob", "blob: two hexadecimal digits a byte, or @FILE", NVS_TYPE_BLOB, 0, false},
};
#define TYPE_COUNT (sizeof(types) / sizeof(types[0]))

static size_t row_of(nvs_type_t type)
{
    size_t i = 0;
    while (i < TYPE_COUNT - 1 && types[i].type != type) {
        i++;
    }
    return i;
}

const char *nvs_type_name(nvs_type_t type)
{
    return types[row_of(type)].type == type ? types[row_of(type)].name : "?";
}

const char *nvs_type_wants(nvs_type_t type)
{
    return types[row_of(type)].wants;
}

bool nvs_type_parse(const char *name, nvs_type_t *type)
{
    for (size_t i = 0; i < TYPE_COUNT; i++) {
        if (strcmp(types[i].name, name) == 0) {
            *type = types[i].type;
            return true;
        }
    }
    return false;
}

static bool parse_integer(size_t row, const char *text, uint64_t *value)
{
    const uint32_t bits = 8 * types[row].size - (types[row].is_signed ? 1 : 0);
    const uint64_t most = bits == 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
    if (types[row].is_signed && text[0] == '-') {
        bool ok = number_parse(text + 1, 0, most + 1, value);
        *value = 0 - *value;
        return ok;
    }
    return number_parse(text, 0, most, value);
}

bool nvs_value_parse(nvs_type_t type, const char *text, uint8_t *bytes, size_t *size)
{
    const size_t row = row_of(type), len = strlen(text);
    uint64_t value;
    if (type == NVS_TYPE_STR) {
        *size = len + 1;
        memcpy(bytes, text, *size);
        return true;
    }
    if (type == NVS_TYPE_BLOB) {
        *size = len / 2;
        for (size_t i = 0; i < len / 2; i++) {
            int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
            if (high < 0 || low < 0) {
                return false;
            }
            bytes[i] = (uint8_t)(high << 4 | low);
        }
        return len % 2 == 0;
    }
    if (!parse_integer(row, text, &value)) {
        return false;
    }
    le32_put(bytes, (uint32_t)value);
    le32_put(bytes + 4, (uint32_t)(value >> 32));
    *size = types[row].size;
    return true;
}

const char *nvs_integer_text(nvs_type_t type, const uint8_t *bytes, char *text)
{
    const size_t row = row_of(type);
    uint64_t value = 0;
    if (types[row].size == 0) {
        snprintf(text, NVS_VALUE_TEXT_SIZE, "?"); /* no integer */
        return text;
    }
    for (uint32_t i = types[row].size; i-- > 0;) {
        value = value << 8 | bytes[i];
    }
    const uint64_t sign = UINT64_C(1) << (8 * types[row].size - 1);
    if (types[row].is_signed && (value & sign) != 0) {
        snprintf(text, NVS_VALUE_TEXT_SIZE, "-%" PRIu64, (sign - (value & (sign - 1))));
    } else {
        snprintf(text, NVS_VALUE_TEXT_SIZE, "%" PRIu64, value);
    }
    return text;
}

const char *nvs_value_hex(const uint8_t *bytes, size_t size, const char *before, char *text)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < size; i++) {
        used += (size_t)sprintf(text + used, "%s%02x", before, bytes[i]);
    }
    return text;
}

const char *nvs_error_text(esp_err_t err)
{
    switch (err) {
    case ESP_ERR_NVS_NOT_FOUND:
        return "there is no such key";
    case ESP_ERR_NVS_NOT_ENOUGH_SPACE:
        return "no room: old and new value must fit side by side, with one page free";
    case ESP_ERR_NVS_VALUE_TOO_LONG:
        return "a text has at most 3999 bytes, a blob 508000";
    case ESP_ERR_NVS_KEY_TOO_LONG:
    case ESP_ERR_NVS_INVALID_NAME:
        return "a key has 1 to 15 characters";
    default:
        return esp_err_to_name(err);
    }
}
