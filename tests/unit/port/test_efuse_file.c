/* The eFuse file: whole lines, text only, and what it does not know stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "linux/efuse_file.h"

static efuse_file_t file;
static char why[300];

/** Loads a file with these bytes. */
static esp_err_t load(const char *bytes, size_t len)
{
    char path[] = "/tmp/otter-efuse-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    char efuse[sizeof(path) + 8];
    snprintf(efuse, sizeof(efuse), "%s.efuse", path);
    FILE *out = fopen(efuse, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, len, out), len);
    assert_int_equal(fclose(out), 0);
    esp_err_t err = efuse_file_load(&file, path, why, sizeof(why));
    unlink(efuse);
    unlink(path);
    return err;
}

static void the_end_of_a_long_line_is_no_line_of_its_own(void **state)
{
    (void)state;
    char text[400];
    memset(text, 'x', sizeof(text));
    text[0] = '#';
    memcpy(text + 255, "secure_version=7\nrevision=3\n", 28);
    assert_int_equal(load(text, 255 + 28), ESP_OK);
    assert_int_equal(file.secure_version, 0);
    assert_int_equal(file.chip.revision, 3);
}

static void bytes_that_are_no_text_are_refused(void **state)
{
    (void)state;
    static const char text[] = "chip=esp32\n\0secure_version=7\n";
    assert_int_equal(load(text, sizeof(text) - 1), ESP_ERR_INVALID_STATE);
    assert_non_null(strstr(why, "line 2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_end_of_a_long_line_is_no_line_of_its_own),
        cmocka_unit_test(bytes_that_are_no_text_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
