/* Opening files beneath a folder (server/folder.c), also on kernels that cannot promise it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

/* otter-serve is a program, not a library: the module comes in whole. */
#include "../../../server/folder.c"

typedef struct {
    char path[64];
    int root, folder; /* descriptors of the scratch folder and of the served one in it */
} scratch_t;

static void write_file(int dir, const char *name, const char *text)
{
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static int make_scratch(void **state)
{
    static scratch_t scratch;
    strcpy(scratch.path, "/tmp/otter-folder-XXXXXX");
    assert_non_null(mkdtemp(scratch.path));
    scratch.root = folder_open(scratch.path);
    assert_int_equal(mkdirat(scratch.root, "served", 0700), 0);
    scratch.folder = openat(scratch.root, "served", O_RDONLY | O_DIRECTORY);
    assert_true(scratch.folder >= 0);
    assert_int_equal(mkdirat(scratch.folder, "sub", 0700), 0);
    write_file(scratch.root, "secret", "secret");
    write_file(scratch.folder, "app", "app");
    write_file(scratch.folder, "sub/deep", "deep");
    assert_int_equal(mkfifoat(scratch.folder, "fifo", 0600), 0);
    assert_int_equal(symlinkat("app", scratch.folder, "link"), 0);
    assert_int_equal(symlinkat("..", scratch.folder, "out"), 0);
    assert_int_equal(symlinkat("sub", scratch.folder, "in"), 0);
    *state = &scratch;
    return 0;
}

static int remove_scratch(void **state)
{
    const scratch_t *scratch = *state;
    static const char *const names[] = {"app", "sub/deep", "fifo", "link", "out", "in"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        unlinkat(scratch->folder, names[i], 0);
    }
    unlinkat(scratch->folder, "sub", AT_REMOVEDIR);
    unlinkat(scratch->root, "served", AT_REMOVEDIR);
    unlinkat(scratch->root, "secret", 0);
    close(scratch->folder);
    close(scratch->root);
    return rmdir(scratch->path);
}

/* What each way of opening gives: the content, or NULL for a refusal. */
static const struct open_row {
    const char *path, *by_kernel, *by_component;
} open_rows[] = {
    {"app", "app", "app"},     {"sub/deep", "deep", "deep"}, {"sub//deep", "deep", "deep"},
    {"link", "app", NULL}, /* the fallback follows no link at all */
    {"in/deep", "deep", NULL}, {"out/secret", NULL, NULL},   {"out/served/app", NULL, NULL},
    {"../secret", NULL, NULL}, /* never comes from folder_decode_target(); by component it is not asked for */
    {"none", NULL, NULL},      {"sub/none", NULL, NULL},     {"none/none", NULL, NULL},
    {"app/", NULL, NULL},      {"app/x", NULL, NULL},
};

static void check_content(const char *path, int fd, const char *want)
{
    char text[16] = {0};
    if (want == NULL) {
        if (fd >= 0) {
            fail_msg("%s was opened", path);
        }
        return;
    }
    if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0 || strcmp(text, want) != 0) {
        fail_msg("%s: '%s', not '%s'", path, text, want);
    }
    close(fd);
}

static void the_kernel_keeps_paths_inside(void **state)
{
    const scratch_t *scratch = *state;
    for (size_t i = 0; i < sizeof(open_rows) / sizeof(open_rows[0]); i++) {
        struct stat st;
        int fd = folder_open_file(scratch->folder, open_rows[i].path, &st);
        check_content(open_rows[i].path, fd, open_rows[i].by_kernel);
    }
}

static void without_openat2_no_link_is_followed(void **state)
{
    const scratch_t *scratch = *state;
    for (size_t i = 0; i < sizeof(open_rows) / sizeof(open_rows[0]); i++) {
        if (strstr(open_rows[i].path, "..") == NULL) {
            int fd = open_by_component(scratch->folder, open_rows[i].path);
            check_content(open_rows[i].path, fd, open_rows[i].by_component);
        }
    }
}

static void only_regular_files_are_given_out(void **state)
{
    const scratch_t *scratch = *state;
    struct stat st;
    assert_int_equal(folder_open_file(scratch->folder, "fifo", &st), -ENOENT);
    assert_int_equal(folder_open_file(scratch->folder, "sub", &st), -ENOENT);
    assert_int_equal(folder_open_file(scratch->folder, "in", &st), -ENOENT);
}

static void targets_are_decoded_once(void **state)
{
    (void)state;
    static const struct {
        const char *target, *want;
    } rows[] = {
        {"/a/b", "a/b"},
        {"///a", "a"},
        {"https://h/a", "a"},
        {"HTTPS://h:1/a", "a"},
        {"/%41%7e%2B+", "A~++"},
        {"/a%252fb", "a%2fb"},
        {"/...", "..."},
        {"/..a/.b", "..a/.b"},
        {"/a%2fb", NULL},
        {"/a%00", NULL},
        {"/a%", NULL},
        {"/a%4", NULL},
        {"/a%4g", NULL},
        {"/../a", NULL},
        {"/a/..", NULL},
        {"/%2e%2E/a", NULL},
        {"/a/./b", NULL},
        {"/", NULL},
        {"", NULL},
        {"a", NULL},
        {"*", NULL},
        {"https://h", NULL},
        {"http://h/a", NULL},
        {"//", NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char path[FOLDER_PATH_SIZE];
        bool ok = folder_decode_target(rows[i].target, path);
        if (ok != (rows[i].want != NULL) || (ok && strcmp(path, rows[i].want) != 0)) {
            fail_msg("'%s': %s", rows[i].target, ok ? path : "refused");
        }
    }
}

static void a_path_must_fit(void **state)
{
    (void)state;
    static char target[FOLDER_PATH_SIZE + 2];
    char path[FOLDER_PATH_SIZE];
    memset(target, 'a', sizeof(target));
    target[0] = '/';
    target[FOLDER_PATH_SIZE] =
        '\0'; /* one character for the slash, so 4095 are left: they fit with their NUL */
    assert_true(folder_decode_target(target, path));
    target[FOLDER_PATH_SIZE] = 'a';
    target[FOLDER_PATH_SIZE + 1] = '\0';
    assert_false(folder_decode_target(target, path));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_kernel_keeps_paths_inside, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(without_openat2_no_link_is_followed, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(only_regular_files_are_given_out, make_scratch, remove_scratch),
        cmocka_unit_test(targets_are_decoded_once),
        cmocka_unit_test(a_path_must_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
