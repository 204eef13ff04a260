/* What is signed behind an image, block by block: shown to people, and the ground on which more blocks are put. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "otter/fault.h"
#include "otter/flash.h"
#include "otter/signature.h"

/** A running hash of what is signed, of the kind that a scheme takes. */
typedef struct {
    otter_digest_t sha256;
    otter_sha384_t *sha384; /* NULL: SHA-256 */
} signed_hash_t;

/** @param len  of the hash: otter_signature_hash_len(). @return false: out of memory */
OTTER_MUST_CHECK bool signed_hash_begin(signed_hash_t *hash, uint32_t len);
void signed_hash_update(signed_hash_t *hash, const void *data, size_t len);
/** @param bytes  NULL: it is given up */
void signed_hash_end(signed_hash_t *hash, uint8_t *bytes);

/** One block of a signature sector. */
typedef struct {
    bool present;            /* there is something that begins as a block; false: erased, or anything else */
    bool valid;              /* it is whole, and the key in it has signed this image */
    char why[OTTER_WHY_MAX]; /* it is not valid */
    otter_signature_scheme_t scheme; /* OTTER_SIGNED_NOT where its CRC, version or curve is wrong */
    uint8_t key_digest[OTTER_KEY_DIGEST_LEN];
} signature_seen_t;

/** All of them; the V1 scheme has one, which names no key and so cannot be valid or not. */
typedef struct {
    bool v1;
    uint32_t offset;   /* in the flash */
    uint32_t end;      /* of its bytes */
    uint32_t count;    /* of blocks that are present; 0: the image is not signed */
    uint32_t hash_len; /* of `hash`, of all that is signed, for the block that asked last; 0: none did */
    uint8_t hash[OTTER_SIGNATURE_HASH_MAX];
    signature_seen_t block[OTTER_SIGNATURE_BLOCKS];
} image_signature_t;

/**
 * @param start, end  of a whole image in the flash
 * @param limit       what lies from here on is not the image's: of its partition, of its file
 * @param sha256      has seen all of the image, which then is not read again for it; it is finished. NULL: there is none
 */
void signature_look(image_signature_t *signature, otter_flash_t *flash, uint32_t start, uint32_t end,
                    uint32_t limit, otter_digest_t *sha256);
