/*
 * The signature of ESP32's first scheme, in random pieces.
 * Input: 1: what is changed is a key and its signature, else zeros; whether the device has a key; seed of the cuts; what is
 * signed (two bytes of length); what changes in the key (64 bytes) and in the signature (68), bit by bit.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>

#include "otter/bytes.h"
#include "fuzz.h"
#include "image/signature.h"
#include "otter/image.h"
#include "reference.h"

enum { NUMBER = 32, KEY = 64, SIGNATURE = 68 };

/** With a private key and a nonce that everybody knows. @param signature  version 0, r, s */
static void sign(const uint8_t hash[NUMBER], uint8_t key[KEY], uint8_t signature[SIGNATURE])
{
    static const uint8_t secret[NUMBER] = {1, 2, 3, 4}, nonce[NUMBER] = {5, 6, 7, 8};
    BN_CTX *context = BN_CTX_new();
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    EC_POINT *q = EC_POINT_new(group), *point = EC_POINT_new(group);
    const BIGNUM *order = EC_GROUP_get0_order(group);
    BIGNUM *d = BN_bin2bn(secret, NUMBER, NULL), *k = BN_bin2bn(nonce, NUMBER, NULL);
    BIGNUM *x = BN_new(), *y = BN_new(), *s = BN_bin2bn(hash, NUMBER, NULL);
    bool ok = EC_POINT_mul(group, q, d, NULL, NULL, context) == 1 &&
              EC_POINT_get_affine_coordinates(group, q, x, y, context) == 1 &&
              BN_bn2binpad(x, key, NUMBER) == NUMBER && BN_bn2binpad(y, key + NUMBER, NUMBER) == NUMBER &&
              EC_POINT_mul(group, point, k, NULL, NULL, context) == 1 &&
              EC_POINT_get_affine_coordinates(group, point, x, NULL, context) == 1 &&
              BN_nnmod(x, x, order, context) == 1 && BN_mod_mul(d, d, x, order, context) == 1 &&
              BN_mod_add(s, s, d, order, context) == 1 && BN_mod_inverse(k, k, order, context) != NULL &&
              BN_mod_mul(s, s, k, order, context) == 1 && BN_bn2binpad(x, signature + 4, NUMBER) == NUMBER &&
              BN_bn2binpad(s, signature + 4 + NUMBER, NUMBER) == NUMBER;
    FUZZ_CHECK(ok, "no memory");
    BIGNUM *const numbers[] = {d, k, x, y, s};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        BN_free(numbers[i]);
    }
    EC_POINT_free(q);
    EC_POINT_free(point);
    EC_GROUP_free(group);
    BN_CTX_free(context);
}

/** @return something is different now */
static bool change(uint8_t *bytes, fuzz_input_t by)
{
    uint8_t any = 0;
    for (size_t i = 0; i < by.len; i++) {
        bytes[i] ^= by.bytes[i];
        any |= by.bytes[i];
    }
    return any != 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input_t in = {data, size};
    uint8_t hash[NUMBER], key[KEY] = {0}, raw[SIGNATURE] = {0};
    const bool right = (fuzz_u8(&in) & 1) != 0, has_key = fuzz_u8(&in) != 0;
    uint32_t seed = fuzz_u8(&in);
    const fuzz_input_t covered = fuzz_take(&in, fuzz_u16(&in));
    FUZZ_CHECK(EVP_Digest(covered.bytes, covered.len, hash, NULL, EVP_sha256(), NULL) == 1, "no memory");
    if (right) {
        sign(hash, key, raw);
    }
    const bool key_changes = change(key, fuzz_take(&in, KEY));
    const bool changes = change(raw, fuzz_take(&in, SIGNATURE)) || key_changes;

    const otter_trust_t trust = {
        .signatures = &otter_signatures, .scheme = OTTER_SIGNED_V1, .blocks = 1, .v1_key = key};
    const reference_ecdsa_t numbers = {
        .curve = NID_X9_62_prime256v1, .len = NUMBER, .point = key, .signature = raw + 4};
    const bool want = le32_get(raw) == 0 && reference_ecdsa(&numbers, hash, NUMBER);
    FUZZ_CHECK(want || changes || !right, "the reference refuses what is right");
    signature_reader_t *reader = otter_signatures.begin(&trust);
    FUZZ_CHECK(reader != NULL, "no memory");
    otter_signatures.cover(reader, covered.bytes, covered.len);
    for (size_t at = 0, n; at < SIGNATURE; at += n) {
        n = fuzz_cut(&seed, SIGNATURE - at);
        otter_signatures.feed(reader, hash, raw + at, n);
    }
    otter_fault_t fault = {0};
    esp_err_t err = otter_signatures.verdict(reader, &fault);
    otter_signatures.end(reader);
    FUZZ_CHECK((err == ESP_OK) == want && (want || err == ESP_ERR_IMAGE_INVALID),
               "0x%x, %s; the reference says %s", (unsigned)err, fault.why, want ? "good" : "bad");

    /* Without its key no image is good, and that is known before a byte of it. */
    const otter_image_rules_t rules = {.size = 1u << 20,
                                       .trust = {.signatures = &otter_signatures,
                                                 .scheme = OTTER_SIGNED_V1,
                                                 .blocks = 1,
                                                 .v1_key = has_key ? key : NULL}};
    otter_image_stream_t s = {0};
    FUZZ_CHECK(otter_image_stream_begin(&s, &rules) == ESP_OK, "no memory");
    FUZZ_CHECK((s.verdict == ESP_ERR_IMAGE_INVALID) == !has_key, "0x%x, %s", (unsigned)s.verdict,
               s.fault.why);
    otter_image_stream_end(&s);
    return 0;
}
