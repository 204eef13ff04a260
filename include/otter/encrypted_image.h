/* Pre-encrypted images (FORMATS.md section 13): what ESP-IDF's component esp_encrypted_img reads, piece by piece. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "otter/crypto.h"
#include "otter/fault.h"
#include "otter/promise.h"

#ifdef __cplusplus
extern "C" {
#endif

#define OTTER_ENCRYPTED_MAGIC  0x0788B6CFu
#define OTTER_ENCRYPTED_HEADER 512u /* bytes in front of the ciphertext */

/** The code that takes encrypted images into updates. Only a program that names it links it, and AES, RSA and ECDH with it. */
typedef struct otter_encrypted_images otter_encrypted_images_t;
extern const otter_encrypted_images_t otter_encrypted_images;

/** What the header says. Nothing of it is proved before the tag. */
typedef struct {
    uint32_t length;      /* bytes of the image, and of the ciphertext */
    const uint8_t *key;   /* within the header: 384 bytes, how the AES key can be had */
    const uint8_t *nonce; /* 16 */
    const uint8_t *tag;   /* 16 */
    bool seems_ecies;     /* by the look of the key area: the format does not say which scheme it is */
} otter_encrypted_header_t;

/** @return false: it does not begin with the magic. `header` points into `raw` */
bool otter_encrypted_header_read(const uint8_t raw[OTTER_ENCRYPTED_HEADER], otter_encrypted_header_t *header);

/**
 * The key on P-256 that a device derives from the HMAC key in its eFuses (purpose HMAC_UP). The caller frees it.
 * @return NULL: one key in 2^32 is of no use, or no memory: fault says
 */
OTTER_MUST_CHECK otter_image_key_t *otter_image_key_of_hmac(const uint8_t hmac_key[32], otter_fault_t *fault);

/** The AES key of a header. @return ESP_OK, ESP_ERR_OTA_VALIDATE_FAILED (it is for another key, or damaged), ESP_ERR_NO_MEM */
OTTER_MUST_CHECK esp_err_t otter_encrypted_key(const otter_image_key_t *key,
                                               const otter_encrypted_header_t *header,
                                               uint8_t aes[OTTER_AES_256_LEN], otter_fault_t *fault);

/**
 * An encrypted image on its way. Zeros with a key are its beginning. Besides the ciphers' state it holds the header; it may not
 * be copied.
 */
typedef struct {
    const otter_image_key_t *key; /* the caller's */
    uint8_t header[OTTER_ENCRYPTED_HEADER];
    uint32_t have;          /* bytes of it */
    uint32_t length, taken; /* bytes of ciphertext: announced, and so far */
    otter_gcm_t *gcm;       /* NULL: the header is not complete */
    otter_gcm_t *sealer;    /* encrypts again what is known already; NULL: nobody asked */
    uint8_t aes[OTTER_AES_256_LEN];
} otter_decryption_t;

/** One call of otter_decryption_feed(). */
typedef struct {
    const uint8_t *in;
    size_t len, used; /* used: by the call */
    uint8_t *out;
    size_t room, made; /* made: by the call; as many as were used, but for the header */
} otter_decryption_flow_t;

/**
 * The next bytes of the file, any number. It takes all that there is room for, and nothing behind the last one that the header
 * announces: what is left then is too much. What it makes is not proved before otter_decryption_check().
 * @return ESP_OK
 *         ESP_ERR_OTA_VALIDATE_FAILED  no encrypted image, or its key area is for another key, or damaged
 *         ESP_ERR_NO_MEM
 */
OTTER_MUST_CHECK esp_err_t otter_decryption_feed(otter_decryption_t *d, otter_decryption_flow_t *flow,
                                                 otter_fault_t *fault);

/** All of it came. */
bool otter_decryption_is_complete(const otter_decryption_t *d);

/**
 * The verdict, once.
 * @return ESP_OK; ESP_ERR_OTA_VALIDATE_FAILED: the file ended too early, or the tag does not fit
 */
OTTER_MUST_CHECK esp_err_t otter_decryption_check(otter_decryption_t *d, otter_fault_t *fault);

/**
 * Instead of feeding: the header is known, and bytes of the image that follow those so far. They are encrypted again, so that the
 * tag will prove them, too. The header first, with no bytes, then the image in any pieces, then feeding goes on behind.
 * @param raw  OTTER_ENCRYPTED_HEADER bytes; NULL: the header came
 * @return as otter_decryption_feed; ESP_ERR_OTA_VALIDATE_FAILED also of more than the header announces
 */
OTTER_MUST_CHECK esp_err_t otter_decryption_recall(otter_decryption_t *d, const uint8_t *raw,
                                                   const uint8_t *image, size_t len, otter_fault_t *fault);

/** Frees and wipes what it holds, and is at the beginning again, with the same key. */
void otter_decryption_restart(otter_decryption_t *d);

#ifdef __cplusplus
}
#endif
