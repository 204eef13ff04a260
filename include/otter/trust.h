/* Whose signature an image needs: schemes, trusted keys, and where a device has them from (FORMATS.md section 12). */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define OTTER_KEY_DIGEST_LEN 32u /* SHA-256 of a public key as a signature block has it */
#define OTTER_TRUSTED_KEYS   3u  /* as many as a chip has eFuses for */
#define OTTER_V1_KEY_LEN     64u /* X, then Y, big endian: the key of ESP32's first scheme */

/** How images are signed. ESP-IDF decides it when it builds; here each device has its own. */
typedef enum {
    OTTER_SIGNED_NOT, /* nobody asks for a signature */
    OTTER_SIGNED_RSA_3072,
    OTTER_SIGNED_ECDSA_P192, /* for verifying: old devices */
    OTTER_SIGNED_ECDSA_P256,
    OTTER_SIGNED_ECDSA_P384,
    OTTER_SIGNED_V1, /* ESP32: ECDSA P-256, 68 bytes behind the image */
} otter_signature_scheme_t;

/** The code that judges signatures. Only a program that names `otter_signatures` links it, and RSA and ECDSA with it. */
typedef struct otter_signatures otter_signatures_t;
extern const otter_signatures_t otter_signatures;

/** Whom to trust with one image. Zeros: anybody. */
typedef struct {
    const otter_signatures_t *signatures; /* &otter_signatures; NULL: signatures are not looked at */
    /* blocks of another one do not count; not OTTER_SIGNED_NOT */
    otter_signature_scheme_t scheme;
    /* Digests of the keys that are trusted and not revoked. None: no image is good. Not of the V1 scheme. */
    uint8_t keys[OTTER_TRUSTED_KEYS][OTTER_KEY_DIGEST_LEN];
    uint8_t key_count;
    uint8_t key_len; /* bytes of a digest that the chip keeps and compares: 32, or 16 (ESP32-C2) */
    uint8_t blocks;  /* signature blocks that are looked at, from the first: 1 or 3 */
    /* OTTER_V1_KEY_LEN bytes, the caller's; NULL: no image of that scheme is good */
    const uint8_t *v1_key;
} otter_trust_t;

#ifdef __cplusplus
}
#endif
