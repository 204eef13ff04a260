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

/**
 * A running digest, in its caller's memory: no heap is needed for one. What is in it is the port's: its whole state, or what
 * it keeps elsewhere. Zeros are a digest that was not begun. It is not copied, and moves nowhere between begin and end.
 */
typedef union {
    uint64_t state[16];
    struct {
        void *object;
        bool used;
    } elsewhere;
} otter_digest_t;

/** SHA-256 from its start, also in the place of one that has run. @return false: out of memory; then only begin and end */
OTTER_MUST_CHECK bool otter_sha256_begin(otter_digest_t *digest);

/** MD5: the partition table's own, and HTTP's digest authentication; no protection against anybody. */
OTTER_MUST_CHECK bool otter_md5_begin(otter_digest_t *digest);

void otter_digest_update(otter_digest_t *digest, const void *data, size_t len);

/** Writes OTTER_SHA256_LEN or OTTER_MD5_LEN bytes; what follows is begin or end. */
void otter_digest_finish(otter_digest_t *digest, uint8_t *bytes);

/** The digest of what it has seen so far; it goes on. @return false: out of memory */
OTTER_MUST_CHECK bool otter_digest_peek(const otter_digest_t *digest, uint8_t *bytes);

/** Gives back what the port holds for it; harmless on zeros, and twice. */
void otter_digest_end(otter_digest_t *digest);

/*
 * Below: only for devices that ask for signatures (otter/trust.h). Who does not name `otter_signatures` needs none of it.
 */

/** A running SHA-384, for signatures on the curve P-384; in a block of the heap. */
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

/*
 * Below: only for flash encryption in software (otter/flash_encryption.h). A chip whose hardware encrypts needs none of it.
 */

/** AES with one key, block by block (ECB); in a block of the heap, which is wiped when it is given back. */
typedef struct otter_aes otter_aes_t;

/** @param key_len  16 or 32 bytes. @return NULL: out of memory */
OTTER_MUST_CHECK otter_aes_t *otter_aes_new(const uint8_t *key, size_t key_len, bool decrypt);

/** Another key, as long as the first one. @return false: out of memory */
OTTER_MUST_CHECK bool otter_aes_set_key(otter_aes_t *aes, const uint8_t *key);

/** In place. @param len  bytes, whole blocks of 16. @return false: out of memory; what `data` holds is unknown then */
OTTER_MUST_CHECK bool otter_aes_blocks(otter_aes_t *aes, uint8_t *data, size_t len);

/** NULL is fine. */
void otter_aes_free(otter_aes_t *aes);

/** Overwrites a secret in memory, also where nothing reads it afterwards. */
void otter_wipe(void *data, size_t len);

#ifdef __cplusplus
}
#endif
