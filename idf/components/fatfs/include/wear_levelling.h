/* The handle that ESP-IDF's FAT in flash has; the flash file does not wear. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

typedef int32_t wl_handle_t;
#define WL_INVALID_HANDLE (-1)
