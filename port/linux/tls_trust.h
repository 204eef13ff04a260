/* Whom a TLS connection believes: CA certificates from memory, the machine's store, and the program-wide store. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include <openssl/x509.h>

#include "esp_err.h"
#include "otter/fault.h"
#include "otter/promise.h"

/**
 * A store of the certificates in `data`.
 * @param len  bytes, PEM (one or more certificates, terminator counted or not) or DER; 0: terminated PEM
 * @param fault  receives a sentence that names the first certificate that cannot be read, or says why there is none; not
 *               written when all is well. What is broken is logged
 * @return what can be read; NULL when that is nothing (fault->code ESP_ERR_MBEDTLS_X509_CRT_PARSE_FAILED), or for want of memory
 *         (ESP_ERR_NO_MEM), which makes no certificate a broken one
 */
X509_STORE *tls_trust_parse(const char *data, size_t len, otter_fault_t *fault);

/** The machine's store, or NULL. */
X509_STORE *tls_trust_system(void);

/** esp_tls_set_global_ca_store(), whose codes it has, with what tls_trust_parse() says of the certificates. */
OTTER_MUST_CHECK esp_err_t tls_trust_set_global(const char *data, size_t len, otter_fault_t *fault);

/**
 * What esp_tls_set_global_ca_store() was given, referenced for the caller; NULL: nothing.
 * @param unread  receives what of it could not be read, ESP_OK if all could
 */
X509_STORE *tls_trust_global(otter_fault_t *unread);
