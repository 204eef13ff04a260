/* A part of ESP-IDF's esp_eth_mac.h; all of it is there. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "esp_eth_mac.h"
