/* The cipher of encrypted NVS: XTS-AES-256 over each entry, by its place in the partition. FORMATS.md section 15. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "otter/bytes.h"
#include "otter/crypto.h"
#include "otter/nvs_store.h"

#define BLOCK   16u /* bytes of AES */
#define KEY_LEN (OTTER_NVS_KEYS_LEN / 2)

typedef struct {
    otter_nvs_cipher_t seen; /* by who uses it */
    otter_aes_t *aes[2];     /* to encrypt and to decrypt */
    otter_aes_t *tweak;
} nvs_xts_t;

/** Times x, in the field that XTS counts its blocks in. */
static void double_tweak(uint8_t tweak[BLOCK])
{
    const uint8_t carry = tweak[BLOCK - 1] >> 7;
    for (uint32_t i = BLOCK - 1; i > 0; i--) {
        tweak[i] = (uint8_t)(tweak[i] << 1 | tweak[i - 1] >> 7);
    }
    tweak[0] = (uint8_t)(tweak[0] << 1 ^ (carry != 0 ? 0x87 : 0));
}

static void add(uint8_t *data, const uint8_t *tweaks)
{
    for (uint32_t i = 0; i < OTTER_NVS_ENTRY_SIZE; i++) {
        data[i] ^= tweaks[i];
    }
}

static bool run(otter_nvs_cipher_t *cipher, bool decrypt, uint32_t place, uint8_t entry[OTTER_NVS_ENTRY_SIZE])
{
    const nvs_xts_t *xts = (const nvs_xts_t *)cipher;
    uint8_t tweaks[OTTER_NVS_ENTRY_SIZE] = {0};
    le32_put(tweaks, place);
    if (!otter_aes_blocks(xts->tweak, tweaks, BLOCK)) {
        return false;
    }
    memcpy(tweaks + BLOCK, tweaks, BLOCK);
    double_tweak(tweaks + BLOCK);
    add(entry, tweaks);
    bool ok = otter_aes_blocks(xts->aes[decrypt], entry, OTTER_NVS_ENTRY_SIZE);
    add(entry, tweaks);
    return ok;
}

static void end(otter_nvs_cipher_t *cipher)
{
    nvs_xts_t *xts = (nvs_xts_t *)cipher;
    otter_aes_free(xts->aes[false]);
    otter_aes_free(xts->aes[true]);
    otter_aes_free(xts->tweak);
    free(xts);
}

otter_nvs_cipher_t *otter_nvs_cipher_new(const uint8_t keys[OTTER_NVS_KEYS_LEN])
{
    nvs_xts_t *xts = calloc(1, sizeof(*xts));
    if (xts == NULL) {
        return NULL;
    }
    xts->seen = (otter_nvs_cipher_t){.run = run, .end = end};
    xts->aes[false] = otter_aes_new(keys, KEY_LEN, false);
    xts->aes[true] = otter_aes_new(keys, KEY_LEN, true);
    xts->tweak = otter_aes_new(keys + KEY_LEN, KEY_LEN, false);
    if (xts->aes[false] == NULL || xts->aes[true] == NULL || xts->tweak == NULL) {
        end(&xts->seen);
        return NULL;
    }
    return &xts->seen;
}

bool otter_nvs_keys_are_whole(const uint8_t raw[OTTER_NVS_KEYS_CRC])
{
    return le32_get(raw + OTTER_NVS_KEYS_LEN) == crc32_le(UINT32_MAX, raw, OTTER_NVS_KEYS_LEN);
}
