/* Signatures behind the images of tests, the same bytes in every run. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "otter/trust.h"

#define IMAGE_SIGNED_MAX(len) (((len) + 4095u) / 4096u * 4096u + 4096u)

/** What eFuses hold of a recorded key: 'a', 'b' or 'c', RSA with 3072 bits. Ends the program if it cannot be read. */
void image_key_digest(char key, uint8_t digest[OTTER_KEY_DIGEST_LEN]);

/** The blocks of a signature sector. @param hash  SHA-256 of what is signed @param sector  with 4096 bytes of FF */
void image_sign_hash(const uint8_t hash[32], const char *keys, uint8_t *sector);

/**
 * Fills an image up to a sector, and puts a sector behind it with a signature by each of the keys.
 * @param image  with room for IMAGE_SIGNED_MAX(len) bytes
 * @param keys   "a", "ab", ...: up to three
 * @return bytes of it now
 */
uint32_t image_sign(uint8_t *image, uint32_t len, const char *keys);
