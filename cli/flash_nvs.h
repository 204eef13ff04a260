/* What `otter flash info` tells of the values that firmware keeps. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "flash_report.h"

/** A line for each partition of NVS; nothing where there is none. */
void flash_nvs_print(const flash_report_t *r);

/** The same as an array. NULL: memory was out */
cJSON *flash_nvs_json(const flash_report_t *r);
