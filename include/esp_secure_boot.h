/* ESP-IDF's questions about secure boot and signatures, of the current device. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "esp_efuse.h"
#include "esp_err.h"
#include "esp_flash_partitions.h"
#include "esp_image_format.h"
#include "rom/secure_boot.h"
#include "sdkconfig.h"
#include "soc/soc_caps.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * ESP-IDF compiles most of these only with Secure Boot or signed updates configured; here the device decides, so all are there.
 * What they trust is what updates of this device must be signed by; on a device that asks for no signatures, the first valid
 * block of the running app, as in ESP-IDF without secure boot. Any task may call them.
 */

#if CONFIG_SECURE_BOOT_ECDSA_KEY_LEN_384_BITS
#define ESP_SECURE_BOOT_DIGEST_LEN 48
#else
#define ESP_SECURE_BOOT_DIGEST_LEN 32
#endif
#define ESP_SECURE_BOOT_KEY_DIGEST_SHA_256_LEN 32
#define ESP_SECURE_BOOT_KEY_DIGEST_LEN         32

/** The version in a signature; V1 has 0 in its first four bytes. */
typedef enum {
    ESP_SECURE_BOOT_V1_ECDSA = 0,
    ESP_SECURE_BOOT_V2_RSA = 2,
    ESP_SECURE_BOOT_V2_ECDSA = 3,
} esp_secure_boot_sig_scheme_t;

#if CONFIG_SECURE_SIGNED_APPS_ECDSA_SCHEME
#define ESP_SECURE_BOOT_SCHEME ESP_SECURE_BOOT_V1_ECDSA
#elif CONFIG_SECURE_SIGNED_APPS_ECDSA_V2_SCHEME
#define ESP_SECURE_BOOT_SCHEME ESP_SECURE_BOOT_V2_ECDSA
#else
#define ESP_SECURE_BOOT_SCHEME ESP_SECURE_BOOT_V2_RSA
#endif

/** "RSA", "ECDSA" or "Unknown": a constant. */
static inline const char *esp_secure_boot_get_scheme_name(esp_secure_boot_sig_scheme_t scheme)
{
    return scheme == ESP_SECURE_BOOT_V2_RSA                                           ? "RSA"
           : scheme == ESP_SECURE_BOOT_V1_ECDSA || scheme == ESP_SECURE_BOOT_V2_ECDSA ? "ECDSA"
                                                                                      : "Unknown";
}

/** True if the bootloader of this device runs signed images only, by its eFuses. False without a device. */
bool esp_secure_boot_enabled(void);

/** The 68 bytes of V1's signature. */
typedef struct {
    uint32_t version;
    uint8_t signature[64];
} esp_secure_boot_sig_block_t;

/** Bytes of a signature behind an image: a sector of Secure Boot V2, or V1's. */
static inline uint32_t esp_secure_boot_sig_block_size(void)
{
#if CONFIG_SECURE_SIGNED_APPS_ECDSA_SCHEME
    return sizeof(esp_secure_boot_sig_block_t);
#else
    return sizeof(ets_secure_boot_signature_t);
#endif
}

/**
 * Is some data in flash signed? The signature begins behind its end, of Secure Boot V2 at the next multiple of 4096.
 * @param src_addr, length  in flash, bytes
 * @return ESP_OK                 by a trusted key
 *         ESP_ERR_IMAGE_INVALID  it is not, or nobody is trusted
 *         ESP_FAIL               flash cannot be read there, or the eFuses cannot
 *         ESP_ERR_NO_MEM, ESP_ERR_INVALID_STATE (there is no current device)
 */
esp_err_t esp_secure_boot_verify_signature(uint32_t src_addr, uint32_t length);

/**
 * The same with a hash at hand. Stricter than ESP-IDF, as the ROM: the hash that a block says it signs must be this one.
 * @param sig_block        a whole sector
 * @param image_digest     of what is signed: 32 bytes, 48 on a device for P-384
 * @param verified_digest  NULL, or as long: the hash if it is good, else zeros
 * @return as above
 */
esp_err_t esp_secure_boot_verify_sbv2_signature_block(const ets_secure_boot_signature_t *sig_block,
                                                      const uint8_t *image_digest, uint8_t *verified_digest);

/** Its name up to ESP-IDF 5.0, for RSA. */
esp_err_t esp_secure_boot_verify_rsa_signature_block(const ets_secure_boot_signature_t *sig_block,
                                                     const uint8_t *image_digest, uint8_t *verified_digest);

/**
 * The same of ESP32's first scheme, with the public key of the device.
 * @return ESP_OK, ESP_ERR_IMAGE_INVALID, ESP_FAIL (another version than 0, the device has no such key), ESP_ERR_NO_MEM,
 *         ESP_ERR_INVALID_STATE (there is no current device)
 */
esp_err_t esp_secure_boot_verify_ecdsa_signature_block(const esp_secure_boot_sig_block_t *sig_block,
                                                       const uint8_t *image_digest, uint8_t *verified_digest);

/** A name of ESP-IDF 4: see esp_secure_boot_verify_ecdsa_signature_block(). */
esp_err_t esp_secure_boot_verify_signature_block(const esp_secure_boot_sig_block_t *sig_block,
                                                 const uint8_t *image_digest)
    __attribute__((deprecated("use esp_secure_boot_verify_ecdsa_signature_block")));

/** Keys in the signatures of one image. Nothing in them is proved. */
typedef struct {
    uint8_t key_digests[SOC_EFUSE_SECURE_BOOT_KEY_DIGESTS][ESP_SECURE_BOOT_KEY_DIGEST_SHA_256_LEN];
    unsigned num_digests; /* blocks that are whole; their digests come first */
} esp_image_sig_public_key_digests_t;

/**
 * The whole blocks behind the running app, which need not be trusted, nor right.
 * @param digest_public_keys  false: they are only counted
 * @return ESP_OK, ESP_ERR_NOT_FOUND (there is none), ESP_FAIL (NULL, nothing runs, flash cannot be read), ESP_ERR_NO_MEM,
 *         ESP_ERR_INVALID_STATE (there is no current device)
 */
esp_err_t
esp_secure_boot_get_signature_blocks_for_running_app(bool digest_public_keys,
                                                     esp_image_sig_public_key_digests_t *public_key_digests);

/**
 * Is an image signed by this key of the eFuses?
 * @param efuse_digest_index  0 to 2
 * @param part_pos            the partition of an app, or the place of the bootloader
 * @return ESP_OK, ESP_ERR_INVALID_ARG (NULL, index), ESP_FAIL (it is not; no image; the key is missing or revoked),
 *         ESP_ERR_NO_MEM, ESP_ERR_INVALID_STATE (there is no current device)
 */
esp_err_t esp_secure_boot_verify_with_efuse_digest_index(int efuse_digest_index,
                                                         esp_partition_pos_t *part_pos);

/**
 * What a firmware checks when it starts; it need not call it. Signed updates without secure boot: a running app without a whole
 * signature could never be updated, so abort().
 */
void esp_secure_boot_init_checks(void);

/** True with secure boot and a key that is not revoked: what else eFuses protect is not there on a virtual device. */
bool esp_secure_boot_cfg_verify_release_mode(void);

/** Nothing is left to be set. @return ESP_OK */
esp_err_t esp_secure_boot_enable_secure_features(void);

#ifdef __cplusplus
}
#endif
