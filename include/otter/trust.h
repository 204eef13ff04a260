/* Whose signature an image needs: schemes, trusted keys, and where a device has them from (FORMATS.md section 12). */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

#define OTTER_KEY_DIGEST_LEN 32u /* SHA-256 of a public key as a signature block has it */
#define OTTER_TRUSTED_KEYS   3u  /* as many as a chip has eFuses for */
#define OTTER_V1_KEY_LEN     64u /* X, then Y, big endian: the key of ESP32's first scheme */

/** How images are signed. ESP-IDF decides it when it builds; here each device has its own. */
typedef enum {
    OTTER_SIGNED_NOT, /* none; where trust is configured: whichever of the chip's the signature has */
    OTTER_SIGNED_RSA_3072,
    OTTER_SIGNED_ECDSA_P192, /* for verifying: old devices */
    OTTER_SIGNED_ECDSA_P256,
    OTTER_SIGNED_ECDSA_P384,
    OTTER_SIGNED_V1, /* ESP32: ECDSA P-256, 68 bytes behind the image */
} otter_signature_scheme_t;

/** The code that judges signatures. Only a program that names `otter_signatures` links it, and RSA and ECDSA with it. */
typedef struct otter_signatures otter_signatures_t;
extern const otter_signatures_t otter_signatures;

/** Where a device has the keys from that it trusts. */
typedef enum {
    OTTER_TRUST_ANYBODY,
    OTTER_TRUST_EFUSES, /* secure boot: the digests in its eFuses that are not revoked; booting, too */
    OTTER_TRUST_RUNNING_APP, /* signed updates without secure boot: whoever signed the running app in its first good block */
    OTTER_TRUST_KEYS, /* those in the configuration */
} otter_trust_source_t;

/** Of a device's configuration. Zeros: anybody is trusted. */
typedef struct {
    otter_trust_source_t source;
    /*
     * The chip must have it: otter_chip_facts_t.schemes. OTTER_SIGNED_NOT: whichever of them a signature has, but V1. The digest
     * of a key tells its scheme, so this trusts no other key than the one that was meant.
     */
    otter_signature_scheme_t scheme;
    const otter_signatures_t *signatures; /* &otter_signatures */
    /* CONFIG_SECURE_SIGNED_DATA_PARTITION: updates of data, subtype undefined, end with a signature sector */
    bool data;
    /* of OTTER_TRUST_KEYS: the digests */
    uint8_t keys[OTTER_TRUSTED_KEYS][OTTER_KEY_DIGEST_LEN];
    uint8_t key_count;
    bool at_boot; /* of OTTER_TRUST_KEYS, and of v1_key: the bootloader asks for signatures, too */
    /* of OTTER_SIGNED_V1, from whatever source: OTTER_V1_KEY_LEN bytes, the caller's; NULL: no image is good */
    const uint8_t *v1_key;
} otter_trust_config_t;

/** Whom to trust with one image. Zeros: anybody. */
typedef struct {
    const otter_signatures_t *signatures; /* NULL: signatures are not looked at */
    otter_signature_scheme_t scheme; /* blocks of another one do not count; OTTER_SIGNED_NOT: see schemes */
    uint8_t schemes; /* bit n: blocks of the otter_signature_scheme_t n count, where `scheme` is NOT */
    /* Digests of the keys that are trusted and not revoked. None: no image is good. Not of the V1 scheme. */
    uint8_t keys[OTTER_TRUSTED_KEYS][OTTER_KEY_DIGEST_LEN];
    uint8_t key_count;
    uint8_t key_len; /* bytes of a digest that the chip keeps and compares: 32, or 16 (ESP32-C2) */
    uint8_t blocks;  /* signature blocks that are looked at, from the first: 1 or 3 */
    const uint8_t *v1_key;
    esp_err_t error; /* whom to trust could not be found out: no image is good, and this is the code */
} otter_trust_t;

#ifdef __cplusplus
}
#endif
