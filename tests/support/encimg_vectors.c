/* The vendor's verdicts in tests/vectors/encimg/expected.json. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/encimg_vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <cjson/cJSON.h>

#include "otter/crypto.h"
#include "otter/image.h"

#define FILE_MAX (1u << 17)

char *encimg_file(const char *name, size_t *len)
{
    char path[512];
    snprintf(path, sizeof(path), TEST_VECTORS "/encimg/%s", name);
    FILE *f = fopen(path, "rb");
    char *bytes = malloc(FILE_MAX);
    assert_true(f != NULL && bytes != NULL);
    *len = fread(bytes, 1, FILE_MAX - 1, f);
    bytes[*len] = '\0';
    fclose(f);
    return bytes;
}

static int number(const cJSON *of, const char *key)
{
    return cJSON_GetObjectItem(of, key)->valueint;
}

/** What came of one file. */
typedef struct {
    esp_err_t last;
    size_t ok_after, released; /* ok_after 0: never */
    bool complete;
    esp_err_t end;
    char sha[65];
} result_t;

static result_t feed(const void *cfg, const char *file, size_t len, size_t chunk)
{
    result_t r = {.last = ESP_ERR_NOT_FINISHED};
    uint8_t digest[OTTER_SHA256_LEN];
    otter_digest_t sha = {0};
    assert_true(otter_sha256_begin(&sha));
    esp_decrypt_handle_t handle = esp_encrypted_img_decrypt_start(cfg);
    assert_non_null(handle);
    for (size_t at = 0; at < len && r.last != ESP_FAIL; at += chunk) {
        pre_enc_decrypt_arg_t args = {.data_in = file + at,
                                      .data_in_len = chunk < len - at ? chunk : len - at};
        r.last = esp_encrypted_img_decrypt_data(handle, &args);
        if (args.data_out_len > 0) {
            otter_digest_update(&sha, args.data_out, args.data_out_len);
            free(args.data_out);
        }
        r.released += args.data_out_len;
        r.ok_after = r.last == ESP_OK && r.ok_after == 0 ? at + args.data_in_len : r.ok_after;
    }
    r.complete = esp_encrypted_img_is_complete_data_received(handle);
    r.end = esp_encrypted_img_decrypt_end(handle);
    assert_int_equal(esp_encrypted_img_decrypt_end(handle), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_encrypted_img_decrypt_abort(handle),
                     ESP_ERR_INVALID_ARG); /* as the vendor's example does */
    otter_digest_finish(&sha, digest);
    otter_digest_end(&sha);
    otter_image_hex(r.sha, digest, sizeof(digest));
    return r;
}

/** Bytes behind the announced end are given out by the component, and not here. */
static bool has_too_much(const char *name)
{
    return strcmp(name, "rsa_trailing_bytes.bin") == 0 || strcmp(name, "rsa_size_minus1.bin") == 0;
}

static void check_file(const cJSON *record, const void *cfg)
{
    static const size_t chunks[] = {1, 100, 1024};
    const char *name = cJSON_GetObjectItem(record, "file")->valuestring;
    size_t len;
    char *file = encimg_file(name, &len);
    for (size_t i = 0; i < 3; i++) {
        char key[16];
        snprintf(key, sizeof(key), "chunk_%zu", chunks[i]);
        const cJSON *want = cJSON_GetObjectItem(cJSON_GetObjectItem(record, "device"), key);
        const cJSON *ok = cJSON_GetObjectItem(want, "ok_after_input_bytes");
        const result_t r = feed(cfg, file, len, chunks[i]);
        const bool surplus = has_too_much(name);
        bool same = r.last == number(want, "last_decrypt_data") && r.end == number(want, "decrypt_end");
        same = same && (surplus || r.released == (size_t)number(want, "plaintext_bytes_released"));
        same = same &&
               (surplus || strcmp(r.sha, cJSON_GetObjectItem(want, "released_sha256")->valuestring) == 0);
        same = same && (cJSON_IsNumber(ok) ? r.ok_after == (size_t)ok->valueint : r.ok_after == 0);
        /* "Complete" before the header has come is a slip of the component's. */
        same = same && r.complete == (r.last == ESP_OK);
        if (!same ||
            (surplus && r.released > (size_t)number(cJSON_GetObjectItem(record, "header"), "bin_size"))) {
            fail_msg("%s by %zu: last %d, OK after %zu, %zu bytes, complete %d, end %d", name, chunks[i],
                     r.last, r.ok_after, r.released, r.complete, r.end);
        }
    }
    free(file);
}

void encimg_vectors_hold(const char *scheme, const void *cfg)
{
    size_t len;
    unsigned files = 0;
    char *text = encimg_file("expected.json", &len);
    cJSON *expected = cJSON_Parse(text);
    const cJSON *record;
    assert_non_null(expected);
    cJSON_ArrayForEach(record, cJSON_GetObjectItem(expected, "records"))
    {
        if (strcmp(cJSON_GetObjectItem(record, "scheme")->valuestring, scheme) == 0) {
            check_file(record, cfg);
            files++;
        }
    }
    assert_true(files >= 9);
    cJSON_Delete(expected);
    free(text);
}
