/* What esp_https_ota calls of `otter_encrypted_images`: the stage that makes an image of an encrypted file. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ota/stage.h"
#include "otter/encrypted_image.h"
#include "otter/promise.h"

struct otter_encrypted_images {
    /** @param key  the caller's, as long as the stage lives. @return NULL: no memory */
    ota_stage_t *(*stage_new)(const otter_image_key_t *key);
};
