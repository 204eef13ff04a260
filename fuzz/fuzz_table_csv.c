/*
 * Partition tables as text: `otter table build`.
 * Input: flags (bits of enum), text in any encoding.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "reference.h"
#include "table_csv.h"
#include "table_rules.h"
#include "table_text.h"

enum {
    PRIMARY = 1,
    RECOVERY = 2,
    SECURE_V1 = 4,
    SECURE_V2 = 8,
    WITHOUT_MD5 = 16,
    SMALL_FLASH = 32,
    WITHOUT_VERIFY = 64
};

static table_options_t take_options(uint8_t flags)
{
    return (table_options_t){
        .table_offset = 0x8000,
        .has_primary = (flags & PRIMARY) != 0,
        .primary_offset = 0x1000,
        .has_recovery = (flags & RECOVERY) != 0,
        .recovery_offset = 0x300000,
        .secure = (flags & SECURE_V1) != 0   ? TABLE_SECURE_V1
                  : (flags & SECURE_V2) != 0 ? TABLE_SECURE_V2
                                             : TABLE_SECURE_NONE,
        .flash_size = (flags & SMALL_FLASH) != 0 ? 0x200000 : 0x1000000,
        .without_md5 = (flags & WITHOUT_MD5) != 0,
        .without_verify = (flags & WITHOUT_VERIFY) != 0,
    };
}

/** What the rules promise of the bytes, looked at pair by pair. */
static void check_binary(const uint8_t *raw, size_t rows, const table_options_t *options)
{
    uint32_t count;
    int md5;
    esp_err_t err = reference_table_verify(raw, (uint32_t)options->flash_size, &count);
    /* A table without any entry is none to a bootloader, and its MD5 does not change that. */
    FUZZ_CHECK(err == ESP_OK || (rows == 0 && options->without_md5), "the reference refuses it: 0x%x", err);
    uint32_t n = reference_table_entries(raw, &md5);
    FUZZ_CHECK(n == rows && md5 == (options->without_md5 ? 0 : 1), "%u entries of %zu, MD5 %d", n, rows, md5);
    for (uint32_t i = 0; !options->without_verify && i < n; i++) {
        const uint8_t *a = raw + (size_t)i * 32;
        uint64_t start = reference_le32(a + 4), end = start + reference_le32(a + 8);
        FUZZ_CHECK(start % (a[2] == 0 ? 0x10000 : 0x1000) == 0, "entry %u is not aligned", i);
        for (uint32_t k = 0; k < i; k++) {
            const uint8_t *b = raw + (size_t)k * 32;
            uint64_t other = reference_le32(b + 4), other_end = other + reference_le32(b + 8);
            FUZZ_CHECK(start >= end || other >= other_end || start >= other_end || other >= end,
                       "entries %u and %u overlap", k, i);
        }
    }
}

/** A name that means the same when it is read again: nothing to expand, no comment, no byte order mark. */
static bool is_plain(const char *name)
{
    return strchr(name, '$') == NULL && name[0] != '#' && strncmp(name, "\xef\xbb\xbf", 3) != 0;
}

/** The rows as CSV, parsed again, give the same bytes. */
static void check_round_trip(const table_rows_t *rows, const table_options_t *options, const uint8_t *raw)
{
    size_t room = 1, used = 0;
    for (size_t i = 0; i < rows->count; i++) {
        if (!is_plain(rows->rows[i].name)) {
            return;
        }
        room += strlen(rows->rows[i].name) + 200;
    }
    char *text = malloc(room);
    FUZZ_CHECK(text != NULL, "no memory");
    for (size_t i = 0; i < rows->count; i++) {
        table_format_row(&rows->rows[i], text + used, room - used);
        used += strlen(text + used);
        text[used++] = '\n';
    }
    table_rows_t again = {0};
    table_why_t why = {{0}};
    uint8_t second[OTTER_PARTITION_TABLE_LEN];
    bool ok = table_parse_csv((const uint8_t *)text, used, options, &again, &why);
    FUZZ_CHECK(ok, "our own CSV is refused: %s\n%.*s", why.text, (int)used, text);
    FUZZ_CHECK(table_encode_rows(&again, options, second, &why), "our own CSV does not encode: %s", why.text);
    FUZZ_CHECK(memcmp(raw, second, sizeof(second)) == 0, "our own CSV is another table:\n%.*s", (int)used,
               text);
    table_rows_free(&again);
    free(text);
}

static void check_warning(void *arg, const char *line)
{
    (void)arg;
    FUZZ_CHECK(line[0] != '\0', "an empty warning");
}

/** Text without a mark that is UTF-8 comes out as it is. */
static void check_text(fuzz_input_t in)
{
    otter_fault_t fault = {0};
    char *text = table_text_decode(in.bytes, in.len, &fault);
    FUZZ_CHECK((text == NULL) == (fault.why[0] != '\0'), "reason \"%s\"", fault.why);
    bool marked = in.len >= 2 && (in.bytes[0] >= 0xEF || (in.bytes[0] == 0 && in.bytes[1] == 0));
    if (text != NULL && !marked) {
        FUZZ_CHECK(strlen(text) == in.len && (in.len == 0 || memcmp(text, in.bytes, in.len) == 0), "changed");
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool cleared;
    if (!cleared) {
        FUZZ_CHECK(clearenv() == 0 && setenv("SIZE", "1M", 1) == 0, "the environment");
        cleared = true;
    }
    fuzz_input_t in = {data, size};
    table_options_t options = take_options(fuzz_u8(&in));
    check_text(in);
    table_rows_t rows = {0};
    table_why_t why = {{0}};
    uint8_t raw[OTTER_PARTITION_TABLE_LEN];
    bool ok = table_parse_csv(in.bytes, in.len, &options, &rows, &why) &&
              table_check_rules(&rows, &options, check_warning, NULL, &why) &&
              table_encode_rows(&rows, &options, raw, &why);
    FUZZ_CHECK(ok == (why.text[0] == '\0'), "verdict %d and reason \"%s\"", ok, why.text);
    if (ok) {
        check_binary(raw, rows.count, &options);
        check_round_trip(&rows, &options, raw);
    }
    table_rows_free(&rows);
    return 0;
}
