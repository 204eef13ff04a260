/* Retry-After: how long a server asks to be left alone (RFC 9110, 10.2.3). */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/**
 * Seconds to wait, UINT32_MAX for all that is longer. A moment counts from the answer's own Date: this device's clock may
 * be anything.
 * @param field  value of Retry-After, NULL: there is none
 * @param date   value of Date, NULL: there is none
 * @return false: nothing is asked for, or not in a form that can be understood; nothing is written then
 */
bool retry_after_seconds(const char *field, const char *date, uint32_t *seconds);
