/* The FreeRTOS subset on Linux: tasks, delays, queues, semaphores, event groups, and the question "is all done?". */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "esp_task_wdt.h"
#include "freertos/event_groups.h"
#include "freertos/queue.h"
#include "freertos/semphr.h"
#include "freertos/task.h"
#include "linux/freertos_kernel.h"
#include "otter/system.h"
#include "support/freertos_rig.h"

static void delete_self_in_the_middle(void *arg)
{
    xSemaphoreGive(done);
    vTaskDelete(NULL);
    *(volatile int *)arg = 1; /* never reached */
}

static void task_that_deletes_itself_runs_no_further(void **state)
{
    (void)state;
    int reached = 0;
    start(delete_self_in_the_middle, &reached);
    wait_done();
    assert_true(kernel_wait_idle(10000));
    assert_int_equal(uxTaskGetNumberOfTasks(), 0);
    assert_int_equal(reached, 0);
}

static void return_at_once(void *arg)
{
    (void)arg;
}

static void task_that_returns_has_ended(void **state)
{
    (void)state;
    start(return_at_once, NULL);
    assert_true(kernel_wait_idle(10000));
    assert_int_equal(uxTaskGetNumberOfTasks(), 0);
}

static void use_much_stack(void *arg)
{
    (void)arg;
    volatile char big[200 * 1024];
    memset((char *)(uintptr_t)big, 1, sizeof(big));
    xSemaphoreGive(done);
}

static void small_stack_is_enough_for_a_host_library(void **state)
{
    (void)state;
    assert_int_equal(xTaskCreate(use_much_stack, "small", 512, NULL, 5, NULL), pdPASS);
    wait_done();
}

static void report_name(void *arg)
{
    strcpy(arg, pcTaskGetName(NULL));
    xSemaphoreGive(done);
}

static void task_name_is_cut_to_fifteen_characters(void **state)
{
    (void)state;
    char name[16] = "";
    assert_int_equal(
        xTaskCreatePinnedToCore(report_name, "advanced_ota_example_task", 4096, name, 5, NULL, 0), pdPASS);
    wait_done();
    assert_string_equal(name, "advanced_ota_ex");
}

static void wait_for_ever(void *arg)
{
    xSemaphoreGive(done);
    xQueueReceive(arg, NULL, portMAX_DELAY);
    abort(); /* nothing is ever sent */
}

static void deleting_another_task_ends_its_wait(void **state)
{
    (void)state;
    QueueHandle_t queue = xQueueCreate(1, 0);
    TaskHandle_t task;
    assert_int_equal(xTaskCreate(wait_for_ever, "waits", 4096, queue, 5, &task), pdPASS);
    wait_done();
    vTaskDelete(task);
    for (int i = 0; i < 1000 && uxTaskGetNumberOfTasks() > 0; i++) {
        vTaskDelay(1);
    }
    assert_int_equal(uxTaskGetNumberOfTasks(), 0);
    vQueueDelete(queue); /* nobody holds its lock */
}

static void delay_lasts_at_least_its_ticks(void **state)
{
    (void)state;
    int64_t before = otter_now_us();
    vTaskDelay(3);
    assert_true(otter_now_us() - before >= 30000);
    TickType_t then = xTaskGetTickCount();
    assert_int_equal(xTaskDelayUntil(&then, 2), pdTRUE);
    TickType_t past = xTaskGetTickCount() - 50;
    assert_int_equal(xTaskDelayUntil(&past, 10), pdFALSE);
}

static void ticks_round_down(void **state)
{
    (void)state;
    assert_int_equal(pdMS_TO_TICKS(9), 0);
    assert_int_equal(pdMS_TO_TICKS(1000), 100);
    assert_int_equal(portTICK_PERIOD_MS, 10);
}

static void queue_keeps_order_and_front_goes_first(void **state)
{
    (void)state;
    QueueHandle_t queue = xQueueCreate(3, sizeof(int));
    for (int i = 1; i <= 2; i++) {
        assert_int_equal(xQueueSend(queue, &i, 0), pdTRUE);
    }
    assert_int_equal(xQueueSendToFront(queue, &(int){0}, 0), pdTRUE);
    assert_int_equal(xQueueSend(queue, &(int){9}, 0), errQUEUE_FULL);
    assert_int_equal(xQueueSend(queue, &(int){9}, 2), errQUEUE_FULL);
    assert_int_equal(uxQueueMessagesWaiting(queue), 3);
    assert_int_equal(uxQueueSpacesAvailable(queue), 0);
    int value = -1;
    assert_int_equal(xQueuePeek(queue, &value, 0), pdTRUE);
    assert_int_equal(value, 0);
    for (int i = 0; i <= 2; i++) {
        assert_int_equal(xQueueReceive(queue, &value, 0), pdTRUE);
        assert_int_equal(value, i);
    }
    assert_int_equal(xQueueReceive(queue, &value, 2), errQUEUE_EMPTY);
    vQueueDelete(queue);
}

static void overwrite_and_reset(void **state)
{
    (void)state;
    QueueHandle_t queue = xQueueCreate(1, sizeof(int));
    int value = 0;
    xQueueOverwrite(queue, &(int){1});
    xQueueOverwrite(queue, &(int){2});
    assert_int_equal(xQueueReceive(queue, &value, 0), pdTRUE);
    assert_int_equal(value, 2);
    xQueueOverwrite(queue, &(int){3});
    assert_int_equal(xQueueReset(queue), pdPASS);
    assert_int_equal(xQueueReceive(queue, &value, 0), errQUEUE_EMPTY);
    vQueueDelete(queue);
    assert_null(xQueueCreate(0, 4));
    assert_null(xQueueCreate(UINT32_MAX, UINT32_MAX));
}

static void send_numbers(void *queue)
{
    for (int i = 0; i < 1000; i++) {
        xQueueSend(queue, &i, portMAX_DELAY);
    }
    xSemaphoreGive(done);
}

static void full_queue_makes_the_sender_wait(void **state)
{
    (void)state;
    QueueHandle_t queue = xQueueCreate(2, sizeof(int));
    start(send_numbers, queue);
    for (int i = 0; i < 1000; i++) {
        int value = -1;
        assert_int_equal(xQueueReceive(queue, &value, SOON), pdTRUE);
        assert_int_equal(value, i);
    }
    wait_done();
    vQueueDelete(queue);
}

static void semaphores_count(void **state)
{
    (void)state;
    SemaphoreHandle_t binary = xSemaphoreCreateBinary();
    assert_int_equal(xSemaphoreTake(binary, 0), pdFALSE);
    assert_int_equal(xSemaphoreGive(binary), pdTRUE);
    assert_int_equal(xSemaphoreGive(binary), pdFALSE);
    assert_int_equal(xSemaphoreTake(binary, 0), pdTRUE);
    vSemaphoreDelete(binary);

    SemaphoreHandle_t counting = xSemaphoreCreateCounting(2, 1);
    assert_int_equal(xSemaphoreGive(counting), pdTRUE);
    assert_int_equal(xSemaphoreGive(counting), pdFALSE);
    assert_int_equal(uxSemaphoreGetCount(counting), 2);
    vSemaphoreDelete(counting);
    assert_null(xSemaphoreCreateCounting(1, 2));
}

static void give_mutex(void *mutex)
{
    assert_int_equal(xSemaphoreGive(mutex), pdFALSE);
    assert_int_equal(xSemaphoreTakeRecursive(mutex, 0), pdFALSE);
    xSemaphoreGive(done);
}

static void mutex_belongs_to_its_taker(void **state)
{
    (void)state;
    SemaphoreHandle_t mutex = xSemaphoreCreateRecursiveMutex();
    assert_int_equal(xSemaphoreTakeRecursive(mutex, 0), pdTRUE);
    assert_int_equal(xSemaphoreTakeRecursive(mutex, 0), pdTRUE);
    start(give_mutex, mutex);
    wait_done();
    assert_int_equal(xSemaphoreGiveRecursive(mutex), pdTRUE);
    assert_int_equal(uxSemaphoreGetCount(mutex), 0);
    assert_int_equal(xSemaphoreGiveRecursive(mutex), pdTRUE);
    assert_int_equal(uxSemaphoreGetCount(mutex), 1);
    assert_int_equal(xSemaphoreGiveRecursive(mutex), pdFALSE);
    vSemaphoreDelete(mutex);
}

static EventGroupHandle_t group;

static void wait_for_both_bits(void *arg)
{
    *(EventBits_t *)arg = xEventGroupWaitBits(group, 3, pdTRUE, pdTRUE, portMAX_DELAY);
    xSemaphoreGive(done);
}

static void event_group_waits_for_all_then_clears(void **state)
{
    (void)state;
    group = xEventGroupCreate();
    EventBits_t seen[2] = {0};
    start(wait_for_both_bits, &seen[0]);
    start(wait_for_both_bits, &seen[1]);
    assert_true(kernel_wait_idle(10000)); /* both wait */
    assert_int_equal(xEventGroupSetBits(group, 1 | 4), 1 | 4);
    assert_int_equal(xSemaphoreTake(done, 2), pdFALSE);
    assert_int_equal(xEventGroupSetBits(group, 2), 4); /* one set answers both, then their bits are cleared */
    wait_done();
    wait_done();
    assert_int_equal(seen[0], 7);
    assert_int_equal(seen[1], 7);
    assert_int_equal(xEventGroupGetBits(group), 4);
    vEventGroupDelete(group);
}

static void event_group_any_bit_and_time_out(void **state)
{
    (void)state;
    group = xEventGroupCreate();
    assert_int_equal(xEventGroupWaitBits(group, 3, pdFALSE, pdFALSE, 2), 0);
    xEventGroupSetBits(group, 2);
    assert_int_equal(xEventGroupWaitBits(group, 3, pdFALSE, pdFALSE, 0), 2);
    assert_int_equal(xEventGroupWaitBits(group, 3, pdTRUE, pdTRUE, 0), 2);
    assert_int_equal(xEventGroupClearBits(group, 2), 2);
    assert_int_equal(xEventGroupGetBits(group), 0);
    assert_int_equal(xEventGroupSetBits(group, 0xFF000001), 1); /* 24 flags */
    vEventGroupDelete(group);
}

static void count_notifications(void *arg)
{
    uint32_t *counts = arg;
    xSemaphoreTake(done, portMAX_DELAY);
    counts[0] = ulTaskNotifyTake(pdFALSE, portMAX_DELAY);
    counts[1] = ulTaskNotifyTake(pdTRUE, portMAX_DELAY);
    counts[2] = ulTaskNotifyTake(pdTRUE, 0);
    xSemaphoreGive(done);
}

static void notifications_count_like_a_semaphore(void **state)
{
    (void)state;
    uint32_t counts[3] = {0};
    TaskHandle_t task;
    assert_int_equal(xTaskCreate(count_notifications, "notified", 4096, counts, 5, &task), pdPASS);
    for (int i = 0; i < 3; i++) {
        xTaskNotifyGive(task);
    }
    xSemaphoreGive(done);
    assert_true(kernel_wait_idle(10000));
    wait_done();
    assert_int_equal(counts[0], 3);
    assert_int_equal(counts[1], 2);
    assert_int_equal(counts[2], 0);
}

static void echo(void *arg)
{
    QueueHandle_t *queues = arg;
    int value;
    while (xQueueReceive(queues[0], &value, portMAX_DELAY) == pdTRUE && value >= 0) {
        xQueueSend(queues[1], &value, portMAX_DELAY);
    }
}

static void idle_means_that_nothing_can_happen_any_more(void **state)
{
    (void)state;
    QueueHandle_t queues[2] = {xQueueCreate(1, sizeof(int)), xQueueCreate(1, sizeof(int))};
    start(echo, queues);
    assert_true(kernel_wait_idle(10000)); /* a task that waits for ever is idle */
    for (int i = 0; i < 1000; i++) {
        /* Idle is never said while the echo is on its way: when it is said, the answer is there. */
        xQueueSend(queues[0], &i, portMAX_DELAY);
        assert_true(kernel_wait_idle(10000));
        int value = -1;
        assert_int_equal(xQueueReceive(queues[1], &value, 0), pdTRUE);
        assert_int_equal(value, i);
    }
    xQueueSend(queues[0], &(int){-1}, portMAX_DELAY);
    assert_true(kernel_wait_idle(10000));
    vQueueDelete(queues[0]);
    vQueueDelete(queues[1]);
}

static void sleep_a_while(void *arg)
{
    (void)arg;
    vTaskDelay(10);
}

static void a_delay_is_not_idle(void **state)
{
    (void)state;
    start(sleep_a_while, NULL);
    assert_false(kernel_wait_idle(20));
    assert_true(kernel_wait_idle(10000));
}

static atomic_bool may_go;

static void spin(void *arg)
{
    if (arg != NULL) {
        assert_int_equal(esp_task_wdt_add(NULL), ESP_OK);
    }
    xSemaphoreGive(done);
    while (!atomic_load(&may_go)) {
    }
    if (arg != NULL) {
        esp_task_wdt_reset();
        xSemaphoreGive(done);
        xSemaphoreTake(arg, portMAX_DELAY);
    }
}

/** A task may have to wait for a lock for a moment before it does what the test is about. @return false: it never came */
static bool comes_to_be_silent(kernel_silent_t *silent)
{
    for (int i = 0; i < 1000; i++) {
        if (!kernel_all_alive(silent)) {
            return true;
        }
        otter_sleep_ms(1);
    }
    return false;
}

static void a_task_that_is_never_blocked_is_silent(void **state)
{
    (void)state;
    kernel_silent_t silent = {0};
    atomic_store(&may_go, false);
    start(spin, NULL);
    wait_done();
    assert_true(comes_to_be_silent(&silent));
    assert_string_equal(silent.name, "helper");
    assert_false(silent.subscribed);
    for (int i = 0; i < 5; i++) {
        otter_sleep_ms(10);
        assert_false(kernel_all_alive(NULL));
    }
    atomic_store(&may_go, true);
    assert_true(kernel_wait_idle(10000));
    assert_true(kernel_all_alive(NULL));
}

static void poll_queue(void *queue)
{
    int item;
    xSemaphoreGive(done);
    while (!atomic_load(&may_go)) {
        xQueueReceive(queue, &item, 0);
    }
}

/** It takes the lock of the kernel all the time, as does whoever looks at it. */
static void asking_without_waiting_is_no_waiting(void **state)
{
    (void)state;
    QueueHandle_t queue = xQueueCreate(1, sizeof(int));
    atomic_store(&may_go, false);
    start(poll_queue, queue);
    wait_done();
    assert_true(comes_to_be_silent(NULL));
    for (int i = 0; i < 5; i++) {
        assert_false(kernel_wait_idle(20));
        assert_false(kernel_all_alive(NULL));
    }
    atomic_store(&may_go, true);
    assert_true(kernel_wait_idle(10000));
    vQueueDelete(queue);
}

static int ends[2]; /* of a pipe that nobody writes to */

static void read_pipe(void *unused)
{
    (void)unused;
    char byte;
    xSemaphoreGive(done);
    (void)!read(ends[0], &byte, 1);
}

static void poll_pipe(void *unused)
{
    (void)unused;
    struct pollfd wait = {.fd = ends[0], .events = POLLIN};
    xSemaphoreGive(done);
    (void)poll(&wait, 1, -1);
}

static void sleep_in_pieces(void *unused)
{
    (void)unused;
    xSemaphoreGive(done);
    while (!atomic_load(&may_go)) {
        usleep(1000);
    }
}

static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;

static void lock_mutex(void *unused)
{
    (void)unused;
    xSemaphoreGive(done);
    pthread_mutex_lock(&held);
    pthread_mutex_unlock(&held);
}

/** Whatever it waits for: none of it is known to the kernel. */
static void a_task_that_is_blocked_is_alive(void **state)
{
    (void)state;
    static const TaskFunction_t waiters[] = {read_pipe, poll_pipe, sleep_in_pieces, lock_mutex};
    assert_int_equal(pipe(ends), 0);
    pthread_mutex_lock(&held);
    atomic_store(&may_go, false);
    for (size_t i = 0; i < sizeof(waiters) / sizeof(waiters[0]); i++) {
        start(waiters[i], NULL);
        wait_done();
    }
    otter_sleep_ms(50); /* now each of them is where it waits */
    for (int i = 0; i < 5; i++) {
        assert_true(kernel_all_alive(NULL));
        otter_sleep_ms(100);
    }
    assert_false(kernel_wait_idle(1)); /* something may still come */
    atomic_store(&may_go, true);
    pthread_mutex_unlock(&held);
    close(ends[1]);
    assert_true(kernel_wait_idle(10000));
    close(ends[0]);
}

static void wait_in_pieces(void *unused)
{
    (void)unused;
    assert_int_equal(esp_task_wdt_add(NULL), ESP_OK);
    xSemaphoreGive(done);
    while (!atomic_load(&may_go)) {
        vTaskDelay(1);
    }
    assert_int_equal(esp_task_wdt_reset(), ESP_OK);
    xSemaphoreGive(done);
    assert_int_equal(esp_task_wdt_delete(NULL), ESP_OK);
}

static void a_subscribed_task_must_reset_the_watchdog_whatever_else_it_does(void **state)
{
    (void)state;
    SemaphoreHandle_t end = xSemaphoreCreateBinary();
    const struct {
        TaskFunction_t function;
        void *arg;
    } rows[] = {{spin, end}, {wait_in_pieces, NULL}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        kernel_silent_t silent = {0};
        atomic_store(&may_go, false);
        start(rows[i].function, rows[i].arg);
        wait_done();
        (void)kernel_all_alive(NULL); /* counts its start */
        otter_sleep_ms(50);
        assert_false(kernel_all_alive(&silent));
        assert_true(silent.subscribed);
        atomic_store(&may_go, true);
        wait_done();
        assert_true(i == 1 || kernel_wait_idle(10000)); /* it waits */
        (void)kernel_all_alive(NULL);
        assert_true(i == 1 || !kernel_all_alive(NULL));
        xSemaphoreGive(end);
        assert_true(kernel_wait_idle(10000));
    }
    vSemaphoreDelete(end);
    assert_int_equal(esp_task_wdt_reset(), ESP_ERR_NOT_FOUND);
    assert_int_equal(esp_task_wdt_add(NULL), ESP_ERR_INVALID_ARG); /* this is no task */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(task_that_deletes_itself_runs_no_further, helpers_set_up,
                                        helpers_tear_down),
        cmocka_unit_test_setup_teardown(task_that_returns_has_ended, helpers_set_up, helpers_tear_down),
        cmocka_unit_test_setup_teardown(small_stack_is_enough_for_a_host_library, helpers_set_up,
                                        helpers_tear_down),
        cmocka_unit_test_setup_teardown(task_name_is_cut_to_fifteen_characters, helpers_set_up,
                                        helpers_tear_down),
        cmocka_unit_test_setup_teardown(deleting_another_task_ends_its_wait, helpers_set_up,
                                        helpers_tear_down),
        cmocka_unit_test_setup_teardown(delay_lasts_at_least_its_ticks, helpers_set_up, helpers_tear_down),
        cmocka_unit_test_setup_teardown(ticks_round_down, helpers_set_up, helpers_tear_down),
        cmocka_unit_test_setup_teardown(queue_keeps_order_and_front_goes_first, helpers_set_up,
                                        helpers_tear_down),
        cmocka_unit_test_setup_teardown(overwrite_and_reset, helpers_set_up, helpers_tear_down),
        cmocka_unit_test_setup_teardown(full_queue_makes_the_sender_wait, helpers_set_up, helpers_tear_down),
        cmocka_unit_test_setup_teardown(semaphores_count, helpers_set_up, helpers_tear_down),
        cmocka_unit_test_setup_teardown(mutex_belongs_to_its_taker, helpers_set_up, helpers_tear_down),
        cmocka_unit_test_setup_teardown(event_group_waits_for_all_then_clears, helpers_set_up,
                                        helpers_tear_down),
        cmocka_unit_test_setup_teardown(event_group_any_bit_and_time_out, helpers_set_up, helpers_tear_down),
        cmocka_unit_test_setup_teardown(notifications_count_like_a_semaphore, helpers_set_up,
                                        helpers_tear_down),
        cmocka_unit_test_setup_teardown(idle_means_that_nothing_can_happen_any_more, helpers_set_up,
                                        helpers_tear_down),
        cmocka_unit_test_setup_teardown(a_delay_is_not_idle, helpers_set_up, helpers_tear_down),
        cmocka_unit_test_setup_teardown(a_task_that_is_never_blocked_is_silent, helpers_set_up,
                                        helpers_tear_down),
        cmocka_unit_test_setup_teardown(asking_without_waiting_is_no_waiting, helpers_set_up,
                                        helpers_tear_down),
        cmocka_unit_test_setup_teardown(a_task_that_is_blocked_is_alive, helpers_set_up, helpers_tear_down),
        cmocka_unit_test_setup_teardown(a_subscribed_task_must_reset_the_watchdog_whatever_else_it_does,
                                        helpers_set_up, helpers_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
