/*
 * A signature sector of Secure Boot V2, by whatever trust, in random pieces.
 * Input: scheme, keys that are trusted (bits; 8: sixteen bytes of them count, 16: one block), repairs (bits), seed of the cuts,
 * what is signed (two bytes of length), the blocks.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>

#include "otter/bytes.h"
#include "fuzz.h"
#include "image/signature.h"
#include "reference.h"

enum { BLOCK = 1216, BLOCKS = 3, SECTOR = 4096, SHORT_DIGEST = 8, ONE_BLOCK = 16 };

/* ---- the reference: by the numbers themselves ---- */

typedef struct {
    int hash_at, hash_len, key_at, key_len, number, at, nid;
} layout_t;

static const layout_t layouts[] = {
    {0},
    {4, 32, 36, 776, 384, 812, 0},
    {4, 32, 36, 65, 24, 101, NID_X9_62_prime192v1},
    {4, 32, 36, 65, 32, 101, NID_X9_62_prime256v1},
    {4, 48, 52, 97, 48, 149, NID_secp384r1},
};

static uint32_t crc_of(const uint8_t *bytes, size_t len)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < len; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
        }
    }
    return ~crc;
}

static void sha(const EVP_MD *kind, const void *bytes, size_t len, uint8_t *out)
{
    FUZZ_CHECK(EVP_Digest(bytes, len, out, NULL, kind, NULL) == 1, "no memory");
}

/** EMSA-PSS with 32 bytes of salt, as RFC 8017 has it in 9.1.2, of a message of 3071 bits. */
static bool pss_is_good(uint8_t em[384], const uint8_t hash[32])
{
    enum { DB = 384 - 32 - 1 };
    const uint8_t *h = em + DB;
    uint8_t seed[36], mask[32], message[8 + 32 + 32] = {0}, want[32];
    memcpy(seed, h, 32);
    if (em[383] != 0xBC || (em[0] & 0x80) != 0) {
        return false;
    }
    for (int i = 0; i < DB; i++) {
        if (i % 32 == 0) {
            const uint8_t counter[4] = {0, 0, 0, (uint8_t)(i / 32)};
            memcpy(seed + 32, counter, 4);
            sha(EVP_sha256(), seed, sizeof(seed), mask);
        }
        em[i] ^= mask[i % 32];
    }
    em[0] &= 0x7F;
    for (int i = 0; i < DB - 33; i++) {
        if (em[i] != 0) {
            return false;
        }
    }
    memcpy(message + 8, hash, 32);
    memcpy(message + 40, em + DB - 32, 32);
    sha(EVP_sha256(), message, sizeof(message), want);
    return em[DB - 33] == 1 && memcmp(want, h, 32) == 0;
}

static bool rsa_is_good(const uint8_t *raw, const uint8_t *hash)
{
    uint8_t em[384];
    BN_CTX *context = BN_CTX_new();
    BIGNUM *n = BN_lebin2bn(raw + 36, 384, NULL), *e = BN_lebin2bn(raw + 420, 4, NULL);
    BIGNUM *s = BN_lebin2bn(raw + 812, 384, NULL), *m = BN_new();
    bool good = BN_num_bits(n) == 3072 && BN_is_odd(n) && BN_is_odd(e) && !BN_is_one(e) && BN_cmp(s, n) < 0 &&
                BN_mod_exp(m, s, e, n, context) == 1 && BN_bn2binpad(m, em, 384) == 384 &&
                pss_is_good(em, hash);
    BN_free(n);
    BN_free(e);
    BN_free(s);
    BN_free(m);
    BN_CTX_free(context);
    return good;
}

static bool block_is_good(const uint8_t *raw, const otter_trust_t *trust, const uint8_t *hash)
{
    const layout_t *l = &layouts[trust->scheme];
    bool ec = trust->scheme != OTTER_SIGNED_RSA_3072, trusted = false;
    if (raw[0] != 0xE7 || raw[1] != (ec ? 3 : 2) || crc_of(raw, 1196) != le32_get(raw + 1196) ||
        (ec && (raw[2] != (l->hash_len == 48) || raw[l->key_at] != trust->scheme - 1)) ||
        memcmp(raw + l->hash_at, hash, (size_t)l->hash_len) != 0) {
        return false;
    }
    uint8_t digest[32];
    sha(EVP_sha256(), raw + l->key_at, (size_t)l->key_len, digest);
    for (int i = 0; i < trust->key_count; i++) {
        trusted = trusted || memcmp(trust->keys[i], digest, trust->key_len) == 0;
    }
    if (ec) {
        const reference_ecdsa_t numbers = {.curve = l->nid,
                                           .len = l->number,
                                           .little = true,
                                           .point = raw + l->key_at + 1,
                                           .signature = raw + l->at};
        return trusted && reference_ecdsa(&numbers, hash, l->hash_len);
    }
    return trusted && rsa_is_good(raw, hash);
}

/* ---- the target ---- */

/** What an attacker would put right: hash (bit n) and CRC (bit n + 3) of block n. */
static void repair(uint8_t *sector, otter_signature_scheme_t scheme, const uint8_t *hash, uint8_t bits)
{
    for (int i = 0; i < BLOCKS; i++) {
        uint8_t *raw = sector + i * BLOCK;
        if ((bits >> i & 1) != 0) {
            memcpy(raw + 4, hash, (size_t)layouts[scheme].hash_len);
        }
        if ((bits >> (i + BLOCKS) & 1) != 0) {
            le32_put(raw + 1196, crc_of(raw, 1196));
        }
    }
}

/** Trust in the keys of these blocks. */
static otter_trust_t trust_in(const uint8_t *sector, otter_signature_scheme_t scheme, uint8_t bits)
{
    const layout_t *l = &layouts[scheme];
    otter_trust_t trust = {.signatures = &otter_signatures,
                           .scheme = scheme,
                           .key_len = (bits & SHORT_DIGEST) != 0 ? 16 : 32,
                           .blocks = (bits & ONE_BLOCK) != 0 ? 1 : BLOCKS};
    for (int i = 0; i < BLOCKS; i++) {
        if ((bits >> i & 1) != 0) {
            sha(EVP_sha256(), sector + i * BLOCK + l->key_at, (size_t)l->key_len,
                trust.keys[trust.key_count++]);
        }
    }
    return trust;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input_t in = {data, size};
    const otter_signature_scheme_t scheme = (otter_signature_scheme_t)(1 + fuzz_choose(&in, 4));
    const uint8_t trusted = fuzz_u8(&in), repairs = fuzz_u8(&in);
    uint32_t seed = fuzz_u8(&in);
    const fuzz_input_t covered = fuzz_take(&in, fuzz_u16(&in));
    uint8_t sector[SECTOR], sha256[32], hash[48];
    memset(sector, 0xFF, sizeof(sector));
    if (in.len > 0) {
        memcpy(sector, in.bytes, in.len < SECTOR ? in.len : SECTOR);
    }
    sha(EVP_sha256(), covered.bytes, covered.len, sha256);
    sha(layouts[scheme].hash_len == 48 ? EVP_sha384() : EVP_sha256(), covered.bytes, covered.len, hash);
    repair(sector, scheme, hash, repairs);
    const otter_trust_t trust = trust_in(sector, scheme, trusted);

    bool want = false;
    for (int i = 0; i < trust.blocks; i++) {
        want = want || block_is_good(sector + i * BLOCK, &trust, hash);
    }
    signature_reader_t *reader = otter_signatures.begin(&trust);
    FUZZ_CHECK(reader != NULL, "no memory");
    otter_signatures.cover(reader, covered.bytes, covered.len);
    for (size_t at = 0, n; at < SECTOR; at += n) {
        n = fuzz_cut(&seed, SECTOR - at);
        otter_signatures.feed(reader, sha256, sector + at, n);
    }
    otter_fault_t fault = {0};
    esp_err_t err = otter_signatures.verdict(reader, &fault);
    otter_signatures.end(reader);
    FUZZ_CHECK(err == ESP_OK || err == ESP_ERR_IMAGE_INVALID, "0x%x: %s", (unsigned)err, fault.why);
    FUZZ_CHECK((err == ESP_OK) == want, "0x%x, %s; the reference says %s", (unsigned)err, fault.why,
               want ? "good" : "bad");
    return 0;
}
