/* The certificate and key files: read, and checked to belong together. */
#pragma once

#include <stdbool.h>

typedef struct {
    char *cert, *key; /* PEM text; the key is wiped when freed */
    char name[256];   /* the first plain DNS name or address the certificate is for; "" if it has none */
} tls_files_t;

/** False: said why on stderr, and nothing is owned. A certificate out of its time is served, with a warning. */
bool tls_files_load(const char *cert_path, const char *key_path, tls_files_t *files);

void tls_files_free(tls_files_t *files);
