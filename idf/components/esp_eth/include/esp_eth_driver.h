/* A part of ESP-IDF's esp_eth.h; all of it is there. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "esp_eth.h"
