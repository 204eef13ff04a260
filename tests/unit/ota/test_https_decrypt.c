/* esp_https_ota with a decrypt callback: whose its buffers are, and image bytes in any number, more than it got or fewer. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/image_builder.h"
#include "support/update_rig.h"

#define IMAGE_LEN 5000u

static unsigned decrypt_events;

static void on_event(void *ctx, esp_https_ota_event_t id, const void *data, size_t size)
{
    (void)ctx;
    (void)data;
    (void)size;
    decrypt_events += id == ESP_HTTPS_OTA_DECRYPT_CB;
}

static const otter_https_options_t listener = {.on_event = on_event};

static int set_up(void **state)
{
    update_rig_t *f = update_rig_open(IMAGE_LEN, &(otter_device_config_t){.rollback = false});
    update_rig_fence(f);
    f->rig.device.https = &listener;
    *state = f;
    return 0;
}

static void the_update_boots_and_is_in_the_slot(update_rig_t *f)
{
    assert_true(update_rig_boots_new(f));
    assert_true(web_slot_holds(&f->rig, f->slot, f->image, f->len));
}

/** One update of `file` through `cb`. @return what perform and finish ended with */
static esp_err_t update_through(update_rig_t *f, const uint8_t *file, uint32_t len, decrypt_cb_t cb,
                                void *ctx)
{
    f->web = web_with(file, len);
    f->config.ota.decrypt_cb = cb;
    f->config.ota.decrypt_user_ctx = ctx;
    esp_https_ota_handle_t handle = update_rig_must_begin(f);
    esp_err_t err = web_perform(handle);
    if (err != ESP_OK) {
        assert_int_equal(esp_https_ota_abort(handle), ESP_OK);
        return err;
    }
    return esp_https_ota_finish(handle);
}

/* ---- a cipher: as many bytes out as in, but for a header of the file's own ---- */

typedef struct {
    size_t skip; /* bytes of the file's own header */
    unsigned calls, fail_at;
    size_t first; /* bytes of the first piece */
} cipher_t;

/** As published clients do it: the buffer of a call that fails is freed and stays in data_out. */
static esp_err_t xor_decrypt(decrypt_cb_arg_t *args, void *user_ctx)
{
    cipher_t *cipher = user_ctx;
    cipher->first = cipher->calls == 0 ? args->data_in_len : cipher->first;
    size_t skip = cipher->skip < args->data_in_len ? cipher->skip : args->data_in_len;
    cipher->skip -= skip;
    args->data_out = malloc(args->data_in_len + 1);
    assert_non_null(args->data_out);
    for (size_t i = skip; i < args->data_in_len; i++) {
        args->data_out[args->data_out_len++] = (char)(args->data_in[i] ^ 0x5C);
    }
    bool fails = ++cipher->calls == cipher->fail_at;
    if (fails || args->data_out_len == 0) {
        free(args->data_out);
    }
    return fails ? ESP_FAIL : cipher->calls % 2 == 0 ? ESP_ERR_NOT_FINISHED : ESP_OK;
}

static void serve_encrypted(update_rig_t *f, cipher_t *cipher, uint8_t **file, uint16_t header)
{
    *file = malloc(f->len + header);
    assert_non_null(*file);
    memset(*file, 0xEE, header);
    for (uint32_t i = 0; i < f->len; i++) {
        (*file)[header + i] = f->image[i] ^ 0x5C;
    }
    f->web = web_with(*file, f->len + header);
    *cipher = (cipher_t){.skip = header};
    f->config.ota.decrypt_cb = xor_decrypt;
    f->config.ota.decrypt_user_ctx = cipher;
    f->config.ota.enc_img_header_size = header;
}

static void an_encrypted_image_is_decrypted_on_its_way(void **state)
{
    update_rig_t *f = *state;
    static const uint16_t headers[] = {0, 16, 512, 3000}; /* the last yields no image byte for a while */
    for (size_t i = 0; i < COUNT(headers); i++) {
        cipher_t cipher;
        uint8_t *file;
        update_rig_serve(f, IMAGE_LEN, 2);
        serve_encrypted(f, &cipher, &file, headers[i]);
        decrypt_events = 0;
        esp_app_desc_t desc;
        esp_https_ota_handle_t handle = update_rig_must_begin(f);
        assert_int_equal(esp_https_ota_get_image_size(handle), IMAGE_LEN);
        assert_int_equal(esp_https_ota_get_img_desc(handle, &desc), ESP_OK);
        assert_string_equal(desc.version, "2.0.0");
        assert_true(decrypt_events > 0);
        assert_int_equal(web_perform(handle), ESP_OK);
        assert_true(esp_https_ota_is_complete_data_received(handle));
        assert_int_equal(esp_https_ota_get_image_len_read(handle), IMAGE_LEN);
        assert_int_equal(esp_https_ota_finish(handle), ESP_OK);
        assert_int_equal(decrypt_events, cipher.calls);
        the_update_boots_and_is_in_the_slot(f);
        free(file);
    }
}

/** Programs look for the head of their image in it. */
static void the_first_piece_is_as_long_as_in_esp_idf(void **state)
{
    update_rig_t *f = *state;
    static const uint32_t reads[] = {1, 100, 700, 1023, 1024, 0};
    for (size_t i = 0; i < COUNT(reads) * 2; i++) {
        cipher_t cipher;
        uint8_t *file;
        update_rig_serve(f, i % 2 == 0 ? IMAGE_LEN : 400, 2);
        serve_encrypted(f, &cipher, &file, 16);
        f->web.max_read = reads[i / 2];
        esp_https_ota_handle_t handle = update_rig_must_begin(f);
        assert_int_equal(web_perform(handle), ESP_OK);
        assert_int_equal(esp_https_ota_finish(handle), ESP_OK);
        assert_in_range(cipher.first, i % 2 == 0 ? 1024 : 416, 2047);
        the_update_boots_and_is_in_the_slot(f);
        free(file);
    }
}

static void what_was_written_of_an_image_that_is_dropped_is_erased(void **state)
{
    update_rig_t *f = *state;
    for (int performs = 1; performs <= 6; performs++) { /* the last one delivers everything */
        cipher_t cipher;
        uint8_t *file;
        serve_encrypted(f, &cipher, &file, 16);
        esp_https_ota_handle_t handle = update_rig_must_begin(f);
        esp_err_t err = ESP_ERR_HTTPS_OTA_IN_PROGRESS;
        for (int i = 0; i < performs && err == ESP_ERR_HTTPS_OTA_IN_PROGRESS; i++) {
            err = esp_https_ota_perform(handle);
        }
        assert_int_equal(err, performs < 6 ? ESP_ERR_HTTPS_OTA_IN_PROGRESS : ESP_OK);
        assert_int_equal(esp_https_ota_abort(handle), ESP_OK);
        for (uint32_t i = 0; i < f->slot->size; i++) {
            assert_int_equal(f->rig.sim.bytes[f->slot->address + i], 0xFF);
        }
        free(file);
    }
}

static void a_decryption_that_fails_ends_the_update_and_keeps_its_buffer(void **state)
{
    update_rig_t *f = *state;
    for (unsigned at = 1; at <= 5; at++) {
        cipher_t cipher;
        uint8_t *file;
        serve_encrypted(f, &cipher, &file, 16);
        cipher.fail_at = at;
        esp_https_ota_handle_t handle = update_rig_must_begin(f);
        assert_int_equal(web_perform(handle), ESP_FAIL);
        assert_int_equal(web_perform(handle),
                         ESP_FAIL); /* for good, also where the next piece would be fine */
        assert_int_equal(cipher.calls, at);
        assert_int_equal(at % 2 ? esp_https_ota_abort(handle) : esp_https_ota_finish(handle),
                         at % 2 ? ESP_OK : ESP_FAIL);
        assert_false(update_rig_boots_new(f));
        free(file);
    }
}

/** What is signed is the plain image, and what is judged is what flash holds of it. */
static void a_decrypted_image_must_be_signed_as_any_other(void **state)
{
    update_rig_t *f = *state;
    static const struct {
        const char *file;
        esp_err_t err;
    } rows[] = {
        {"rsa_b.bin", ESP_ERR_OTA_VALIDATE_FAILED},
        {"rsa_a_sig_bad.bin", ESP_ERR_OTA_VALIDATE_FAILED},
        {"unsigned_padded.bin", ESP_ERR_OTA_VALIDATE_FAILED},
        {"rsa_a.bin", ESP_OK},
    };
    otter_trust_config_t *trust = &f->rig.device.config.trust;
    *trust = (otter_trust_config_t){.source = OTTER_TRUST_KEYS,
                                    .scheme = OTTER_SIGNED_RSA_3072,
                                    .signatures = &otter_signatures,
                                    .key_count = 1};
    uint32_t len;
    uint8_t *digest = rig_load("signed/keys", "rsa_a.pubdigest.bin", &len);
    memcpy(trust->keys[0], digest, OTTER_KEY_DIGEST_LEN);
    free(digest);
    for (size_t i = 0; i < COUNT(rows); i++) {
        cipher_t cipher = {0};
        uint8_t *file = rig_load("signed", rows[i].file, &len);
        for (uint32_t k = 0; k < len; k++) {
            file[k] ^= 0x5C;
        }
        assert_int_equal(update_through(f, file, len, xor_decrypt, &cipher), rows[i].err);
        assert_int_equal(update_rig_boots_new(f), rows[i].err == ESP_OK);
        free(file);
    }
}

static esp_err_t give_a_length_only(decrypt_cb_arg_t *args, void *ctx)
{
    (void)ctx;
    args->data_out_len = args->data_in_len;
    return ESP_OK;
}

static esp_err_t hold_back_in_place(decrypt_cb_arg_t *args, void *ctx)
{
    (void)ctx;
    static char scratch[16];
    args->data_out = scratch; /* of nobody's heap */
    return ESP_OK;
}

static void what_a_callback_gives_out_is_looked_at_by_its_length(void **state)
{
    update_rig_t *f = *state;
    assert_int_equal(update_through(f, f->image, IMAGE_LEN, give_a_length_only, NULL), ESP_FAIL);
    assert_int_equal(update_through(f, f->image, IMAGE_LEN, hold_back_in_place, NULL), ESP_FAIL);
    assert_non_null(strstr(f->rig.device.report.fault.why, "less than the header"));
}

/* ---- a decompressor: runs of bytes, and nothing is known of the size before ---- */

/** The file is made of pairs: how often a byte comes (1 to 255), and the byte. */
typedef struct {
    uint8_t times;          /* of a pair whose byte is to come; 0: none */
    size_t most_out, limit; /* limit: of all that is given out */
} runs_t;

static esp_err_t unpack(decrypt_cb_arg_t *args, void *ctx)
{
    runs_t *runs = ctx;
    args->data_out = malloc(args->data_in_len / 2 * 255 + 255);
    assert_non_null(args->data_out);
    for (size_t i = 0; i < args->data_in_len; i++) {
        if (runs->times == 0) {
            runs->times = (uint8_t)args->data_in[i];
            continue;
        }
        memset(args->data_out + args->data_out_len, args->data_in[i], runs->times);
        args->data_out_len += runs->times;
        runs->times = 0;
    }
    runs->most_out = args->data_out_len > runs->most_out ? args->data_out_len : runs->most_out;
    if (args->data_out_len == 0) {
        free(args->data_out);
    }
    return ESP_OK;
}

static void a_decompressor_gives_out_more_than_it_was_given(void **state)
{
    update_rig_t *f = *state;
    static const struct {
        int buffer_size;
        bool bulk;
    } rows[] = {{0, false}, {0, true}, {5000, false}, {5000, true}, {70000, false}};
    const uint32_t len = 200000;
    update_rig_serve_runs(f, len);
    uint8_t *packed = malloc(2 * (size_t)len);
    assert_non_null(packed);
    uint32_t packed_len = image_pack(f->image, len, packed);
    assert_true(packed_len < len / 50);
    for (size_t i = 0; i < COUNT(rows); i++) {
        runs_t runs = {0};
        f->config.http.buffer_size = rows[i].buffer_size;
        f->config.ota.bulk_flash_erase = rows[i].bulk;
        memset(f->rig.sim.bytes + f->slot->address, 0x00, f->slot->size); /* what is not erased stays 0 */
        assert_int_equal(update_through(f, packed, packed_len, unpack, &runs), ESP_OK);
        assert_true(runs.most_out > 100000); /* one piece may be most of the image */
        the_update_boots_and_is_in_the_slot(f);
        assert_int_equal(f->rig.device.report.bytes_written, len);
        assert_int_equal(f->rig.device.report.bytes_downloaded, packed_len);
    }
    free(packed);
}

static void a_compressed_file_that_never_ends_stops_at_the_end_of_the_slot(void **state)
{
    update_rig_t *f = *state;
    const uint32_t head = 400, pairs = 20000; /* five times the slot */
    uint8_t *packed = malloc(2 * (head + pairs));
    assert_non_null(packed);
    uint32_t used = image_pack(f->image, head, packed);
    for (uint32_t i = 0; i < pairs; i++) {
        packed[used++] = 255;
        packed[used++] = 0x77;
    }
    runs_t runs = {0};
    assert_int_equal(update_through(f, packed, used, unpack, &runs), ESP_ERR_INVALID_SIZE);
    assert_false(update_rig_boots_new(f));
    free(packed);
}

/** Who gives up half-way leaves nothing behind, whatever the callback had given out already. */
static void an_update_can_be_dropped_in_the_middle_of_a_piece(void **state)
{
    update_rig_t *f = *state;
    update_rig_serve_runs(f, 100000);
    uint8_t packed[8192];
    uint32_t packed_len = image_pack(f->image, f->len, packed);
    for (int performs = 0; performs < 8; performs++) {
        runs_t runs = {0};
        f->web = web_with(packed, packed_len);
        f->config.ota.decrypt_cb = unpack;
        f->config.ota.decrypt_user_ctx = &runs;
        esp_https_ota_handle_t handle = update_rig_must_begin(f);
        for (int i = 0; i < performs; i++) {
            assert_int_equal(esp_https_ota_perform(handle), ESP_ERR_HTTPS_OTA_IN_PROGRESS);
            assert_in_range(esp_https_ota_get_image_len_read(handle), 1,
                            (i + 1) * 1024); /* one buffer a call */
        }
        assert_int_equal(esp_https_ota_abort(handle), ESP_OK);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, update_rig_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_encrypted_image_is_decrypted_on_its_way),
        TEST(a_decrypted_image_must_be_signed_as_any_other),
        TEST(the_first_piece_is_as_long_as_in_esp_idf),
        TEST(what_was_written_of_an_image_that_is_dropped_is_erased),
        TEST(a_decryption_that_fails_ends_the_update_and_keeps_its_buffer),
        TEST(what_a_callback_gives_out_is_looked_at_by_its_length),
        TEST(a_decompressor_gives_out_more_than_it_was_given),
        TEST(a_compressed_file_that_never_ends_stops_at_the_end_of_the_slot),
        TEST(an_update_can_be_dropped_in_the_middle_of_a_piece),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
