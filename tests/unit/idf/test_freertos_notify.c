/* Direct-to-task notifications: what each action does, what a wait takes, and one that comes too late. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/freertos_rig.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

typedef struct {
    BaseType_t received;
    uint32_t value;
} answer_t;

static void wait_for_one(void *arg)
{
    answer_t *answer = arg;
    answer->received = xTaskNotifyWait(0, UINT32_MAX, &answer->value, portMAX_DELAY);
    xSemaphoreGive(done);
}

static void each_action_changes_the_value_in_its_way(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        eNotifyAction action;
        uint32_t first, second, want; /* two notifications in a row */
        BaseType_t second_told;
    } rows[] = {
        {"bits", eSetBits, 1, 6, 7, pdPASS},
        {"increment", eIncrement, 9, 9, 2, pdPASS},
        {"overwrite", eSetValueWithOverwrite, 5, 6, 6, pdPASS},
        {"no overwrite", eSetValueWithoutOverwrite, 5, 6, 5, pdFAIL},
        {"no action", eNoAction, 5, 6, 0, pdPASS},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        print_message("%s\n", rows[i].name);
        answer_t answer = {pdFALSE, 99};
        TaskHandle_t task = start_task(wait_for_one, &answer);
        assert_true(kernel_wait_idle(10000));
        vTaskSuspend(task); /* so that both come before it looks */
        assert_int_equal(xTaskNotify(task, rows[i].first, rows[i].action), pdPASS);
        uint32_t before = 99;
        assert_int_equal(xTaskNotifyAndQuery(task, rows[i].second, rows[i].action, &before),
                         rows[i].second_told);
        assert_int_equal(before, rows[i].action == eIncrement  ? 1
                                 : rows[i].action == eNoAction ? 0
                                                               : rows[i].first);
        vTaskResume(task);
        wait_done();
        assert_int_equal(answer.received, pdTRUE);
        assert_int_equal(answer.value, rows[i].want);
    }
}

typedef struct {
    BaseType_t received[3];
    uint32_t value[3];
    uint32_t taken;
} steps_t;

static void clear_and_wait(void *arg)
{
    steps_t *steps = arg;
    xSemaphoreTake(done, portMAX_DELAY); /* until it is notified with 0xFF */
    steps->received[0] =
        xTaskNotifyWait(0x0F, 0xF0, &steps->value[0], 0); /* one waits: nothing is cleared before */
    steps->received[1] = xTaskNotifyWait(0x01, 0, &steps->value[1], 1); /* none comes: 1 is cleared */
    steps->received[2] = xTaskNotifyWait(0, 0, NULL, 1);
    steps->taken = ulTaskNotifyTake(pdFALSE, 0);
    xSemaphoreGive(done);
}

static void a_wait_clears_before_and_after(void **state)
{
    (void)state;
    steps_t steps = {0};
    TaskHandle_t task = start_task(clear_and_wait, &steps);
    xTaskNotify(task, 0xFF, eSetBits);
    xSemaphoreGive(done);
    assert_true(kernel_wait_idle(10000));
    wait_done();
    assert_int_equal(steps.received[0], pdTRUE);
    assert_int_equal(steps.value[0], 0xFF);
    assert_int_equal(steps.received[1], pdFALSE);
    assert_int_equal(steps.value[1], 0x0E);
    assert_int_equal(steps.received[2], pdFALSE);
    assert_int_equal(steps.taken, 0x0E);
}

static void take_of_two(void *arg)
{
    uint32_t *counts = arg;
    counts[0] = ulTaskNotifyTakeIndexed(1, pdTRUE, portMAX_DELAY);
    counts[1] = ulTaskNotifyTakeIndexed(0, pdTRUE, 0);
    counts[2] = ulTaskNotifyValueClearIndexed(NULL, 2, 0x1);
    counts[3] = ulTaskNotifyValueClearIndexed(NULL, 2, 0);
    counts[4] = (uint32_t)xTaskNotifyStateClearIndexed(NULL, 2);
    counts[5] = (uint32_t)xTaskNotifyStateClearIndexed(NULL, 2);
    xSemaphoreGive(done);
}

static void each_index_is_a_notification_of_its_own(void **state)
{
    (void)state;
    uint32_t counts[6] = {0};
    TaskHandle_t task = start_task(take_of_two, counts);
    assert_int_equal(xTaskNotifyIndexed(task, 2, 0x3, eSetBits), pdPASS);
    BaseType_t woken = 7;
    vTaskNotifyGiveIndexedFromISR(task, 1, &woken);
    wait_done();
    assert_int_equal(woken, 7);
    static const uint32_t want[] = {1, 0, 3, 2, 1, 0};
    assert_memory_equal(counts, want, sizeof(want));
}

static void what_cannot_be_notified_says_so(void **state)
{
    (void)state;
    uint32_t value = 5;
    TaskHandle_t task = start_task(wait_for_one, &(answer_t){0});
    assert_true(kernel_wait_idle(10000));
    assert_int_equal(xTaskNotifyIndexed(task, KERNEL_NOTIFICATIONS, 0, eIncrement), pdFAIL);
    assert_int_equal(ulTaskNotifyValueClear(task, 0), 0);
    xTaskNotifyGive(task);
    wait_done();
    assert_true(kernel_wait_idle(10000));
    assert_int_equal(xTaskNotifyGive(task), pdFAIL); /* it has ended */
    assert_int_equal(xTaskNotifyStateClear(task), pdFALSE);
    assert_int_equal(xTaskNotifyWait(0, 0, &value, 0), pdFALSE); /* this is no task */
    assert_int_equal(ulTaskNotifyTake(pdTRUE, portMAX_DELAY), 0);
    assert_int_equal(value, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_action_changes_the_value_in_its_way, helpers_set_up,
                                        helpers_tear_down),
        cmocka_unit_test_setup_teardown(a_wait_clears_before_and_after, helpers_set_up, helpers_tear_down),
        cmocka_unit_test_setup_teardown(each_index_is_a_notification_of_its_own, helpers_set_up,
                                        helpers_tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_notified_says_so, helpers_set_up, helpers_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
