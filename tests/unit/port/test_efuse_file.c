/* The eFuse file: whole lines, text only, and what it does not know stays. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "linux/efuse_file.h"

#define KEY "4a736e842d77bfda97acbbd5d44bb8f8494631fde937b28bc9feb53c9f087835"

#define OTHER "3d00000000000000000000000000000000000000000000000000000000000000"

static efuse_file_t file;
static otter_fault_t fault;

/** Loads a file with these bytes. */
static esp_err_t load(const char *bytes, size_t len)
{
    char path[] = "/tmp/otter-efuse-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    char efuse[sizeof(path) + 8];
    snprintf(efuse, sizeof(efuse), "%s.efuse", path);
    FILE *out = fopen(efuse, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, len, out), len);
    assert_int_equal(fclose(out), 0);
    esp_err_t err = efuse_file_load(&file, path, &fault);
    unlink(efuse);
    unlink(path);
    return err;
}

static void the_end_of_a_long_line_is_no_line_of_its_own(void **state)
{
    (void)state;
    char text[400];
    memset(text, 'x', sizeof(text));
    text[0] = '#';
    memcpy(text + 255, "secure_version=7\nrevision=3\n", 28);
    assert_int_equal(load(text, 255 + 28), ESP_OK);
    assert_int_equal(file.secure_version, 0);
    assert_int_equal(file.chip.revision, 3);
}

static void bytes_that_are_no_text_are_refused(void **state)
{
    (void)state;
    static const char text[] = "chip=esp32\n\0secure_version=7\n";
    assert_int_equal(load(text, sizeof(text) - 1), ESP_ERR_INVALID_STATE);
    assert_non_null(strstr(fault.why, "line 2"));
}

static void what_a_line_says_does_not_hang_on_its_spelling(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "secure_version=5\n",
        "secure_version=5",
        "secure_version =5\n",
        " secure_version=5\n",
        "\tsecure_version\t=\t5\t\n",
        "Secure_Version=5\n",
        "SECURE_VERSION = 5\n",
        "secure_version=05\n",
        "\xEF\xBB\xBFsecure_version=5\n",
        "secure_version=5\r\n",
        "# what a chip has\r\nsecure_version=5\r\nchip=linux\r\n",
        "# what a chip has\rsecure_version=5\rchip=linux\r",
        "\n\r\n\r\nsecure_version=5\n",
        "secure_version=5\nsecure_version=5\n",
        "chip=Linux\n \t\nsecure_version=5\n  # and a comment\n",
        "later=3\nsecure_version=5\n",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        fault = (otter_fault_t){0};
        esp_err_t err = load(texts[i], strlen(texts[i]));
        if (err != ESP_OK || file.secure_version != 5) {
            fail_msg("%s: 0x%x, secure version %u, %s", texts[i], (unsigned)err,
                     (unsigned)file.secure_version, fault.why);
        }
    }
}

static void what_may_be_a_fact_is_not_passed_over(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words;
    } rows[] = {
        {"secure_version 5\n", "line 1 cannot be read: expected name=value"},
        {"secure_version:5\n", "expected name=value"},
        {"\nsecure_verison=5\n",
         "line 2 cannot be read: there is no eFuse of that name; is secure_version meant?"},
        {"secure-version=5\n", "is secure_version meant?"},
        {"secureversion=5\n", "is secure_version meant?"},
        {"secure_version_=5\n", "is secure_version meant?"},
        {"secure_versio=5\n", "is secure_version meant?"},
        {"chip=esp32\n\xEF\xBB\xBFsecure_version=5\n",
         "line 2 cannot be read: there is no eFuse of that name"},
        {"\xC2\xA0secure_version=5\n", "is secure_version meant?"},
        {"secure_ver=5\n", "is secure_version meant?"},
        {"export secure_version=5\n", "is secure_version meant?"},
        {"SECURE_VERSION (BLOCK0) = 5\n", "is secure_version meant?"},
        {"version_secure=5\n", "is secure_version meant?"},
        {"note=1 secure_version=5\n", "is secure_version meant?"},
        {"secure_boot_enable=1\n", "is secure_boot_en meant?"},
        {"SECURE_BOOT_EN (BLOCK0) = 1\n", "is secure_boot_en meant?"},
        {"secure_boot_v2=1\n", "is secure_boot_en meant?"},
        {"security.boot.enabled=yes\n", "is secure_boot_en meant?"},
        {"note=1 secure_boot_en=1\n", "is secure_boot_en meant?"},
        {"secure_boot_digest3=00\n", "is secure_boot_digest0 meant?"},
        {"secure_boot_agressive_revoke=1\n", "is secure_boot_aggressive_revoke meant?"},
        {"secure_boot_fast_wake=1\n", "is secure_boot_en meant?"},
        {"spi_boot_crypt_count=1\n", "is spi_boot_crypt_cnt meant?"},
        {"spi_boot_crypt_cnt=128\n", "spi_boot_crypt_cnt is a number from 0 to 127"},
        {"key_purpose_1=SECURE_BOOT_DIGEST2\nblock_key1=" KEY "\nsecure_boot_digest2=00" KEY "\n",
         "secure_boot_digest2 is 64 hex digits"},
        {"key_purpose_1=SECURE_BOOT_DIGEST2\nblock_key1=" KEY "\nsecure_boot_digest2=" OTHER "\n",
         "block_key1 says another digest than secure_boot_digest2"},
        {"key_purpose_1=SECURE_BOOT_DIGEST0\nblock_key1=" KEY "\nkey_purpose_4=secure_boot_digest0\n"
         "block_key4=" OTHER "\n",
         "block_key4 says another digest than secure_boot_digest0"},
        {"revison=3\n", "is revision meant?"},
        {"revisoin=3\n", "is revision meant?"},
        {"blk-revision=3\n", "is blk_revision meant?"},
        {"secure_version=33\n", "secure_version is a number from 0 to 32"},
        {"secure_version=-1\n", "a number from 0 to 32"},
        {"secure_version=0x5\n", "a number from 0 to 32"},
        {"secure_version=5 # burned\n", "a number from 0 to 32"},
        {"secure_version=\n", "a number from 0 to 32"},
        {"secure_version=99999999999999999999\n", "a number from 0 to 32"},
        {"revision=65535\n", "revision is a number from 0 to 65534"},
        {"chip=esp99\n", "there is no chip of that name"},
        {"secure_version=5\nsecure_version=0\n",
         "line 2 cannot be read: secure_version has another value in a line before"},
        {"chip=esp32\nsecure_version=1\nChip = linux\n", "line 3 cannot be read: chip has another value"},
        {"\xFF\xFE"
         "c\0h\0i\0p\0",
         "line 1 cannot be read"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t len = i == sizeof(rows) / sizeof(rows[0]) - 1 ? 10 : strlen(rows[i].text);
        esp_err_t err = load(rows[i].text, len);
        if (err != ESP_ERR_INVALID_STATE || strstr(fault.why, rows[i].words) == NULL) {
            fail_msg("%s: 0x%x, %s", rows[i].text, (unsigned)err, fault.why);
        }
    }
}

static void every_name_without_effect_is_told(void **state)
{
    (void)state;
    char many[300] = "";
    for (int i = 0; i < 40; i++) {
        strcat(many, "foo=1\n");
    }
    const struct {
        const char *text, *note;
    } rows[] = {
        {"chip=esp32\n", ""},
        {"a=1\nchip=esp32\n", "line 1: there is no eFuse of that name; it has no effect, and is kept"},
        {"a=1\nchip=esp32\n\nb=2\n",
         "2 lines (1, 4): there are no eFuses of these names; they have no effect, and are kept"},
        {many, "40 lines (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, ...): there are no "
               "eFuses of "
               "these names; they have no effect, and are kept"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(load(rows[i].text, strlen(rows[i].text)), ESP_OK);
        assert_string_equal(file.note, rows[i].note);
    }
}

static void saving_says_each_fact_once_and_keeps_the_rest(void **state)
{
    (void)state;
    char flash[] = "/tmp/otter-efuse-XXXXXX";
    int fd = mkstemp(flash);
    assert_true(fd >= 0);
    close(fd);
    char path[sizeof(flash) + 8];
    snprintf(path, sizeof(path), "%s.efuse", flash);
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    fprintf(out,
            "\xEF\xBB\xBF# mine\r\n%100s = 2\r\n Chip=esp32\r\nlater=7\r\nKey_Purpose_5=hmac_up\r\n"
            "block_key5=" KEY "\r\nsecure_version=2",
            "Secure_Version");
    assert_int_equal(fclose(out), 0);
    assert_int_equal(efuse_file_load(&file, flash, &fault), ESP_OK);
    assert_non_null(strstr(file.note, "line 4: there is no eFuse of that name"));
    const otter_efuse_t seam = efuse_file_seam(&file);
    assert_int_equal(seam.burn_secure_version(seam.dev, 9), ESP_OK);

    char text[400] = "";
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    assert_true(fread(text, 1, sizeof(text) - 1, in) > 0);
    fclose(in);
    assert_string_equal(text, "chip=esp32\nsecure_version=9\nkey_purpose_5=HMAC_UP\nblock_key5=" KEY
                              "\n# mine\r\nlater=7\r\n");
    assert_int_equal(efuse_file_load(&file, flash, &fault), ESP_OK);
    assert_int_equal(file.secure_version, 9);
    unlink(path);
    unlink(flash);
}

static void key_blocks_have_a_purpose_and_32_bytes(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words; /* words NULL: it is good */
    } rows[] = {
        {"block_key2=" KEY "\nkey_purpose_2=HMAC_UP\n", NULL},
        {"KEY_PURPOSE_2 = hmac_up\nBLOCK_KEY2 = " KEY "\n", NULL},
        {"key_purpose_2=HMAC_DOWN\n", "it is a purpose as espefuse has it"},
        {"key_purpose_2=8\n", "it is a purpose as espefuse has it"},
        {"key_purpose_6=HMAC_UP\n", "is key_purpose_0 meant?"},
        {"key_purpose2=HMAC_UP\n", "is key_purpose_2 meant?"},
        {"block_key6=" KEY "\n", "is block_key0 meant?"},
        {"block_key2=4a73\n", "block_key2 is 64 hex digits"},
        {"block_key2=" KEY "00\n", "block_key2 is 64 hex digits"},
        {"block_key2=\n", "block_key2 is 64 hex digits"},
        {"block_key2=0x" KEY "\n", "block_key2 is 64 hex digits"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        otter_efuse_block_t block = {0};
        fault = (otter_fault_t){0};
        esp_err_t err = load(rows[i].text, strlen(rows[i].text));
        if (rows[i].words != NULL &&
            (err != ESP_ERR_INVALID_STATE || strstr(fault.why, rows[i].words) == NULL)) {
            fail_msg("%s: 0x%x, %s", rows[i].text, (unsigned)err, fault.why);
        }
        if (rows[i].words == NULL) {
            assert_int_equal(err, ESP_OK);
            const otter_efuse_t seam = efuse_file_seam(&file);
            assert_int_equal(seam.read_key_block(seam.dev, 1, &block), ESP_OK);
            assert_false(block.present);
            assert_int_equal(block.purpose, OTTER_PURPOSE_USER);
            assert_int_equal(seam.read_key_block(seam.dev, 2, &block), ESP_OK);
            assert_true(block.present);
            assert_int_equal(block.purpose, OTTER_PURPOSE_HMAC_UP);
            assert_int_equal(block.key[0], 0x4a);
            assert_int_equal(block.key[31], 0x35);
        }
    }
}

static void espefuses_names_are_taken_for_what_they_say(void **state)
{
    (void)state;
    static const char text[] =
        "chip=esp32p4\nSECURE_BOOT_EN=1\nSECURE_BOOT_AGGRESSIVE_REVOKE=1\n"
        "SECURE_BOOT_SHA384_EN=1\nSECURE_BOOT_DISABLE_FAST_WAKE=1\nSPI_BOOT_CRYPT_CNT=3\n"
        "KEY_PURPOSE_1=SECURE_BOOT_DIGEST2\nBLOCK_KEY1=" KEY "\nKEY_PURPOSE_2=ECDSA_KEY_P384_H\n";
    assert_int_equal(load(text, sizeof(text) - 1), ESP_OK);
    assert_string_equal(file.note, "");
    assert_true(file.secure_boot && file.aggressive_revoke && file.sha384);
    assert_int_equal(file.crypt_count, 3);
    assert_true(file.keys[2].present);
    assert_int_equal(file.keys[2].digest[0], 0x4a);
    assert_false(file.keys[0].present || file.keys[1].present || file.blocks[2].present);
    assert_string_equal(efuse_file_purpose(file.blocks[2].purpose), "ECDSA_KEY_P384_H");

    static const char esp32[] = "chip=esp32\nABS_DONE_1=1\nFLASH_CRYPT_CNT=7\n";
    assert_int_equal(load(esp32, sizeof(esp32) - 1), ESP_OK);
    assert_true(file.secure_boot);
    assert_int_equal(file.crypt_count, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_end_of_a_long_line_is_no_line_of_its_own),
        cmocka_unit_test(bytes_that_are_no_text_are_refused),
        cmocka_unit_test(what_a_line_says_does_not_hang_on_its_spelling),
        cmocka_unit_test(what_may_be_a_fact_is_not_passed_over),
        cmocka_unit_test(every_name_without_effect_is_told),
        cmocka_unit_test(saving_says_each_fact_once_and_keeps_the_rest),
        cmocka_unit_test(key_blocks_have_a_purpose_and_32_bytes),
        cmocka_unit_test(espefuses_names_are_taken_for_what_they_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
