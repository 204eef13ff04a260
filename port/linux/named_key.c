/* Keys by name through OpenSSL 3: its stores find keys, so whatever they reach can be used. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/named_key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/store.h>
#include <openssl/ui.h>

#include "host/named_file.h"

/* ---- passphrases ---- */

/** Where a passphrase comes from, for OpenSSL's callback. */
typedef struct {
    const char *name; /* of the key */
    const char *file; /* NULL: a terminal */
    bool asked;
    otter_fault_t fault; /* why there is none */
} passphrase_t;

int named_key_passphrase(const char *file, char *text, int size, otter_fault_t *fault)
{
    size_t len;
    char *bytes = (char *)input_load(file, INPUT_OR_PIPE, NAMED_KEY_PASSPHRASE_MAX, &len, fault);
    if (bytes == NULL) {
        (void)otter_fault_add(fault, "the passphrase file: ");
        return -1;
    }
    size_t line = strcspn(bytes, "\r\n");
    int n = line < (size_t)size ? (int)line : -1;
    if (n >= 0) {
        memcpy(text, bytes, line);
    }
    OPENSSL_cleanse(bytes, len);
    free(bytes);
    return n;
}

static int give_passphrase(char *text, int size, int writing, void *context)
{
    passphrase_t *p = context;
    p->asked = true;
    if (p->file != NULL) {
        return named_key_passphrase(p->file, text, size, &p->fault);
    }
    char prompt[256];
    snprintf(prompt, sizeof(prompt), "passphrase of %.200s: ", p->name);
    return EVP_read_pw_string_min(text, 1, size - 1, prompt, writing) == 0 ? (int)strlen(text) : -1;
}

/** The first key that a store has. @param public_seen  it has a public one */
static EVP_PKEY *first_key(OSSL_STORE_CTX *store, bool private_part, bool *public_seen)
{
    EVP_PKEY *key = NULL;
    while (key == NULL && OSSL_STORE_eof(store) == 0) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);
        if (info == NULL) {
            if (OSSL_STORE_error(store) != 0) {
                break;
            }
            continue;
        }
        if (OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY) {
            key = OSSL_STORE_INFO_get1_PKEY(info);
        } else if (OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PUBKEY) {
            *public_seen = true;
            key = private_part ? NULL : OSSL_STORE_INFO_get1_PUBKEY(info);
        }
        OSSL_STORE_INFO_free(info);
    }
    return key;
}

static bool is_uri(const char *name)
{
    return strncmp(name, "pkcs11:", 7) == 0 || strncmp(name, "org.openssl.engine:", 19) == 0 ||
           strstr(name, "://") != NULL;
}

EVP_PKEY *named_key_load(const char *name, bool private_part, const char *passphrase_file,
                         otter_fault_t *fault)
{
    struct stat st;
    if (!is_uri(name)) { /* a store would say less of what is wrong */
        int fd = input_open(name, INPUT_ORDINARY, &st, fault);
        if (fd < 0) {
            return NULL;
        }
        (void)close(fd);
    }
    ERR_clear_error();
    passphrase_t passphrase = {.name = name, .file = passphrase_file};
    UI_METHOD *ui = UI_UTIL_wrap_read_pem_callback(give_passphrase, 0);
    OSSL_STORE_CTX *store = ui != NULL ? OSSL_STORE_open(name, ui, &passphrase, NULL, NULL) : NULL;
    bool public_seen = false;
    EVP_PKEY *key = store != NULL ? first_key(store, private_part, &public_seen) : NULL;
    (void)OSSL_STORE_close(store);
    UI_destroy_method(ui);
    if (key != NULL) {
        ERR_clear_error();
        return key;
    }
    if (passphrase.fault.code != ESP_OK) {
        (void)otter_fault(fault, passphrase.fault.code, "%s", passphrase.fault.why);
    } else if (public_seen) {
        (void)otter_fault(fault, ESP_ERR_INVALID_ARG, "this is a public key, and the private one is needed");
    } else if (passphrase.asked) {
        (void)otter_fault(fault, ESP_ERR_INVALID_ARG, "the passphrase does not open it");
    } else {
        (void)otter_fault(fault, ESP_ERR_INVALID_ARG,
                          "there is no key in it that OpenSSL can read (PEM or DER)");
    }
    ERR_clear_error();
    return NULL;
}
