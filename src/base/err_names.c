/* Names of error codes, from the one list in esp_err.h. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_err.h"

#include <inttypes.h>
#include <stdio.h>

static const struct {
    esp_err_t code;
    const char *name;
} names[] = {
#define NAME_ROW(code) {code, #code},
    ESP_ERR_LIST(NAME_ROW)
#undef NAME_ROW
};

static const char *find_name(esp_err_t code)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (names[i].code == code) {
            return names[i].name;
        }
    }
    return NULL;
}

const char *esp_err_to_name(esp_err_t code)
{
    const char *name = find_name(code);
    return name != NULL ? name : "ERROR";
}

const char *esp_err_to_name_r(esp_err_t code, char *buf, size_t buflen)
{
    const char *name = find_name(code);
    if (name != NULL) {
        snprintf(buf, buflen, "%s", name);
    } else {
        snprintf(buf, buflen, "UNKNOWN ERROR 0x%x(%d)", (unsigned)code, code);
    }
    return buf;
}
