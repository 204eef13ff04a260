/* The component esp_encrypted_img (2.x): encrypted images piece by piece, for esp_https_ota with a decrypt_cb. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "esp_idf_version.h"
#include "sdkconfig.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of the header's fields; FORMATS.md section 13. */
#define MAGIC_SIZE       4
#define ENC_GCM_KEY_SIZE 384
#if defined(CONFIG_PRE_ENCRYPTED_OTA_USE_ECIES)
#define SERVER_ECC_KEY_LEN 64
#define KDF_SALT_SIZE      32
#define RESERVED_SIZE      (384 - (SERVER_ECC_KEY_LEN + KDF_SALT_SIZE))
#endif
#define IV_SIZE         16
#define AUTH_SIZE       16
#define BIN_SIZE_DATA   4
#define RESERVED_HEADER 88

#define ESP_ERR_ENCRYPTED_IMAGE_HMAC_KEY_NOT_FOUND 1

typedef void *esp_decrypt_handle_t;

/** What is in it depends on the firmware's options; without any it is CONFIG_PRE_ENCRYPTED_OTA_USE_RSA. */
typedef struct {
#if defined(CONFIG_PRE_ENCRYPTED_OTA_USE_ECIES)
    int hmac_key_id; /* key block of the eFuses, 0 to 5, with the purpose HMAC_UP */
#elif defined(CONFIG_PRE_ENCRYPTED_RSA_USE_DS)
    void *ds_data; /* there is no such peripheral: start is NULL */
#else
    union {
        const char *rsa_priv_key; /* the private key, RSA of 3072 bits, PEM or DER; not used after start */
        const char *rsa_pub_key;  /* the same, under the name of old */
    };
    union {
        size_t rsa_priv_key_len; /* bytes, with or without the 0 behind a text */
        size_t rsa_pub_key_len;
    };
#endif
} esp_decrypt_cfg_t;

/** One piece. */
typedef struct {
    const char *data_in;
    size_t data_in_len;
    /* NULL, or what realloc() takes; with bytes in it (data_out_len above 0) the caller frees it */
    char *data_out;
    size_t data_out_len;
} pre_enc_decrypt_arg_t;

/**
 * Begins. The key is read here: one that is none is told at once.
 * @return the handle, until end or abort; NULL: no such key (the log says why), or no memory
 */
esp_decrypt_handle_t esp_encrypted_img_decrypt_start(const esp_decrypt_cfg_t *cfg);

/**
 * The next bytes of the file, any number. Image bytes come in multiples of 16 until the last call, and are not proved before end:
 * nothing behind the last byte that the header announces is given out.
 * @return ESP_ERR_NOT_FINISHED  more is needed; or more came than the header announces, and end will say ESP_FAIL
 *         ESP_OK                that was the last byte
 *         ESP_FAIL              no encrypted image, or for another key; from then on always
 *         ESP_ERR_INVALID_ARG   a NULL, or no such handle
 *         ESP_ERR_NO_MEM
 */
esp_err_t esp_encrypted_img_decrypt_data(esp_decrypt_handle_t ctx, pre_enc_decrypt_arg_t *args);

/**
 * Ends, with the verdict of the tag; the handle is gone.
 * @return ESP_OK: all came, and it is genuine; ESP_FAIL: it is not; ESP_ERR_INVALID_ARG: no such handle (any more)
 */
esp_err_t esp_encrypted_img_decrypt_end(esp_decrypt_handle_t ctx);

/** All came that the header announces, and no more. */
bool esp_encrypted_img_is_complete_data_received(esp_decrypt_handle_t ctx);

/** Ends without a verdict; the handle is gone. @return ESP_OK, ESP_ERR_INVALID_ARG: no such handle (any more) */
esp_err_t esp_encrypted_img_decrypt_abort(esp_decrypt_handle_t ctx);

/** Bytes in front of the ciphertext: 512, for esp_https_ota_config_t.enc_img_header_size. */
uint16_t esp_encrypted_img_get_header_size(void);

/**
 * The public part of the key, DER.
 * @param pub_key  receives it; the caller frees
 * @return ESP_OK, ESP_ERR_INVALID_ARG, ESP_ERR_NO_MEM
 */
esp_err_t esp_encrypted_img_export_public_key(esp_decrypt_handle_t ctx, uint8_t **pub_key,
                                              size_t *pub_key_len);

#ifdef __cplusplus
}
#endif
