/* How OpenSSL starts: the header says why. */
/* SPDX-License-Identifier: Apache-2.0 */
#define OPENSSL_SUPPRESS_DEPRECATED /* ERR_load_*_strings(): the only ones that load texts later than at the start */
#include "linux/openssl_start.h"

#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

void openssl_start(void)
{
    OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
}

void openssl_start_lean(void)
{
    OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT |
                         OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS | OPENSSL_INIT_NO_LOAD_SSL_STRINGS,
                     NULL);
}

static void *take(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return size != 0 ? malloc(size) : NULL;
}

static void give_back(void *memory, const char *file, int line)
{
    (void)file;
    (void)line;
    if (memory != NULL) {
        explicit_bzero(memory, malloc_usable_size(memory));
        free(memory);
    }
}

/** realloc() might leave the old bytes where they were. */
static void *take_other(void *memory, size_t size, const char *file, int line)
{
    void *other = take(size, file, line);
    if (other != NULL && memory != NULL) {
        const size_t had = malloc_usable_size(memory);
        memcpy(other, memory, had < size ? had : size);
    }
    if (other != NULL || size == 0) {
        give_back(memory, file, line);
    }
    return other;
}

void openssl_start_wiping(void)
{
    (void)CRYPTO_set_mem_functions(take, take_other, give_back); /* too late: OpenSSL's own, as before */
}

/** By pointers: a call that the dynamic linker has to look up first would save the registers below. */
__attribute__((noinline)) void openssl_wipe_stack(void)
{
    static void *(*const volatile copy)(void *, const void *, size_t) = memcpy;
    static void *(*const volatile fill)(void *, int, size_t) = memset;
    static const unsigned char zeros[4096];
    unsigned char below[65536];
    for (size_t len = 16; len <= sizeof(zeros); len *= 2) { /* through the registers of the last copies */
        copy(below, zeros, len);
    }
    fill(below, 0, sizeof(below));
}

/** Of all that TLS, certificates and keys pass through. Nothing happens to those that are loaded. */
static void load_reasons(void)
{
    int (*const loaders[])(void) = {
        ERR_load_ERR_strings,  ERR_load_SSL_strings,    ERR_load_X509_strings,   ERR_load_X509V3_strings,
        ERR_load_PEM_strings,  ERR_load_ASN1_strings,   ERR_load_EVP_strings,    ERR_load_EC_strings,
        ERR_load_RSA_strings,  ERR_load_DH_strings,     ERR_load_BN_strings,     ERR_load_BIO_strings,
        ERR_load_RAND_strings, ERR_load_CRYPTO_strings, ERR_load_PKCS12_strings,
    };
    for (size_t i = 0; i < sizeof(loaders) / sizeof(loaders[0]); i++) {
        (void)loaders[i](); /* where it fails for want of memory, the error is told by its number */
    }
}

const char *openssl_reason(unsigned long code)
{
    static pthread_once_t loaded = PTHREAD_ONCE_INIT;
    const char *reason = ERR_reason_error_string(code);
    if (reason == NULL) {
        (void)pthread_once(&loaded, load_reasons);
        reason = ERR_reason_error_string(code);
    }
    return reason;
}
