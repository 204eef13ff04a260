/* Whom a server's certificate is for: its names for people, and the common name where it lists none. */
#pragma once

#include <stddef.h>

#include <openssl/x509.h>

/** "a.example, IP Address:10.0.0.1"; the subject when no names are listed. Cut to `size`, terminated. */
void tls_names_collect(X509 *certificate, char *text, size_t size);

/**
 * Judges a certificate that does not list `expected` in subjectAltName. As in mbedTLS its common name counts instead if it
 * has no such list at all, as certificates made by ESP-IDF's guides; the name constraints of its issuers then bind the
 * common name, which OpenSSL's own check leaves out where it is an address, a wildcard or a single label ("localhost").
 * @param chain     the server's certificate and its issuers, up to what is trusted
 * @param expected  the name or literal address that was connected to
 * @param mismatch  what to return when no common name is `expected`
 * @return X509_V_OK, `mismatch`, or another X509_V_ERR_* when an issuer must not vouch for that name
 */
int tls_names_judge_common(X509 *server, STACK_OF(X509) * chain, const char *expected, int mismatch);
