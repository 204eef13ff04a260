/* The crypto seam: link-time functions that a port implements with a crypto library. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "otter/promise.h"

#ifdef __cplusplus
extern "C" {
#endif

#define OTTER_SHA256_LEN   32u
#define OTTER_SHA384_LEN   48u
#define OTTER_MD5_LEN      16u
#define OTTER_RSA_3072_LEN 384u /* of a modulus and of a signature */
#define OTTER_CURVE_MAX    48u  /* bytes of a number on the largest curve */

/** A running SHA-256; the port's own structure. */
typedef struct otter_sha256 otter_sha256_t;

/** A hash that has seen nothing. @return NULL when out of memory; the caller frees it. */
OTTER_MUST_CHECK otter_sha256_t *otter_sha256_new(void);

/** Start over, as if just made. @return false: out of memory; nothing but reset and free may be called then */
OTTER_MUST_CHECK bool otter_sha256_reset(otter_sha256_t *sha);

void otter_sha256_update(otter_sha256_t *sha, const void *data, size_t len);

/** Writes the digest; reset before the next use. */
void otter_sha256_finish(otter_sha256_t *sha, uint8_t digest[OTTER_SHA256_LEN]);

/** The digest of what it has seen so far; the hash goes on. @return false: out of memory */
OTTER_MUST_CHECK bool otter_sha256_peek(const otter_sha256_t *sha, uint8_t digest[OTTER_SHA256_LEN]);

/** NULL is fine. */
void otter_sha256_free(otter_sha256_t *sha);

/** One-shot MD5: the partition table's own digest, no protection against anybody. @return ESP_OK or ESP_ERR_NO_MEM */
OTTER_MUST_CHECK esp_err_t otter_md5(const void *data, size_t len, uint8_t digest[OTTER_MD5_LEN]);

/*
 * Below: only for devices that ask for signatures (otter/trust.h). Who does not name `otter_signatures` needs none of it.
 */

/** A running SHA-384, for signatures on the curve P-384; as otter_sha256_t. */
typedef struct otter_sha384 otter_sha384_t;
OTTER_MUST_CHECK otter_sha384_t *otter_sha384_new(void);
void otter_sha384_update(otter_sha384_t *sha, const void *data, size_t len);
void otter_sha384_finish(otter_sha384_t *sha, uint8_t digest[OTTER_SHA384_LEN]);
void otter_sha384_free(otter_sha384_t *sha);

/** The curves of ECDSA signatures (NIST's names). */
typedef enum { OTTER_CURVE_P192, OTTER_CURVE_P256, OTTER_CURVE_P384 } otter_curve_t;

/**
 * RSASSA-PSS with SHA-256, MGF1 of the same, 32 bytes of salt. The numbers are public: they may be anything at all.
 * @param modulus, signature  OTTER_RSA_3072_LEN bytes each, little endian
 * @return ESP_OK: the signature is good; ESP_FAIL: it is not, or these are no numbers for RSA; ESP_ERR_NO_MEM
 */
OTTER_MUST_CHECK esp_err_t otter_rsa_pss_verify(const uint8_t *modulus, uint32_t exponent,
                                                const uint8_t *signature,
                                                const uint8_t digest[OTTER_SHA256_LEN]);

/**
 * ECDSA of a digest. The numbers are public: they may be anything at all.
 * @param point      X, then Y, little endian, each as long as the curve's numbers: 24, 32 or 48 bytes
 * @param signature  r, then s, likewise
 * @return as otter_rsa_pss_verify
 */
OTTER_MUST_CHECK esp_err_t otter_ecdsa_verify(otter_curve_t curve, const uint8_t *point,
                                              const uint8_t *signature, const uint8_t *digest,
                                              size_t digest_len);

#ifdef __cplusplus
}
#endif
