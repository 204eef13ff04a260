/* The certificate and key files: read, and checked to belong together. */
#include "tls_files.h"

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host/named_file.h"
#include "say.h"

#define PEM_SIZE_MAX (256u * 1024u)

static gnutls_datum_t text_datum(char *text)
{
    return (gnutls_datum_t){(unsigned char *)text, (unsigned)strlen(text)};
}

/** @return malloc'ed text, NULL after saying why not */
static char *read_text(const char *path)
{
    char why[128];
    size_t len;
    char *text = (char *)input_load(path, INPUT_OR_PIPE, PEM_SIZE_MAX, &len, why, sizeof(why));
    if (text == NULL) {
        say_failure("%s: %s; `otter serve --help` shows how to make a certificate and its key", path, why);
    }
    return text;
}

/** A host name as a URL can have it; a certificate may say anything. */
static bool is_host_name(const char *name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    return name[0] != '\0' && name[strspn(name, allowed)] == '\0';
}

/** The first name of the certificate that can stand in a URL. */
static void find_name(gnutls_x509_crt_t crt, char *name, size_t name_size)
{
    for (unsigned i = 0;; i++) {
        char raw[256];
        size_t len = sizeof(raw) - 1;
        int type = gnutls_x509_crt_get_subject_alt_name(crt, i, raw, &len, NULL);
        if (type == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE) {
            return;
        }
        if (type == GNUTLS_SAN_DNSNAME && len < sizeof(raw)) {
            raw[len] = '\0';
            if (strlen(raw) == len && is_host_name(raw) && len < name_size) {
                snprintf(name, name_size, "%s", raw);
                return;
            }
        }
        if (type == GNUTLS_SAN_IPADDRESS && len == 4) {
            inet_ntop(AF_INET, raw, name, (socklen_t)name_size);
            return;
        }
    }
}

/** Devices will refuse such a certificate; a test may want just that. */
static void warn_if_out_of_time(gnutls_x509_crt_t crt, const char *path)
{
    time_t now = time(NULL);
    if (gnutls_x509_crt_get_expiration_time(crt) < now) {
        say_failure("warning: the certificate in %s has expired; clients will refuse it: make a new one",
                    path);
    } else if (gnutls_x509_crt_get_activation_time(crt) > now) {
        say_failure("warning: the certificate in %s is not valid yet; clients will refuse it", path);
    }
}

static bool check_cert(tls_files_t *files, const char *path)
{
    gnutls_x509_crt_t *list = NULL;
    unsigned count = 0;
    gnutls_datum_t pem = text_datum(files->cert);
    int code = gnutls_x509_crt_list_import2(&list, &count, &pem, GNUTLS_X509_FMT_PEM, 0);
    if (code < 0) {
        say_failure("%s holds no certificate in PEM form (%s); `otter serve --help` shows how to make one",
                    path, gnutls_strerror(code));
        return false;
    }
    find_name(list[0], files->name, sizeof(files->name));
    warn_if_out_of_time(list[0], path);
    for (unsigned i = 0; i < count; i++) {
        gnutls_x509_crt_deinit(list[i]);
    }
    gnutls_free(list);
    return true;
}

static bool check_key(const tls_files_t *files, const char *path)
{
    gnutls_x509_privkey_t key;
    gnutls_datum_t pem = text_datum(files->key);
    int code = gnutls_x509_privkey_init(&key);
    if (code < 0) {
        say_failure("out of memory for the key");
        return false;
    }
    code = gnutls_x509_privkey_import2(key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0);
    gnutls_x509_privkey_deinit(key);
    if (code == GNUTLS_E_DECRYPTION_FAILED) {
        say_failure("the key in %s has a pass phrase; `openssl pkey -in %s -out KEY.pem` writes it without",
                    path, path);
    } else if (code < 0) {
        say_failure("%s holds no private key in PEM form (%s); `otter serve --help` shows how to make one",
                    path, gnutls_strerror(code));
    }
    return code >= 0;
}

static bool check_pair(const tls_files_t *files, const char *cert_path, const char *key_path)
{
    gnutls_certificate_credentials_t credentials;
    if (gnutls_certificate_allocate_credentials(&credentials) < 0) {
        say_failure("out of memory for the certificate");
        return false;
    }
    gnutls_datum_t cert = text_datum(files->cert);
    gnutls_datum_t key = text_datum(files->key);
    int code = gnutls_certificate_set_x509_key_mem(credentials, &cert, &key, GNUTLS_X509_FMT_PEM);
    gnutls_certificate_free_credentials(credentials);
    if (code == GNUTLS_E_CERTIFICATE_KEY_MISMATCH) {
        say_failure(
            "the key in %s is not that of the first certificate in %s; give the two that were made together",
            key_path, cert_path);
    } else if (code < 0) {
        say_failure("cannot use %s with %s: %s; make new ones as `otter serve --help` shows", cert_path,
                    key_path, gnutls_strerror(code));
    }
    return code >= 0;
}

bool tls_files_load(const char *cert_path, const char *key_path, tls_files_t *files)
{
    *files = (tls_files_t){0};
    files->cert = read_text(cert_path);
    files->key = files->cert == NULL ? NULL : read_text(key_path);
    if (files->key != NULL && check_cert(files, cert_path) && check_key(files, key_path) &&
        check_pair(files, cert_path, key_path)) {
        return true;
    }
    tls_files_free(files);
    return false;
}

void tls_files_free(tls_files_t *files)
{
    if (files->key != NULL) {
        explicit_bzero(files->key, strlen(files->key));
    }
    free(files->key);
    free(files->cert);
    *files = (tls_files_t){0};
}
