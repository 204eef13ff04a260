/* Runs a fuzz target over packs of inputs, files and folders: its corpus as an ordinary test, where there is no libFuzzer. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static unsigned count;
static size_t total;

static void run_bytes(const char *where, const char *name, const void *bytes, size_t len)
{
    /* Its own block, not one byte longer: a sanitizer sees what reads past it. */
    uint8_t *exact = malloc(len > 0 ? len : 1);
    FUZZ_CHECK(exact != NULL, "out of memory");
    memcpy(exact, bytes, len);
    fprintf(stderr, "%s%s%s\n", where, name[0] != '\0' ? ":" : "", name); /* the last one named failed */
    (void)LLVMFuzzerTestOneInput(exact, len);
    free(exact);
    count++;
    total += len;
}

static void run_file(const char *path)
{
    size_t len;
    char *bytes = fuzz_read_file(path, &len);
    run_bytes(path, "", bytes, len);
    free(bytes);
}

static void run_folder(const char *path)
{
    struct dirent **names;
    int n = scandir(path, &names, NULL, alphasort);
    FUZZ_CHECK(n >= 0, "cannot read %s", path);
    for (int i = 0; i < n; i++) {
        char file[4096];
        snprintf(file, sizeof(file), "%s/%s", path, names[i]->d_name);
        struct stat st;
        if (names[i]->d_name[0] != '.' && stat(file, &st) == 0 && S_ISREG(st.st_mode)) {
            run_file(file);
        }
        free(names[i]);
    }
    free(names);
}

/* ---- packs: corpus.py describes them ---- */

static char *end_of_line(char *line)
{
    char *end = strchr(line, '\n');
    FUZZ_CHECK(end != NULL, "a pack ends within a line");
    return end;
}

/** What an escape stands for. @param text  behind its backslash. @return behind the escape */
static const char *read_escape(const char *text, uint8_t *byte, unsigned *times)
{
    int used = 0, more = 0;
    unsigned value = '\\';
    *times = 1;
    if (text[0] == '\\') {
        used = 1;
    } else {
        FUZZ_CHECK(sscanf(text, "x%2x%n", &value, &used) == 1 && used == 3, "a pack has \"\\%.8s\" in it",
                   text);
        if (sscanf(text + used, "{%u}%n", times, &more) == 1) {
            used += more;
        }
    }
    *byte = (uint8_t)value;
    return text + used;
}

/** The bytes of one input. @param out  NULL: they are only counted. @return how many */
static size_t decode(const char *text, const char *end, uint8_t *out)
{
    size_t len = 0;
    while (text < end) {
        uint8_t byte = (uint8_t)*text++;
        unsigned times = 1;
        if (byte == '\\') {
            text = read_escape(text, &byte, &times);
        }
        if (out != NULL) {
            memset(out + len, byte, times);
        }
        len += times;
    }
    return len;
}

/** @param only  the name of one input; NULL: all of them */
static void run_pack(const char *path, const char *only)
{
    size_t size;
    char *text = fuzz_read_file(path, &size), *end;
    for (char *line = text; line < text + size; line = end + 1) {
        end = end_of_line(line);
        char *bytes = strchr(line, ' ');
        FUZZ_CHECK(bytes != NULL && bytes < end, "a line of %s has no name", path);
        *bytes++ = '\0';
        if (only == NULL || strcmp(line, only) == 0) {
            size_t len = decode(bytes, end, NULL);
            uint8_t *input = malloc(len + 1);
            FUZZ_CHECK(input != NULL, "out of memory");
            decode(bytes, end, input);
            run_bytes(path, line, input, len);
            free(input);
        }
    }
    free(text);
}

/** PACK.corpus, PACK.corpus:NAME, a folder or a file. */
static void run(char *path)
{
    static const char ending[] = ".corpus";
    struct stat st;
    char *pack = strstr(path, ending), *name = NULL;
    if (pack != NULL && pack[strlen(ending)] == ':') {
        name = pack + strlen(ending) + 1;
        name[-1] = '\0';
    }
    FUZZ_CHECK(stat(path, &st) == 0, "there is no %s", path);
    if (S_ISDIR(st.st_mode)) {
        run_folder(path);
    } else if (pack != NULL && pack[strlen(ending)] == '\0') {
        run_pack(path, name);
    } else {
        run_file(path);
    }
}

int main(int argc, char **argv)
{
    (void)LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    for (int i = 1; i < argc; i++) {
        run(argv[i]);
    }
    printf("%u inputs, %zu bytes\n", count, total);
    return count > 0 ? 0 : 1;
}
