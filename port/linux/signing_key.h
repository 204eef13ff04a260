/* Keys that people sign images with: files or whatever OpenSSL's stores reach, and the signature blocks made with them. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "otter/fault.h"
#include "otter/promise.h"
#include "otter/trust.h"

/** One key: RSA with 3072 bits, or ECDSA on P-192, P-256 or P-384. */
typedef struct signing_key signing_key_t;

/**
 * @param name             a PEM or DER file, or a URI of a store that OpenSSL is configured for (pkcs11:...)
 * @param private_part     true: a key that signs; false: a public key, or a key that signs, whose public part is used
 * @param passphrase_file  its first line is the passphrase; NULL: a terminal is asked
 * @param fault            what is wrong, to go behind the name
 * @return the caller frees it; NULL: no such file, no key in it, none of those kinds, a wrong passphrase
 */
OTTER_MUST_CHECK signing_key_t *signing_key_load(const char *name, bool private_part,
                                                 const char *passphrase_file, otter_fault_t *fault);

/** Makes a new one. @param scheme  one of Secure Boot V2. @return the caller frees it; NULL with the reason in fault */
OTTER_MUST_CHECK signing_key_t *signing_key_new(otter_signature_scheme_t scheme, otter_fault_t *fault);

/** The private part is wiped. NULL is fine. */
void signing_key_free(signing_key_t *key);

/** Of Secure Boot V2; a key on P-256 is also for OTTER_SIGNED_V1. */
otter_signature_scheme_t signing_key_scheme(const signing_key_t *key);

/** What eFuses hold of it. @return false with the reason in fault */
OTTER_MUST_CHECK bool signing_key_digest(const signing_key_t *key, uint8_t digest[OTTER_KEY_DIGEST_LEN],
                                         otter_fault_t *fault);

/** X and Y of a key on P-256, as the V1 scheme has it. @return false: another kind of key; the reason in fault */
OTTER_MUST_CHECK bool signing_key_v1(const signing_key_t *key, uint8_t point[OTTER_V1_KEY_LEN],
                                     otter_fault_t *fault);

/**
 * As PEM text, malloc'ed; the caller frees it, and wipes a private one (signing_wipe()).
 * @param private_part     PKCS #8
 * @param passphrase_file  as above, encrypts it with AES-256; NULL: it is not encrypted
 */
OTTER_MUST_CHECK char *signing_key_pem(const signing_key_t *key, bool private_part,
                                       const char *passphrase_file, size_t *len, otter_fault_t *fault);

/** Overwrites memory that held a secret. */
void signing_wipe(void *secret, size_t len);

/**
 * One block of a signature sector, signed.
 * @param hash   of what is signed: SHA-256, or SHA-384 of a key on P-384
 * @param block  OTTER_SIGNATURE_BLOCK bytes
 * @return false with the reason in fault
 */
OTTER_MUST_CHECK bool signing_make_block(const signing_key_t *key, const uint8_t *hash, uint8_t *block,
                                         otter_fault_t *fault);

/**
 * The same with a signature that was made elsewhere: of RSA 384 bytes, of ECDSA DER or r and s, big endian.
 * @return false: it is no signature, or not this key's of this hash; the reason in fault
 */
OTTER_MUST_CHECK bool signing_take_block(const signing_key_t *key, const uint8_t *hash,
                                         const uint8_t *signature, size_t len, uint8_t *block,
                                         otter_fault_t *fault);

/** The 68 bytes of the V1 scheme. @param key  on P-256 */
OTTER_MUST_CHECK bool signing_make_v1(const signing_key_t *key, const uint8_t digest[32], uint8_t *signature,
                                      otter_fault_t *fault);
