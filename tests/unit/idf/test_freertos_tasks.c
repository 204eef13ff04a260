/* Tasks that others suspend, wake and ask about; what tasks keep for themselves; critical sections. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "esp_task_wdt.h"
#include "freertos/idf_additions.h"
#include "freertos/queue.h"
#include "otter/system.h"
#include "support/freertos_rig.h"

static QueueHandle_t queue;

static void receive_once(void *arg)
{
    *(int *)arg = xQueueReceive(queue, NULL, portMAX_DELAY);
    xSemaphoreGive(done);
}

static void a_suspended_task_stays_in_its_wait_until_it_is_resumed(void **state)
{
    (void)state;
    queue = xQueueCreate(1, 0);
    int result = -1;
    TaskHandle_t task = start_task(receive_once, &result);
    assert_true(kernel_wait_idle(10000));
    assert_int_equal(eTaskGetState(task), eBlocked);
    vTaskSuspend(task);
    vTaskSuspend(task);
    assert_int_equal(eTaskGetState(task), eSuspended);
    xQueueSend(queue, NULL, 0);
    assert_true(kernel_wait_idle(10000)); /* it will not move by itself */
    assert_int_equal(xSemaphoreTake(done, 2), pdFALSE);
    assert_int_equal(xQueueReceive(queue, NULL, 0), pdTRUE); /* the item is still there, and is gone now */
    vTaskResume(task);
    assert_true(kernel_wait_idle(10000));
    assert_int_equal(eTaskGetState(task), eBlocked); /* its wait had no limit and goes on */
    xQueueSend(queue, NULL, 0);
    wait_done();
    assert_int_equal(result, pdTRUE);
    assert_true(kernel_wait_idle(10000));
    assert_int_equal(eTaskGetState(task), eDeleted);
    vQueueDelete(queue);
}

static void suspend_self(void *arg)
{
    (void)arg;
    vTaskSuspend(NULL);
    xSemaphoreGive(done);
}

static void a_task_can_suspend_itself(void **state)
{
    (void)state;
    TaskHandle_t task = start_task(suspend_self, NULL);
    assert_true(kernel_wait_idle(10000));
    assert_int_equal(eTaskGetState(task), eSuspended);
    assert_int_equal(xTaskAbortDelay(task), pdFAIL);
    assert_int_equal(xTaskResumeFromISR(task), pdFALSE);
    wait_done();
}

static void suspended_tasks_can_be_deleted(void **state)
{
    (void)state;
    TaskHandle_t task = start_task(suspend_self, NULL);
    assert_true(kernel_wait_idle(10000));
    vTaskDelete(task);
    for (int i = 0; i < 1000 && eTaskGetState(task) != eDeleted; i++) {
        vTaskDelay(1);
    }
    assert_int_equal(uxTaskGetNumberOfTasks(), 0);
    vTaskResume(task); /* what has ended is left alone */
    vTaskSuspend(task);
}

static atomic_bool stop;

static void yield_until_told(void *arg)
{
    (void)arg;
    while (!atomic_load(&stop)) {
        taskYIELD();
    }
}

static void a_busy_task_is_suspended_where_it_yields(void **state)
{
    (void)state;
    atomic_store(&stop, false);
    TaskHandle_t task = start_task(yield_until_told, NULL);
    assert_int_equal(eTaskGetState(task), eReady);
    vTaskSuspend(task);
    assert_true(kernel_wait_idle(10000));
    atomic_store(&stop, true);
    vTaskResume(task);
}

static void give_up_waiting(void *arg)
{
    int64_t before = otter_now_us();
    vTaskDelay(pdMS_TO_TICKS(60000));
    *(bool *)arg =
        xQueueReceive(queue, NULL, portMAX_DELAY) == errQUEUE_EMPTY && otter_now_us() - before < 30000000;
    xSemaphoreGive(done);
}

static void a_wait_can_be_given_up_for_another_task(void **state)
{
    (void)state;
    queue = xQueueCreate(1, 0);
    bool ended_empty = false;
    TaskHandle_t task = start_task(give_up_waiting, &ended_empty);
    for (int aborted = 0; aborted < 2;) {
        aborted += xTaskAbortDelay(task) == pdPASS; /* the delay, then the wait for the queue */
        vTaskDelay(1);
    }
    wait_done();
    assert_true(ended_empty);
    vQueueDelete(queue);
}

static void find_self(void *arg)
{
    bool *found = arg;
    found[0] = eTaskGetState(xTaskGetCurrentTaskHandle()) == eRunning;
    found[1] = xTaskGetHandle("helper") == xTaskGetCurrentTaskHandle();
    found[2] = xTaskGetCurrentTaskHandleForCore(0) == xTaskGetCurrentTaskHandle() &&
               xTaskGetCurrentTaskHandleForCPU(1) == NULL;
    xSemaphoreGive(done);
}

static void a_task_is_found_by_name_and_core(void **state)
{
    (void)state;
    bool found[3] = {false};
    start(find_self, found);
    wait_done();
    assert_true(found[0] && found[1] && found[2]);
    assert_null(xTaskGetHandle("nobody"));
    assert_int_equal(xTaskGetCoreID(NULL), 0);
    assert_int_equal(xPortGetCoreID(), 0);
    assert_int_equal(xPortInIsrContext(), pdFALSE);
    assert_int_equal(xPortGetTickRateHz(), configTICK_RATE_HZ);
}

static void the_idle_task_can_be_taken_out_of_the_watchdog(void **state)
{
    (void)state;
    TaskHandle_t idle = xTaskGetIdleTaskHandleForCPU(0);
    assert_non_null(idle);
    assert_ptr_equal(idle, xTaskGetIdleTaskHandle());
    assert_null(xTaskGetIdleTaskHandleForCore(1));
    assert_string_equal(pcTaskGetName(idle), "IDLE");
    assert_int_equal(esp_task_wdt_status(idle), ESP_OK);
    assert_int_equal(esp_task_wdt_delete(idle), ESP_OK);
    assert_int_equal(esp_task_wdt_delete(idle), ESP_ERR_NOT_FOUND);
    assert_int_equal(esp_task_wdt_add(idle), ESP_OK);
}

static void a_user_of_the_watchdog_must_be_reset(void **state)
{
    (void)state;
    esp_task_wdt_user_handle_t one = NULL, two = NULL;
    assert_int_equal(esp_task_wdt_add_user(NULL, &one), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_task_wdt_add_user("one", NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_task_wdt_reset_user(NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_task_wdt_delete_user(NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(esp_task_wdt_add_user("one", &one), ESP_OK);
    assert_int_equal(esp_task_wdt_add_user("two", &two), ESP_OK);
    assert_true(kernel_all_alive(NULL)); /* their start counts */
    assert_false(kernel_all_alive(NULL));
    assert_int_equal(esp_task_wdt_reset_user(one), ESP_OK);
    kernel_silent_t silent = {.name = ""};
    assert_false(kernel_all_alive(&silent));
    assert_string_equal(silent.name, "two");
    assert_true(silent.subscribed);
    assert_int_equal(esp_task_wdt_reset_user(two), ESP_OK);
    assert_true(kernel_all_alive(NULL));
    assert_int_equal(esp_task_wdt_delete_user(one), ESP_OK);
    assert_int_equal(esp_task_wdt_delete_user(one), ESP_ERR_NOT_FOUND);
    assert_int_equal(esp_task_wdt_reset_user(one), ESP_ERR_NOT_FOUND);
    assert_int_equal(esp_task_wdt_delete_user(two), ESP_OK);
    assert_true(kernel_all_alive(NULL));
}

static void the_watchdog_is_set_up_in_both_forms(void **state)
{
    (void)state;
    const esp_task_wdt_config_t config = {.timeout_ms = 5000, .trigger_panic = true};
    assert_int_equal(esp_task_wdt_init(&config), ESP_OK);
    assert_int_equal(esp_task_wdt_init(5, true), ESP_OK);
    assert_int_equal(esp_task_wdt_reconfigure(&config), ESP_OK);
    assert_int_equal(esp_task_wdt_deinit(), ESP_OK);
}

static int deleted_index;
static atomic_intptr_t deleted_value;

static void note_deletion(int index, void *value)
{
    deleted_index = index;
    atomic_store(&deleted_value, (intptr_t)value);
}

static void keep_a_pointer(void *arg)
{
    void **seen = arg;
    vTaskSetThreadLocalStoragePointerAndDelCallback(NULL, 0, (void *)(intptr_t)5, note_deletion);
    seen[0] = pvTaskGetThreadLocalStoragePointer(NULL, 0);
    vTaskSetThreadLocalStoragePointer(NULL, configNUM_THREAD_LOCAL_STORAGE_POINTERS, (void *)(intptr_t)6);
    seen[1] = pvTaskGetThreadLocalStoragePointer(NULL, configNUM_THREAD_LOCAL_STORAGE_POINTERS);
    seen[2] = pvTaskGetThreadLocalStoragePointer(NULL, -1);
    xSemaphoreGive(done);
}

static void pointers_of_a_task_are_its_own_and_end_with_it(void **state)
{
    (void)state;
    void *seen[3] = {NULL};
    deleted_index = -1;
    start(keep_a_pointer, seen);
    wait_done();
    assert_true(kernel_wait_idle(10000));
    assert_ptr_equal(seen[0], (void *)(intptr_t)5);
    assert_null(seen[1]);
    assert_null(seen[2]);
    assert_int_equal(deleted_index, 0);
    assert_int_equal(atomic_load(&deleted_value), 5);
    assert_null(pvTaskGetThreadLocalStoragePointer(NULL, 0)); /* outside of tasks */
}

static void a_wait_of_ones_own_has_a_limit(void **state)
{
    (void)state;
    TimeOut_t timeout;
    TickType_t left = 3, endless = portMAX_DELAY;
    vTaskSetTimeOutState(&timeout);
    assert_int_equal(xTaskCheckForTimeOut(&timeout, &endless), pdFALSE);
    assert_int_equal(xTaskCheckForTimeOut(&timeout, &left), pdFALSE);
    assert_true(left >= 1 && left <= 3);
    vTaskDelay(4);
    assert_int_equal(xTaskCheckForTimeOut(&timeout, &left), pdTRUE);
    assert_int_equal(left, 0);
}

static portMUX_TYPE mux = portMUX_INITIALIZER_UNLOCKED;
static int guarded;

static void count_in_critical_sections(void *arg)
{
    for (int i = 0; i < 20000; i++) {
        if (arg != NULL) {
            vTaskSuspendAll();
        } else {
            taskENTER_CRITICAL(&mux);
        }
        int before = guarded;
        guarded = before + 1;
        if (arg != NULL) {
            (void)xTaskResumeAll();
        } else {
            taskEXIT_CRITICAL(&mux);
        }
    }
    xSemaphoreGive(done);
}

static void critical_sections_exclude_each_other(void **state)
{
    (void)state;
    guarded = 0;
    start(count_in_critical_sections, NULL);
    start(count_in_critical_sections, NULL);
    start(count_in_critical_sections, &mux);
    for (int i = 0; i < 3; i++) {
        wait_done();
    }
    assert_int_equal(guarded, 60000);
}

static void try_critical(void *arg)
{
    *(BaseType_t *)arg = portTRY_ENTER_CRITICAL(&mux, portMUX_TRY_LOCK);
    xSemaphoreGive(done);
}

static void critical_sections_nest_and_can_be_tried(void **state)
{
    (void)state;
    BaseType_t entered = -1;
    portMUX_INITIALIZE(&mux);
    portENTER_CRITICAL(&mux);
    portENTER_CRITICAL_ISR(&mux);
    portEXIT_CRITICAL_ISR(&mux);
    assert_int_equal(xTaskGetSchedulerState(), taskSCHEDULER_RUNNING);
    start(try_critical, &entered);
    wait_done();
    assert_int_equal(entered, pdFAIL);
    portEXIT_CRITICAL(&mux);
    assert_int_equal(portTRY_ENTER_CRITICAL(&mux, portMUX_TRY_LOCK), pdPASS);
    portEXIT_CRITICAL(&mux);
    UBaseType_t mask = taskENTER_CRITICAL_FROM_ISR();
    start(try_critical, &entered);
    wait_done();
    assert_int_equal(entered, pdFAIL);
    taskEXIT_CRITICAL_FROM_ISR(mask);
    vTaskSuspendAll();
    assert_int_equal(xTaskGetSchedulerState(), taskSCHEDULER_SUSPENDED);
    assert_int_equal(xTaskResumeAll(), pdFALSE);
    assert_int_equal(xTaskResumeAll(), pdFALSE); /* one too many is none */
    assert_int_equal(xTaskGetSchedulerState(), taskSCHEDULER_RUNNING);
}

static void say_done(void *arg)
{
    (void)arg;
    xSemaphoreGive(done);
}

static void other_ways_to_create_a_task_do_the_same(void **state)
{
    (void)state;
    static StackType_t stack[4096];
    static StaticTask_t buffer;
    assert_null(xTaskCreateStatic(say_done, "none", sizeof(stack), NULL, 5, NULL, &buffer));
    assert_null(xTaskCreateStatic(say_done, "none", sizeof(stack), NULL, 5, stack, NULL));
    assert_non_null(xTaskCreateStatic(say_done, "static", sizeof(stack), NULL, 5, stack, &buffer));
    wait_done();
    assert_non_null(
        xTaskCreateStaticPinnedToCore(say_done, "static", sizeof(stack), NULL, 5, stack, &buffer, 1));
    wait_done();
    assert_int_equal(xTaskCreateWithCaps(say_done, "caps", 4096, NULL, 5, NULL, MALLOC_CAP_SPIRAM), pdPASS);
    wait_done();
}

static void memory_of_the_port_is_that_of_the_program(void **state)
{
    (void)state;
    char *memory = pvPortCalloc(3, 5);
    assert_non_null(memory);
    assert_memory_equal(memory, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 15);
    vPortFree(memory);
    memory = pvPortMalloc(10);
    assert_non_null(memory);
    vPortFree(memory);
    assert_true(xPortGetFreeHeapSize() > 0 && xPortGetMinimumEverFreeHeapSize() > 0);
}

/* ---- what OpenSSL keeps for a thread ---- */

static atomic_int blocks_of_openssl;
static pthread_key_t older_key; /* than OpenSSL's: its destructor comes first */
static sem_t may_end;

static void *take_block(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    blocks_of_openssl++;
    return malloc(size);
}

static void *take_other_block(void *block, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    blocks_of_openssl += block == NULL;
    return realloc(block, size);
}

static void drop_block(void *block, const char *file, int line)
{
    (void)file;
    (void)line;
    blocks_of_openssl -= block != NULL;
    free(block);
}

static void hold_the_thread(void *unused)
{
    (void)unused;
    sem_wait(&may_end);
}

static void make_an_error(void *arg)
{
    pthread_setspecific(older_key, arg);
    ERR_raise(ERR_LIB_USER, 1);
    xSemaphoreGive(done);
}

/** Its thread takes a moment more to end, in which the program may end. */
static void a_task_that_is_gone_has_given_back_what_openssl_keeps_for_it(void **state)
{
    (void)state;
    ERR_raise(ERR_LIB_USER, 1); /* what is there once for all */
    assert_int_equal(sem_init(&may_end, 0, 0), 0);
    const int before = blocks_of_openssl;
    assert_true(before > 0);
    TaskHandle_t task = start_task(make_an_error, &may_end);
    wait_done();
    assert_true(kernel_wait_idle(10000));
    assert_int_equal(eTaskGetState(task), eDeleted);
    const int after = blocks_of_openssl;
    sem_post(&may_end);
    assert_int_equal(after, before);
    ERR_clear_error();
}

/** Waits to be notified, in the middle of a list. */
static void wait_to_be_listed(void *arg)
{
    (void)arg;
    ulTaskNotifyTake(pdTRUE, portMAX_DELAY);
    vTaskDelete(NULL);
}

static void tasks_are_listed_with_what_they_do(void **unused)
{
    (void)unused;
    TaskHandle_t listed, other;
    assert_int_equal(pdPASS, xTaskCreate(wait_to_be_listed, "listed", 3000, NULL, 7, &listed));
    assert_int_equal(pdPASS, xTaskCreate(wait_to_be_listed, "other", 4000, NULL, 2, &other));
    while (eTaskGetState(listed) != eBlocked || eTaskGetState(other) != eBlocked) {
        vTaskDelay(1);
    }
    vTaskSuspend(other);

    TaskStatus_t status[16], one;
    uint32_t total = 0;
    const UBaseType_t count = uxTaskGetSystemState(status, 16, &total);
    assert_int_equal(uxTaskGetNumberOfTasks(), count);
    assert_int_equal(0, uxTaskGetSystemState(status, count - 1, NULL)); /* no room for all of them */
    assert_true(total > 0);
    assert_ptr_equal(other, status[0].xHandle); /* the newest first */
    assert_int_equal(eSuspended, status[0].eCurrentState);
    assert_string_equal("listed", status[1].pcTaskName);
    assert_int_equal(eBlocked, status[1].eCurrentState);
    assert_int_equal(7, status[1].uxCurrentPriority);
    assert_int_equal(3000, status[1].usStackHighWaterMark);
    assert_true(status[1].xTaskNumber < status[0].xTaskNumber);

    vTaskGetInfo(listed, &one, pdFALSE, eInvalid);
    assert_ptr_equal(listed, one.xHandle);
    assert_int_equal(eBlocked, one.eCurrentState);
    vTaskGetInfo(listed, &one, pdTRUE, eReady);
    assert_int_equal(eReady, one.eCurrentState);

    char text[16 * 64], line[64];
    vTaskList(text);
    snprintf(line, sizeof(line), "listed         \tB\t7\t3000\t%u\r\n", (unsigned)status[1].xTaskNumber);
    assert_non_null(strstr(text, line));
    assert_non_null(strstr(text, "other          \tS\t2\t4000\t"));
    vTaskGetRunTimeStats(text);
    assert_non_null(strstr(text, "listed         \t"));
    assert_non_null(strstr(text, "%\r\n"));
    vTaskDelete(other);
    vTaskDelete(listed);
}

int main(void)
{
    if (CRYPTO_set_mem_functions(take_block, take_other_block, drop_block) != 1 ||
        pthread_key_create(&older_key, hold_the_thread) != 0) {
        return EXIT_FAILURE;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_suspended_task_stays_in_its_wait_until_it_is_resumed,
                                        helpers_set_up, helpers_tear_down),
        cmocka_unit_test_setup_teardown(a_task_can_suspend_itself, helpers_set_up, helpers_tear_down),
        cmocka_unit_test_setup_teardown(suspended_tasks_can_be_deleted, helpers_set_up, helpers_tear_down),
        cmocka_unit_test_setup_teardown(a_busy_task_is_suspended_where_it_yields, helpers_set_up,
                                        helpers_tear_down),
        cmocka_unit_test_setup_teardown(a_wait_can_be_given_up_for_another_task, helpers_set_up,
                                        helpers_tear_down),
        cmocka_unit_test_setup_teardown(a_task_is_found_by_name_and_core, helpers_set_up, helpers_tear_down),
        cmocka_unit_test_setup_teardown(the_idle_task_can_be_taken_out_of_the_watchdog, helpers_set_up,
                                        helpers_tear_down),
        cmocka_unit_test_setup_teardown(a_user_of_the_watchdog_must_be_reset, helpers_set_up,
                                        helpers_tear_down),
        cmocka_unit_test_setup_teardown(the_watchdog_is_set_up_in_both_forms, helpers_set_up,
                                        helpers_tear_down),
        cmocka_unit_test_setup_teardown(pointers_of_a_task_are_its_own_and_end_with_it, helpers_set_up,
                                        helpers_tear_down),
        cmocka_unit_test_setup_teardown(tasks_are_listed_with_what_they_do, helpers_set_up,
                                        helpers_tear_down),
        cmocka_unit_test_setup_teardown(a_wait_of_ones_own_has_a_limit, helpers_set_up, helpers_tear_down),
        cmocka_unit_test_setup_teardown(critical_sections_exclude_each_other, helpers_set_up,
                                        helpers_tear_down),
        cmocka_unit_test_setup_teardown(critical_sections_nest_and_can_be_tried, helpers_set_up,
                                        helpers_tear_down),
        cmocka_unit_test_setup_teardown(other_ways_to_create_a_task_do_the_same, helpers_set_up,
                                        helpers_tear_down),
        cmocka_unit_test_setup_teardown(memory_of_the_port_is_that_of_the_program, helpers_set_up,
                                        helpers_tear_down),
        cmocka_unit_test_setup_teardown(a_task_that_is_gone_has_given_back_what_openssl_keeps_for_it,
                                        helpers_set_up, helpers_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
