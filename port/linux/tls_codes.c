/* The numbers that mbedTLS has for what OpenSSL finds: ESP-IDF gives these to programs and to its log. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/tls_codes.h"

#include <stddef.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#define CERT_VERIFY_FAILED 0x2700
#define X509_FATAL_ERROR   0x3000 /* what a failure of a verify callback becomes */
#define BAD_CERTIFICATE    0x7A00
#define INVALID_EXTENSION  0x2562

#define NOT_TRUSTED 0x08

tls_codes_verdict_t tls_codes_of_verify(int x509, _Bool bundle)
{
    static const struct {
        int x509;
        tls_codes_verdict_t verdict;
    } rows[] = {
        {X509_V_ERR_CERT_HAS_EXPIRED, {CERT_VERIFY_FAILED, 0x01}},
        {X509_V_ERR_CERT_REVOKED, {CERT_VERIFY_FAILED, 0x02}},
        {X509_V_ERR_HOSTNAME_MISMATCH, {CERT_VERIFY_FAILED, 0x04}},
        {X509_V_ERR_IP_ADDRESS_MISMATCH, {CERT_VERIFY_FAILED, 0x04}},
        {X509_V_ERR_CERT_NOT_YET_VALID, {CERT_VERIFY_FAILED, 0x0200}},
        {X509_V_ERR_INVALID_PURPOSE, {BAD_CERTIFICATE, 0x1000}},
        {X509_V_ERR_CA_MD_TOO_WEAK, {CERT_VERIFY_FAILED, 0x4000}},
        {X509_V_ERR_CA_KEY_TOO_SMALL, {CERT_VERIFY_FAILED, 0x010000}},
        {X509_V_ERR_EE_KEY_TOO_SMALL, {CERT_VERIFY_FAILED, 0x010000}},
        {X509_V_ERR_PERMITTED_VIOLATION,
         {CERT_VERIFY_FAILED, 0x0100}}, /* "other": mbedTLS has no such check */
        {X509_V_ERR_EXCLUDED_VIOLATION, {CERT_VERIFY_FAILED, 0x0100}},
        /* mbedTLS does not come to the other checks; what it has no flag for is not trusted, at any rate */
        {X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION, {INVALID_EXTENSION, NOT_TRUSTED}},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].x509 == x509) {
            return rows[i].verdict;
        }
    }
    return bundle ? (tls_codes_verdict_t){X509_FATAL_ERROR, -1}
                  : (tls_codes_verdict_t){CERT_VERIFY_FAILED, NOT_TRUSTED};
}

int tls_codes_of_error(unsigned long error)
{
    static const struct {
        int reason, number;
    } rows[] = {
        {SSL_R_WRONG_VERSION_NUMBER, 0x7200}, /* no TLS at all: plain HTTP, for example */
        {SSL_R_HTTP_REQUEST, 0x7200},
        {SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC, 0x7180},
        {SSL_R_PACKET_LENGTH_TOO_LONG, 0x7100},
        {SSL_R_UNKNOWN_CIPHER_RETURNED, 0x7100},
        {SSL_R_WRONG_CIPHER_RETURNED, 0x7100},
        {SSL_R_UNSUPPORTED_PROTOCOL, 0x6E80},
        {SSL_R_UNEXPECTED_MESSAGE, 0x7700},
        {SSL_R_NO_RENEGOTIATION, 0x7700},
        {SSL_R_LENGTH_MISMATCH, 0x7300},
        {SSL_R_BAD_EXTENSION, 0x7300},
        {SSL_R_BAD_SIGNATURE, 0x4E00}, /* of an elliptic curve's key, as most are */
        {SSL_R_UNEXPECTED_EOF_WHILE_READING, TLS_CODE_CONN_EOF},
    };
    if (ERR_GET_LIB(error) != ERR_LIB_SSL) {
        return TLS_CODE_INTERNAL;
    }
    const int reason = ERR_GET_REASON(error);
    if (reason >= SSL_AD_REASON_OFFSET) {
        return TLS_CODE_FATAL_ALERT; /* one that came; what we send has another reason */
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].reason == reason) {
            return rows[i].number;
        }
    }
    return TLS_CODE_INTERNAL;
}
