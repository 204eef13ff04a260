/* Keys of flash encryption: who holds one leaves no core dump. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "linux/flash_key.h"

#define KEY "4a736e842d77bfda97acbbd5d44bb8f8494631fde937b28bc9feb53c9f087835"

static char folder[] = "/tmp/otter-key-XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) != NULL && chdir(folder) == 0 ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    static const char *const files[] = {"key", "keyed.efuse", "open.efuse"};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        unlink(files[i]);
    }
    return rmdir(folder);
}

static void write_file(const char *name, const char *text, size_t len)
{
    FILE *out = fopen(name, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(text, 1, len, out), len);
    assert_int_equal(fclose(out), 0);
}

static bool loads_a_file(void)
{
    flash_key_t key = {0};
    return flash_key_load("key", &key, NULL) == ESP_OK && key.len == 32 && key.config == 15;
}

static bool opens_a_cipher(void)
{
    otter_flash_t flash = {0};
    flash_cipher_t cipher;
    const flash_key_t key = {.len = 32};
    return flash_cipher_open(&cipher, &flash, &key, OTTER_FLASH_CIPHER_XTS_128, NULL) == ESP_OK;
}

static bool reads(const char *path, bool has_key)
{
    static efuse_file_t file;
    otter_fault_t fault;
    return efuse_file_load(&file, path, &fault) == ESP_OK && file.blocks[3].present == has_key;
}

static bool reads_efuses_with_a_key(void)
{
    return reads("keyed", true);
}

static bool reads_efuses_without(void)
{
    return reads("open", false);
}

/** In a process of its own, whose limit is high. @return the limit of core dumps then; -1: it went wrong */
static int limit_after(bool (*holds)(void), rlim_t before)
{
    int status = 0;
    const pid_t child = fork();
    if (child == 0) {
        struct rlimit limit = {before, before};
        const bool ok = setrlimit(RLIMIT_CORE, &limit) == 0 && holds() &&
                        getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_cur == limit.rlim_max;
        _exit(!ok ? 99 : limit.rlim_cur > 50 ? 50 : (int)limit.rlim_cur);
    }
    assert_true(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status));
    return WEXITSTATUS(status) == 99 ? -1 : WEXITSTATUS(status);
}

static void no_core_dump_is_written_from_the_moment_that_a_key_is_there(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool (*holds)(void);
        int want;
    } rows[] = {
        {"a key file", loads_a_file, 1},
        {"a cipher", opens_a_cipher, 1},
        {"eFuses with a key", reads_efuses_with_a_key, 1},
        {"eFuses without", reads_efuses_without, 50},
    };
    struct rlimit now;
    assert_int_equal(getrlimit(RLIMIT_CORE, &now), 0);
    const bool can_be_high = now.rlim_max > 50 || geteuid() == 0;
    write_file("key", KEY, 32);
    write_file("keyed.efuse", "key_purpose_3=HMAC_UP\nblock_key3=" KEY "\n", sizeof(KEY) + 33);
    write_file("open.efuse", "secure_version=1\n", 17);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        /* 1 means that no program gets the dump either (core_pattern with a pipe); it cannot be had where the limit is 0. */
        if (can_be_high && limit_after(rows[i].holds, 1000) != rows[i].want) {
            fail_msg("%s", rows[i].name);
        }
        if (geteuid() != 0) {
            assert_int_equal(limit_after(rows[i].holds, 0), 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_core_dump_is_written_from_the_moment_that_a_key_is_there),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
