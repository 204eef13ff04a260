/* Makes devices that trust somebody, with the recorded keys. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/trust_rig.h"

#include "otter/signature.h"

static uint8_t v1_key[OTTER_V1_KEY_LEN];

static void load_digest(const char *key, uint8_t digest[OTTER_KEY_DIGEST_LEN])
{
    char name[32];
    snprintf(name, sizeof(name), "rsa_%c.pubdigest.bin", key[0]);
    uint32_t len;
    uint8_t *bytes = rig_load("signed/keys", name, &len);
    assert_int_equal(len, OTTER_KEY_DIGEST_LEN);
    memcpy(digest, bytes, len);
    free(bytes);
}

void trust_open(session_rig_t *s, otter_trust_source_t source, otter_signature_scheme_t scheme,
                const char *keys)
{
    otter_device_config_t config = {
        .trust = {.source = source, .scheme = scheme, .signatures = &otter_signatures}};
    if (scheme == OTTER_SIGNED_V1 && keys[0] != '\0') {
        uint32_t len;
        uint8_t *bytes = rig_load("signed/keys", "v1_ec256.pub.bin", &len);
        memcpy(v1_key, bytes, sizeof(v1_key));
        free(bytes);
        config.trust.v1_key = v1_key;
    }
    otter_efuse_key_t efuses[OTTER_TRUSTED_KEYS] = {0};
    config.trust.at_boot = strchr(keys, '!') != NULL;
    for (size_t i = 0; keys[i] != '\0' && keys[i] != '!' && scheme != OTTER_SIGNED_V1; i++) {
        efuses[i].present = true;
        efuses[i].revoked = keys[i] < 'a';
        const char small[] = {(char)(keys[i] | 0x20), '\0'};
        load_digest(small, efuses[i].digest);
        if (source == OTTER_TRUST_KEYS) {
            memcpy(config.trust.keys[config.trust.key_count++], efuses[i].digest, OTTER_KEY_DIGEST_LEN);
        }
    }
    session_open(s, &config);
    memcpy(s->rig.keys, efuses, sizeof(efuses));
}

void trust_place(session_rig_t *s, const esp_partition_t *partition, const char *file)
{
    assert_true(otter_flash_erase(s->device->flash, partition->address, partition->size) == ESP_OK);
    (void)rig_place(&s->rig, partition->address, "signed", file);
}
