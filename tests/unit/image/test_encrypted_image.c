/* Encrypted images against the files of ESP-IDF's tool, in every chunking; and each part of one changed. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "otter/bytes.h"
#include "otter/encrypted_image.h"

#define FILE_MAX    4096u
#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

typedef struct {
    uint8_t bytes[FILE_MAX];
    size_t len;
} file_t;

static file_t read_file(const char *name)
{
    static file_t file;
    char path[512];
    snprintf(path, sizeof(path), TEST_VECTORS "/%s", name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    file.len = fread(file.bytes, 1, FILE_MAX, f);
    fclose(f);
    return file;
}

static otter_image_key_t *rsa, *ecies;

static int load_keys(void **state)
{
    (void)state;
    otter_fault_t fault = {0};
    file_t pem = read_file("encimg/keys/rsa_priv.pem"), hmac = read_file("encimg/keys/ecies_hmac_key.bin");
    rsa = otter_image_key_new(pem.bytes, pem.len, &fault);
    ecies = otter_image_key_of_hmac(hmac.bytes, &fault);
    return rsa != NULL && ecies != NULL ? 0 : -1;
}

static int free_keys(void **state)
{
    (void)state;
    otter_image_key_free(rsa);
    otter_image_key_free(ecies);
    return 0;
}

static const otter_image_key_t *key_of(const char *name)
{
    return strncmp(name, "rsa", 3) == 0 ? rsa : ecies;
}

/** What a file comes to. */
typedef struct {
    uint8_t image[FILE_MAX];
    size_t len, left; /* left: bytes of the file that were too many */
    esp_err_t err;
    otter_fault_t fault;
} result_t;

/** The whole file, `chunk` bytes at a time into `room` bytes. */
static result_t decrypt(const otter_image_key_t *key, const file_t *file, size_t chunk, size_t room)
{
    result_t r = {.len = 0};
    otter_decryption_t d = {.key = key};
    size_t at = 0;
    while (at < file->len && r.err == ESP_OK) {
        const size_t n = chunk < file->len - at ? chunk : file->len - at;
        otter_decryption_flow_t flow = {.in = file->bytes + at,
                                        .len = n,
                                        .out = r.image + r.len,
                                        .room = room < FILE_MAX - r.len ? room : FILE_MAX - r.len};
        r.err = otter_decryption_feed(&d, &flow, &r.fault);
        if (r.err == ESP_OK && flow.used == 0) {
            assert_true(otter_decryption_is_complete(&d));
            break;
        }
        assert_true(flow.made <= room && flow.used <= n);
        at += flow.used;
        r.len += flow.made;
    }
    r.left = file->len - at;
    if (r.err == ESP_OK) {
        r.err = otter_decryption_check(&d, &r.fault);
    }
    otter_decryption_restart(&d);
    return r;
}

/* ---- the files of the vendor's tool ---- */

static const struct {
    const char *name;
    const char *image; /* NULL: it is no good */
    esp_err_t err;
    const char *words;
    size_t left;
} vectors[] = {
    {"ecies_ok", "image/esp32_valid.bin", ESP_OK, NULL, 0},
    {"ecies_plain37", "encimg/plain_37.bin", ESP_OK, NULL, 0},
    {"ecies_bad_cipher_bit", NULL, ESP_ERR_OTA_VALIDATE_FAILED, "the tag of the encrypted image does not fit",
     0},
    {"ecies_bad_iv", NULL, ESP_ERR_OTA_VALIDATE_FAILED, "the tag of the encrypted image does not fit", 0},
    {"ecies_bad_salt", NULL, ESP_ERR_OTA_VALIDATE_FAILED, "the tag of the encrypted image does not fit", 0},
    {"ecies_bad_tag", NULL, ESP_ERR_OTA_VALIDATE_FAILED, "the tag of the encrypted image does not fit", 0},
    {"ecies_bad_key_area", NULL, ESP_ERR_OTA_VALIDATE_FAILED, "for another key than this one (on P-256)",
     784},
    {"ecies_bad_magic", NULL, ESP_ERR_OTA_VALIDATE_FAILED, "it begins with ce b6 88 07, not cf b6 88 07",
     1292},
    {"ecies_truncated", NULL, ESP_ERR_OTA_VALIDATE_FAILED, "after 783 of the 784 bytes", 0},
    {"rsa_ok", "image/esp32_valid.bin", ESP_OK, NULL, 0},
    {"rsa_plain37", "encimg/plain_37.bin", ESP_OK, NULL, 0},
    {"rsa_empty", "", ESP_OK, NULL, 0},
    {"rsa_reserved_nonzero_ok", "image/esp32_valid.bin", ESP_OK, NULL, 0},
    {"rsa_bad_cipher_bit", NULL, ESP_ERR_OTA_VALIDATE_FAILED, "the tag of the encrypted image does not fit",
     0},
    {"rsa_bad_iv", NULL, ESP_ERR_OTA_VALIDATE_FAILED, "the tag of the encrypted image does not fit", 0},
    {"rsa_bad_tag", NULL, ESP_ERR_OTA_VALIDATE_FAILED, "the tag of the encrypted image does not fit", 0},
    {"rsa_bad_key_area", NULL, ESP_ERR_OTA_VALIDATE_FAILED, "another key",
     784}, /* or a tag that does not fit */
    {"rsa_bad_magic", NULL, ESP_ERR_OTA_VALIDATE_FAILED, "this is no encrypted image", 1292},
    {"rsa_header_only", NULL, ESP_ERR_OTA_VALIDATE_FAILED, "after 0 of the 784 bytes", 0},
    {"rsa_short_header", NULL, ESP_ERR_OTA_VALIDATE_FAILED, "after 300 bytes, within the header", 0},
    {"rsa_truncated", NULL, ESP_ERR_OTA_VALIDATE_FAILED, "after 783 of the 784 bytes", 0},
    {"rsa_size_plus1", NULL, ESP_ERR_OTA_VALIDATE_FAILED, "after 784 of the 785 bytes", 0},
    {"rsa_size_minus1", NULL, ESP_ERR_OTA_VALIDATE_FAILED, "does not fit", 1},
    {"rsa_trailing_bytes", "image/esp32_valid.bin", ESP_OK, NULL, 10},
};

static void files_of_the_vendors_tool_come_out_as_it_says_in_any_chunks(void **state)
{
    (void)state;
    static const size_t chunks[][2] = {
        {FILE_MAX, FILE_MAX}, {1, FILE_MAX}, {FILE_MAX, 1}, {100, 16}, {16, 100}};
    for (size_t i = 0; i < COUNT(vectors) * COUNT(chunks); i++) {
        const size_t v = i / COUNT(chunks);
        const size_t *by = chunks[i % COUNT(chunks)];
        char name[64];
        snprintf(name, sizeof(name), "encimg/%s.bin", vectors[v].name);
        const file_t file = read_file(name);
        const result_t r = decrypt(key_of(vectors[v].name), &file, by[0], by[1]);
        if (r.err != vectors[v].err ||
            (vectors[v].words != NULL && strstr(r.fault.why, vectors[v].words) == NULL) ||
            (by[0] == 1 && r.left != vectors[v].left && vectors[v].err != ESP_ERR_OTA_VALIDATE_FAILED)) {
            fail_msg("%s by %zu: 0x%x, %s, %zu bytes left", name, by[0], (unsigned)r.err, r.fault.why,
                     r.left);
        }
        if (vectors[v].image != NULL) {
            const file_t image =
                vectors[v].image[0] != '\0' ? read_file(vectors[v].image) : (file_t){.len = 0};
            assert_int_equal(r.len, image.len);
            assert_memory_equal(r.image, image.bytes, image.len);
            assert_int_equal(r.left, vectors[v].left);
        }
    }
}

static void a_flipped_bit_anywhere_but_in_the_reserved_bytes_is_found(void **state)
{
    (void)state;
    static const char *const names[] = {"ecies_plain37", "rsa_plain37"};
    for (size_t i = 0; i < COUNT(names); i++) {
        char name[64];
        snprintf(name, sizeof(name), "encimg/%s.bin", names[i]);
        const file_t good = read_file(name);
        const bool is_rsa = key_of(names[i]) == rsa;
        for (size_t bit = 0; bit < good.len * 8; bit += !is_rsa ? 1 : bit / 8 < 388 ? 61 : 5) {
            const size_t at = bit / 8;
            file_t bad = good;
            bad.bytes[at] ^= (uint8_t)(1u << bit % 8);
            const result_t r = decrypt(key_of(names[i]), &bad, FILE_MAX, FILE_MAX);
            const bool reserved = (at >= 424 && at < 512) || (!is_rsa && at >= 100 && at < 388);
            const bool longer = at >= 404 && at < 408;
            if ((r.err == ESP_OK) != reserved || (longer && r.err == ESP_OK)) {
                fail_msg("%s: bit %zu: 0x%x, %s", names[i], bit, (unsigned)r.err, r.fault.why);
            }
        }
    }
}

static void the_key_of_another_scheme_is_told(void **state)
{
    (void)state;
    const file_t for_rsa = read_file("encimg/rsa_ok.bin");
    result_t r = decrypt(ecies, &for_rsa, FILE_MAX, FILE_MAX);
    assert_int_equal(r.err, ESP_ERR_OTA_VALIDATE_FAILED);
    assert_non_null(strstr(r.fault.why, "it looks like one for RSA-3072"));
    const file_t for_ecies = read_file("encimg/ecies_ok.bin");
    r = decrypt(rsa, &for_ecies, FILE_MAX, FILE_MAX);
    assert_int_equal(r.err, ESP_ERR_OTA_VALIDATE_FAILED);
    assert_true(strstr(r.fault.why, "it looks like one for a key on P-256") != NULL ||
                strstr(r.fault.why, "tag") != NULL);
}

/* ---- going on ---- */

static void what_is_known_is_proved_by_the_tag_too(void **state)
{
    (void)state;
    static const char *const names[] = {"ecies_ok", "rsa_ok"};
    const file_t image = read_file("image/esp32_valid.bin");
    for (size_t i = 0; i < COUNT(names); i++) {
        char name[64];
        snprintf(name, sizeof(name), "encimg/%s.bin", names[i]);
        const file_t file = read_file(name);
        for (size_t known = 0; known <= image.len; known += 112) {
            for (int changed = 0; changed < 2; changed++) {
                otter_fault_t fault = {0};
                uint8_t out[FILE_MAX];
                file_t old = image;
                otter_decryption_t d = {.key = key_of(names[i])};
                old.bytes[known / 2] ^= (uint8_t)changed;
                assert_int_equal(otter_decryption_recall(&d, file.bytes, NULL, 0, &fault), ESP_OK);
                assert_int_equal(otter_decryption_recall(&d, NULL, old.bytes, known / 3, &fault), ESP_OK);
                assert_int_equal(
                    otter_decryption_recall(&d, NULL, old.bytes + known / 3, known - known / 3, &fault),
                    ESP_OK);
                const size_t at = OTTER_ENCRYPTED_HEADER + known;
                otter_decryption_flow_t flow = {
                    .in = file.bytes + at, .len = file.len - at, .out = out, .room = FILE_MAX};
                assert_int_equal(otter_decryption_feed(&d, &flow, &fault), ESP_OK);
                assert_memory_equal(out, image.bytes + known, image.len - known);
                assert_int_equal(otter_decryption_check(&d, &fault),
                                 changed != 0 && known > 0 ? ESP_ERR_OTA_VALIDATE_FAILED : ESP_OK);
                otter_decryption_restart(&d);
            }
        }
    }
    otter_decryption_t d = {.key = rsa};
    otter_fault_t fault = {0};
    const file_t file = read_file("encimg/rsa_ok.bin");
    assert_int_equal(otter_decryption_recall(&d, file.bytes, NULL, 0, &fault), ESP_OK);
    assert_int_equal(otter_decryption_recall(&d, NULL, file.bytes, image.len + 1, &fault),
                     ESP_ERR_OTA_VALIDATE_FAILED);
    otter_decryption_restart(&d);
}

/* ---- keys ---- */

static void keys_of_other_kinds_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        size_t len; /* of it; 0: all */
        esp_err_t err;
        const char *words;
    } rows[] = {
        {"signed/keys/ec384.pem", 0, ESP_ERR_NOT_SUPPORTED, "a key of type EC with 384 bits on secp384r1"},
        {"encimg/keys/rsa_pub.pem", 0, ESP_ERR_INVALID_ARG, "no private key"},
        {"encimg/keys/rsa_priv.pem", 1000, ESP_ERR_INVALID_ARG, "these 1000 bytes are no private key"},
        {"encimg/keys/ecies_hmac_key.bin", 0, ESP_ERR_INVALID_ARG, "these 32 bytes are no private key"},
        {"image/esp32_valid.bin", 0, ESP_ERR_INVALID_ARG, "no private key"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        otter_fault_t fault = {0};
        file_t file = read_file(rows[i].file);
        otter_image_key_t *key =
            otter_image_key_new(file.bytes, rows[i].len != 0 ? rows[i].len : file.len, &fault);
        if (key != NULL || fault.code != rows[i].err || strstr(fault.why, rows[i].words) == NULL) {
            fail_msg("%s: 0x%x, %s", rows[i].file, (unsigned)fault.code, fault.why);
        }
    }
    otter_fault_t fault = {0};
    assert_null(otter_image_key_new("", 0, &fault));
    static const uint8_t zeros[32] = {0};
    uint8_t ones[32];
    memset(ones, 0xFF, sizeof(ones));
    assert_null(otter_image_key_of_number(zeros, &fault));
    assert_int_equal(fault.code, ESP_ERR_INVALID_ARG);
    assert_null(otter_image_key_of_number(ones, &fault));
    assert_int_equal(fault.code, ESP_ERR_INVALID_ARG);
}

static void a_pem_may_count_the_zero_behind_it(void **state)
{
    (void)state;
    otter_fault_t fault = {0};
    file_t file = read_file("encimg/keys/rsa_priv.pem");
    file.bytes[file.len] = '\0';
    otter_image_key_t *key = otter_image_key_new(file.bytes, file.len + 1, &fault);
    assert_non_null(key);
    assert_true(otter_image_key_is_rsa(key));
    otter_image_key_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_of_the_vendors_tool_come_out_as_it_says_in_any_chunks),
        cmocka_unit_test(a_flipped_bit_anywhere_but_in_the_reserved_bytes_is_found),
        cmocka_unit_test(the_key_of_another_scheme_is_told),
        cmocka_unit_test(what_is_known_is_proved_by_the_tag_too),
        cmocka_unit_test(keys_of_other_kinds_are_refused),
        cmocka_unit_test(a_pem_may_count_the_zero_behind_it),
    };
    return cmocka_run_group_tests(tests, load_keys, free_keys);
}
