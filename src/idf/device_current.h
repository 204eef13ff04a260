/* The one device that ESP-IDF's names mean. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "otter/device.h"

/** The current device. NULL, and a line in the log: the program has set none, which no ESP-IDF program expects. */
otter_device_t *device_or_complain(const char *tag);
