/* ESP-TLS as a whole: its connections, and what otter's own header of this name has. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include_next <esp_tls.h>

#include "esp_tls_connection.h"
