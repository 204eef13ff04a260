/* Encrypted images: the header, the key in it, and the bytes behind it as they come. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "otter/encrypted_image.h"

#include <inttypes.h>
#include <string.h>

#include "otter/bytes.h"

#define KEY_OFFSET    4u
#define NONCE_OFFSET  388u
#define LENGTH_OFFSET 404u
#define TAG_OFFSET    408u
#define MAGIC_SIZE    4u

/* Of the ECIES scheme, within the key area: the sender's point, then the salt, then zeros. */
#define POINT_SIZE (2 * OTTER_P256_LEN)
#define SALT_SIZE  32u
#define HKDF_INFO  "_esp_enc_img_ecc"

#define PBKDF2_ITERATIONS 2048u
static const uint8_t pbkdf2_salt[32] = {0x0e, 0x21, 0x60, 0x64, 0x2d, 0xae, 0x76, 0xd3, 0x34, 0x48, 0xe4,
                                        0x3d, 0x77, 0x20, 0x12, 0x3d, 0x9f, 0x3b, 0x1e, 0xce, 0xb8, 0x8e,
                                        0x57, 0x3a, 0x4e, 0x8f, 0x7f, 0xb9, 0x4f, 0xf0, 0xc8, 0x69};

_Static_assert(KEY_OFFSET + OTTER_RSA_3072_LEN == NONCE_OFFSET, "the nonce follows the key area");
_Static_assert(NONCE_OFFSET + OTTER_GCM_LEN == LENGTH_OFFSET && LENGTH_OFFSET + 4 == TAG_OFFSET, "no gaps");

/* ---- the header ---- */

bool otter_encrypted_header_read(const uint8_t raw[OTTER_ENCRYPTED_HEADER], otter_encrypted_header_t *header)
{
    *header = (otter_encrypted_header_t){.length = le32_get(raw + LENGTH_OFFSET),
                                         .key = raw + KEY_OFFSET,
                                         .nonce = raw + NONCE_OFFSET,
                                         .tag = raw + TAG_OFFSET,
                                         .seems_ecies = true};
    for (uint32_t i = POINT_SIZE + SALT_SIZE; i < OTTER_RSA_3072_LEN; i++) {
        header->seems_ecies = header->seems_ecies && header->key[i] == 0;
    }
    return le32_get(raw) == OTTER_ENCRYPTED_MAGIC;
}

otter_image_key_t *otter_image_key_of_hmac(const uint8_t hmac_key[32], otter_fault_t *fault)
{
    uint8_t number[OTTER_P256_LEN];
    if (!otter_pbkdf2_sha256(hmac_key, pbkdf2_salt, PBKDF2_ITERATIONS, number)) {
        (void)otter_fault(fault, ESP_ERR_NO_MEM, "out of memory");
        return NULL;
    }
    otter_image_key_t *key = otter_image_key_of_number(number, fault);
    otter_wipe(number, sizeof(number));
    return key;
}

static esp_err_t agree(const otter_image_key_t *key, const uint8_t *area, uint8_t *aes)
{
    uint8_t shared[OTTER_P256_LEN];
    esp_err_t err = otter_p256_agree(key, area, shared);
    if (err == ESP_OK && !otter_hkdf_sha256(shared, area + POINT_SIZE, HKDF_INFO, aes)) {
        err = ESP_ERR_NO_MEM;
    }
    otter_wipe(shared, sizeof(shared));
    return err;
}

esp_err_t otter_encrypted_key(const otter_image_key_t *key, const otter_encrypted_header_t *header,
                              uint8_t aes[OTTER_AES_256_LEN], otter_fault_t *fault)
{
    const bool rsa = otter_image_key_is_rsa(key);
    esp_err_t err = rsa ? otter_rsa_unwrap(key, header->key, aes) : agree(key, header->key, aes);
    if (err == ESP_ERR_NO_MEM) {
        return otter_fault(fault, err, "out of memory");
    }
    return err == ESP_OK ? ESP_OK
                         : otter_fault(fault, ESP_ERR_OTA_VALIDATE_FAILED,
                                       "the image is encrypted for another key than this one (%s), or its "
                                       "header is damaged%s",
                                       rsa ? "RSA-3072" : "on P-256",
                                       rsa && header->seems_ecies ? ": it looks like one for a key on P-256"
                                       : !rsa && !header->seems_ecies ? ": it looks like one for RSA-3072"
                                                                      : "");
}

/* ---- the bytes ---- */

static bool is_open(const otter_decryption_t *d)
{
    return d->gcm != NULL;
}

/** What is known of the header is judged as soon as it is there. */
static esp_err_t judge_header(otter_decryption_t *d, otter_fault_t *fault)
{
    otter_encrypted_header_t header;
    if (d->have >= MAGIC_SIZE && !otter_encrypted_header_read(d->header, &header)) {
        return otter_fault(fault, ESP_ERR_OTA_VALIDATE_FAILED,
                           "this is no encrypted image: it begins with %02x %02x %02x %02x, not cf b6 88 07",
                           d->header[0], d->header[1], d->header[2], d->header[3]);
    }
    if (d->have < OTTER_ENCRYPTED_HEADER) {
        return ESP_OK;
    }
    d->length = header.length;
    esp_err_t err = otter_encrypted_key(d->key, &header, d->aes, fault);
    if (err != ESP_OK) {
        return err;
    }
    d->gcm = otter_gcm_new(d->aes, header.nonce, false);
    return d->gcm != NULL ? ESP_OK : otter_fault(fault, ESP_ERR_NO_MEM, "out of memory");
}

static esp_err_t take_header(otter_decryption_t *d, const uint8_t *in, size_t len, size_t *used,
                             otter_fault_t *fault)
{
    const uint32_t left = OTTER_ENCRYPTED_HEADER - d->have, n = len < left ? (uint32_t)len : left;
    memcpy(d->header + d->have, in, n);
    d->have += n;
    *used = n;
    return judge_header(d, fault);
}

/** From here on the key is where it is used, and nowhere else. */
static void end_recalling(otter_decryption_t *d)
{
    otter_gcm_free(d->sealer);
    d->sealer = NULL;
    otter_wipe(d->aes, sizeof(d->aes));
}

esp_err_t otter_decryption_feed(otter_decryption_t *d, otter_decryption_flow_t *flow, otter_fault_t *fault)
{
    flow->used = flow->made = 0;
    if (!is_open(d)) {
        esp_err_t err = take_header(d, flow->in, flow->len, &flow->used, fault);
        if (err != ESP_OK || !is_open(d)) {
            return err;
        }
    }
    end_recalling(d);
    size_t n = flow->len - flow->used;
    n = n < flow->room ? n : flow->room;
    n = n < d->length - d->taken ? n : d->length - d->taken;
    if (!otter_gcm_update(d->gcm, flow->in + flow->used, n, flow->out)) {
        return otter_fault(fault, ESP_ERR_NO_MEM, "out of memory");
    }
    d->taken += (uint32_t)n;
    flow->used += n;
    flow->made = n;
    return ESP_OK;
}

bool otter_decryption_is_complete(const otter_decryption_t *d)
{
    return is_open(d) && d->taken == d->length;
}

esp_err_t otter_decryption_check(otter_decryption_t *d, otter_fault_t *fault)
{
    if (!is_open(d)) {
        return otter_fault(fault, ESP_ERR_OTA_VALIDATE_FAILED,
                           "the file ends after %" PRIu32
                           " bytes, within the header of an encrypted image (%u)",
                           d->have, (unsigned)OTTER_ENCRYPTED_HEADER);
    }
    if (d->taken != d->length) {
        return otter_fault(fault, ESP_ERR_OTA_VALIDATE_FAILED,
                           "the file ends after %" PRIu32 " of the %" PRIu32
                           " bytes that its header announces",
                           d->taken, d->length);
    }
    return otter_gcm_check(d->gcm, d->header + TAG_OFFSET)
               ? ESP_OK
               : otter_fault(fault, ESP_ERR_OTA_VALIDATE_FAILED,
                             "the tag of the encrypted image does not fit: it is damaged or forged, or "
                             "encrypted for another key");
}

/* ---- what is known already ---- */

static esp_err_t recall_header(otter_decryption_t *d, const uint8_t *raw, otter_fault_t *fault)
{
    size_t used;
    otter_decryption_restart(d);
    return take_header(d, raw, OTTER_ENCRYPTED_HEADER, &used, fault);
}

/** The decrypting cipher hashes ciphertext, so it is given that of bytes that are known: another one makes it. */
static esp_err_t recall_piece(otter_decryption_t *d, const uint8_t *image, size_t len, otter_fault_t *fault)
{
    uint8_t piece[512];
    OTTER_ASSERT(d->taken == 0 || d->sealer != NULL); /* what was fed is not known again */
    if (d->sealer == NULL) {
        d->sealer = otter_gcm_new(d->aes, d->header + NONCE_OFFSET, true);
    }
    for (size_t n; len > 0; image += n, len -= n) {
        n = len < sizeof(piece) ? len : sizeof(piece);
        if (d->sealer == NULL || !otter_gcm_update(d->sealer, image, n, piece) ||
            !otter_gcm_update(d->gcm, piece, n, piece)) {
            return otter_fault(fault, ESP_ERR_NO_MEM, "out of memory");
        }
        d->taken += (uint32_t)n;
    }
    return ESP_OK;
}

esp_err_t otter_decryption_recall(otter_decryption_t *d, const uint8_t *raw, const uint8_t *image, size_t len,
                                  otter_fault_t *fault)
{
    esp_err_t err = raw != NULL ? recall_header(d, raw, fault) : ESP_OK;
    if (err == ESP_OK && len > (is_open(d) ? d->length - d->taken : 0)) {
        err = otter_fault(fault, ESP_ERR_OTA_VALIDATE_FAILED,
                          "there is more than the header announces (%" PRIu32 ")", d->length);
    }
    return err == ESP_OK && len > 0 ? recall_piece(d, image, len, fault) : err;
}

void otter_decryption_restart(otter_decryption_t *d)
{
    end_recalling(d);
    otter_gcm_free(d->gcm);
    *d = (otter_decryption_t){.key = d->key};
}
