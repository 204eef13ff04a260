/* Before ESP-IDF's header of this name: what it brings along on chips, and projects count on, and does not for linux. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include_next "freertos/FreeRTOS.h"

#include "esp_attr.h"
#include "esp_heap_caps.h"
#include "esp_rom_sys.h"
#include "esp_system.h"
#if __has_include("esp_timer.h")
#include "esp_timer.h"
#endif
