/* MD5 by the old names of an ESP32's ROM. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "esp_rom_md5.h"

#define MD5Init(context)             esp_rom_md5_init(context)
#define MD5Update(context, buf, len) esp_rom_md5_update((context), (buf), (len))
#define MD5Final(digest, context)    esp_rom_md5_final((digest), (context))
