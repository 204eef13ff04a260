/* Shutdown handlers and the facts about this run. */
/* SPDX-License-Identifier: Apache-2.0 */
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
#include "otter/device.h"
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

static void a_model_is_the_chip_of_the_device(void **state)
{
    (void)state;
    static const struct {
        uint16_t chip;
        esp_chip_model_t model;
    } rows[] = {
        {0x0000, CHIP_ESP32},
        {0x0002, CHIP_ESP32S2},
        {0x0009, CHIP_ESP32S3},
        {0x000C, CHIP_ESP32C2},
        {0x0017, CHIP_ESP32C5},
        {0x001C, CHIP_ESP32H4},
        {OTTER_CHIP_LINUX, CHIP_POSIX_LINUX},
        {0x0999, CHIP_POSIX_LINUX},
    };
    static otter_device_t device;
    otter_device_set_current(&device);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        device.chip = (otter_chip_t){.id = rows[i].chip, .revision = 301};
        esp_chip_info_t info;
        esp_chip_info(&info);
        assert_int_equal(info.model, rows[i].model);
        assert_int_equal(info.revision, 301);
    }
    otter_device_set_current(NULL);
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

/* The sanitizers' allocators are to fail like any other. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return __asan_default_options();
}

static size_t failed_size;
static uint32_t failed_caps;
static char failed_function[40];

static void note_failure(size_t size, uint32_t caps, const char *function)
{
    failed_size = size;
    failed_caps = caps;
    snprintf(failed_function, sizeof(failed_function), "%s", function);
}

static void memory_of_any_kind_is_the_one_kind(void **state)
{
    (void)state;
    for (size_t alignment = 1; alignment <= 4096; alignment *= 2) {
        char *memory = heap_caps_aligned_calloc(alignment, 3, 5, MALLOC_CAP_DMA);
        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % alignment, 0);
        assert_memory_equal(memory, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 15);
        assert_true(heap_caps_get_allocated_size(memory) >= 15);
        heap_caps_aligned_free(memory);
    }
    void *memory = heap_caps_malloc_prefer(10, 2, MALLOC_CAP_SPIRAM, MALLOC_CAP_DEFAULT);
    assert_non_null(memory);
    memory = heap_caps_realloc_prefer(memory, 20, 2, MALLOC_CAP_SPIRAM, MALLOC_CAP_DEFAULT);
    assert_non_null(memory);
    heap_caps_free(memory);
    memory = heap_caps_calloc_prefer(2, 10, 1, MALLOC_CAP_8BIT);
    assert_non_null(memory);
    heap_caps_free(memory);
    assert_null(heap_caps_malloc_prefer(10, 0));
    assert_int_equal(heap_caps_get_allocated_size(NULL), 0);
    assert_true(heap_caps_check_integrity_all(true) && heap_caps_check_integrity(MALLOC_CAP_8BIT, true) &&
                heap_caps_check_integrity_addr(0, true));
}

static void failed_allocations_are_told(void **state)
{
    (void)state;
    const volatile size_t too_much = SIZE_MAX / 2 + 1; /* the compiler must not know */
    assert_int_equal(heap_caps_register_failed_alloc_callback(note_failure), ESP_OK);
    assert_null(heap_caps_malloc(too_much, MALLOC_CAP_DMA));
    assert_int_equal(failed_size, too_much);
    assert_int_equal(failed_caps, MALLOC_CAP_DMA);
    assert_string_equal(failed_function, "heap_caps_malloc");
    assert_null(heap_caps_aligned_alloc(3, 8, MALLOC_CAP_8BIT)); /* no power of two */
    assert_string_equal(failed_function, "heap_caps_aligned_alloc");
    assert_null(heap_caps_aligned_alloc(16, SIZE_MAX - 3, MALLOC_CAP_8BIT));
    assert_null(heap_caps_aligned_calloc(16, too_much, 2, MALLOC_CAP_8BIT));
    assert_int_equal(failed_size, SIZE_MAX);
    assert_int_equal(heap_caps_register_failed_alloc_callback(NULL), ESP_OK);
    failed_size = 0;
    assert_null(heap_caps_malloc(too_much, MALLOC_CAP_DMA));
    assert_int_equal(failed_size, 0);
}

static void figures_of_the_heap_agree(void **state)
{
    (void)state;
    multi_heap_info_t info;
    heap_caps_get_info(&info, MALLOC_CAP_DEFAULT);
    assert_true(info.total_free_bytes > 0 &&
                info.total_free_bytes <= heap_caps_get_total_size(MALLOC_CAP_DEFAULT));
    assert_true(info.minimum_free_bytes <= info.total_free_bytes);
    assert_true(heap_caps_get_largest_free_block(MALLOC_CAP_DEFAULT) > 0);
    heap_caps_print_heap_info(MALLOC_CAP_DEFAULT);
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
        cmocka_unit_test(a_model_is_the_chip_of_the_device),
        cmocka_unit_test(what_no_chip_here_has_is_said_so),
        cmocka_unit_test(an_abort_says_why_and_ends_the_program),
        cmocka_unit_test(heap_figures_are_sensible),
        cmocka_unit_test(memory_of_any_kind_is_the_one_kind),
        cmocka_unit_test(failed_allocations_are_told),
        cmocka_unit_test(figures_of_the_heap_agree),
        cmocka_unit_test(versions_of_the_interface_compare),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
