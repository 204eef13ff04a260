/* Signatures behind an image (FORMATS.md section 12): what a block says, and whether a trusted key made one. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "otter/crypto.h"
#include "otter/fault.h"
#include "otter/promise.h"
#include "otter/trust.h"

#ifdef __cplusplus
extern "C" {
#endif

#define OTTER_SIGNATURE_SECTOR   4096u /* of Secure Boot V2: on a multiple of itself, behind the image */
#define OTTER_SIGNATURE_BLOCK    1216u
#define OTTER_SIGNATURE_BLOCKS   3u /* in a sector, from its start */
#define OTTER_SIGNATURE_V1_SIZE  68u
#define OTTER_SIGNATURE_HASH_MAX OTTER_SHA384_LEN

/** What one block of a signature sector says. Nothing in it is proved. */
typedef struct {
    otter_signature_scheme_t scheme;
    const uint8_t *hash; /* of what it signs, as stored; in the raw block */
    uint32_t hash_len;
    uint8_t key_digest[OTTER_KEY_DIGEST_LEN]; /* of the public key in the block */
} otter_signature_block_t;

/* Of every block. */
#define OTTER_SIGNATURE_MAGIC   0xE7u /* its first byte; the version follows */
#define OTTER_SIGNATURE_AT_HASH 4u
#define OTTER_SIGNATURE_AT_CRC  1196u

/* Of the key in an RSA block: n, e, 2^6144 mod n, -1/n mod 2^32. */
#define OTTER_RSA_KEY_N     0u
#define OTTER_RSA_KEY_E     384u
#define OTTER_RSA_KEY_R     388u
#define OTTER_RSA_KEY_MDASH 772u

/** What a scheme's blocks have in their bytes, and where (FORMATS.md section 12). */
typedef struct {
    uint8_t version, curve, hash_kind; /* curve 0: RSA, which has none; else it comes before the point */
    uint16_t key, signature;           /* offsets */
} otter_signature_layout_t;

/** Of Secure Boot V2; a constant. */
const otter_signature_layout_t *otter_signature_layout(otter_signature_scheme_t scheme);

/** "RSA-3072", "ECDSA P-256", ...: a constant. */
const char *otter_signature_scheme_name(otter_signature_scheme_t scheme);

/** "rsa3072", "ecdsa256", ..., "v1": for programs and files. */
const char *otter_signature_scheme_key(otter_signature_scheme_t scheme);

/** @return OTTER_SIGNED_NOT if no scheme has this key */
otter_signature_scheme_t otter_signature_scheme_by_key(const char *key);

/** Bytes of the hash that is signed: 32, or 48 on P-384. */
uint32_t otter_signature_hash_len(otter_signature_scheme_t scheme);

/**
 * Reads a block.
 * @param raw  OTTER_SIGNATURE_BLOCK bytes, which stay as long as the block is used
 * @return ESP_OK, ESP_ERR_NOT_FOUND (no block is here), ESP_ERR_INVALID_CRC, ESP_ERR_NOT_SUPPORTED (version or curve),
 *         ESP_ERR_NO_MEM; the reason in fault
 */
OTTER_MUST_CHECK esp_err_t otter_signature_block_read(const uint8_t *raw, otter_signature_block_t *block,
                                                      otter_fault_t *fault);

/**
 * The key in the block has signed this hash, and the block says so itself, as the ROM wants it.
 * @param hash  of the image with its padding, block->hash_len bytes
 * @return ESP_OK, ESP_ERR_IMAGE_INVALID (the reason in fault), ESP_ERR_NO_MEM
 */
OTTER_MUST_CHECK esp_err_t otter_signature_block_verify(const uint8_t *raw,
                                                        const otter_signature_block_t *block,
                                                        const uint8_t *hash, otter_fault_t *fault);

/**
 * One of the blocks that the trust looks at is good, and of a key that it names.
 * @param trust   of Secure Boot V2
 * @param sector  OTTER_SIGNATURE_SECTOR bytes
 * @param hash    of what is signed: SHA-384 if the trust's scheme is P-384, else SHA-256
 * @return ESP_OK, ESP_ERR_IMAGE_INVALID (the reason in fault), ESP_ERR_NO_MEM
 */
OTTER_MUST_CHECK esp_err_t otter_signature_sector_verify(const otter_trust_t *trust, const uint8_t *sector,
                                                         const uint8_t *hash, otter_fault_t *fault);

/**
 * ESP32's first scheme.
 * @param raw  OTTER_SIGNATURE_V1_SIZE bytes
 * @param key  OTTER_V1_KEY_LEN bytes
 * @return ESP_OK, ESP_ERR_IMAGE_INVALID (the reason in fault), ESP_ERR_NO_MEM
 */
OTTER_MUST_CHECK esp_err_t otter_signature_v1_verify(const uint8_t raw[OTTER_SIGNATURE_V1_SIZE],
                                                     const uint8_t *key,
                                                     const uint8_t digest[OTTER_SHA256_LEN],
                                                     otter_fault_t *fault);

#ifdef __cplusplus
}
#endif
