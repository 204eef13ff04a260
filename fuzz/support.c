/* Inputs, cuts, files and failures of the fuzz targets. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

uint8_t fuzz_u8(fuzz_input_t *in)
{
    fuzz_input_t one = fuzz_take(in, 1);
    return one.len == 1 ? one.bytes[0] : 0;
}

uint16_t fuzz_u16(fuzz_input_t *in)
{
    uint8_t low = fuzz_u8(in);
    return (uint16_t)(low | fuzz_u8(in) << 8);
}

uint32_t fuzz_u32(fuzz_input_t *in)
{
    uint32_t low = fuzz_u16(in);
    return low | (uint32_t)fuzz_u16(in) << 16;
}

size_t fuzz_choose(fuzz_input_t *in, size_t count)
{
    FUZZ_CHECK(count > 0, "nothing to choose from");
    return fuzz_u8(in) % count;
}

fuzz_input_t fuzz_take(fuzz_input_t *in, size_t len)
{
    fuzz_input_t piece = {in->bytes, len < in->len ? len : in->len};
    in->bytes += piece.len;
    in->len -= piece.len;
    return piece;
}

fuzz_input_t fuzz_until(fuzz_input_t *in, uint8_t delimiter)
{
    const uint8_t *end = in->len > 0 ? memchr(in->bytes, delimiter, in->len) : NULL;
    fuzz_input_t piece = fuzz_take(in, end != NULL ? (size_t)(end - in->bytes) : in->len);
    (void)fuzz_take(in, 1);
    return piece;
}

char *fuzz_text(fuzz_input_t in)
{
    char *text = malloc(in.len + 1);
    FUZZ_CHECK(text != NULL, "out of memory");
    if (in.len > 0) {
        memcpy(text, in.bytes, in.len);
    }
    text[in.len] = '\0';
    return text;
}

size_t fuzz_cut(uint32_t *state, size_t max)
{
    *state = *state * 1664525u + 1013904223u;
    size_t small = 1 + (*state >> 24) % 7; /* mostly a few bytes, sometimes many */
    size_t n = (*state >> 20 & 3) == 0 ? 1 + (*state >> 8) % max : small;
    return n < max ? n : max;
}

/* ---- files ---- */

static char folder[64];

static void remove_folder(void)
{
    char command[128];
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    if (system(command) != 0) {
        fprintf(stderr, "%s stays\n", folder);
    }
}

const char *fuzz_path(const char *name)
{
    static char path[128];
    if (folder[0] == '\0') {
        snprintf(folder, sizeof(folder), "%s/otter-fuzz-XXXXXX",
                 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        FUZZ_CHECK(mkdtemp(folder) != NULL, "no folder");
        atexit(remove_folder);
    }
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

void fuzz_write_file(const char *path, const void *bytes, size_t len)
{
    FILE *out = fopen(path, "wb");
    FUZZ_CHECK(out != NULL, "cannot write %s", path);
    FUZZ_CHECK(fwrite(bytes, 1, len, out) == len, "cannot write %s", path);
    FUZZ_CHECK(fclose(out) == 0, "cannot write %s", path);
}

char *fuzz_read_file(const char *path, size_t *len)
{
    FILE *in = fopen(path, "rb");
    FUZZ_CHECK(in != NULL, "cannot read %s", path);
    size_t used = 0, room = 4096;
    char *bytes = malloc(room + 1);
    FUZZ_CHECK(bytes != NULL, "out of memory");
    for (size_t n; (n = fread(bytes + used, 1, room - used, in)) > 0;) {
        used += n;
        if (used == room) {
            room *= 2;
            char *more = realloc(bytes, room + 1);
            FUZZ_CHECK(more != NULL, "out of memory");
            bytes = more;
        }
    }
    fclose(in);
    bytes[used] = '\0';
    if (len != NULL) {
        *len = used;
    }
    return bytes;
}

/* ---- verbs ---- */

/** Well-formed UTF-8 without control characters; JSON is indented with tabs. */
static void check_clean(const char *text)
{
    for (const uint8_t *p = (const uint8_t *)text; *p != '\0';) {
        int more = *p < 0x80 ? 0 : *p >= 0xF0 ? 3 : *p >= 0xE0 ? 2 : 1;
        FUZZ_CHECK(*p == '\n' || *p == '\t' || *p >= ' ', "0x%02x in the output", *p);
        FUZZ_CHECK(*p != 0x7F && (*p < 0x80 || *p >= 0xC2), "0x%02x in the output", *p);
        FUZZ_CHECK(*p != 0xC2 || p[1] >= 0xA0, "the control character 0x%02x in the output", p[1]);
        for (p++; more > 0; more--, p++) {
            FUZZ_CHECK(*p >= 0x80 && *p < 0xC0, "0x%02x within a character", *p);
        }
    }
}

char *fuzz_run_verb(const cli_verb_t *verb, const char *const args[], int *status)
{
    char *argv[16];
    int argc = 0;
    for (; args[argc] != NULL; argc++) {
        argv[argc] = (char *)(uintptr_t)args[argc];
    }
    argv[argc] = NULL;
    FILE *out = stdout, *err = stderr;
    char *text = NULL, *message = NULL;
    size_t len, message_len;
    stdout = open_memstream(&text, &len);
    stderr = open_memstream(&message, &message_len);
    FUZZ_CHECK(stdout != NULL && stderr != NULL, "no memory");
    *status = cli_run_verb(verb, argc, argv);
    fclose(stdout);
    fclose(stderr);
    stdout = out;
    stderr = err;
    bool one_line = message_len > 0 && strchr(message, '\n') == message + message_len - 1;
    FUZZ_CHECK(*status == 0 ? message_len == 0 : one_line, "status %d and said: %s", *status, message);
    check_clean(text);
    check_clean(message);
    free(message);
    return text;
}

void fuzz_fail(const char *file, int line, const char *condition, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "%s:%d: property broken: %s\n  ", file, line, condition);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    abort();
}
