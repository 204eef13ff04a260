/* The TLS contexts of connections that otter makes: what all of them allow. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <openssl/ssl.h>

#include "otter/promise.h"

/**
 * A client's context, whom it believes still to be said. Weak keys and signatures are refused whatever OpenSSL was built
 * with, and writing may take a part of what it was given.
 * @param lowest, highest  TLS1_2_VERSION and so on; highest 0: the newest that there is
 * @return NULL: out of memory
 */
OTTER_MUST_CHECK SSL_CTX *tls_context_new(int lowest, int highest);
