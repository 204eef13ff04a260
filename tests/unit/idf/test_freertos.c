/* The FreeRTOS subset on Linux: tasks, delays, queues, semaphores, event groups, and the question "is all done?". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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
#include "unit/freertos_rig.h"

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

static void busy_task_without_a_sign_is_not_alive(void **state)
{
    (void)state;
    atomic_store(&may_go, false);
    start(spin, NULL);
    wait_done();
    for (int i = 0; i < 10000 && kernel_all_alive();
         i++) { /* its start counts, and what it waited for in giving `done` */
    }
    assert_false(kernel_all_alive());
    assert_false(kernel_all_alive());
    atomic_store(&may_go, true);
    assert_true(kernel_wait_idle(10000));
    assert_true(kernel_all_alive());
}

static atomic_int blocker_ends[2];

static void block_outside_of_freertos(void *arg)
{
    (void)arg;
    char byte;
    xSemaphoreGive(done);
    assert_int_equal(read(atomic_load(&blocker_ends[0]), &byte, 1), 1);
}

static void a_task_that_blocks_in_any_call_is_alive(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    atomic_store(&blocker_ends[0], ends[0]);
    start(block_outside_of_freertos, NULL);
    wait_done();
    (void)kernel_all_alive();     /* counts its start */
    while (!kernel_all_alive()) { /* it may not have come to block yet */
        usleep(1000);
    }
    for (int i = 0; i < 100; i++) {
        assert_true(kernel_all_alive());
    }
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_true(kernel_wait_idle(10000));
    close(ends[0]);
    close(ends[1]);
}

static void subscribed_task_must_reset_the_watchdog_even_when_it_waits(void **state)
{
    (void)state;
    SemaphoreHandle_t end = xSemaphoreCreateBinary();
    atomic_store(&may_go, false);
    start(spin, end);
    wait_done();
    (void)kernel_all_alive();
    assert_false(kernel_all_alive());
    atomic_store(&may_go, true);
    wait_done();
    assert_true(kernel_wait_idle(10000)); /* it waits */
    (void)kernel_all_alive();
    assert_false(kernel_all_alive());
    xSemaphoreGive(end);
    assert_true(kernel_wait_idle(10000));
    vSemaphoreDelete(end);
    assert_int_equal(esp_task_wdt_reset(), ESP_ERR_NOT_FOUND);
    assert_int_equal(esp_task_wdt_add(NULL), ESP_ERR_INVALID_ARG); /* this is no task */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(task_that_deletes_itself_runs_no_further, setup, teardown),
        cmocka_unit_test_setup_teardown(task_that_returns_has_ended, setup, teardown),
        cmocka_unit_test_setup_teardown(small_stack_is_enough_for_a_host_library, setup, teardown),
        cmocka_unit_test_setup_teardown(task_name_is_cut_to_fifteen_characters, setup, teardown),
        cmocka_unit_test_setup_teardown(deleting_another_task_ends_its_wait, setup, teardown),
        cmocka_unit_test_setup_teardown(delay_lasts_at_least_its_ticks, setup, teardown),
        cmocka_unit_test_setup_teardown(ticks_round_down, setup, teardown),
        cmocka_unit_test_setup_teardown(queue_keeps_order_and_front_goes_first, setup, teardown),
        cmocka_unit_test_setup_teardown(overwrite_and_reset, setup, teardown),
        cmocka_unit_test_setup_teardown(full_queue_makes_the_sender_wait, setup, teardown),
        cmocka_unit_test_setup_teardown(semaphores_count, setup, teardown),
        cmocka_unit_test_setup_teardown(mutex_belongs_to_its_taker, setup, teardown),
        cmocka_unit_test_setup_teardown(event_group_waits_for_all_then_clears, setup, teardown),
        cmocka_unit_test_setup_teardown(event_group_any_bit_and_time_out, setup, teardown),
        cmocka_unit_test_setup_teardown(notifications_count_like_a_semaphore, setup, teardown),
        cmocka_unit_test_setup_teardown(idle_means_that_nothing_can_happen_any_more, setup, teardown),
        cmocka_unit_test_setup_teardown(a_delay_is_not_idle, setup, teardown),
        cmocka_unit_test_setup_teardown(busy_task_without_a_sign_is_not_alive, setup, teardown),
        cmocka_unit_test_setup_teardown(a_task_that_blocks_in_any_call_is_alive, setup, teardown),
        cmocka_unit_test_setup_teardown(subscribed_task_must_reset_the_watchdog_even_when_it_waits, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
