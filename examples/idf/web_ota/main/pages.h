/* The web pages of the device. */
#pragma once

#include "esp_err.h"

esp_err_t pages_start(void);
