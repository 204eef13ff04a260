/* Error codes have the numbers and names of ESP-IDF, and its checking macros do what their names say. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#undef NDEBUG /* as applications are built */
#include "esp_check.h"
#include "esp_err.h"
#include "esp_log.h"
#include "support/said.h"

static int evaluated;

static int setup(void **state)
{
    (void)state;
    said[0] = '\0';
    evaluated = 0;
    otter_log_set_color(0);
    esp_log_set_vprintf(keep_text);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    esp_log_set_vprintf(NULL);
    return 0;
}

static esp_err_t give(esp_err_t code)
{
    evaluated++;
    return code;
}

/* One of each range; the numbers are those that ESP-IDF's headers have. */
static void codes_have_their_numbers_and_names(void **state)
{
    (void)state;
    static const struct {
        esp_err_t code;
        int number;
        const char *name;
    } rows[] = {
        {ESP_OK, 0, "ESP_OK"},
        {ESP_FAIL, -1, "ESP_FAIL"},
        {ESP_ERR_NO_MEM, 0x101, "ESP_ERR_NO_MEM"},
        {ESP_ERR_NOT_ALLOWED, 0x10D, "ESP_ERR_NOT_ALLOWED"},
        {ESP_ERR_NVS_NEW_VERSION_FOUND, 0x1110, "ESP_ERR_NVS_NEW_VERSION_FOUND"},
        {ESP_ERR_NVS_XTS_ENCR_FAILED, 0x1111, "ESP_ERR_NVS_XTS_ENCR_FAILED"},
        {ESP_ERR_NVS_WRONG_ENCRYPTION, 0x1119, "ESP_ERR_NVS_WRONG_ENCRYPTION"},
        {ESP_ERR_OTA_VALIDATE_FAILED, 0x1503, "ESP_ERR_OTA_VALIDATE_FAILED"},
        {ESP_ERR_OTA_SPI_MODE_MISMATCH, 0x1508, "ESP_ERR_OTA_SPI_MODE_MISMATCH"},
        {ESP_ERR_CODING, 0x1604, "ESP_ERR_CODING"},
        {ESP_ERR_IMAGE_INVALID, 0x2002, "ESP_ERR_IMAGE_INVALID"},
        {ESP_ERR_ESP_NETIF_INIT_FAILED, 0x5009, "ESP_ERR_ESP_NETIF_INIT_FAILED"},
        {ESP_ERR_FLASH_PROTECTED, 0x6006, "ESP_ERR_FLASH_PROTECTED"},
        {ESP_ERR_HTTP_EAGAIN, 0x7007, "ESP_ERR_HTTP_EAGAIN"},
        {ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED, 0x801A, "ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED"},
        {ESP_ERR_HTTPS_OTA_BASE, 0x9000, "ESP_ERR_HTTPS_OTA_BASE"},
        {ESP_ERR_HTTPS_OTA_IN_PROGRESS, 0x9001, "ESP_ERR_HTTPS_OTA_IN_PROGRESS"},
        {ESP_ERR_MEMPROT_BASE, 0xD000, "ESP_ERR_MEMPROT_BASE"},
        {ESP_ERR_TCP_TRANSPORT_NO_MEM, 0xE004, "ESP_ERR_TCP_TRANSPORT_NO_MEM"},
        {0x10E, 0x10E, "ERROR"},
        {-28679, -28679, "ERROR"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(rows[i].code, rows[i].number);
        assert_string_equal(esp_err_to_name(rows[i].code), rows[i].name);
    }
}

static void a_name_is_cut_to_the_buffer(void **state)
{
    (void)state;
    char buf[40] = "";
    assert_ptr_equal(esp_err_to_name_r(ESP_FAIL, buf, sizeof(buf)), buf);
    assert_string_equal(buf, "ESP_FAIL");
    assert_string_equal(esp_err_to_name_r(ESP_FAIL, buf, 5), "ESP_");
    assert_string_equal(esp_err_to_name_r(0x7ABC, buf, sizeof(buf)), "UNKNOWN ERROR 0x7abc(31420)");
    assert_string_equal(esp_err_to_name_r(0x7ABC, buf, 8), "UNKNOWN");
}

static void a_check_that_passes_says_nothing(void **state)
{
    (void)state;
    ESP_ERROR_CHECK(give(ESP_OK));
    assert_int_equal(ESP_ERROR_CHECK_WITHOUT_ABORT(give(ESP_OK)), ESP_OK);
    assert_int_equal(evaluated, 2);
    assert_string_equal(said, "");
}

static void a_check_without_abort_tells_and_goes_on(void **state)
{
    (void)state;
    assert_int_equal(ESP_ERROR_CHECK_WITHOUT_ABORT(give(ESP_ERR_TIMEOUT)), ESP_ERR_TIMEOUT);
    assert_int_equal(evaluated, 1);
    assert_ptr_equal(strstr(said, "ESP_ERROR_CHECK_WITHOUT_ABORT failed: esp_err_t 0x107 (ESP_ERR_TIMEOUT)"),
                     said);
    assert_non_null(strstr(said, "func: a_check_without_abort_tells_and_goes_on\n"));
    assert_non_null(strstr(said, "expression: give(ESP_ERR_TIMEOUT)\n"));
    assert_non_null(strstr(said, "test_esp_err.c\" line "));
}

static void a_check_that_fails_aborts(void **state)
{
    (void)state;
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        ESP_ERROR_CHECK(give(ESP_ERR_NO_MEM));
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static esp_err_t on_error(esp_err_t code)
{
    ESP_RETURN_ON_ERROR(give(code), "tag", "step %d", 1);
    return ESP_OK;
}

static esp_err_t on_false(bool good)
{
    ESP_RETURN_ON_FALSE(good, ESP_ERR_INVALID_ARG, "tag", "no numbers");
    return ESP_OK;
}

static esp_err_t go_on_error(esp_err_t code)
{
    esp_err_t ret = ESP_OK;
    ESP_GOTO_ON_ERROR(give(code), done, "tag", "step %d", 2);
    evaluated += 10;
done:
    return ret;
}

static esp_err_t go_on_false(bool good)
{
    esp_err_t ret = ESP_OK;
    ESP_GOTO_ON_FALSE(good, ESP_ERR_NOT_FOUND, done, "tag", "step %d", 3);
    evaluated += 10;
done:
    return ret;
}

static void void_on_error(esp_err_t code)
{
    ESP_RETURN_VOID_ON_ERROR(give(code), "tag", "void");
    evaluated += 10;
}

static void void_on_false(bool good)
{
    ESP_RETURN_VOID_ON_FALSE_ISR(good, "tag", "void");
    evaluated += 10;
}

static void the_early_returns_log_and_leave_with_the_code(void **state)
{
    (void)state;
    assert_int_equal(on_error(ESP_OK), ESP_OK);
    assert_int_equal(on_false(true), ESP_OK);
    assert_int_equal(go_on_error(ESP_OK), ESP_OK);
    assert_int_equal(go_on_false(true), ESP_OK);
    void_on_error(ESP_OK);
    void_on_false(true);
    assert_int_equal(evaluated, 43);
    assert_string_equal(said, "");

    assert_int_equal(on_error(ESP_ERR_TIMEOUT), ESP_ERR_TIMEOUT);
    assert_non_null(strstr(said, "tag: on_error("));
    assert_non_null(strstr(said, "): step 1\n"));
    assert_int_equal(on_false(false), ESP_ERR_INVALID_ARG);
    assert_non_null(strstr(said, "): no numbers\n"));
    assert_int_equal(go_on_error(ESP_FAIL), ESP_FAIL);
    assert_int_equal(go_on_false(false), ESP_ERR_NOT_FOUND);
    assert_non_null(strstr(said, "tag: go_on_false("));
    void_on_error(ESP_FAIL);
    void_on_false(false);
    assert_int_equal(evaluated, 46);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_have_their_numbers_and_names),
        cmocka_unit_test(a_name_is_cut_to_the_buffer),
        cmocka_unit_test_setup_teardown(a_check_that_passes_says_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_check_without_abort_tells_and_goes_on, setup, teardown),
        cmocka_unit_test_setup_teardown(a_check_that_fails_aborts, setup, teardown),
        cmocka_unit_test_setup_teardown(the_early_returns_log_and_leave_with_the_code, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
