/* Reads the blocks of a signature sector and tries each with the key that is in it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "signature_look.h"

#include <stdio.h>
#include <string.h>

#include "otter/bytes.h"
#include "flash_search.h"

#define PIECE 4096u
#define BODY  1192u /* of a block, between its head and its CRC */

/** SHA-256, or SHA-384, of bytes of a flash. @return false: memory, or reading, failed */
static bool hash_flash(otter_flash_t *flash, uint32_t start, uint32_t end, uint32_t hash_len,
                       uint8_t hash[OTTER_SIGNATURE_HASH_MAX])
{
    const bool wide = hash_len == OTTER_SHA384_LEN;
    otter_digest_t sha256 = {0};
    otter_sha384_t *sha384 = wide ? otter_sha384_new() : NULL;
    bool ok = wide ? sha384 != NULL : otter_sha256_begin(&sha256);
    for (uint32_t at = start; ok && at < end;) {
        uint8_t piece[PIECE];
        uint32_t len = min_u32(end - at, PIECE);
        ok = otter_flash_read(flash, at, piece, len) == ESP_OK;
        if (ok && wide) {
            otter_sha384_update(sha384, piece, len);
        } else if (ok) {
            otter_digest_update(&sha256, piece, len);
        }
        at += len;
    }
    if (ok && wide) {
        otter_sha384_finish(sha384, hash);
    } else if (ok) {
        otter_digest_finish(&sha256, hash);
    }
    otter_digest_end(&sha256);
    otter_sha384_free(sha384);
    return ok;
}

/** What blocks sign, hashed for the first that asks. */
typedef struct {
    otter_flash_t *flash;
    uint32_t start, end;
    uint32_t hash_len; /* of `hash`; 0: nobody has asked */
    uint8_t hash[OTTER_SIGNATURE_HASH_MAX];
} signed_bytes_t;

static bool hash_for(signed_bytes_t *bytes, const otter_signature_block_t *block)
{
    if (bytes->hash_len != block->hash_len) {
        bool ok = hash_flash(bytes->flash, bytes->start, bytes->end, block->hash_len, bytes->hash);
        bytes->hash_len = ok ? block->hash_len : 0;
    }
    return bytes->hash_len != 0;
}

/** @param at  where the block lies */
static void look_at_block(signature_seen_t *seen, signed_bytes_t *bytes, uint32_t at, const uint8_t *raw)
{
    otter_signature_block_t block;
    otter_fault_t fault = {0};
    esp_err_t err = otter_signature_block_read(raw, &block, &fault);
    /* Zeros behind a magic byte are no broken signature, but something else. */
    bool is_something =
        err != ESP_ERR_NOT_FOUND && (err == ESP_OK || flash_content(bytes->flash, at + 4, BODY) > FLASH_ZERO);
    *seen = (signature_seen_t){.present = is_something, .scheme = block.scheme};
    memcpy(seen->key_digest, block.key_digest, sizeof(seen->key_digest));
    if (err == ESP_OK) {
        err = hash_for(bytes, &block) ? otter_signature_block_verify(raw, &block, bytes->hash, &fault)
                                      : otter_fault(&fault, ESP_FAIL, "the image cannot be read");
    }
    seen->valid = err == ESP_OK;
    snprintf(seen->why, sizeof(seen->why), "%s", fault.why);
}

/** Secure Boot V2: a sector of up to three blocks, behind the image at the next sector. */
static bool look_v2(image_signature_t *signature, otter_flash_t *flash, uint32_t start, uint32_t end,
                    uint32_t limit)
{
    uint8_t raw[OTTER_SIGNATURE_BLOCK];
    const uint32_t offset = start + align_up_u32(end - start, OTTER_SIGNATURE_SECTOR);
    *signature =
        (image_signature_t){.offset = offset, .end = min_u32(offset + OTTER_SIGNATURE_SECTOR, limit)};
    signed_bytes_t bytes = {.flash = flash, .start = start, .end = offset};
    for (uint32_t i = 0; i < OTTER_SIGNATURE_BLOCKS; i++) {
        const uint32_t at = offset + i * OTTER_SIGNATURE_BLOCK;
        if (!range_fits(at, sizeof(raw), limit) || otter_flash_read(flash, at, raw, sizeof(raw)) != ESP_OK) {
            break;
        }
        look_at_block(&signature->block[i], &bytes, at, raw);
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
                    uint32_t limit)
{
    if (!look_v2(signature, flash, start, end, limit)) {
        look_v1(signature, flash, end, limit);
    }
}
