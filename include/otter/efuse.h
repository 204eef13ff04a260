/* The eFuse seam: the device's anti-rollback version, which can only grow. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    void *dev;
    /** The device's secure version: 0 to the chip's field width. */
    esp_err_t (*read_secure_version)(void *dev, uint32_t *version);
    /** Durably raise it to `version`, which is above the present one and within the field. */
    esp_err_t (*burn_secure_version)(void *dev, uint32_t version);
} otter_efuse_t;

#ifdef __cplusplus
}
#endif
