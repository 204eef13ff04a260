/* The crypto seam: link-time functions that a port implements with a crypto library. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "otter/fault.h"
#include "otter/promise.h"

#ifdef __cplusplus
extern "C" {
#endif

#define OTTER_SHA256_LEN   32u
#define OTTER_SHA384_LEN   48u
#define OTTER_SHA1_LEN     20u
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

/** SHA-1: which file a fleet's server means that tells no SHA-256 (otter/ddi.h); no protection against anybody. */
OTTER_MUST_CHECK bool otter_sha1_begin(otter_digest_t *digest);

/** MD5: the partition table's own, and HTTP's digest authentication; no protection against anybody. */
OTTER_MUST_CHECK bool otter_md5_begin(otter_digest_t *digest);

void otter_digest_update(otter_digest_t *digest, const void *data, size_t len);

/** Writes OTTER_SHA256_LEN, OTTER_SHA1_LEN or OTTER_MD5_LEN bytes; what follows is begin or end. */
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

/**
 * The same of blocks that lie back to front, as a chip's flash has them, each with a mask added before AES and behind it, as XTS
 * has them.
 * @param masks  `len` bytes; zeros change nothing
 */
OTTER_MUST_CHECK bool otter_aes_turned(otter_aes_t *aes, uint8_t *data, const uint8_t *masks, size_t len);

/** NULL is fine. */
void otter_aes_free(otter_aes_t *aes);

/** Overwrites a secret in memory, also where nothing reads it afterwards. For who reads encrypted images, too. */
void otter_wipe(void *data, size_t len);

/*
 * Below: only for who reads encrypted images (otter/encrypted_image.h). Who does not name `otter_encrypted_images` needs none
 * of it.
 */

#define OTTER_AES_256_LEN 32u /* bytes of a key */
#define OTTER_GCM_LEN     16u /* of a nonce and of a tag */
#define OTTER_P256_LEN    32u /* of a number on the curve P-256 */

/** A running AES-256-GCM, of bytes alone, with a nonce of 16; in a block of the heap. */
typedef struct otter_gcm otter_gcm_t;

/** @return NULL: no memory */
OTTER_MUST_CHECK otter_gcm_t *otter_gcm_new(const uint8_t key[OTTER_AES_256_LEN],
                                            const uint8_t nonce[OTTER_GCM_LEN], bool encrypts);

/** The next bytes, as many as there are; `out` gets as many, and may be `in`. @return false: no memory */
OTTER_MUST_CHECK bool otter_gcm_update(otter_gcm_t *gcm, const void *in, size_t len, void *out);

/** The tag of all that was encrypted, or false: no memory. What follows is free. */
OTTER_MUST_CHECK bool otter_gcm_tag(otter_gcm_t *gcm, uint8_t tag[OTTER_GCM_LEN]);

/** `tag` is that of all that was decrypted; compared in constant time. What follows is free. */
OTTER_MUST_CHECK bool otter_gcm_check(otter_gcm_t *gcm, const uint8_t tag[OTTER_GCM_LEN]);

/** Wipes the key. NULL is fine. */
void otter_gcm_free(otter_gcm_t *gcm);

/** A private key that images are encrypted for: RSA of 3072 bits, or one on P-256. */
typedef struct otter_image_key otter_image_key_t;

/**
 * @param text   PEM, not encrypted, or DER; a PEM may have its terminating 0 counted in `len`, as ESP-IDF's programs do
 * @param fault  ESP_ERR_NOT_SUPPORTED: a key of another kind; ESP_ERR_INVALID_ARG: no private key; ESP_ERR_NO_MEM
 * @return the caller frees it; NULL: fault says why
 */
OTTER_MUST_CHECK otter_image_key_t *otter_image_key_new(const void *text, size_t len, otter_fault_t *fault);

/** The key on P-256 with this private number, big endian. @return NULL: it is not from 1 to n - 1, or no memory */
OTTER_MUST_CHECK otter_image_key_t *otter_image_key_of_number(const uint8_t number[OTTER_P256_LEN],
                                                              otter_fault_t *fault);

/** Else it is on P-256. */
bool otter_image_key_is_rsa(const otter_image_key_t *key);

/** Its public part as DER (SubjectPublicKeyInfo), malloc'ed. @return bytes; 0: no memory */
OTTER_MUST_CHECK size_t otter_image_key_public(const otter_image_key_t *key, uint8_t **der);

/** Wipes it. NULL is fine. */
void otter_image_key_free(otter_image_key_t *key);

/**
 * RSAES-PKCS1-v1_5.
 * @param box  OTTER_RSA_3072_LEN bytes, big endian; may be anything at all
 * @return ESP_OK: there was a key of AES-256 in it; ESP_FAIL: not for this key, or damaged (or, where the library answers such
 *         a box with a key out of thin air: ESP_OK, and no tag will fit); ESP_ERR_NO_MEM
 */
OTTER_MUST_CHECK esp_err_t otter_rsa_unwrap(const otter_image_key_t *key, const uint8_t *box,
                                            uint8_t aes[OTTER_AES_256_LEN]);

/**
 * ECDH: the X of the shared point, big endian.
 * @param point  the other side's X, then Y, big endian; may be anything at all
 * @return ESP_OK; ESP_FAIL: the point is not on the curve; ESP_ERR_NO_MEM
 */
OTTER_MUST_CHECK esp_err_t otter_p256_agree(const otter_image_key_t *key,
                                            const uint8_t point[2 * OTTER_P256_LEN],
                                            uint8_t shared[OTTER_P256_LEN]);

/** HKDF with SHA-256: 32 bytes of 32, with a salt of 32. @return false: no memory */
OTTER_MUST_CHECK bool otter_hkdf_sha256(const uint8_t secret[32], const uint8_t salt[32], const char *info,
                                        uint8_t out[32]);

/** PBKDF2 with HMAC-SHA-256: 32 bytes of a key of 32, with a salt of 32. @return false: no memory */
OTTER_MUST_CHECK bool otter_pbkdf2_sha256(const uint8_t key[32], const uint8_t salt[32], unsigned iterations,
                                          uint8_t out[32]);

#ifdef __cplusplus
}
#endif
