/*
 * An encrypted file for a device with either kind of key, whole and in random pieces; and gone on with from anywhere.
 * Input: flags (bits of enum), seed of the cuts, where it is gone on from (two bytes), header (512 bytes), ciphertext.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "fuzz.h"
#include "otter/encrypted_image.h"
#include "reference.h"

enum { FOR_RSA = 1, RIGHT_MAGIC = 2, RIGHT_KEY = 4, RIGHT_LENGTH = 8, RIGHT_TAG = 16 };

#define HEADER 512u
#define AREA   384u
#define MOST   4096u /* bytes of ciphertext */

/* ---- the reference: GCM by its definition, bit by bit, on one AES block at a time ---- */

static void aes_block(const uint8_t key[32], const uint8_t in[16], uint8_t out[16])
{
    EVP_CIPHER_CTX *aes = EVP_CIPHER_CTX_new();
    int n;
    FUZZ_CHECK(aes != NULL && EVP_EncryptInit_ex(aes, EVP_aes_256_ecb(), NULL, key, NULL) == 1 &&
                   EVP_CIPHER_CTX_set_padding(aes, 0) == 1 && EVP_EncryptUpdate(aes, out, &n, in, 16) == 1,
               "no memory");
    EVP_CIPHER_CTX_free(aes);
}

/** y = (y ^ block) * h, in the field of GCM. */
static void ghash_block(uint8_t y[16], const uint8_t block[16], const uint8_t h[16])
{
    uint8_t v[16], z[16] = {0};
    memcpy(v, h, 16);
    for (int bit = 0; bit < 128; bit++) {
        if (((y[bit / 8] ^ block[bit / 8]) >> (7 - bit % 8) & 1) != 0) {
            for (int i = 0; i < 16; i++) {
                z[i] ^= v[i];
            }
        }
        bool carry = (v[15] & 1) != 0;
        for (int i = 15; i > 0; i--) {
            v[i] = (uint8_t)(v[i] >> 1 | v[i - 1] << 7);
        }
        v[0] = (uint8_t)(v[0] >> 1 ^ (carry ? 0xE1 : 0));
    }
    memcpy(y, z, 16);
}

static void put_bits(uint8_t *to, uint64_t bytes)
{
    for (int i = 0; i < 8; i++) {
        to[i] = (uint8_t)(bytes * 8 >> (56 - 8 * i));
    }
}

/** The image and the tag of so much ciphertext. */
static void reference_gcm(const uint8_t key[32], const uint8_t iv[16], const uint8_t *cipher, size_t len,
                          uint8_t *image, uint8_t tag[16])
{
    uint8_t h[16] = {0}, counter[16] = {0}, lengths[16] = {0}, y[16] = {0}, stream[16], first[16];
    aes_block(key, h, h);
    put_bits(lengths + 8, 16);
    ghash_block(counter, iv, h);
    ghash_block(counter, lengths, h);
    aes_block(key, counter, first);
    for (size_t at = 0; at < len; at += 16) {
        uint8_t block[16] = {0};
        size_t n = len - at < 16 ? len - at : 16;
        for (int i = 15; i >= 12 && ++counter[i] == 0; i--) {
        }
        memcpy(block, cipher + at, n);
        ghash_block(y, block, h);
        aes_block(key, counter, stream);
        for (size_t i = 0; i < n; i++) {
            image[at + i] = cipher[at + i] ^ stream[i];
        }
    }
    put_bits(lengths + 8, len);
    ghash_block(y, lengths, h);
    for (int i = 0; i < 16; i++) {
        tag[i] = y[i] ^ first[i];
    }
}

/* ---- keys: one of each kind, and what a sender makes for it ---- */

static struct {
    otter_image_key_t *key;
    uint8_t area[AREA], aes[32];
} known[2]; /* ECIES, RSA */

static void make_ecies(void)
{
    static const uint8_t device[32] = {1, 2, 3}, sender[32] = {7, 7, 7};
    otter_fault_t fault = {0};
    uint8_t *der = NULL, shared[32];
    otter_image_key_t *other = otter_image_key_of_number(sender, &fault);
    known[0].key = otter_image_key_of_number(device, &fault);
    size_t len = other != NULL ? otter_image_key_public(other, &der) : 0;
    FUZZ_CHECK(known[0].key != NULL && len > 64, "no key");
    memcpy(known[0].area, der + len - 64, 64);
    memset(known[0].area + 64, 0x5A, 32);
    free(der);
    len = otter_image_key_public(known[0].key, &der);
    FUZZ_CHECK(len > 64 && otter_p256_agree(other, der + len - 64, shared) == ESP_OK &&
                   otter_hkdf_sha256(shared, known[0].area + 64, "_esp_enc_img_ecc", known[0].aes),
               "no agreement");
    free(der);
    otter_image_key_free(other);
}

static void make_rsa(void)
{
    EVP_PKEY *pair = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)3072);
    EVP_PKEY_CTX *seal = pair != NULL ? EVP_PKEY_CTX_new_from_pkey(NULL, pair, NULL) : NULL;
    size_t len = AREA; /* the padding is PKCS #1 v1.5, unless another is set */
    memset(known[1].aes, 0xC3, sizeof(known[1].aes));
    FUZZ_CHECK(seal != NULL && EVP_PKEY_encrypt_init(seal) == 1 &&
                   EVP_PKEY_encrypt(seal, known[1].area, &len, known[1].aes, sizeof(known[1].aes)) == 1 &&
                   len == AREA,
               "no key");
    EVP_PKEY_CTX_free(seal);
    known[1].key = (otter_image_key_t *)pair;
}

/* ---- the target ---- */

typedef struct {
    esp_err_t err;
    size_t made, left;
    uint8_t image[MOST];
} result_t;

/** From byte `at` of the file on; seed 0: whole. */
static void decrypt(otter_decryption_t *d, const uint8_t *file, size_t len, size_t at, uint32_t seed,
                    result_t *r)
{
    otter_fault_t fault = {0};
    r->err = ESP_OK;
    while (at < len && r->err == ESP_OK) {
        size_t n = seed != 0 ? fuzz_cut(&seed, 700) : len - at;
        n = n < len - at ? n : len - at;
        otter_decryption_flow_t flow = {
            .in = file + at, .len = n, .out = r->image + r->made, .room = MOST - r->made};
        r->err = otter_decryption_feed(d, &flow, &fault);
        FUZZ_CHECK(flow.used <= n && flow.made <= flow.used, "more than there was");
        if (flow.used == 0) {
            break;
        }
        at += flow.used;
        r->made += flow.made;
    }
    r->left = len - at;
    if (r->err == ESP_OK) {
        r->err = r->left > 0 ? ESP_ERR_OTA_VALIDATE_FAILED : otter_decryption_check(d, &fault);
    }
    FUZZ_CHECK(r->err == ESP_OK || r->left > 0 || fault.why[0] != '\0', "no cause");
}

static bool reference_accepts(bool rsa, const uint8_t *file, size_t len, uint8_t *image)
{
    static const uint8_t magic[] = {0xCF, 0xB6, 0x88, 0x07};
    uint8_t tag[16];
    if (len < HEADER || memcmp(file, magic, 4) != 0 ||
        memcmp(file + 4, known[rsa].area, rsa ? AREA : 96) != 0 ||
        reference_le32(file + 404) != len - HEADER) {
        return false;
    }
    reference_gcm(known[rsa].aes, file + 388, file + HEADER, len - HEADER, image, tag);
    return memcmp(tag, file + 408, 16) == 0;
}

static void put_right(uint8_t flags, uint8_t *file, size_t len)
{
    const bool rsa = (flags & FOR_RSA) != 0;
    uint8_t scratch[MOST];
    if ((flags & RIGHT_MAGIC) != 0) {
        memcpy(file, "\xCF\xB6\x88\x07", 4);
    }
    if ((flags & RIGHT_KEY) != 0) {
        memcpy(file + 4, known[rsa].area, rsa ? AREA : 96);
    }
    for (int i = 0; i < 4 && (flags & RIGHT_LENGTH) != 0; i++) {
        file[404 + i] = (uint8_t)((len - HEADER) >> 8 * i);
    }
    if ((flags & RIGHT_TAG) != 0) {
        reference_gcm(known[rsa].aes, file + 388, file + HEADER, len - HEADER, scratch, file + 408);
    }
}

/** A good file is good as well from `known_len` bytes of its image on. */
static void check_going_on(const otter_image_key_t *key, const uint8_t *file, size_t len,
                           const uint8_t *image, size_t from)
{
    otter_fault_t fault = {0};
    otter_decryption_t d = {.key = key};
    result_t r = {.made = from};
    FUZZ_CHECK(otter_decryption_recall(&d, file, NULL, 0, &fault) == ESP_OK &&
                   otter_decryption_recall(&d, NULL, image, from, &fault) == ESP_OK,
               "%s", fault.why);
    decrypt(&d, file, len, HEADER + from, 1, &r);
    FUZZ_CHECK(r.err == ESP_OK && memcmp(r.image + from, image + from, r.made - from) == 0,
               "gone on from %zu", from);
    otter_decryption_restart(&d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (known[0].key == NULL) {
        make_ecies();
        make_rsa();
    }
    fuzz_input_t in = {data, size};
    const uint8_t flags = fuzz_u8(&in);
    const uint32_t seed = 1u + fuzz_u8(&in);
    const bool rsa = (flags & FOR_RSA) != 0;
    const size_t from = fuzz_u16(&in);
    uint8_t file[HEADER + MOST], want[MOST] = {0};
    const size_t len = in.len < sizeof(file) ? in.len : sizeof(file);
    memcpy(file, in.bytes, len);
    if (len >= HEADER) {
        put_right(flags, file, len);
    }
    otter_decryption_t d = {.key = known[rsa].key};
    result_t whole = {.made = 0}, pieces = {.made = 0};
    decrypt(&d, file, len, 0, 0, &whole);
    otter_decryption_restart(&d);
    decrypt(&d, file, len, 0, seed, &pieces);
    otter_decryption_restart(&d);
    const bool good = reference_accepts(rsa, file, len, want);
    FUZZ_CHECK((whole.err == ESP_OK) == good, "0x%x, the reference says %d", (unsigned)whole.err, good);
    FUZZ_CHECK((pieces.err == ESP_OK) == good && (!good || pieces.made == whole.made),
               "another verdict in pieces");
    if (good) {
        FUZZ_CHECK(whole.made == len - HEADER && memcmp(whole.image, want, whole.made) == 0, "another image");
        FUZZ_CHECK(memcmp(pieces.image, want, pieces.made) == 0, "another image in pieces");
        check_going_on(known[rsa].key, file, len, want, whole.made > 0 ? from % (whole.made + 1) : 0);
    }
    return 0;
}
