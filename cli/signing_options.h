/* Options of the verbs that take keys, and the keys that they name. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "host/options.h"
#include "linux/signing_key.h"
#include "otter/promise.h"
#include "otter/signature.h"

/** Files or URIs, in the order in which they were named. */
typedef struct {
    const char *name[OTTER_TRUSTED_KEYS];
    uint32_t count;
} key_names_t;

extern const option_kind_t kind_keys;   /* (key_names_t) each use adds one */
extern const option_kind_t kind_scheme; /* (otter_signature_scheme_t) of Secure Boot V2 */

#define OPTION_TRUSTED_KEYS(at, text)                                                                        \
    {                                                                                                        \
        "key", &kind_keys, (at), .help = (text)                                                              \
    }
#define OPTION_PASSPHRASE(at)                                                                                \
    {                                                                                                        \
        "passphrase-file", &option_file, (at),                                                               \
            .help = "its first line opens encrypted keys; default: a terminal is asked"                      \
    }

/**
 * Trust in the public parts of named keys, which must be for one scheme.
 * @param v1_key  where the key of the V1 scheme goes, if `v1`; it must outlive the trust
 * @return false, after saying why
 */
OTTER_MUST_CHECK bool trust_named_keys(const char *verb, const key_names_t *names, bool v1,
                                       uint8_t v1_key[OTTER_V1_KEY_LEN], otter_trust_config_t *trust);
