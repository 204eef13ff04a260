/* MD5 by the names of a chip's ROM. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "sdkconfig.h"
#include "otter/crypto.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ESP_ROM_MD5_DIGEST_LEN 16

/** It may hold memory of the port's from init to final. */
typedef struct MD5Context {
    otter_digest_t digest;
} md5_context_t;

/** Panics when out of memory. */
void esp_rom_md5_init(md5_context_t *context);
void esp_rom_md5_update(md5_context_t *context, const void *buf, uint32_t len);
/** @param digest  ESP_ROM_MD5_DIGEST_LEN bytes */
void esp_rom_md5_final(uint8_t *digest, md5_context_t *context);

#ifdef __cplusplus
}
#endif
