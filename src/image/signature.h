/* What the image stream calls of `otter_signatures`: one signature is read and judged as its bytes pass. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "otter/flash.h"
#include "otter/signature.h"

/** A signature being read, in the order of the calls below. */
typedef struct signature_reader signature_reader_t;

struct otter_signatures {
    /**
     * The key of the first block of a signature sector that is whole and of a scheme that counts by the trust, which trusts this
     * key and its scheme alone from then on.
     * @return ESP_OK, ESP_ERR_NOT_FOUND, ESP_ERR_NO_MEM, and what otter_flash_read() says
     */
    esp_err_t (*first_key)(otter_flash_t *flash, uint32_t at, otter_trust_t *trust);
    /** @param trust  copied, but for its v1_key. @return NULL: no memory */
    signature_reader_t *(*begin)(const otter_trust_t *trust);
    /** Bytes that are signed, from the first of the image to the last of its padding. */
    void (*cover)(signature_reader_t *reader, const uint8_t *data, size_t len);
    /** Bytes behind them. @param digest  SHA-256 of all that was covered */
    void (*feed)(signature_reader_t *reader, const uint8_t digest[OTTER_SHA256_LEN], const uint8_t *data,
                 size_t len);
    /**
     * After the last of them.
     * @return ESP_OK: a trusted key has signed; ESP_ERR_IMAGE_INVALID (the reason in fault), ESP_ERR_NO_MEM
     */
    esp_err_t (*verdict)(signature_reader_t *reader, otter_fault_t *fault);
    void (*end)(signature_reader_t *reader); /* NULL is fine */
};

/** True if blocks of this scheme count. */
bool signature_counts(const otter_trust_t *trust, otter_signature_scheme_t scheme);
