/* The CA bundle that a program brings with esp_crt_bundle_set(). */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <openssl/x509.h>

/** What was set, referenced for the caller; NULL: nothing, the machine's CA store counts. */
X509_STORE *tls_bundle_store(void);
