/* What the port tells the ESP-IDF system names before app_main() runs. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "esp_system.h"

/** What esp_reset_reason() returns from now on; ESP_RST_UNKNOWN before the first call. */
void system_state_set_reset_reason(esp_reset_reason_t reason);
