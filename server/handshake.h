/* Gives each TLS handshake the certificate and key of the moment. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "tls_files.h"

/** The pair for handshakes from now on; those under way keep what they have. NULL: none, they fail. */
void handshake_use(const tls_files_t *files);

/** For gnutls_certificate_set_retrieve_function3(): copies of the pair, which GnuTLS frees. */
gnutls_certificate_retrieve_function3 handshake_retrieve;
