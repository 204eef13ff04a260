/* The numbers that mbedTLS has for what OpenSSL finds: ESP-IDF gives these to programs and to its log. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* mbedTLS's codes are negative; as ESP-IDF's error handles and its log have them, without the sign. */
#define TLS_CODE_RECV_FAILED 0x004C
#define TLS_CODE_CONN_RESET  0x0050
#define TLS_CODE_CONN_EOF    0x7280
#define TLS_CODE_PEER_CLOSED 0x7880 /* close_notify */
#define TLS_CODE_FATAL_ALERT 0x7780
#define TLS_CODE_INTERNAL    0x6C00 /* also: OpenSSL found a fault that mbedTLS does not tell apart */

/** What mbedTLS says of a certificate that is not believed. */
typedef struct {
    int number; /* of the handshake that ended */
    int flags;  /* MBEDTLS_X509_BADCERT_*, never 0; -1 as a bundle's callback leaves it */
} tls_codes_verdict_t;

/**
 * @param x509    the X509_V_ERR_* that ended the handshake: the first complaint, where mbedTLS goes on and has a flag for each
 * @param bundle  a CA bundle was asked, whose callback ends it with another number where no CA signs the server
 */
tls_codes_verdict_t tls_codes_of_verify(int x509, _Bool bundle);

/** @param error of OpenSSL's queue, 0: none. @return a number, TLS_CODE_INTERNAL where there is no counterpart */
int tls_codes_of_error(unsigned long error);
