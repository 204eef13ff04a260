/* The key that a verb is given to read encrypted images with: a file, or the device's own in its eFuses. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "otter/crypto.h"
#include "otter/efuse.h"
#include "otter/fault.h"
#include "otter/promise.h"

#define DECRYPT_KEY_HELP                                                                                     \
    "the device's private key (PEM or DER, RSA of 3072 bits or on P-256); or a file of 32 bytes, the HMAC "  \
    "key that it derives one from; or `efuse`, the first of these in its eFuse file (`efuse2`: block 2)"

/**
 * @param efuse_path  of the eFuse file, where `name` is "efuse" or "efuse0" to "efuse5"; NULL: there is none
 * @return the caller frees it; NULL: fault says why, to go behind `name`
 */
OTTER_MUST_CHECK otter_image_key_t *decrypt_key_load(const char *name, const char *passphrase_file,
                                                     const char *efuse_path, otter_fault_t *fault);

/** The same from eFuses that are open already. */
OTTER_MUST_CHECK otter_image_key_t *decrypt_key_of(const char *name, const char *passphrase_file,
                                                   const otter_efuse_t *efuse, otter_fault_t *fault);
