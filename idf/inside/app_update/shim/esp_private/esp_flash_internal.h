/* The same, where ESP-IDF has it from 6.0 on. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "../esp_flash_internal.h"
