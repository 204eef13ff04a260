/* What can be typed: version, lookup HOST, greet HOST PORT, update URL, help. */
#pragma once

#include "esp_err.h"

esp_err_t commands_register(void);
