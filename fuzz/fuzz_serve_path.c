/*
 * Which file of a folder a request names, as `otter serve` reads it.
 * Input: the target of the request, up to its query.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "folder.h"
#include "fuzz.h"

static char served[PATH_MAX]; /* without symbolic links in it */
static int folder = -1;

static void make_link(const char *to, const char *name)
{
    char path[PATH_MAX + 16];
    snprintf(path, sizeof(path), "%s/%s", served, name);
    FUZZ_CHECK(symlink(to, path) == 0, "cannot make %s", path);
}

static void make_file(const char *name)
{
    char path[PATH_MAX + 16];
    snprintf(path, sizeof(path), "%s/%s", served, name);
    fuzz_write_file(path, name, strlen(name));
}

/** A folder with files, links inside and links out of it; beside it a secret. */
static void make_folder(void)
{
    char path[128];
    snprintf(path, sizeof(path), "%s", fuzz_path("served"));
    FUZZ_CHECK(mkdir(path, 0700) == 0 && realpath(path, served) != NULL, "no folder");
    snprintf(path, sizeof(path), "%s/sub", fuzz_path("served"));
    FUZZ_CHECK(mkdir(path, 0700) == 0, "no folder");
    make_file("a");
    make_file("sub/b");
    make_file("..x");
    make_file("../secret");
    make_link("a", "l");
    make_link("sub", "in");
    make_link("..", "out");
    make_link("../secret", "s");
    make_link("/", "top");
    folder = folder_open(served);
    FUZZ_CHECK(folder >= 0, "no folder");
}

/** One character of a target, decoded; -1: not a good one. */
static int reference_char(const char **p)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    int c = (unsigned char)*(*p)++;
    if (c != '%') {
        return c;
    }
    int value = 0;
    for (int i = 0; i < 2; i++) {
        const char *digit = **p != '\0' ? strchr(digits, **p) : NULL;
        if (digit == NULL) {
            return -1;
        }
        value = value * 16 + (int)((digit - digits) % 16);
        ++*p;
    }
    return value == 0 || value == '/' ? -1 : value;
}

/** RFC 9112, 3.2: origin form or absolute form; then names between slashes, none of them "." or "..". */
static bool reference_target(const char *target, char *path)
{
    if (strncasecmp(target, "https://", 8) == 0) {
        target += 8;
        while (*target != '/' && *target != '\0') {
            target++;
        }
    }
    if (*target != '/') {
        return false;
    }
    while (*target == '/') {
        target++;
    }
    size_t len = 0;
    while (*target != '\0') {
        int c = reference_char(&target);
        if (c < 0 || len == FOLDER_PATH_SIZE - 1) {
            return false;
        }
        path[len++] = (char)c;
    }
    path[len] = '\0';
    char between[FOLDER_PATH_SIZE + 2];
    snprintf(between, sizeof(between), "/%s/", path);
    return len > 0 && strstr(between, "/./") == NULL && strstr(between, "/../") == NULL;
}

/** The same path again, every byte of a name as an escape. */
static void check_encoding(const char *path)
{
    static char target[3 * FOLDER_PATH_SIZE + 1], again[FOLDER_PATH_SIZE];
    char *to = target;
    *to++ = '/';
    for (const char *p = path; *p != '\0'; p++) {
        to += *p == '/' ? sprintf(to, "/") : sprintf(to, "%%%02X", (unsigned char)*p);
    }
    FUZZ_CHECK(folder_decode_target(target, again) && strcmp(again, path) == 0, "%s gives %s", target, again);
}

/** What is opened is a file in the folder; a file in the folder that no link leads to is opened. */
static void check_opening(const char *path)
{
    char link[64], where[PATH_MAX] = "", asked[PATH_MAX + FOLDER_PATH_SIZE], real[PATH_MAX];
    struct stat st = {0}, direct;
    size_t len = strlen(served);
    int fd = folder_open_file(folder, path, &st);
    if (fd >= 0) {
        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        FUZZ_CHECK(readlink(link, where, sizeof(where) - 1) > 0, "%s: no name", path);
        FUZZ_CHECK(strncmp(where, served, len) == 0 && where[len] == '/', "%s is %s", path, where);
        FUZZ_CHECK(S_ISREG(st.st_mode), "%s is no file", path);
        close(fd);
    }
    snprintf(asked, sizeof(asked), "%s/%s", served, path);
    bool is_direct = realpath(asked, real) != NULL && strcmp(real, asked) == 0;
    bool want = is_direct && stat(real, &direct) == 0 && S_ISREG(direct.st_mode);
    FUZZ_CHECK(!want || fd >= 0, "%s is not opened", path);
    FUZZ_CHECK(!want || (st.st_ino == direct.st_ino && st.st_size == direct.st_size), "%s is another file",
               path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char path[FOLDER_PATH_SIZE], want_path[FOLDER_PATH_SIZE];
    if (folder < 0) {
        make_folder();
    }
    char *target = fuzz_text((fuzz_input_t){data, size});
    bool ok = folder_decode_target(target, path);
    bool want = reference_target(target, want_path);
    FUZZ_CHECK(ok == want, "%s: %d, the reference says %d", target, ok, want);
    if (ok) {
        FUZZ_CHECK(strcmp(path, want_path) == 0, "%s is %s, not %s", target, path, want_path);
        check_encoding(path);
        check_opening(path);
    }
    free(target);
    return 0;
}
