/* Keys of encrypted images by name, and how the sender of one seals a new AES key for the device that has the private part. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "otter/crypto.h"
#include "otter/fault.h"
#include "otter/promise.h"

/** An EVP_PKEY is of a kind that images are encrypted for. @return false: fault says what it is instead */
OTTER_MUST_CHECK bool image_key_suits(const void *evp_pkey, otter_fault_t *fault);

/**
 * The private part.
 * @param name  as named_key_load(); or a file of 32 bytes: the HMAC key from which a device derives its key on P-256
 * @return the caller frees it; NULL: fault says why
 */
OTTER_MUST_CHECK otter_image_key_t *image_key_load(const char *name, const char *passphrase_file,
                                                   otter_fault_t *fault);

/**
 * Draws an AES key, and seals it for the device whose public (or private) key `name` is.
 * @param area  of a header: OTTER_RSA_3072_LEN bytes
 * @return false: fault says why
 */
OTTER_MUST_CHECK bool image_key_seal(const char *name, const char *passphrase_file, uint8_t *area,
                                     uint8_t aes[OTTER_AES_256_LEN], otter_fault_t *fault);

/** Bytes that nobody can foretell. @return false: there are none */
OTTER_MUST_CHECK bool image_key_random(uint8_t *bytes, int len);
