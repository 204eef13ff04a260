/* Whom a TLS connection believes: CA certificates from memory, the machine's store, and the program-wide store. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <openssl/x509.h>

/**
 * A store of the certificates in `data`.
 * @param len  bytes, PEM (one or more certificates, terminator counted or not) or DER; 0: terminated PEM
 * @param why  receives a sentence that names the first certificate that cannot be read, or says why there is none; "" when
 *             all is well. Up to why_size bytes. What is broken is logged
 * @return what can be read; NULL when that is nothing
 */
X509_STORE *tls_trust_parse(const char *data, size_t len, char *why, size_t why_size);

/** Whether tls_trust_parse() finds any, and in `why` what it says. */
bool tls_trust_check(const char *data, size_t len, char *why, size_t why_size);

/** The machine's store, or NULL. */
X509_STORE *tls_trust_system(void);

/** What esp_tls_set_global_ca_store() was given, referenced for the caller; NULL: nothing. */
X509_STORE *tls_trust_global(void);
