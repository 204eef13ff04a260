/* The name that ESP-IDF 5.2 has given to most of esp_wifi_types.h. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "esp_wifi_types.h"
