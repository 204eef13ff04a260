/* The name of esp_private/periph_ctrl.h in ESP-IDF 4. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "esp_private/periph_ctrl.h"
