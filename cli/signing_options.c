/* Names of schemes and keys to what they stand for. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "signing_options.h"

#include <stdio.h>
#include <string.h>

#include "cli.h"

static bool take_scheme(const char *text, void *target, const option_row_t *row, char *why)
{
    (void)row, (void)why;
    otter_signature_scheme_t scheme = otter_signature_scheme_by_key(text);
    *(otter_signature_scheme_t *)target = scheme;
    return scheme != OTTER_SIGNED_NOT && scheme != OTTER_SIGNED_V1;
}

static const char *list_schemes(char *buf, size_t size)
{
    snprintf(buf, size, "rsa3072, ecdsa256, ecdsa384, ecdsa192");
    return buf;
}

static bool take_key(const char *text, void *target, const option_row_t *row, char *why)
{
    key_names_t *names = target;
    if (names->count == OTTER_TRUSTED_KEYS) {
        snprintf(why, OPTIONS_WHY_SIZE, "is there more than %u times; chips know no more keys",
                 OTTER_TRUSTED_KEYS);
        return false;
    }
    names->name[names->count++] = text;
    (void)row;
    return true;
}

const option_kind_t kind_scheme = {"SCHEME", "rsa3072, ecdsa256, ecdsa384 or ecdsa192", take_scheme, NULL,
                                   list_schemes};
const option_kind_t kind_keys = {"KEY", NULL, take_key, NULL, NULL};

/** One key into the trust. */
static bool add_key(const char *verb, const char *name, bool v1, uint8_t *v1_key, otter_trust_config_t *trust)
{
    otter_fault_t fault = {0};
    signing_key_t *key = signing_key_load(name, false, NULL, &fault);
    if (key == NULL) {
        return cli_refuse(verb, "%s: %s", name, fault.why);
    }
    otter_signature_scheme_t scheme = v1 ? OTTER_SIGNED_V1 : signing_key_scheme(key);
    bool ok;
    if (trust->key_count > 0 && scheme != trust->scheme) {
        ok = cli_refuse(verb, "%s is for %s, and the key before it for %s: a device takes one scheme", name,
                        otter_signature_scheme_name(scheme), otter_signature_scheme_name(trust->scheme));
    } else {
        ok = v1 ? signing_key_v1(key, v1_key, &fault)
                : signing_key_digest(key, trust->keys[trust->key_count], &fault);
        if (!ok) {
            cli_refuse(verb, "%s: %s", name, fault.why);
        }
    }
    trust->scheme = scheme;
    trust->key_count++;
    signing_key_free(key);
    return ok;
}

bool trust_named_keys(const char *verb, const key_names_t *names, bool v1, uint8_t v1_key[OTTER_V1_KEY_LEN],
                      otter_trust_config_t *trust)
{
    *trust = (otter_trust_config_t){0};
    if (names->count == 0) {
        return true;
    }
    *trust = (otter_trust_config_t){
        .source = OTTER_TRUST_KEYS, .signatures = &otter_signatures, .v1_key = v1 ? v1_key : NULL};
    if (v1 && names->count > 1) {
        return cli_refuse(verb, "the V1 scheme has one key");
    }
    bool ok = true;
    for (uint32_t i = 0; ok && i < names->count; i++) {
        ok = add_key(verb, names->name[i], v1, v1_key, trust);
    }
    return ok;
}
