/* Signatures against the verdicts of ESP-IDF and its tools, in every chunking; and one flipped bit anywhere. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "otter/bytes.h"
#include "otter/image.h"
#include "otter/signature.h"
#include "support/ota_rig.h"

#define IMAGE_LEN  4096u /* of the small signed images, with padding */
#define SIGNED_LEN 8192u

static cJSON *expected;

static int load_expected(void **state)
{
    (void)state;
    uint32_t len;
    char *text = (char *)rig_load("signed", "expected.json", &len);
    expected = cJSON_Parse(text);
    free(text);
    return expected != NULL ? 0 : -1;
}

static int drop_expected(void **state)
{
    (void)state;
    cJSON_Delete(expected);
    return 0;
}

/* ---- trust ---- */

static void trust_key(otter_trust_t *trust, const char *name)
{
    char file[64];
    snprintf(file, sizeof(file), "%s.pubdigest.bin", name);
    uint32_t len;
    uint8_t *digest = rig_load("signed/keys", file, &len);
    assert_int_equal(len, OTTER_KEY_DIGEST_LEN);
    assert_true(trust->key_count < OTTER_TRUSTED_KEYS);
    memcpy(trust->keys[trust->key_count++], digest, len);
    free(digest);
}

/** Of keys named as "a", "bc". */
static otter_trust_t trust_in_rsa(const char *letters)
{
    otter_trust_t trust = {.signatures = &otter_signatures,
                           .scheme = OTTER_SIGNED_RSA_3072,
                           .key_len = OTTER_KEY_DIGEST_LEN,
                           .blocks = OTTER_SIGNATURE_BLOCKS};
    for (; *letters != '\0'; letters++) {
        trust_key(&trust, (char[]){'r', 's', 'a', '_', *letters, '\0'});
    }
    return trust;
}

static esp_err_t judge(const uint8_t *image, size_t len, size_t chunk, const otter_trust_t *trust,
                       otter_fault_t *fault, otter_image_info_t *info)
{
    otter_image_stream_t s = {0};
    const otter_image_rules_t rules = {.size = (uint32_t)len, .trust = *trust};
    assert_int_equal(otter_image_stream_begin(&s, &rules), ESP_OK);
    for (size_t at = 0; at < len; at += chunk) {
        size_t n = len - at < chunk ? len - at : chunk;
        otter_image_stream_feed(&s, image + at, n);
    }
    esp_err_t err = otter_image_stream_close(&s);
    *fault = s.fault;
    if (info != NULL) {
        *info = s.info;
    }
    otter_image_stream_end(&s);
    return err;
}

static bool passes(const uint8_t *image, size_t len, const otter_trust_t *trust)
{
    static const size_t chunks[] = {1, 7, 100, 1216, 4096, 1 << 20};
    otter_fault_t fault;
    esp_err_t first = judge(image, len, 1 << 20, trust, &fault, NULL);
    assert_true(first == ESP_OK || first == ESP_ERR_IMAGE_INVALID);
    for (size_t i = 0; i < sizeof(chunks) / sizeof(chunks[0]); i++) {
        otter_fault_t other;
        assert_int_equal(judge(image, len, chunks[i], trust, &other, NULL), first);
        assert_string_equal(other.why, fault.why);
    }
    return first == ESP_OK;
}

/* ---- the recorded verdicts ---- */

/* ESP-IDF's application does not compare the hash in a block; its ROM and espsecure do, and so does otter everywhere. */
static const char stricter[] = "rsa_a_digestfield_bad";

static void verdicts_are_as_recorded(void **state)
{
    (void)state;
    static const struct {
        const char *keys, *column;
        uint8_t blocks;
    } columns[] = {
        {"a", "idf_app_secure_boot_efuse_A", 3},
        {"b", "idf_app_secure_boot_efuse_B", 3},
        {"bc", "idf_app_secure_boot_efuse_BC", 3},
        {"a", "idf_no_secure_boot_running_app_signed_by_A", 1},
        {"b", "idf_no_secure_boot_running_app_signed_by_B", 1},
    };
    unsigned judged = 0;
    const cJSON *file;
    cJSON_ArrayForEach(file, cJSON_GetObjectItem(expected, "files"))
    {
        char name[80];
        snprintf(name, sizeof(name), "%s.bin", file->string);
        uint32_t len;
        uint8_t *image = rig_load("signed", name, &len);
        for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
            const cJSON *verdict = cJSON_GetObjectItem(file, columns[i].column);
            if (verdict == NULL) {
                continue;
            }
            otter_trust_t trust = trust_in_rsa(columns[i].keys);
            trust.blocks = columns[i].blocks;
            bool want = cJSON_IsTrue(verdict) && strcmp(file->string, stricter) != 0;
            if (passes(image, len, &trust) != want) {
                fail_msg("%s: %s is not %d", file->string, columns[i].column, want);
            }
            judged++;
        }
        free(image);
    }
    assert_int_equal(judged, 17 * 5);
}

static void every_curve_verifies(void **state)
{
    (void)state;
    static const struct {
        const char *file, *key;
        otter_signature_scheme_t scheme;
        bool good;
    } rows[] = {
        {"ec256_c2", "ec256", OTTER_SIGNED_ECDSA_P256, true},
        {"ec256_c5", "ec256", OTTER_SIGNED_ECDSA_P256, true},
        {"ec192_c2", "ec192", OTTER_SIGNED_ECDSA_P192, true},
        {"ec384_c5", "ec384", OTTER_SIGNED_ECDSA_P384, true},
        {"ec256_c2_sig_bad", "ec256", OTTER_SIGNED_ECDSA_P256, false},
        {"ec256_c2", "ec192", OTTER_SIGNED_ECDSA_P256, false},
        {"ec256_c2", "ec256", OTTER_SIGNED_ECDSA_P192, false},
        {"ec192_c2", "ec192", OTTER_SIGNED_ECDSA_P256, false},
        {"ec384_c5", "ec384", OTTER_SIGNED_RSA_3072, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char name[80];
        snprintf(name, sizeof(name), "%s.bin", rows[i].file);
        uint32_t len;
        uint8_t *image = rig_load("signed", name, &len);
        for (uint8_t key_len = 16; key_len <= 32; key_len += 16) { /* ESP32-C2 keeps 16 bytes of the digest */
            otter_trust_t trust = {
                .signatures = &otter_signatures, .scheme = rows[i].scheme, .key_len = key_len, .blocks = 1};
            trust_key(&trust, rows[i].key);
            if (passes(image, len, &trust) != rows[i].good) {
                fail_msg("row %zu: %s by %s is not %d", i, rows[i].file, rows[i].key, rows[i].good);
            }
        }
        free(image);
    }
}

static void the_first_scheme_is_verified_with_its_key(void **state)
{
    (void)state;
    uint32_t len;
    uint8_t *key = rig_load("signed/keys", "v1_ec256.pub.bin", &len);
    assert_int_equal(len, OTTER_V1_KEY_LEN);
    static const struct {
        const char *file;
        bool key, good;
        const char *why;
    } rows[] = {
        {"v1_ecdsa.bin", true, true, ""},
        {"v1_ecdsa.bin", false, false,
         "this device takes signed images only, and trusts no key: it was given none"},
        {"v1_ecdsa_sig_bad.bin", true, false, "signature does not match"},
        {"v1_ecdsa_version1.bin", true, false, "signature has version 1, not 0"},
        {"unsigned_padded.bin", true, false, "the image is not signed"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t *image = rig_load("signed", rows[i].file, &len);
        const otter_trust_t trust = {.signatures = &otter_signatures,
                                     .scheme = OTTER_SIGNED_V1,
                                     .blocks = 1,
                                     .v1_key = rows[i].key ? key : NULL};
        assert_int_equal(passes(image, len, &trust), rows[i].good);
        otter_fault_t fault;
        (void)judge(image, len, len, &trust, &fault, NULL);
        assert_string_equal(fault.why, rows[i].why);
        free(image);
    }
    free(key);
}

/* ---- what is wrong is said ---- */

static void a_refusal_says_which_block_and_why(void **state)
{
    (void)state;
    static const struct {
        const char *file, *keys, *why;
    } rows[] = {
        {"rsa_a", "",
         "this device takes signed images only, and trusts no key: there is none, or all are revoked"},
        {"rsa_a", "b", "signature block 0: its key 7187b04ef1dfcdc3... is not trusted"},
        {"rsa_a_crc_bad", "a", "signature block 0: its CRC is 0x46220c3e, 0x46220c3f is stored"},
        {"rsa_a_sig_bad", "a", "signature block 0: the signature does not match"},
        {"rsa_a_digestfield_bad", "a",
         "signature block 0: it is of other bytes: the hash in it is not the image's"},
        {"rsa_a_pad_tampered", "a",
         "signature block 0: it is of other bytes: the hash in it is not the image's"},
        {"rsa_a_magic_bad", "a", "the image is not signed"},
        {"unsigned_padded", "a", "the image is not signed"},
        {"ec256_c2", "a", "signature block 0: it is ECDSA P-256, and this device takes RSA-3072"},
        {"rsa__bc_block0_erased", "a", "signature block 1: its key 3debb0c4eaf35c28... is not trusted"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char name[80];
        snprintf(name, sizeof(name), "%s.bin", rows[i].file);
        uint32_t len;
        uint8_t *image = rig_load("signed", name, &len);
        const otter_trust_t trust = trust_in_rsa(rows[i].keys);
        otter_fault_t fault;
        assert_int_equal(judge(image, len, len, &trust, &fault, NULL), ESP_ERR_IMAGE_INVALID);
        assert_string_equal(fault.why, rows[i].why);
        free(image);
    }
}

static void the_length_counts_the_signature(void **state)
{
    (void)state;
    uint32_t len;
    uint8_t *image = rig_load("signed", "rsa_a.bin", &len);
    const otter_trust_t nobody = {0}, trust = trust_in_rsa("a");
    otter_image_info_t info;
    otter_fault_t fault;
    assert_int_equal(judge(image, len, len, &nobody, &fault, &info), ESP_OK);
    assert_int_equal(info.image_len, 784);
    assert_int_equal(judge(image, len, len, &trust, &fault, &info), ESP_OK);
    assert_int_equal(info.image_len, SIGNED_LEN);

    /* One byte less than the sector needs. */
    assert_int_equal(judge(image, len - 1, len, &trust, &fault, &info), ESP_ERR_IMAGE_INVALID);
    assert_string_equal(fault.why,
                        "the image is not signed: 8191 bytes leave no room for a signature behind its 784");
    free(image);
}

/* ---- one flipped bit ---- */

/** Up to the CRC of the first block: what follows is not looked at, by the ROM neither. */
static void one_flipped_bit_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *file, *key;
        otter_signature_scheme_t scheme;
    } rows[] = {
        {"rsa_a.bin", "rsa_a", OTTER_SIGNED_RSA_3072},
        {"ec256_c2.bin", "ec256", OTTER_SIGNED_ECDSA_P256},
        {"ec384_c5.bin", "ec384", OTTER_SIGNED_ECDSA_P384},
        {"ec192_c2.bin", "ec192", OTTER_SIGNED_ECDSA_P192},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint32_t len;
        uint8_t *image = rig_load("signed", rows[i].file, &len);
        const uint32_t at_block = (uint32_t)len - OTTER_SIGNATURE_SECTOR;
        otter_trust_t trust = {
            .signatures = &otter_signatures, .scheme = rows[i].scheme, .key_len = 32, .blocks = 3};
        trust_key(&trust, rows[i].key);
        uint32_t step =
            i < 2 && len == SIGNED_LEN ? 1 : 61; /* all of two small ones, a sample of the others */
        for (uint32_t bit = 0; bit < 8 * (at_block + 1200); bit += step) {
            image[bit / 8] ^= (uint8_t)(1u << bit % 8);
            otter_fault_t fault;
            if (judge(image, len, len, &trust, &fault, NULL) == ESP_OK) {
                fail_msg("%s: bit %u of byte %u was not missed", rows[i].file, bit % 8, bit / 8);
            }
            image[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        free(image);
    }
}

/** Also from who has its key trusted: nothing but a signature is one, and no number is taken for a lack of memory. */
static void numbers_that_are_none_are_refused(void **state)
{
    (void)state;
    enum { N = 36, E = 420, RSA_S = 812, X = 37, Y = 69, R = 101, S = 133 };
    static const struct {
        const char *file;
        uint32_t at, len;
        int first, rest;
    } rows[] = {
        {"rsa_a.bin", N, 384, 0, 0},
        {"rsa_a.bin", N, 384, 1, 0},
        {"rsa_a.bin", N, 384, 2, 0},
        {"rsa_a.bin", N, 384, 3, 0},
        {"rsa_a.bin", N, 384, 0xFE, 0xFF},
        {"rsa_a.bin", N, 384, 0xFF, 0xFF},
        {"rsa_a.bin", E, 4, 0, 0},
        {"rsa_a.bin", E, 4, 1, 0},
        {"rsa_a.bin", E, 4, 2, 0},
        {"rsa_a.bin", E, 4, 0xFF, 0xFF},
        {"rsa_a.bin", RSA_S, 384, 0, 0},
        {"rsa_a.bin", RSA_S, 384, 1, 0},
        {"rsa_a.bin", RSA_S, 384, 0xFF, 0xFF},
        {"ec256_c2.bin", X, 64, 0, 0},
        {"ec256_c2.bin", X, 64, 0xFF, 0xFF},
        {"ec256_c2.bin", X, 32, 0, 0},
        {"ec256_c2.bin", Y, 32, 5, 0},
        {"ec256_c2.bin", R, 32, 0, 0},
        {"ec256_c2.bin", S, 32, 0, 0},
        {"ec256_c2.bin", R, 64, 0, 0},
        {"ec256_c2.bin", R, 32, 0xFF, 0xFF},
        {"ec256_c2.bin", S, 32, 0xFF, 0xFF},
        {"ec256_c2.bin", R, 64, 1, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint32_t len;
        uint8_t *image = rig_load("signed", rows[i].file, &len);
        uint8_t *raw = image + len - OTTER_SIGNATURE_SECTOR;
        memset(raw + rows[i].at, rows[i].rest, rows[i].len);
        raw[rows[i].at] = (uint8_t)rows[i].first;
        le32_put(raw + 1196, crc32_le(0, raw, 1196));
        otter_signature_block_t block;
        assert_int_equal(otter_signature_block_read(raw, &block, NULL), ESP_OK);
        otter_trust_t trust = {.signatures = &otter_signatures,
                               .scheme = block.scheme,
                               .key_count = 1,
                               .key_len = 32,
                               .blocks = 3};
        memcpy(trust.keys[0], block.key_digest, sizeof(trust.keys[0]));
        otter_fault_t fault;
        if (judge(image, len, len, &trust, &fault, NULL) != ESP_ERR_IMAGE_INVALID ||
            strcmp(fault.why, "signature block 0: the signature does not match") != 0) {
            fail_msg("row %zu: %s", i, fault.why);
        }
        free(image);
    }
}

/** As an attacker would, who makes the CRC and the hash in the block right again. */
static void one_flipped_bit_with_a_new_crc_is_refused(void **state)
{
    (void)state;
    uint32_t len;
    uint8_t *image = rig_load("signed", "rsa_a.bin", &len);
    uint8_t *block = image + IMAGE_LEN;
    const otter_trust_t trust = trust_in_rsa("a");
    for (uint32_t bit = 0; bit < 8 * 1196; bit += 13) {
        block[bit / 8] ^= (uint8_t)(1u << bit % 8);
        le32_put(block + 1196, crc32_le(0, block, 1196));
        otter_fault_t fault;
        bool reserved = bit / 8 == 2 || bit / 8 == 3; /* nobody reads them */
        if ((judge(image, len, len, &trust, &fault, NULL) == ESP_OK) != reserved) {
            fail_msg("bit %u of byte %u of the block was judged wrong", bit % 8, bit / 8);
        }
        block[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    free(image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdicts_are_as_recorded),
        cmocka_unit_test(every_curve_verifies),
        cmocka_unit_test(the_first_scheme_is_verified_with_its_key),
        cmocka_unit_test(a_refusal_says_which_block_and_why),
        cmocka_unit_test(the_length_counts_the_signature),
        cmocka_unit_test(one_flipped_bit_is_refused),
        cmocka_unit_test(one_flipped_bit_with_a_new_crc_is_refused),
        cmocka_unit_test(numbers_that_are_none_are_refused),
    };
    return cmocka_run_group_tests_name("signature", tests, load_expected, drop_expected);
}
