/* The ciphers of flash encryption in software: what a chip's hardware does between its flash and its bus. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "otter/flash_encryption.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "otter/bytes.h"
#include "otter/crypto.h"
#include "otter/promise.h"

#define BLOCK     16u   /* bytes of AES */
#define XTS_UNIT  128u  /* bytes that have one tweak */
#define XTS_RUN   4096u /* bytes that AES gets at once */
#define ESP32_KEY 32u
#define ESP32_RUN 32u /* bytes that have one key */

struct otter_flash_crypt {
    otter_flash_cipher_kind_t kind;
    otter_aes_t *aes[2]; /* to encrypt and to decrypt the flash */
    otter_aes_t *tweak;  /* XTS */
    uint8_t key[ESP32_KEY], config;
    uint8_t masks[XTS_RUN]; /* of the bytes in hand, for each block its own */
};

const char *otter_flash_cipher_name(otter_flash_cipher_kind_t kind)
{
    static const char *const names[] = {
        [OTTER_FLASH_CIPHER_NONE] = "none",
        [OTTER_FLASH_CIPHER_ESP32] = "the ESP32's cipher",
        [OTTER_FLASH_CIPHER_XTS_128] = "XTS-AES-128",
        [OTTER_FLASH_CIPHER_XTS_256] = "XTS-AES-256",
    };
    return names[kind];
}

/* The key lengths. What is shorter than the cipher's key is made longer as the chip does it. */
static const struct {
    otter_flash_cipher_kind_t kind;
    size_t lengths[2];
    const char *what;
} keys[] = {
    {OTTER_FLASH_CIPHER_ESP32, {24, 32}, "32 bytes, or 24 with the 3/4 coding scheme"},
    {OTTER_FLASH_CIPHER_XTS_128, {16, 32}, "32 bytes, or 16 of an ESP32-C2"},
    {OTTER_FLASH_CIPHER_XTS_256, {64, 64}, "64 bytes"},
};
#define KEYS (sizeof(keys) / sizeof(keys[0]))

static bool has_length(size_t row, size_t len)
{
    return len == keys[row].lengths[0] || len == keys[row].lengths[1];
}

/** XTS-AES of Espressif's chips: all have keys of 32 bytes. What is no such chip has all lengths. */
static bool chip_has(uint16_t chip_id, size_t key_len)
{
    static const struct {
        uint16_t id;
        size_t other; /* a second length, 0: none */
    } chips[] = {{0x0002, 64} /* S2 */, {0x0005, 0} /* C3 */,  {0x0009, 64} /* S3 */, {0x000C, 16} /* C2 */,
                 {0x000D, 0} /* C6 */,  {0x0010, 0} /* H2 */,  {0x0012, 64} /* P4 */, {0x0014, 0} /* C61 */,
                 {0x0017, 64} /* C5 */, {0x0019, 0} /* H21 */, {0x001C, 64} /* H4 */};
    bool has = true;
    for (size_t i = 0; i < sizeof(chips) / sizeof(chips[0]); i++) {
        has = has && (chips[i].id != chip_id || key_len == 32 || key_len == chips[i].other);
    }
    return has;
}

otter_flash_cipher_kind_t otter_flash_cipher_for(uint16_t chip_id, size_t key_len)
{
    const bool esp32 = chip_id == 0;
    for (size_t i = 0; i < KEYS && chip_has(chip_id, key_len); i++) {
        if (esp32 == (keys[i].kind == OTTER_FLASH_CIPHER_ESP32) && has_length(i, key_len)) {
            return keys[i].kind;
        }
    }
    return OTTER_FLASH_CIPHER_NONE;
}

/* ---- the ESP32's own ---- */

/**
 * Each bit of the key changes with one bit of the address. The key has four parts, of 67, 65, 63 and 61 bits from its first one
 * on; each goes through the address bits 23 to 5 three times, and ends with as many of the lowest ones as it has left. The
 * configuration has a bit for each part.
 */
static void key_at(const otter_flash_crypt_t *crypt, uint32_t address, uint8_t key[ESP32_KEY])
{
    unsigned at = 0; /* bit of the key, from its first byte's highest one */
    memcpy(key, crypt->key, ESP32_KEY);
    for (unsigned part = 0; part < 4; part++) {
        const unsigned len = 67 - 2 * part;
        const uint32_t from = (crypt->config >> part & 1) != 0 ? address : 0;
        for (unsigned i = 0; i < len; i++, at++) {
            const unsigned bit = i < 3 * 19 ? 23 - i % 19 : 5 + (len - 1 - i);
            key[at / 8] ^= (uint8_t)((from >> bit & 1) << (7 - at % 8));
        }
    }
    OTTER_ASSERT(at == 8 * ESP32_KEY);
}

/** All bytes of [data, data + len) have one key, as long as they do not cross 32 bytes of flash. */
static bool esp32_run(const otter_flash_crypt_t *crypt, otter_aes_t *aes, uint32_t address, uint8_t *data,
                      uint32_t len)
{
    static const uint8_t no_masks[ESP32_RUN];
    uint8_t key[ESP32_KEY];
    key_at(crypt, address, key);
    bool ok = otter_aes_set_key(aes, key);
    otter_wipe(key, sizeof(key));
    return ok && otter_aes_turned(aes, data, no_masks, len);
}

/* ---- XTS-AES ---- */

/** A number that was copied from memory as it lies there, little endian, and back; in forms that compilers know. */
static inline uint64_t little(uint64_t v)
{
    static const uint8_t one[sizeof(v)] = {1};
    uint64_t first;
    memcpy(&first, one, sizeof(first));
    return first == 1 ? v
                      : (v & 0xFF) << 56 | (v & 0xFF00) << 40 | (v & 0xFF0000) << 24 | (v & 0xFF000000) << 8 |
                            (v >> 8 & 0xFF000000) | (v >> 24 & 0xFF0000) | (v >> 40 & 0xFF00) | v >> 56;
}

/** Of one unit, from its tweak on: each is the one before times x in XTS's field. The last block in flash is XTS's first. */
static void put_masks(uint8_t masks[XTS_UNIT], const uint8_t tweak[BLOCK])
{
    uint64_t mask[2];
    memcpy(mask, tweak, sizeof(mask));
    uint64_t low = little(mask[0]), high = little(mask[1]);
    for (uint32_t at = XTS_UNIT; at > 0; at -= BLOCK) {
        mask[0] = little(low);
        mask[1] = little(high);
        memcpy(masks + at - BLOCK, mask, sizeof(mask));
        const uint64_t over = high >> 63 != 0 ? 0x87 : 0;
        high = high << 1 | low >> 63;
        low = low << 1 ^ over;
    }
}

/** At most XTS_RUN bytes of whole units. */
static bool xts_run(otter_flash_crypt_t *crypt, otter_aes_t *aes, uint32_t address, uint8_t *data,
                    uint32_t len)
{
    uint8_t tweaks[XTS_RUN / XTS_UNIT * BLOCK] = {0};
    const uint32_t first = align_down_u32(address, XTS_UNIT);
    const uint32_t units = align_up_u32(address - first + len, XTS_UNIT) / XTS_UNIT;
    for (uint32_t i = 0; i < units; i++) {
        le32_put(tweaks + i * BLOCK, first + i * XTS_UNIT);
    }
    if (!otter_aes_blocks(crypt->tweak, tweaks, units * BLOCK)) {
        return false;
    }
    for (uint32_t i = 0; i < units; i++) {
        put_masks(crypt->masks + i * XTS_UNIT, tweaks + i * BLOCK);
    }
    return otter_aes_turned(aes, data, crypt->masks + (address - first), len);
}

bool otter_flash_crypt(void *crypt, bool decrypt, uint32_t address, uint8_t *data, uint32_t len)
{
    otter_flash_crypt_t *c = crypt;
    const bool esp32 = c->kind == OTTER_FLASH_CIPHER_ESP32;
    const uint32_t unit = esp32 ? ESP32_RUN : XTS_RUN;
    OTTER_ASSERT(address % BLOCK == 0 && len % BLOCK == 0);
    for (uint32_t done = 0, run; done < len; done += run) {
        const uint32_t at = address + done;
        run = min_u32(len - done, unit - at % unit);
        if (!(esp32 ? esp32_run(c, c->aes[decrypt], at, data + done, run)
                    : xts_run(c, c->aes[decrypt], at, data + done, run))) {
            return false;
        }
    }
    return true;
}

/* ---- keys ---- */

/** The cipher's whole key out of a shorter one, as the chip's hardware has it. @return false: out of memory */
static bool whole_key(otter_flash_cipher_kind_t kind, const uint8_t *key, size_t len,
                      uint8_t whole[OTTER_FLASH_KEY_MAX])
{
    memcpy(whole, key, len);
    if (kind == OTTER_FLASH_CIPHER_ESP32 && len == 24) {
        memcpy(whole + 24, key + 8, 8);
    }
    if (kind != OTTER_FLASH_CIPHER_XTS_128 || len != 16) {
        return true;
    }
    otter_digest_t sha = {0};
    bool ok = otter_sha256_begin(&sha);
    if (ok) {
        otter_digest_update(&sha, key, len);
        otter_digest_finish(&sha, whole);
    }
    otter_digest_end(&sha);
    return ok;
}

static bool fill(otter_flash_crypt_t *crypt, const uint8_t *whole)
{
    if (crypt->kind == OTTER_FLASH_CIPHER_ESP32) { /* whose hardware has AES the other way round */
        memcpy(crypt->key, whole, ESP32_KEY);
        crypt->aes[0] = otter_aes_new(whole, ESP32_KEY, true);
        crypt->aes[1] = otter_aes_new(whole, ESP32_KEY, false);
        return crypt->aes[0] != NULL && crypt->aes[1] != NULL;
    }
    const size_t half = crypt->kind == OTTER_FLASH_CIPHER_XTS_256 ? 32 : 16;
    crypt->aes[0] = otter_aes_new(whole, half, false);
    crypt->aes[1] = otter_aes_new(whole, half, true);
    crypt->tweak = otter_aes_new(whole + half, half, false);
    return crypt->aes[0] != NULL && crypt->aes[1] != NULL && crypt->tweak != NULL;
}

esp_err_t otter_flash_crypt_open(otter_flash_cipher_kind_t kind, const uint8_t *key, size_t key_len,
                                 uint8_t config, otter_flash_crypt_t **crypt, otter_fault_t *fault)
{
    size_t row = 0;
    while (row < KEYS && keys[row].kind != kind) {
        row++;
    }
    if (row == KEYS || !has_length(row, key_len)) {
        return otter_fault(fault, ESP_ERR_INVALID_SIZE, "a key of %s has %s, not %zu",
                           otter_flash_cipher_name(kind), row < KEYS ? keys[row].what : "no bytes", key_len);
    }
    uint8_t whole[OTTER_FLASH_KEY_MAX] = {0};
    otter_flash_crypt_t *made = calloc(1, sizeof(*made));
    bool ok = made != NULL && whole_key(kind, key, key_len, whole);
    if (ok) {
        made->kind = kind;
        made->config = config;
        ok = fill(made, whole);
    }
    otter_wipe(whole, sizeof(whole));
    if (!ok) {
        otter_flash_crypt_close(made);
        return otter_fault(fault, ESP_ERR_NO_MEM, "out of memory");
    }
    *crypt = made;
    return ESP_OK;
}

void otter_flash_crypt_close(otter_flash_crypt_t *crypt)
{
    if (crypt != NULL) {
        otter_aes_free(crypt->aes[0]);
        otter_aes_free(crypt->aes[1]);
        otter_aes_free(crypt->tweak);
        otter_wipe(crypt, sizeof(*crypt));
        free(crypt);
    }
}
