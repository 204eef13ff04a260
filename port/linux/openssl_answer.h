/* What a no of OpenSSL means: that something is not so, or that there was no memory to find out, which it does not always say. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "esp_err.h"
#include "otter/promise.h"

/** A question that may be asked again; what a no has taken it has given back. */
typedef bool openssl_question_t(const void *question);

/**
 * Asks, and again if the answer is no: it counts if it is the same while there is memory.
 * @return ESP_OK: yes; ESP_FAIL: no, OpenSSL's queue of errors has the reason; ESP_ERR_NO_MEM
 */
OTTER_MUST_CHECK esp_err_t openssl_ask(openssl_question_t *ask, const void *question);

/**
 * A private key to ask once: where memory ends in the middle, OpenSSL's blinding of an RSA key stays wrong, and so do answers.
 * @return a copy, or the key itself where it is in a card; the caller frees it. NULL: no memory
 */
OTTER_MUST_CHECK struct evp_pkey_st *openssl_key_to_ask(struct evp_pkey_st *key);

/** What a no means that cannot be asked for again. @return ESP_FAIL or ESP_ERR_NO_MEM */
OTTER_MUST_CHECK esp_err_t openssl_refusal(void);
