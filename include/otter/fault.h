/* Why something failed, in one object that every layer hands up: the code for the caller, and a sentence for people. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdarg.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

#define OTTER_WHY_MAX 192 /* bytes of a sentence, with its end */

/**
 * One for each operation, the caller's, passed down by pointer; zeros before. Where a function takes one, NULL is allowed: then
 * only the code is told. It is written where something fails, and stays as it is where nothing does.
 */
typedef struct {
    esp_err_t code;          /* ESP_OK: nothing has failed */
    char why[OTTER_WHY_MAX]; /* one line with the numbers; "": nothing is known but the code */
} otter_fault_t;

/**
 * Notes a failure, in place of what was there. A sentence that does not fit ends in "...", never inside of a character.
 * @return code, for `return otter_fault(...)`
 */
esp_err_t otter_fault(otter_fault_t *fault, esp_err_t code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
esp_err_t otter_vfault(otter_fault_t *fault, esp_err_t code, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

/**
 * Puts context in front, on the way up: "reading otadata: ". Where it does not fit the cause stays whole, and "..." stands for
 * the beginning of the context: the end of a path tells more. @return the code
 */
esp_err_t otter_fault_add(otter_fault_t *fault, const char *context);

/** What there is to say of `code`: the sentence, or the name of the code where there is none. */
const char *otter_fault_text(const otter_fault_t *fault, esp_err_t code);

#ifdef __cplusplus
}
#endif
