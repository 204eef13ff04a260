/* Encrypted files for tests, always the same ones: sealed for the keys of the vectors, and how a device is told to read them. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "otter/encrypted_image.h"
#include "otter/https_update.h"

typedef enum { SEALED_NOT, SEALED_RSA, SEALED_ECIES } sealed_t;

/** The device's key, for as long as the program runs. */
const otter_image_key_t *sealed_key(sealed_t how);

/** Bytes that a sealed file has more than its image. */
uint32_t sealed_head(sealed_t how);

/** The file of an image; of SEALED_NOT a copy. The caller frees. */
uint8_t *sealed_file(sealed_t how, const uint8_t *image, uint32_t len);

/** Of the same image another file: encrypted once more, with another IV. */
uint8_t *sealed_file_anew(sealed_t how, const uint8_t *image, uint32_t len, uint8_t iv);

/** What a device that reads such files is told; NULL of SEALED_NOT. */
const otter_https_options_t *sealed_options(sealed_t how);
