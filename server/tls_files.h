/* The certificate and key files: read, and checked to belong together. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <stdbool.h>

#include "otter/promise.h"

typedef struct {
    char *cert, *key;         /* PEM text; the key is wiped when freed */
    gnutls_x509_crt_t *chain; /* the server's certificate, then those of intermediate CAs */
    unsigned chain_len;
    gnutls_x509_privkey_t private_key;
    int key_fd; /* the key's file, held open so that no other file gets its inode number; -1: it was a pipe */
    char name[256]; /* the first plain DNS name or address the certificate is for; "" if it has none */
} tls_files_t;

/**
 * A certificate out of its time is served, with a warning.
 * @param before  NULL, or what was loaded from these paths earlier: what came through a pipe, which cannot be read twice, is
 *                taken from there
 * @return false: said why on stderr, and nothing is owned
 */
OTTER_MUST_CHECK bool tls_files_load(const char *cert_path, const char *key_path, const tls_files_t *before,
                                     tls_files_t *files);

void tls_files_free(tls_files_t *files);
