/* Signature blocks of Secure Boot V2 by the names of a chip's ROM, for esp_secure_boot.h. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "esp_assert.h"
#include "sdkconfig.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SECURE_BOOT_NUM_BLOCKS             3
#define CRC_SIGN_BLOCK_LEN                 1196 /* bytes that the CRC of a block is of */
#define SIG_BLOCK_PADDING                  4096
#define ETS_SECURE_BOOT_V2_SIGNATURE_MAGIC 0xE7

#define ECDSA_CURVE_P192 1
#define ECDSA_CURVE_P256 2
#define ECDSA_CURVE_P384 3

/** An RSA-3072 key; numbers are little endian. */
typedef struct {
    uint8_t n[384];
    uint32_t e;
    uint8_t rinv[384];
    uint32_t mdash;
} ets_rsa_pubkey_t;

/** One block, as it lies in flash (docs/FORMATS.md, section 12): RSA's, or ECDSA's on P-192 and P-256; or on P-384 alone. */
typedef struct ets_secure_boot_sig_block {
    uint8_t magic_byte;
    uint8_t version; /* 2: RSA, 3: ECDSA */
    uint8_t _reserved1;
    uint8_t _reserved2;
#if CONFIG_SECURE_BOOT_ECDSA_KEY_LEN_384_BITS
    uint8_t image_digest[48]; /* SHA-384; behind it an RSA key has no room, and no chip has such a block */
#define OTTER_SIG_BLOCK_NUMBER_ 48
#else
    uint8_t image_digest[32];
#define OTTER_SIG_BLOCK_NUMBER_ 32
#endif
    union {
#if !CONFIG_SECURE_BOOT_ECDSA_KEY_LEN_384_BITS
        struct {
            ets_rsa_pubkey_t key;
            uint8_t signature[384];
        };
#endif
        struct {
            struct {
                uint8_t curve_id;
                uint8_t point[2 * OTTER_SIG_BLOCK_NUMBER_]; /* X, then Y */
            } key;
            uint8_t signature[2 * OTTER_SIG_BLOCK_NUMBER_]; /* r, then s */
        } ecdsa;
        uint8_t otter_content_[CRC_SIGN_BLOCK_LEN - 4 - OTTER_SIG_BLOCK_NUMBER_];
    };
#undef OTTER_SIG_BLOCK_NUMBER_
    uint32_t block_crc;
    uint8_t _padding[16];
} ets_secure_boot_sig_block_t;

ESP_STATIC_ASSERT(sizeof(ets_secure_boot_sig_block_t) == 1216, "a signature block");

/** The sector behind an image. */
typedef struct ets_secure_boot_signature {
    ets_secure_boot_sig_block_t block[SECURE_BOOT_NUM_BLOCKS];
    uint8_t _padding[4096 - sizeof(ets_secure_boot_sig_block_t) * SECURE_BOOT_NUM_BLOCKS];
} ets_secure_boot_signature_t;

ESP_STATIC_ASSERT(sizeof(ets_secure_boot_signature_t) == 4096, "a signature sector");

#ifdef __cplusplus
}
#endif
