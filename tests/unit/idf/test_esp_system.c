/* Shutdown handlers and the facts about this run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "esp_bootloader_desc.h"
#include "esp_efuse.h"
#include "esp_heap_caps.h"
#include "esp_system.h"
#include "idf/system_state.h"
#include "sim/sim_system.h"

#define HANDLER(n)                                                                                           \
    static void handler_##n(void)                                                                            \
    {                                                                                                        \
    }
HANDLER(0)
HANDLER(1)
HANDLER(2)
HANDLER(3)
HANDLER(4)
HANDLER(5)

static void five_shutdown_handlers_fit(void **state)
{
    (void)state;
    static const shutdown_handler_t handlers[] = {handler_0, handler_1, handler_2, handler_3, handler_4};
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(esp_register_shutdown_handler(handlers[i]), ESP_OK);
        assert_int_equal(esp_register_shutdown_handler(handlers[i]), ESP_ERR_INVALID_STATE);
    }
    assert_int_equal(esp_register_shutdown_handler(handler_5), ESP_ERR_NO_MEM);
    assert_int_equal(esp_unregister_shutdown_handler(handler_5), ESP_ERR_INVALID_STATE);
    assert_int_equal(esp_unregister_shutdown_handler(handler_1), ESP_OK);
    assert_int_equal(esp_register_shutdown_handler(handler_5), ESP_OK);
    assert_int_equal(esp_register_shutdown_handler(handler_4), ESP_ERR_INVALID_STATE); /* still there */
}

static void reset_reason_is_what_the_port_says(void **state)
{
    (void)state;
    assert_int_equal(esp_reset_reason(), ESP_RST_UNKNOWN);
    system_state_set_reset_reason(ESP_RST_TASK_WDT);
    assert_int_equal(esp_reset_reason(), ESP_RST_TASK_WDT);
}

static void without_a_device_the_chip_is_a_host(void **state)
{
    (void)state;
    esp_chip_info_t info;
    esp_chip_info(&info);
    assert_int_equal(info.model, CHIP_POSIX_LINUX);
    assert_true(info.cores >= 1);
}

static void what_no_chip_here_has_is_said_so(void **state)
{
    (void)state;
    assert_false(soc_has_cache_lock_bug());
    assert_false(esp_efuse_is_flash_encryption_enabled());
    assert_int_equal(esp_efuse_get_pkg_ver(), 0);
    assert_int_equal(esp_bootloader_get_description()->magic_byte, ESP_BOOTLOADER_DESC_MAGIC_BYTE);
    assert_string_equal(esp_bootloader_get_description()->idf_ver, esp_get_idf_version());
}

static void an_abort_says_why_and_ends_the_program(void **state)
{
    (void)state;
    int console[2];
    assert_int_equal(pipe(console), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(console[1], STDERR_FILENO);
        sim_console_show(true);
        signal(SIGABRT, SIG_DFL);
        esp_system_abort("the sensor is gone");
    }
    close(console[1]);
    char text[64] = "";
    size_t len = 0;
    for (ssize_t n; (n = read(console[0], text + len, sizeof(text) - 1 - len)) > 0;) {
        len += (size_t)n;
    }
    close(console[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_string_equal(text, "the sensor is gone\n");
}

static void heap_figures_are_sensible(void **state)
{
    (void)state;
    assert_true(esp_get_free_heap_size() > 1024 * 1024);
    assert_true(esp_get_minimum_free_heap_size() > 0);
    assert_true(esp_get_free_internal_heap_size() > 1024 * 1024);
    void *memory = heap_caps_malloc(100, MALLOC_CAP_DMA | MALLOC_CAP_SPIRAM);
    assert_non_null(memory);
    heap_caps_free(memory);
}

static void versions_of_the_interface_compare(void **state)
{
    (void)state;
    char text[16];
    snprintf(text, sizeof(text), "v%d.%d", ESP_IDF_VERSION_MAJOR, ESP_IDF_VERSION_MINOR);
    assert_string_equal(esp_get_idf_version(), text);
    assert_true(ESP_IDF_VERSION >= ESP_IDF_VERSION_VAL(5, 5, 0));
    assert_true(ESP_IDF_VERSION < ESP_IDF_VERSION_VAL(6, 0, 0));
    assert_true(ESP_IDF_VERSION > ESP_IDF_VERSION_VAL(4, 255, 255));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(five_shutdown_handlers_fit),
        cmocka_unit_test(reset_reason_is_what_the_port_says),
        cmocka_unit_test(without_a_device_the_chip_is_a_host),
        cmocka_unit_test(what_no_chip_here_has_is_said_so),
        cmocka_unit_test(an_abort_says_why_and_ends_the_program),
        cmocka_unit_test(heap_figures_are_sensible),
        cmocka_unit_test(versions_of_the_interface_compare),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
