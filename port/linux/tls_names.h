/* Whom a server's certificate is for: its names for people, and the common name where it lists none. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include <openssl/x509.h>

/** "a.example, IP Address:10.0.0.1"; the subject when no names are listed. Cut to `size`, terminated. */
void tls_names_collect(X509 *certificate, char *text, size_t size);

/**
 * Judges a certificate that does not list `expected` in subjectAltName as what it is. As in mbedTLS an address may be listed as
 * a host name (DNS:192.168.1.5), which older versions of it need; and the common name counts instead if there is no such list at
 * all, as in certificates made by ESP-IDF's guides. The name constraints of its issuers then bind that name, too, which
 * OpenSSL's own check leaves out where it is an address, a wildcard or a single label ("localhost").
 * @param chain     the server's certificate and its issuers, up to what is trusted
 * @param expected  the name or literal address that was connected to
 * @param mismatch  what to return when none of these is `expected`
 * @return X509_V_OK, `mismatch`, or another X509_V_ERR_* when an issuer must not vouch for that name
 */
int tls_names_judge_others(X509 *server, STACK_OF(X509) * chain, const char *expected, int mismatch);
