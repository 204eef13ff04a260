/* The ciphers of flash encryption against what espsecure 5.3 makes, in any pieces, and the keys that they take. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "otter/bytes.h"
#include "otter/flash_encryption.h"

#define TEXT "otter encrypts iotter encrypts iotter encrypts i"
#define LEN  48u

static const struct {
    const char *name;
    otter_flash_cipher_kind_t kind;
    size_t key_len; /* of 00 01 02 ... */
    uint8_t config;
    uint32_t address;
    const char *hex; /* of TEXT */
} rows[] = {
    {"ESP32, whole key", OTTER_FLASH_CIPHER_ESP32, 32, 15, 0x10010,
     "bacc1684736a0b3fa3ba5189673c8d9958c474f7355185c2406a706e7648fce558c474f7355185c2406a706e7648fce5"},
    {"ESP32, 3/4 coding", OTTER_FLASH_CIPHER_ESP32, 24, 15, 0x10010,
     "9f98bcff8ce572f454ac425511a0cb9164b39d3f7a7acf9dad44a3360d756f2964b39d3f7a7acf9dad44a3360d756f29"},
    {"ESP32, two parts of the key", OTTER_FLASH_CIPHER_ESP32, 32, 5, 0xABCDE0,
     "6812b977515c557368ba6e72047e4ac26812b977515c557368ba6e72047e4ac2155255b51745ca53bf96ab9c7229fb09"},
    {"XTS-AES-128", OTTER_FLASH_CIPHER_XTS_128, 32, 15, 0x10070,
     "5c8b04b5b40ad273d4f6cadf0d7614c711d53aa1c3f6b513dade8295bb17fc87d27962e90e1e5ff977b0dcd5b7b1ddb4"},
    {"XTS-AES-128, half a key", OTTER_FLASH_CIPHER_XTS_128, 16, 15, 0x10070,
     "aea5fd5647743ff14b4abe7dca0324a98fa3104bb34f486ccaeadd67a8f54d41fd075e6247300c48f7e8d3ba6e13f997"},
    {"XTS-AES-256", OTTER_FLASH_CIPHER_XTS_256, 64, 15, 0x10070,
     "34970997a856d6c436e42503dbf7c21cf5fd0c4593e5a0ccaa283daf886f5d9158de937d8539b6f113d648368f2eb676"},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static otter_flash_crypt_t *open_row(size_t i)
{
    uint8_t key[OTTER_FLASH_KEY_MAX];
    otter_flash_crypt_t *crypt = NULL;
    for (unsigned n = 0; n < sizeof(key); n++) {
        key[n] = (uint8_t)n;
    }
    assert_int_equal(otter_flash_crypt_open(rows[i].kind, key, rows[i].key_len, rows[i].config, &crypt, NULL),
                     ESP_OK);
    return crypt;
}

static void what_espsecure_makes_both_ways_in_any_pieces(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        otter_flash_crypt_t *crypt = open_row(i);
        for (uint32_t piece = 16; piece <= LEN; piece += 16) {
            uint8_t data[LEN];
            char hex[2 * LEN + 1];
            memcpy(data, TEXT, LEN);
            for (uint32_t at = 0; at < LEN; at += piece) {
                assert_true(otter_flash_crypt(crypt, false, rows[i].address + at, data + at,
                                              min_u32(piece, LEN - at)));
            }
            for (uint32_t n = 0; n < LEN; n++) {
                snprintf(hex + 2 * n, 3, "%02x", data[n]);
            }
            if (strcmp(hex, rows[i].hex) != 0) {
                fail_msg("%s, pieces of %u: %s", rows[i].name, (unsigned)piece, hex);
            }
            assert_true(otter_flash_crypt(crypt, true, rows[i].address, data, LEN));
            assert_memory_equal(data, TEXT, LEN);
        }
        otter_flash_crypt_close(crypt);
    }
}

static void keys_of_other_lengths_are_refused(void **state)
{
    (void)state;
    static const uint8_t key[80];
    for (size_t len = 0; len <= sizeof(key); len++) {
        for (otter_flash_cipher_kind_t kind = OTTER_FLASH_CIPHER_NONE; kind <= OTTER_FLASH_CIPHER_XTS_256;
             kind++) {
            bool good = kind == OTTER_FLASH_CIPHER_ESP32     ? len == 24 || len == 32
                        : kind == OTTER_FLASH_CIPHER_XTS_128 ? len == 16 || len == 32
                                                             : kind != OTTER_FLASH_CIPHER_NONE && len == 64;
            otter_flash_crypt_t *crypt = NULL;
            otter_fault_t fault = {0};
            assert_int_equal(otter_flash_crypt_open(kind, key, len, 15, &crypt, &fault),
                             good ? ESP_OK : ESP_ERR_INVALID_SIZE);
            assert_int_equal(crypt != NULL, good);
            assert_int_equal(fault.why[0] != '\0', !good);
            otter_flash_crypt_close(crypt);
        }
    }
}

static void a_chip_and_a_length_make_a_cipher(void **state)
{
    (void)state;
    static const struct {
        uint16_t chip;
        size_t len;
        otter_flash_cipher_kind_t want;
    } chips[] = {
        {0, 32, OTTER_FLASH_CIPHER_ESP32},        {0, 24, OTTER_FLASH_CIPHER_ESP32},
        {0, 64, OTTER_FLASH_CIPHER_NONE},         {0, 16, OTTER_FLASH_CIPHER_NONE},
        {9, 32, OTTER_FLASH_CIPHER_XTS_128},      {9, 64, OTTER_FLASH_CIPHER_XTS_256},
        {12, 16, OTTER_FLASH_CIPHER_XTS_128},     {9, 24, OTTER_FLASH_CIPHER_NONE},
        {12, 32, OTTER_FLASH_CIPHER_XTS_128},     {12, 64, OTTER_FLASH_CIPHER_NONE},
        {9, 16, OTTER_FLASH_CIPHER_NONE},         {5, 64, OTTER_FLASH_CIPHER_NONE},
        {5, 16, OTTER_FLASH_CIPHER_NONE},         {5, 32, OTTER_FLASH_CIPHER_XTS_128},
        {13, 64, OTTER_FLASH_CIPHER_NONE},        {18, 64, OTTER_FLASH_CIPHER_XTS_256},
        {0xFFFF, 33, OTTER_FLASH_CIPHER_NONE},    {0xFFFF, 64, OTTER_FLASH_CIPHER_XTS_256},
        {0xFFFF, 16, OTTER_FLASH_CIPHER_XTS_128},
    };
    for (size_t i = 0; i < sizeof(chips) / sizeof(chips[0]); i++) {
        assert_int_equal(otter_flash_cipher_for(chips[i].chip, chips[i].len), chips[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_espsecure_makes_both_ways_in_any_pieces),
        cmocka_unit_test(keys_of_other_lengths_are_refused),
        cmocka_unit_test(a_chip_and_a_length_make_a_cipher),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
