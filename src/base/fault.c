/* The one object that carries a failure up. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "otter/fault.h"

#include <string.h>

#include "base/text.h"

esp_err_t otter_vfault(otter_fault_t *fault, esp_err_t code, const char *format, va_list args)
{
    if (fault != NULL) {
        text_vformat(fault->why, sizeof(fault->why), format, args);
        fault->code = code;
    }
    return code;
}

esp_err_t otter_fault(otter_fault_t *fault, esp_err_t code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    otter_vfault(fault, code, format, args);
    va_end(args);
    return code;
}

esp_err_t otter_fault_add(otter_fault_t *fault, const char *context)
{
    if (fault == NULL) {
        return ESP_OK;
    }
    char why[OTTER_WHY_MAX];
    memcpy(why, fault->why, sizeof(why));
    const size_t room = sizeof(why) - 1 - strlen(why), len = strlen(context);
    const bool fits = len <= room;
    context += fits ? 0 : len - (room - (room < 3 ? room : 3));
    while (((unsigned char)*context & 0xC0u) == 0x80u) {
        context++; /* not inside of a character */
    }
    text_format(fault->why, sizeof(fault->why), "%s%s%s", fits ? "" : "...", context, why);
    return fault->code;
}

const char *otter_fault_text(const otter_fault_t *fault, esp_err_t code)
{
    return fault->why[0] != '\0' ? fault->why : esp_err_to_name(code);
}
