/* What a no of OpenSSL means: the header says why one asks. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/openssl_answer.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#define PLENTY (64 * 1024) /* bytes: more than any question takes at once */

static bool is_about_memory(unsigned long error)
{
    return ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE;
}

esp_err_t openssl_refusal(void)
{
    void *some = OPENSSL_malloc(PLENTY);
    OPENSSL_free(some);
    return some == NULL || is_about_memory(ERR_peek_error()) || is_about_memory(ERR_peek_last_error())
               ? ESP_ERR_NO_MEM
               : ESP_FAIL;
}

esp_err_t openssl_ask(openssl_question_t *ask, const void *question)
{
    ERR_clear_error();
    bool yes = ask(question);
    if (!yes) {
        ERR_clear_error();
        yes = ask(question);
    }
    return yes ? ESP_OK : openssl_refusal();
}

EVP_PKEY *openssl_key_to_ask(EVP_PKEY *key)
{
    if (EVP_PKEY_get0_provider(key) != NULL) {
        return EVP_PKEY_dup(key);
    }
    return EVP_PKEY_up_ref(key) == 1 ? key : NULL;
}
