/*
 * Any file as a table, as `otter table show` and `build` take it: CSV, binary table or flash dump, from a file and from a
 * pipe.
 * Input: flags (bits of enum), what a dump has before its table (0xFF, 4 KiB; with IN_DUMP), the file.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "cli.h"
#include "fuzz.h"
#include "reference.h"
#include "table_load.h"

enum { IN_DUMP = 1, WITHOUT_VERIFY = 2, PADDED = 4 };

#define OFFSET      0x1000u
#define OFFSET_TEXT "0x1000"
#define FILE_MAX    0x4000u /* less than a pipe holds */

/** What the verb says of the file, and that it says the same as JSON. */
static void check_show(const char *path, const char *verify)
{
    int status, as_csv, as_json;
    free(fuzz_run_verb(&table_show_verb,
                       (const char *const[]){"show", path, "--offset", OFFSET_TEXT, verify, NULL}, &status));
    free(fuzz_run_verb(&table_show_verb,
                       (const char *const[]){"show", path, "--csv", "--offset", OFFSET_TEXT, verify, NULL},
                       &as_csv));
    char *text = fuzz_run_verb(
        &table_show_verb,
        (const char *const[]){"show", path, "--json", "--offset", OFFSET_TEXT, verify, NULL}, &as_json);
    /* Not every name can be in a CSV. */
    FUZZ_CHECK((status == as_csv || as_csv == EXIT_FAILED) && status == as_json, "%d, as CSV %d, as JSON %d",
               status, as_csv, as_json);
    cJSON *json = cJSON_Parse(text);
    FUZZ_CHECK(json != NULL, "not JSON: %s", text);
    FUZZ_CHECK(cJSON_IsTrue(cJSON_GetObjectItem(json, "valid")) == (status == EXIT_DONE), "status %d: %s",
               status, text);
    cJSON_Delete(json);
    free(text);
}

/** A binary has the entries that the reference finds, as far as they reach. */
static void check_rows(const table_file_t *file, const uint8_t *bytes, size_t len)
{
    uint8_t raw[REFERENCE_TABLE_SIZE];
    int md5;
    size_t at = file->offset;
    /* Of a file that is shifted by no whole sector it takes more than one row to be sure. */
    FUZZ_CHECK(at < len && (at % OFFSET == 0 || file->rows.count >= 2), "a table at 0x%zx", at);
    memset(raw, 0xFF, sizeof(raw));
    memcpy(raw, bytes + at, len - at < sizeof(raw) ? len - at : sizeof(raw));
    uint32_t n = reference_table_entries(raw, &md5);
    FUZZ_CHECK(file->rows.count >= (md5 == 2 ? 0 : n), "%zu rows of %u entries", file->rows.count, n);
    for (uint32_t i = 0; i < n && i < file->rows.count; i++) {
        const table_row_t *row = &file->rows.rows[i];
        FUZZ_CHECK(row->offset == reference_le32(raw + 32 * (size_t)i + 4) &&
                       row->size == reference_le32(raw + 32 * (size_t)i + 8),
                   "row %u", i);
    }
}

/** A pipe brings the same. */
static void check_pipe(const uint8_t *bytes, size_t len, const table_options_t *options,
                       const table_file_t *want, bool ok)
{
    int ends[2];
    char path[32];
    FUZZ_CHECK(pipe(ends) == 0, "no pipe");
    FUZZ_CHECK(write(ends[1], bytes, len) == (ssize_t)len, "the pipe is full");
    close(ends[1]);
    snprintf(path, sizeof(path), "/dev/fd/%d", ends[0]);
    table_file_t file = {0};
    table_why_t why = {{0}};
    bool again = table_load(path, options, &file, &why);
    close(ends[0]);
    FUZZ_CHECK(again == ok, "a file: %d, a pipe: %d %s", ok, again, why.text);
    FUZZ_CHECK(file.source == want->source && file.rows.count == want->rows.count &&
                   file.file_size == want->file_size && memcmp(file.raw, want->raw, sizeof(file.raw)) == 0,
               "a pipe brings something else");
    table_file_free(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t bytes[FILE_MAX];
    fuzz_input_t in = {data, size};
    uint8_t flags = fuzz_u8(&in);
    size_t len = (flags & IN_DUMP) != 0 ? OFFSET : 0;
    memset(bytes, 0xFF, sizeof(bytes));
    fuzz_input_t body = fuzz_take(&in, FILE_MAX - len);
    memcpy(bytes + len, body.bytes, body.len);
    len = (flags & PADDED) != 0 ? FILE_MAX : len + body.len;
    char path[128];
    snprintf(path, sizeof(path), "%s", fuzz_path("table"));
    fuzz_write_file(path, bytes, len);

    table_options_t options = {.table_offset = OFFSET, .without_verify = (flags & WITHOUT_VERIFY) != 0};
    table_file_t file = {0};
    table_why_t why = {{0}};
    bool ok = table_load(path, &options, &file, &why);
    FUZZ_CHECK(ok == (why.text[0] == '\0'), "verdict %d and reason \"%s\"", ok, why.text);
    if (len > 0) {
        check_pipe(bytes, len, &options, &file, ok);
    }
    if (ok && file.source != TABLE_FROM_CSV) {
        check_rows(&file, bytes, len);
    }
    table_file_free(&file);
    check_show(path, (flags & WITHOUT_VERIFY) != 0 ? "--no-verify" : NULL);
    return 0;
}
