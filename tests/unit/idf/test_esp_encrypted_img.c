/* esp_encrypted_img_* as a firmware without options has it, with RSA-3072: the vendor's files, and callers that err. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "support/encimg_vectors.h"

static char *key, *file;
static size_t key_len, file_len;
static esp_decrypt_cfg_t cfg;

static int set_up(void **state)
{
    (void)state;
    key = encimg_file("keys/rsa_priv.pem", &key_len);
    file = encimg_file("rsa_ok.bin", &file_len);
    cfg = (esp_decrypt_cfg_t){.rsa_priv_key = key,
                              .rsa_priv_key_len = key_len + 1}; /* with its 0, as EMBED_TXTFILES */
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(key);
    free(file);
    return 0;
}

static void files_of_the_vendors_tool_come_to_what_the_component_makes_of_them(void **state)
{
    (void)state;
    encimg_vectors_hold("rsa", &cfg);
}

static void the_name_of_old_is_the_same_key(void **state)
{
    (void)state;
    const esp_decrypt_cfg_t old = {.rsa_pub_key = key, .rsa_pub_key_len = key_len};
    encimg_vectors_hold("rsa", &old);
}

static void keys_that_are_none_start_nothing(void **state)
{
    (void)state;
    size_t len;
    char *other = encimg_file("keys/ecies_device_priv.pem", &len);
    const esp_decrypt_cfg_t rows[] = {
        {.rsa_priv_key = NULL, .rsa_priv_key_len = key_len},
        {.rsa_priv_key = key, .rsa_priv_key_len = 0},
        {.rsa_priv_key = key, .rsa_priv_key_len = 500},
        {.rsa_priv_key = other, .rsa_priv_key_len = len},
        {.rsa_priv_key = file, .rsa_priv_key_len = file_len},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_null(esp_encrypted_img_decrypt_start(&rows[i]));
    }
    assert_null(esp_encrypted_img_decrypt_start(NULL));
    free(other);
}

static void callers_that_err_get_a_code(void **state)
{
    (void)state;
    pre_enc_decrypt_arg_t args = {.data_in = file, .data_in_len = file_len};
    esp_decrypt_handle_t handle = esp_encrypted_img_decrypt_start(&cfg);
    assert_non_null(handle);
    assert_int_equal(esp_encrypted_img_decrypt_data(NULL, &args), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_encrypted_img_decrypt_data(handle, NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_encrypted_img_decrypt_data(handle, &(pre_enc_decrypt_arg_t){.data_in_len = 5}),
                     ESP_ERR_INVALID_ARG);
    assert_false(esp_encrypted_img_is_complete_data_received(handle));
    assert_int_equal(esp_encrypted_img_decrypt_data(handle, &args), ESP_OK);
    assert_true(esp_encrypted_img_is_complete_data_received(handle));
    args.data_in_len = 1; /* one byte behind the end: no more comes out, and it is no success any more */
    free(args.data_out);
    args.data_out = NULL;
    assert_int_equal(esp_encrypted_img_decrypt_data(handle, &args), ESP_ERR_NOT_FINISHED);
    assert_int_equal(args.data_out_len, 0);
    assert_false(esp_encrypted_img_is_complete_data_received(handle));
    assert_int_equal(esp_encrypted_img_decrypt_end(handle), ESP_FAIL);
    for (int again = 0; again < 2; again++) { /* the handle is gone */
        assert_int_equal(esp_encrypted_img_decrypt_data(handle, &args), ESP_ERR_INVALID_ARG);
        assert_int_equal(esp_encrypted_img_decrypt_end(handle), ESP_ERR_INVALID_ARG);
        assert_int_equal(esp_encrypted_img_decrypt_abort(handle), ESP_ERR_INVALID_ARG);
        assert_false(esp_encrypted_img_is_complete_data_received(handle));
    }
    assert_int_equal(esp_encrypted_img_decrypt_end(NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_encrypted_img_decrypt_abort(NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_encrypted_img_get_header_size(), 512);
}

static void an_image_ends_before_all_of_it_came(void **state)
{
    (void)state;
    for (size_t at = 0; at < file_len; at += 97) {
        esp_decrypt_handle_t handle = esp_encrypted_img_decrypt_start(&cfg),
                             other = esp_encrypted_img_decrypt_start(&cfg);
        pre_enc_decrypt_arg_t args = {.data_in = file, .data_in_len = at};
        assert_int_equal(esp_encrypted_img_decrypt_data(handle, &args), ESP_ERR_NOT_FINISHED);
        if (args.data_out_len > 0) {
            free(args.data_out);
        }
        assert_int_equal(at % 2 != 0 ? esp_encrypted_img_decrypt_end(handle)
                                     : esp_encrypted_img_decrypt_abort(handle),
                         at % 2 != 0 ? ESP_FAIL : ESP_OK);
        assert_int_equal(esp_encrypted_img_decrypt_abort(other), ESP_OK);
    }
}

static void the_public_key_is_der(void **state)
{
    (void)state;
    uint8_t *der = NULL;
    size_t len = 0;
    esp_decrypt_handle_t handle = esp_encrypted_img_decrypt_start(&cfg);
    assert_int_equal(esp_encrypted_img_export_public_key(NULL, &der, &len), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_encrypted_img_export_public_key(handle, NULL, &len), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_encrypted_img_export_public_key(handle, &der, &len), ESP_OK);
    assert_int_equal(len, 422); /* a SubjectPublicKeyInfo of RSA-3072 */
    assert_int_equal(der[0], 0x30);
    free(der);
    assert_int_equal(esp_encrypted_img_decrypt_abort(handle), ESP_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_of_the_vendors_tool_come_to_what_the_component_makes_of_them),
        cmocka_unit_test(the_name_of_old_is_the_same_key),
        cmocka_unit_test(keys_that_are_none_start_nothing),
        cmocka_unit_test(callers_that_err_get_a_code),
        cmocka_unit_test(an_image_ends_before_all_of_it_came),
        cmocka_unit_test(the_public_key_is_der),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
