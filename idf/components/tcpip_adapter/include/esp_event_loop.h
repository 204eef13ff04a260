/* The header of ESP-IDF 3 for its event loop; new code includes esp_event.h and registers handlers. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "esp_event_legacy.h"
#include "tcpip_adapter.h"
