/* lwip's name for the header of SNTP. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "esp_sntp.h"
