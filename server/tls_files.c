/* The certificate and key files: read, and checked to belong together. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "tls_files.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "host/named_file.h"
#include "say.h"

#define PEM_SIZE_MAX (256u * 1024u)

static gnutls_datum_t text_datum(char *text)
{
    return (gnutls_datum_t){(unsigned char *)text, (unsigned)strlen(text)};
}

/**
 * @param before  what came from there earlier, NULL: nothing
 * @param fd      NULL, or receives the file, still open, -1: a pipe
 * @return malloc'ed text, NULL after saying why not
 */
static char *read_text(const char *path, const char *before, int *fd)
{
    otter_fault_t fault;
    struct stat st;
    size_t len;
    char *text = NULL;
    int file = input_open(path, INPUT_OR_PIPE, &st, &fault);
    bool is_pipe = file >= 0 && !S_ISREG(st.st_mode);
    if (is_pipe && before != NULL) {
        text = strdup(before);
        otter_fault(&fault, ESP_ERR_NO_MEM, "out of memory");
    } else if (file >= 0) {
        text = (char *)input_read(file, &st, PEM_SIZE_MAX, &len, &fault);
    }
    if (text == NULL) {
        say_failure("%s: %s; `otter serve --help` shows how to make a certificate and its key", path,
                    fault.why);
    }
    if (fd != NULL && text != NULL && !is_pipe) {
        *fd = file;
    } else if (file >= 0) {
        close(file);
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

static bool parse_cert(tls_files_t *files, const char *path)
{
    gnutls_datum_t pem = text_datum(files->cert);
    int code = gnutls_x509_crt_list_import2(&files->chain, &files->chain_len, &pem, GNUTLS_X509_FMT_PEM, 0);
    if (code < 0) {
        files->chain = NULL;
        say_failure("%s holds no certificate in PEM form (%s); `otter serve --help` shows how to make one",
                    path, gnutls_strerror(code));
        return false;
    }
    find_name(files->chain[0], files->name, sizeof(files->name));
    warn_if_out_of_time(files->chain[0], path);
    return true;
}

static bool parse_key(tls_files_t *files, const char *path)
{
    gnutls_datum_t pem = text_datum(files->key);
    int code = gnutls_x509_privkey_init(&files->private_key);
    if (code < 0) {
        files->private_key = NULL;
        say_failure("out of memory for the key");
        return false;
    }
    code = gnutls_x509_privkey_import2(files->private_key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0);
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
    int code =
        gnutls_certificate_set_x509_key(credentials, files->chain, (int)files->chain_len, files->private_key);
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

bool tls_files_load(const char *cert_path, const char *key_path, const tls_files_t *before,
                    tls_files_t *files)
{
    *files = (tls_files_t){.key_fd = -1};
    files->cert = read_text(cert_path, before != NULL ? before->cert : NULL, NULL);
    files->key =
        files->cert == NULL ? NULL : read_text(key_path, before != NULL ? before->key : NULL, &files->key_fd);
    if (files->key != NULL && parse_cert(files, cert_path) && parse_key(files, key_path) &&
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
    for (unsigned i = 0; files->chain != NULL && i < files->chain_len; i++) {
        gnutls_x509_crt_deinit(files->chain[i]);
    }
    gnutls_free(files->chain);
    gnutls_x509_privkey_deinit(files->private_key);
    free(files->key);
    free(files->cert);
    if (files->key_fd >= 0) {
        close(files->key_fd);
    }
    *files = (tls_files_t){.key_fd = -1};
}
