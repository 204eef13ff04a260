/* The system's cJSON, under the name by which ESP-IDF's projects include it. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <cjson/cJSON.h>
