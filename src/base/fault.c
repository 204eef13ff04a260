/* The one object that carries a failure up. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "otter/fault.h"

#include <string.h>

#include "otter/text.h"

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
    const size_t most = sizeof(fault->why) - 1, why = strlen(fault->why), room = most - why;
    size_t len = strlen(context), dots = 0;
    if (len > room) {
        dots = strlen("...");
        context += len - (room - (room < dots ? room : dots));
        while (((unsigned char)*context & 0xC0u) == 0x80u) {
            context++; /* not inside of a character */
        }
        len = strlen(context);
    }
    const size_t front = dots + len, rest = why < most - front ? why : most - front;
    memmove(fault->why + front, fault->why, rest);
    memcpy(fault->why, "...", dots);
    memcpy(fault->why + dots, context, len);
    fault->why[front + rest] = '\0';
    if (rest < why) {
        text_cut(fault->why, sizeof(fault->why));
    }
    return fault->code;
}

const char *otter_fault_text(const otter_fault_t *fault, esp_err_t code)
{
    return fault->why[0] != '\0' ? fault->why : esp_err_to_name(code);
}
