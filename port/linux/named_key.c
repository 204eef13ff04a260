/* Keys by name through OpenSSL 3: its stores find keys, so whatever they reach can be used. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/named_key.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OPENSSL_SUPPRESS_DEPRECATED /* engines: what smart cards have until their providers are everywhere */
#include <openssl/crypto.h>
#include <openssl/engine.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/store.h>
#include <openssl/ui.h>

#include "host/named_file.h"
#include "linux/openssl_answer.h"
#include "linux/openssl_start.h"

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

/** Where there is none OpenSSL would read standard input. */
static bool has_terminal(passphrase_t *p)
{
    int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) {
        (void)otter_fault(&p->fault, ESP_ERR_INVALID_ARG,
                          "it is encrypted, and there is no terminal to ask for its passphrase: "
                          "--passphrase-file FILE has it");
        return false;
    }
    (void)close(fd);
    return true;
}

static int give_passphrase(char *text, int size, int writing, void *context)
{
    passphrase_t *p = context;
    p->asked = true;
    if (p->file != NULL) {
        return named_key_passphrase(p->file, text, size, &p->fault);
    }
    if (!has_terminal(p)) {
        return -1;
    }
    char prompt[256];
    snprintf(prompt, sizeof(prompt), "passphrase of %.200s: ", p->name);
    return EVP_read_pw_string_min(text, 1, size - 1, prompt, writing) == 0 ? (int)strlen(text) : -1;
}

/** What else than the key that is needed is there. */
typedef struct {
    bool public_key, certificate;
    bool engine; /* which reaches cards */
} seen_t;

/** The first key that a store has. */
static EVP_PKEY *first_key(OSSL_STORE_CTX *store, bool private_part, seen_t *seen)
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
        switch (OSSL_STORE_INFO_get_type(info)) {
        case OSSL_STORE_INFO_PKEY:
            key = OSSL_STORE_INFO_get1_PKEY(info);
            break;
        case OSSL_STORE_INFO_PUBKEY:
            seen->public_key = true;
            key = private_part ? NULL : OSSL_STORE_INFO_get1_PUBKEY(info);
            break;
        case OSSL_STORE_INFO_CERT:
            seen->certificate = true;
            break;
        default:
            break;
        }
        OSSL_STORE_INFO_free(info);
    }
    return key;
}

static EVP_PKEY *from_store(const char *name, bool private_part, UI_METHOD *ui, passphrase_t *passphrase,
                            seen_t *seen)
{
    ERR_clear_error();
    OSSL_STORE_CTX *store = OSSL_STORE_open(name, ui, passphrase, NULL, NULL);
    EVP_PKEY *key = store != NULL ? first_key(store, private_part, seen) : NULL;
    (void)OSSL_STORE_close(store);
    if (key != NULL && EVP_PKEY_get_bits(key) <= 0) { /* there was no memory to take it whole */
        EVP_PKEY_free(key);
        key = NULL;
    }
    return key;
}

/** By the engine of the PKCS #11 library, where no store knows such a URI. It asks for a PIN as for a passphrase. */
static EVP_PKEY *from_engine(const char *uri, bool private_part, UI_METHOD *ui, passphrase_t *pin,
                             seen_t *seen)
{
    EVP_PKEY *key = NULL;
    ERR_clear_error();
    ENGINE *engine =
        OPENSSL_init_crypto(OPENSSL_INIT_ENGINE_DYNAMIC, NULL) == 1 ? ENGINE_by_id("pkcs11") : NULL;
    if (engine != NULL && ENGINE_ctrl_cmd_string(engine, "QUIET", NULL, 1) == 1 && ENGINE_init(engine) == 1) {
        key = private_part ? ENGINE_load_private_key(engine, uri, ui, pin)
                           : ENGINE_load_public_key(engine, uri, ui, pin);
        seen->engine = true;
        ENGINE_finish(engine);
    }
    ENGINE_free(engine);
    return key;
}

static bool is_pkcs11(const char *name)
{
    return strncmp(name, "pkcs11:", 7) == 0;
}

static bool is_uri(const char *name)
{
    return is_pkcs11(name) || strncmp(name, "file:/", 6) == 0 || strstr(name, "://") != NULL;
}

/** The engine says of a driver that it cannot load no more than that there is no such key. @return false: it cannot be loaded */
static bool has_driver(otter_fault_t *fault)
{
    const char *path = getenv("PKCS11_MODULE_PATH");
    if (path == NULL) { /* p11-kit knows which there are */
        return true;
    }
    void *driver = path[0] != '\0' ? dlopen(path, RTLD_LAZY | RTLD_LOCAL) : NULL;
    const bool is_one = driver != NULL && dlsym(driver, "C_GetFunctionList") != NULL;
    if (driver != NULL) {
        (void)dlclose(driver);
    }
    return is_one || otter_fault(fault, ESP_ERR_INVALID_ARG, "PKCS11_MODULE_PATH is \"%s\", which %s", path,
                                 path[0] == '\0'  ? "names no driver of cards"
                                 : driver != NULL ? "is no driver of cards (PKCS #11)"
                                                  : "cannot be loaded") == ESP_OK;
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
    if (is_pkcs11(name) && !has_driver(fault)) {
        return NULL;
    }
    passphrase_t passphrase = {.name = name, .file = passphrase_file};
    UI_METHOD *ui = UI_UTIL_wrap_read_pem_callback(give_passphrase, 0);
    if (ui == NULL) {
        (void)otter_fault(fault, ESP_ERR_NO_MEM, "out of memory");
        return NULL;
    }
    seen_t seen = {0};
    EVP_PKEY *key = from_store(name, private_part, ui, &passphrase, &seen);
    if (key == NULL && !passphrase.asked && !is_uri(name)) {
        key = from_store(name, private_part, ui, &passphrase, &seen); /* as openssl_ask() does */
    }
    openssl_wipe_stack(); /* PEM is decoded on it */
    if (key == NULL && is_pkcs11(name)) {
        key = from_engine(name, private_part, ui, &passphrase, &seen);
    }
    UI_destroy_method(ui);
    if (key != NULL) {
        ERR_clear_error();
        return key;
    }
    if (passphrase.fault.code != ESP_OK) {
        (void)otter_fault(fault, passphrase.fault.code, "%s", passphrase.fault.why);
    } else if (openssl_refusal() == ESP_ERR_NO_MEM) {
        (void)otter_fault(fault, ESP_ERR_NO_MEM, "out of memory");
    } else if (seen.public_key) {
        (void)otter_fault(fault, ESP_ERR_INVALID_ARG, "this is a public key, and the private one is needed");
    } else if (is_pkcs11(name)) {
        (void)otter_fault(fault, ESP_ERR_INVALID_ARG, "%s",
                          seen.engine
                              ? "no card that OpenSSL's engine pkcs11 reaches has such a key, or its PIN is "
                                "another"
                              : "OpenSSL reaches no cards: that needs its engine pkcs11 "
                                "(libengine-pkcs11-openssl), or a provider for such a URI");
    } else if (passphrase.asked) {
        (void)otter_fault(fault, ESP_ERR_INVALID_ARG, "the passphrase does not open it");
    } else if (seen.certificate) {
        (void)otter_fault(
            fault, ESP_ERR_INVALID_ARG,
            "this is a certificate, and a key is needed (openssl x509 -pubkey -noout -in CERT)");
    } else {
        (void)otter_fault(fault, ESP_ERR_INVALID_ARG,
                          "there is no key in it that OpenSSL can read (PEM or DER)");
    }
    ERR_clear_error();
    return NULL;
}
