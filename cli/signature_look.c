/* Reads the blocks of a signature sector and tries each with the key that is in it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "signature_look.h"

#include <stdio.h>
#include <string.h>

#include "otter/bytes.h"
#include "flash_search.h"

#define PIECE 4096u
#define BODY  (OTTER_SIGNATURE_AT_CRC - OTTER_SIGNATURE_AT_HASH) /* of a block, between its head and its CRC */

/* ---- hashes ---- */

bool signed_hash_begin(signed_hash_t *hash, uint32_t len)
{
    *hash = (signed_hash_t){0};
    if (len != OTTER_SHA384_LEN) {
        return otter_sha256_begin(&hash->sha256);
    }
    hash->sha384 = otter_sha384_new();
    return hash->sha384 != NULL;
}

void signed_hash_update(signed_hash_t *hash, const void *data, size_t len)
{
    if (hash->sha384 != NULL) {
        otter_sha384_update(hash->sha384, data, len);
    } else {
        otter_digest_update(&hash->sha256, data, len);
    }
}

void signed_hash_end(signed_hash_t *hash, uint8_t *bytes)
{
    if (bytes != NULL && hash->sha384 != NULL) {
        otter_sha384_finish(hash->sha384, bytes);
    } else if (bytes != NULL) {
        otter_digest_finish(&hash->sha256, bytes);
    }
    otter_sha384_free(hash->sha384);
    otter_digest_end(&hash->sha256);
}

/** What blocks sign, hashed for the first that asks. */
typedef struct {
    otter_flash_t *flash;
    uint32_t start, image_end, end;
    otter_digest_t *sha256; /* of [start, image_end); NULL: there is none, or it is used up */
} signed_bytes_t;

/** @return false: memory, or reading, failed */
static bool hash_range(otter_flash_t *flash, uint32_t start, uint32_t end, signed_hash_t *hash)
{
    bool ok = true;
    for (uint32_t at = start; ok && at < end;) {
        uint8_t piece[PIECE];
        uint32_t len = min_u32(end - at, PIECE);
        ok = otter_flash_read(flash, at, piece, len) == ESP_OK;
        if (ok) {
            signed_hash_update(hash, piece, len);
        }
        at += len;
    }
    return ok;
}

/** The image is hashed already: only its padding is to follow. */
static bool hash_padding(signed_bytes_t *bytes, uint8_t *hash)
{
    uint8_t padding[OTTER_SIGNATURE_SECTOR];
    const uint32_t len = bytes->end - bytes->image_end;
    bool ok = otter_flash_read(bytes->flash, bytes->image_end, padding, len) == ESP_OK;
    if (ok) {
        otter_digest_update(bytes->sha256, padding, len);
        otter_digest_finish(bytes->sha256, hash);
        bytes->sha256 = NULL;
    }
    return ok;
}

static bool hash_all(const signed_bytes_t *bytes, uint32_t len, uint8_t *hash)
{
    signed_hash_t running;
    bool begun = signed_hash_begin(&running, len);
    bool ok = begun && hash_range(bytes->flash, bytes->start, bytes->end, &running);
    signed_hash_end(&running, ok ? hash : NULL);
    return ok;
}

static bool hash_for(image_signature_t *signature, signed_bytes_t *bytes, uint32_t len)
{
    if (signature->hash_len == len) {
        return true;
    }
    bool ok = len == OTTER_SHA256_LEN && bytes->sha256 != NULL ? hash_padding(bytes, signature->hash)
                                                               : hash_all(bytes, len, signature->hash);
    signature->hash_len = ok ? len : 0;
    return ok;
}

/* ---- blocks ---- */

/** @param at  where the block lies */
static void look_at_block(image_signature_t *signature, uint32_t index, signed_bytes_t *bytes, uint32_t at,
                          const uint8_t *raw)
{
    signature_seen_t *seen = &signature->block[index];
    otter_signature_block_t block;
    otter_fault_t fault = {0};
    esp_err_t err = otter_signature_block_read(raw, &block, &fault);
    /* Zeros behind a magic byte are no broken signature, but something else. */
    bool is_something =
        err != ESP_ERR_NOT_FOUND &&
        (err == ESP_OK || flash_content(bytes->flash, at + OTTER_SIGNATURE_AT_HASH, BODY) > FLASH_ZERO);
    *seen = (signature_seen_t){.present = is_something, .scheme = block.scheme};
    memcpy(seen->key_digest, block.key_digest, sizeof(seen->key_digest));
    if (err == ESP_OK) {
        err = hash_for(signature, bytes, block.hash_len)
                  ? otter_signature_block_verify(raw, &block, signature->hash, &fault)
                  : otter_fault(&fault, ESP_FAIL, "the image cannot be read");
    }
    seen->valid = err == ESP_OK;
    snprintf(seen->why, sizeof(seen->why), "%s", fault.why);
}

/** Secure Boot V2: a sector of up to three blocks, behind the image at the next sector. */
static bool look_v2(image_signature_t *signature, otter_flash_t *flash, uint32_t start, uint32_t end,
                    uint32_t limit, otter_digest_t *sha256)
{
    uint8_t raw[OTTER_SIGNATURE_BLOCK];
    const uint32_t offset = start + align_up_u32(end - start, OTTER_SIGNATURE_SECTOR);
    *signature =
        (image_signature_t){.offset = offset, .end = min_u32(offset + OTTER_SIGNATURE_SECTOR, limit)};
    signed_bytes_t bytes = {
        .flash = flash, .start = start, .image_end = end, .end = offset, .sha256 = sha256};
    for (uint32_t i = 0; i < OTTER_SIGNATURE_BLOCKS; i++) {
        const uint32_t at = offset + i * OTTER_SIGNATURE_BLOCK;
        if (!range_fits(at, sizeof(raw), limit) || otter_flash_read(flash, at, raw, sizeof(raw)) != ESP_OK) {
            break;
        }
        look_at_block(signature, i, &bytes, at, raw);
        signature->count += signature->block[i].present;
    }
    return signature->count > 0;
}

/** Secure Boot V1: 68 bytes, the first four of them 0, directly behind the image, and nothing behind them. */
static void look_v1(image_signature_t *signature, otter_flash_t *flash, uint32_t end, uint32_t limit)
{
    const uint32_t len = OTTER_SIGNATURE_V1_SIZE;
    uint8_t raw[OTTER_SIGNATURE_V1_SIZE];
    *signature = (image_signature_t){0};
    if (range_fits(end, len, limit) && flash_content(flash, end + len, limit - end - len) == FLASH_ERASED &&
        otter_flash_read(flash, end, raw, len) == ESP_OK && le32_get(raw) == 0 &&
        flash_content(flash, end, len) > FLASH_ZERO) {
        *signature = (image_signature_t){.v1 = true, .offset = end, .end = end + len, .count = 1};
        signature->block[0] = (signature_seen_t){.present = true, .scheme = OTTER_SIGNED_V1};
    }
}

void signature_look(image_signature_t *signature, otter_flash_t *flash, uint32_t start, uint32_t end,
                    uint32_t limit, otter_digest_t *sha256)
{
    if (!look_v2(signature, flash, start, end, limit, sha256)) {
        look_v1(signature, flash, end, limit);
    }
}
