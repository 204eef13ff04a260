/*
 * Any file, looked at by `otter image info` and `otter image verify`.
 * Input: chip to verify for, the file.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "cli.h"
#include "fuzz.h"
#include "image_verbs.h"
#include "otter/chip.h"
#include "reference.h"

static void check_json(const char *text, const reference_image_t *ref)
{
    cJSON *json = cJSON_Parse(text);
    FUZZ_CHECK(json != NULL, "not JSON: %s", text);
    FUZZ_CHECK(cJSON_IsTrue(cJSON_GetObjectItem(json, "valid")) == (ref->verdict == ESP_OK), "valid: %s",
               text);
    FUZZ_CHECK(cJSON_IsString(cJSON_GetObjectItem(json, "error")) == (ref->verdict != ESP_OK), "error: %s",
               text);
    const cJSON *len = cJSON_GetObjectItem(json, "image_len");
    FUZZ_CHECK(ref->verdict != ESP_OK || cJSON_GetNumberValue(len) == ref->image_len, "length: %s", text);
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

    image_rules_t rules = {.size = (uint32_t)in.len, .loading = true};
    reference_image_t ref = {.verdict = ESP_FAIL};
    reference_image(in.bytes, in.len, &rules, &ref);
    int status, with_json, of_verify, for_chip;
    free(fuzz_run_verb(image_info_verb, (const char *const[]){"info", path, NULL}, &status));
    char *text =
        fuzz_run_verb(image_info_verb, (const char *const[]){"info", path, "--json", NULL}, &with_json);
    check_json(text, &ref);
    free(text);
    free(fuzz_run_verb(image_verify_verb, (const char *const[]){"verify", path, NULL}, &of_verify));
    free(fuzz_run_verb(image_verify_verb, (const char *const[]){"verify", "--chip", chip, path, NULL},
                       &for_chip));
    int want = ref.verdict == ESP_OK ? EXIT_DONE : EXIT_FAILED;
    FUZZ_CHECK(status == want && with_json == want && of_verify == want,
               "info %d, with --json %d, verify %d; the reference says %d", status, with_json, of_verify,
               want);
    FUZZ_CHECK(for_chip == EXIT_FAILED || want == EXIT_DONE, "verified for %s only", chip);
    return 0;
}
