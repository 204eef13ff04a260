/*
 * Any file, looked at by `otter image info` and `otter image verify`.
 * Input: chip to verify for, the file.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "cli.h"
#include "fuzz.h"
#include "otter/chip.h"
#include "reference.h"

/** @return true if it says that the file is good */
static bool check_json(const char *text, const reference_image_t *ref)
{
    cJSON *json = cJSON_Parse(text);
    FUZZ_CHECK(json != NULL, "not JSON: %s", text);
    const cJSON *error = cJSON_GetObjectItem(json, "error");
    bool valid = cJSON_IsTrue(cJSON_GetObjectItem(json, "valid"));
    /* A factory file can only be broken in what follows its good first image. */
    bool follower =
        ref->verdict == ESP_OK && cJSON_IsString(error) && strncmp(error->valuestring, "at 0x", 5) == 0;
    FUZZ_CHECK(valid == (ref->verdict == ESP_OK) || follower, "valid: %s", text);
    FUZZ_CHECK(cJSON_IsString(error) != valid, "error: %s", text);
    const cJSON *len = cJSON_GetObjectItem(json, "image_len");
    FUZZ_CHECK(ref->verdict != ESP_OK || cJSON_GetNumberValue(len) == ref->image_len, "length: %s", text);
    cJSON_Delete(json);
    return valid;
}

/** An encrypted image, or signed data, is told, and only a key can judge it. */
static bool is_of_kind(const char *text, const char *name)
{
    cJSON *json = cJSON_Parse(text);
    const char *kind = cJSON_GetStringValue(cJSON_GetObjectItem(json, "kind"));
    bool is = kind != NULL && strcmp(kind, name) == 0;
    cJSON_Delete(json);
    return is;
}

/** The image at the place that the report names: 0, or behind one kind of bytes what may be a bootloader. */
static void judge_by_reference(fuzz_input_t in, const char *text, reference_image_t *ref)
{
    cJSON *json = cJSON_Parse(text);
    const cJSON *number = cJSON_GetObjectItem(json, "offset");
    size_t start = cJSON_IsNumber(number) ? (size_t)number->valuedouble : 0;
    FUZZ_CHECK(start == 0 || start == 0x1000 || start == 0x2000, "begins at 0x%zx", start);
    FUZZ_CHECK(start <= in.len, "begins at 0x%zx of 0x%zx", start, in.len);
    for (size_t i = 0; i < start; i++) {
        FUZZ_CHECK(in.bytes[i] == 0xFF || in.bytes[i] == 0, "0x%02x before the image", in.bytes[i]);
    }
    const otter_image_rules_t rules = {
        .flash_offset = (uint32_t)start, .size = (uint32_t)(in.len - start), .loading = true};
    reference_image(in.bytes + start, in.len - start, &rules, ref);
    cJSON_Delete(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned chips = 0;
    while (otter_chip_at(chips) != NULL) {
        chips++;
    }
    fuzz_input_t in = {data, size};
    const char *chip = otter_chip_at((unsigned)fuzz_choose(&in, chips))->name;
    char path[128];
    snprintf(path, sizeof(path), "%s", fuzz_path("image.bin"));
    fuzz_write_file(path, in.bytes, in.len);

    reference_image_t ref = {.verdict = ESP_FAIL};
    int status, with_json, of_verify, for_chip;
    free(fuzz_run_verb(&image_info_verb, (const char *const[]){"info", path, NULL}, &status));
    char *text =
        fuzz_run_verb(&image_info_verb, (const char *const[]){"info", path, "--json", NULL}, &with_json);
    free(fuzz_run_verb(&image_verify_verb, (const char *const[]){"verify", path, NULL}, &of_verify));
    if (is_of_kind(text, "data")) {
        FUZZ_CHECK(in.len >= 8192 && in.len % 4096 == 0 && in.bytes[0] != 0xE9, "no signed data");
        FUZZ_CHECK(status == EXIT_DONE && with_json == EXIT_DONE && of_verify == EXIT_FAILED,
                   "signed data: info %d, with --json %d, verify %d", status, with_json, of_verify);
        free(text);
        return 0;
    }
    if (is_of_kind(text, "encrypted")) {
        FUZZ_CHECK(in.len >= 4 && memcmp(in.bytes, "\xcf\xb6\x88\x07", 4) == 0,
                   "no head of an encrypted image");
        FUZZ_CHECK(with_json == status && of_verify == EXIT_FAILED,
                   "encrypted: info %d, with --json %d, verify %d", status, with_json, of_verify);
        free(text);
        return 0;
    }
    judge_by_reference(in, text, &ref);
    int want = check_json(text, &ref) ? EXIT_DONE : EXIT_FAILED;
    free(text);
    free(fuzz_run_verb(&image_verify_verb, (const char *const[]){"verify", "--chip", chip, path, NULL},
                       &for_chip));
    FUZZ_CHECK(status == want && with_json == want && of_verify == want,
               "info %d, with --json %d, verify %d; the reference says %d", status, with_json, of_verify,
               want);
    FUZZ_CHECK(for_chip == EXIT_FAILED || want == EXIT_DONE, "verified for %s only", chip);
    return 0;
}
