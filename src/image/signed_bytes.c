/* Reads what is signed and then its signatures, which are judged by the same code as an image's. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "image/signed_bytes.h"

#include <inttypes.h>

#include "flash/flash_buffer.h"
#include "image/signature.h"
#include "otter/bytes.h"
#include "otter/crypto.h"
#include "otter/system.h"

#define SMALL_BUFFER 512u

bool trust_has_somebody(const otter_trust_t *trust, otter_fault_t *fault)
{
    const bool v1 = trust->scheme == OTTER_SIGNED_V1;
    if (trust->error != ESP_OK) {
        (void)otter_fault(fault, trust->error, "whom this device trusts cannot be found out: %s",
                          esp_err_to_name(trust->error));
        return false;
    }
    if (v1 ? trust->v1_key == NULL : trust->key_count == 0) {
        (void)otter_fault(fault, ESP_ERR_IMAGE_INVALID,
                          "this device takes signed images only, and trusts no key: %s",
                          v1 ? "it was given none" : "there is none, or all are revoked");
        return false;
    }
    return true;
}

/** What is judged now. */
typedef struct {
    const otter_signatures_t *signatures;
    signature_reader_t *reader;
    otter_digest_t sha;
    bool signs; /* these are the signatures */
    uint8_t digest[OTTER_SHA256_LEN];
} judge_t;

static esp_err_t read_range(judge_t *judge, otter_flash_t *flash, uint32_t start, uint32_t end,
                            const otter_buffer_t *buffer, otter_fault_t *fault)
{
    for (uint32_t at = start; at < end;) {
        const uint32_t len = min_u32(end - at, buffer->size);
        esp_err_t err = otter_flash_read(flash, at, buffer->bytes, len);
        if (err != ESP_OK) {
            return otter_fault(fault, err, "reading flash at 0x%08" PRIx32 " failed: %s", at,
                               esp_err_to_name(err));
        }
        if (judge->signs) {
            judge->signatures->feed(judge->reader, judge->digest, buffer->bytes, len);
        } else {
            otter_digest_update(&judge->sha, buffer->bytes, len);
            judge->signatures->cover(judge->reader, buffer->bytes, len);
        }
        at += len;
        otter_system_alive();
    }
    return ESP_OK;
}

static esp_err_t judge_all(judge_t *judge, otter_flash_t *flash, uint32_t start, uint32_t end,
                           const otter_buffer_t *buffer, otter_fault_t *fault)
{
    esp_err_t err = read_range(judge, flash, start, end, buffer, fault);
    if (err != ESP_OK) {
        return err;
    }
    otter_digest_finish(&judge->sha, judge->digest);
    judge->signs = true;
    err = read_range(judge, flash, end, end + OTTER_SIGNATURE_SECTOR, buffer, fault);
    return err == ESP_OK ? judge->signatures->verdict(judge->reader, fault) : err;
}

esp_err_t signed_bytes_verify(otter_flash_t *flash, uint32_t start, uint32_t end, const otter_trust_t *trust,
                              otter_fault_t *fault)
{
    otter_fault_t own = {0}, *to = fault != NULL ? fault : &own;
    if (!trust_has_somebody(trust, to)) {
        return to->code;
    }
    judge_t judge = {.signatures = trust->signatures, .reader = trust->signatures->begin(trust)};
    uint8_t small[SMALL_BUFFER];
    otter_buffer_t lent = flash_borrow_buffer(flash), buffer = lent;
    if (buffer.size < sizeof(small)) {
        buffer = (otter_buffer_t){small, sizeof(small)};
    }
    esp_err_t err = judge.reader != NULL && otter_sha256_begin(&judge.sha)
                        ? judge_all(&judge, flash, start, end, &buffer, to)
                        : otter_fault(to, ESP_ERR_NO_MEM, "out of memory");
    flash_return_buffer(flash, &lent);
    otter_digest_end(&judge.sha);
    judge.signatures->end(judge.reader);
    return err;
}
