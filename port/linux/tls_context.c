/* Contexts for TLS connections, on OpenSSL 3. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/tls_context.h"

#include "linux/openssl_start.h"

/* OpenSSL's own depends on who built it: no RSA below 2048 bits, no SHA-1 signatures, as mbedTLS's default profile. */
#define SECURITY_LEVEL 2

SSL_CTX *tls_context_new(int lowest, int highest)
{
    openssl_start();
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (context == NULL) {
        return NULL;
    }
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_security_level(context, SECURITY_LEVEL);
    if (SSL_CTX_set_min_proto_version(context, lowest) != 1 ||
        SSL_CTX_set_max_proto_version(context, highest) != 1) {
        SSL_CTX_free(context);
        return NULL;
    }
    return context;
}
