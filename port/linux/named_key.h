/* Keys that people name: files, or whatever OpenSSL's stores reach, and the passphrases that open them. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "otter/fault.h"
#include "otter/promise.h"

#define NAMED_KEY_PASSPHRASE_MAX 1024 /* bytes */

/**
 * @param name             a PEM or DER file, or a URI of a store that OpenSSL is configured for (pkcs11:...)
 * @param private_part     true: a private key; false: a public key, or a private one
 * @param passphrase_file  its first line is the passphrase; NULL: a terminal is asked
 * @param fault            what is wrong, to go behind the name
 * @return an EVP_PKEY of any kind, which the caller frees; NULL: no such file, no key in it, a wrong passphrase
 */
OTTER_MUST_CHECK struct evp_pkey_st *named_key_load(const char *name, bool private_part,
                                                    const char *passphrase_file, otter_fault_t *fault);

/** The first line of a file. @return its bytes, which no 0 ends; -1: fault says why */
OTTER_MUST_CHECK int named_key_passphrase(const char *file, char *text, int size, otter_fault_t *fault);
