/* Sets of queues, objects in memory of the caller's, the forms for interrupts, and tasks that meet at an event group. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "freertos/event_groups.h"
#include "freertos/queue.h"
#include "support/freertos_rig.h"

static void a_set_tells_its_members_in_the_order_of_their_items(void **state)
{
    (void)state;
    QueueHandle_t numbers = xQueueCreate(2, sizeof(int));
    SemaphoreHandle_t bell = xSemaphoreCreateBinary();
    QueueSetHandle_t set = xQueueCreateSet(3);
    assert_int_equal(xQueueAddToSet(numbers, set), pdPASS);
    assert_int_equal(xQueueAddToSet(bell, set), pdPASS);
    assert_int_equal(xQueueAddToSet(bell, set), pdFAIL);
    assert_null(xQueueSelectFromSet(set, 1));
    assert_int_equal(xSemaphoreGive(bell), pdTRUE);
    assert_int_equal(xQueueSend(numbers, &(int){1}, 0), pdTRUE);
    assert_int_equal(xQueueSendToFront(numbers, &(int){2}, 0), pdTRUE);
    assert_int_equal(xQueueRemoveFromSet(numbers, set), pdFAIL);
    assert_ptr_equal(xQueueSelectFromSet(set, 0), bell);
    assert_ptr_equal(xQueueSelectFromSet(set, 0), numbers);
    assert_ptr_equal(xQueueSelectFromSetFromISR(set), numbers);
    assert_null(xQueueSelectFromSet(set, 0));
    int value = 0;
    assert_int_equal(xQueueReceive(numbers, &value, 0), pdTRUE);
    assert_int_equal(value, 2);
    assert_int_equal(xQueueReceive(numbers, &value, 0), pdTRUE);
    assert_int_equal(xQueueRemoveFromSet(numbers, set), pdPASS);
    assert_int_equal(xQueueRemoveFromSet(numbers, set), pdFAIL);
    assert_int_equal(xQueueSend(numbers, &value, 0), pdTRUE);
    assert_null(xQueueSelectFromSet(set, 0)); /* a member no more */
    vQueueDelete(set);
    vQueueDelete(numbers);
    vSemaphoreDelete(bell);
}

static void overwriting_tells_a_set_once(void **state)
{
    (void)state;
    QueueHandle_t box = xQueueCreate(1, sizeof(int));
    QueueSetHandle_t set = xQueueCreateSet(1);
    assert_int_equal(xQueueAddToSet(box, set), pdPASS);
    xQueueOverwrite(box, &(int){1});
    xQueueOverwrite(box, &(int){2});
    assert_ptr_equal(xQueueSelectFromSet(set, 0), box);
    assert_null(xQueueSelectFromSet(set, 0));
    vQueueDelete(set);
    vQueueDelete(box);
}

typedef struct {
    QueueSetHandle_t set;
    QueueSetMemberHandle_t chosen;
} choice_t;

static void choose(void *arg)
{
    choice_t *choice = arg;
    choice->chosen = xQueueSelectFromSet(choice->set, portMAX_DELAY);
    xSemaphoreGive(done);
}

static void a_task_waits_for_any_member(void **state)
{
    (void)state;
    SemaphoreHandle_t one = xSemaphoreCreateBinary(), two = xSemaphoreCreateBinary();
    choice_t choice = {.set = xQueueCreateSet(2)};
    xQueueAddToSet(one, choice.set);
    xQueueAddToSet(two, choice.set);
    start(choose, &choice);
    assert_true(kernel_wait_idle(10000));
    xSemaphoreGive(two);
    wait_done();
    assert_ptr_equal(choice.chosen, two);
    vQueueDelete(choice.set);
    vSemaphoreDelete(one);
    vSemaphoreDelete(two);
}

static void objects_live_in_memory_of_the_caller(void **state)
{
    (void)state;
    static StaticQueue_t queue_buffer;
    static StaticSemaphore_t buffers[4];
    static StaticEventGroup_t group_buffer;
    static uint8_t storage[2 * sizeof(int)];
    assert_null(xQueueCreateStatic(2, sizeof(int), NULL, &queue_buffer));
    assert_null(xQueueCreateStatic(2, sizeof(int), storage, NULL));
    assert_null(xQueueCreateStatic(0, sizeof(int), storage, &queue_buffer));
    QueueHandle_t queue = xQueueCreateStatic(2, sizeof(int), storage, &queue_buffer);
    assert_ptr_equal(queue, &queue_buffer);
    assert_int_equal(xQueueSend(queue, &(int){0x01020304}, 0), pdTRUE);
    assert_int_equal(((int *)(void *)storage)[0], 0x01020304);
    int value = 0;
    assert_int_equal(xQueueReceive(queue, &value, 0), pdTRUE);
    assert_int_equal(value, 0x01020304);
    vQueueDelete(queue);

    assert_null(xSemaphoreCreateBinaryStatic(NULL));
    assert_null(xSemaphoreCreateCountingStatic(1, 2, &buffers[0]));
    SemaphoreHandle_t made[] = {
        xSemaphoreCreateBinaryStatic(&buffers[0]), xSemaphoreCreateCountingStatic(3, 2, &buffers[1]),
        xSemaphoreCreateMutexStatic(&buffers[2]), xSemaphoreCreateRecursiveMutexStatic(&buffers[3])};
    static const UBaseType_t counts[] = {0, 2, 1, 1};
    for (size_t i = 0; i < 4; i++) {
        assert_ptr_equal(made[i], &buffers[i]);
        assert_int_equal(uxSemaphoreGetCount(made[i]), counts[i]);
        vSemaphoreDelete(made[i]);
    }

    assert_null(xEventGroupCreateStatic(NULL));
    EventGroupHandle_t group = xEventGroupCreateStatic(&group_buffer);
    assert_ptr_equal(group, &group_buffer);
    assert_int_equal(xEventGroupSetBits(group, 5), 5);
    vEventGroupDelete(group);
}

static void report_holder(void *mutex)
{
    assert_int_equal(xSemaphoreTake(mutex, portMAX_DELAY), pdTRUE);
    if (xSemaphoreGetMutexHolder(mutex) == xTaskGetCurrentTaskHandle()) {
        xSemaphoreGive(done);
    }
    xSemaphoreGive(mutex);
}

static void what_the_macros_end_in_can_be_called(void **state)
{
    (void)state;
    assert_null(xQueueGenericCreate(1, 0, queueQUEUE_TYPE_MUTEX));
    QueueHandle_t queue = xQueueGenericCreate(3, sizeof(int), queueQUEUE_TYPE_BASE);
    int value = 0;
    assert_int_equal(xQueueGenericSend(queue, &(int){1}, 0, queueSEND_TO_BACK), pdTRUE);
    assert_int_equal(xQueueGenericSend(queue, &(int){2}, 0, queueSEND_TO_FRONT), pdTRUE);
    assert_int_equal(xQueueGenericSendFromISR(queue, &(int){3}, NULL, queueSEND_TO_BACK), pdTRUE);
    static const int want[] = {2, 1, 3};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(xQueueReceive(queue, &value, 0), pdTRUE);
        assert_int_equal(value, want[i]);
    }
    assert_int_equal(xQueueGenericReset(queue, pdFALSE), pdPASS);
    vQueueDelete(queue);

    StaticQueue_t memory;
    uint8_t storage[sizeof(int)];
    queue = xQueueGenericCreateStatic(1, sizeof(int), storage, &memory, queueQUEUE_TYPE_BASE);
    assert_int_equal(xQueueGenericSend(queue, &(int){4}, 0, queueOVERWRITE), pdTRUE);
    assert_int_equal(xQueueGenericSend(queue, &(int){5}, 0, queueOVERWRITE), pdTRUE);
    assert_int_equal(xQueueReceive(queue, &value, 0), pdTRUE);
    assert_int_equal(value, 5);
    vQueueDelete(queue);
}

static void a_mutex_knows_its_holder(void **state)
{
    (void)state;
    SemaphoreHandle_t mutex = xSemaphoreCreateMutex();
    start(report_holder, mutex);
    wait_done();
    assert_true(kernel_wait_idle(10000));
    assert_null(xSemaphoreGetMutexHolder(mutex));
    vSemaphoreDelete(mutex);
}

static void forms_for_interrupts_are_the_plain_ones_without_waiting(void **state)
{
    (void)state;
    BaseType_t woken = 7;
    int value = 0;
    QueueHandle_t queue = xQueueCreate(1, sizeof(int));
    assert_int_equal(xQueueReceiveFromISR(queue, &value, &woken), errQUEUE_EMPTY);
    assert_int_equal(xQueueIsQueueEmptyFromISR(queue), pdTRUE);
    assert_int_equal(xQueueSendFromISR(queue, &(int){4}, &woken), pdTRUE);
    assert_int_equal(xQueueSendToFrontFromISR(queue, &(int){5}, NULL), errQUEUE_FULL);
    assert_int_equal(xQueueIsQueueFullFromISR(queue), pdTRUE);
    assert_int_equal(uxQueueMessagesWaitingFromISR(queue), 1);
    assert_int_equal(xQueueOverwriteFromISR(queue, &(int){6}, &woken), pdTRUE);
    assert_int_equal(xQueuePeekFromISR(queue, &value), pdTRUE);
    assert_int_equal(value, 6);
    vQueueAddToRegistry(queue, "name");
    assert_null(pcQueueGetName(queue));
    vQueueDelete(queue);

    SemaphoreHandle_t semaphore;
    vSemaphoreCreateBinary(semaphore);
    assert_int_equal(xSemaphoreTakeFromISR(semaphore, &woken), pdTRUE);
    assert_int_equal(xSemaphoreTakeFromISR(semaphore, &woken), pdFALSE);
    assert_int_equal(xSemaphoreGiveFromISR(semaphore, NULL), pdTRUE);
    vSemaphoreDelete(semaphore);

    EventGroupHandle_t group = xEventGroupCreate();
    assert_int_equal(xEventGroupSetBitsFromISR(group, 3, &woken), pdPASS);
    assert_int_equal(xEventGroupClearBitsFromISR(group, 1), pdPASS);
    assert_int_equal(xEventGroupGetBitsFromISR(group), 2);
    vEventGroupDelete(group);
    assert_int_equal(woken, 7);
}

static EventGroupHandle_t meeting;

static void arrive(void *arg)
{
    EventBits_t *seen = arg;
    *seen = xEventGroupSync(meeting, *seen, 7, portMAX_DELAY);
    xSemaphoreGive(done);
}

static void tasks_meet_at_an_event_group(void **state)
{
    (void)state;
    meeting = xEventGroupCreate();
    xEventGroupSetBits(meeting, 8);
    EventBits_t seen[] = {1, 2};
    start(arrive, &seen[0]);
    start(arrive, &seen[1]);
    assert_true(kernel_wait_idle(10000));
    assert_int_equal(xEventGroupSync(meeting, 0, 4, 1), 8 | 3); /* nobody has set 4 */
    assert_int_equal(xEventGroupSync(meeting, 4, 7, 0), 8 | 7); /* the last one need not wait */
    wait_done();
    wait_done();
    assert_int_equal(seen[0], 8 | 7);
    assert_int_equal(seen[1], 8 | 7);
    assert_int_equal(xEventGroupGetBits(meeting), 8);
    vEventGroupDelete(meeting);
}

typedef struct {
    QueueHandle_t queue;
    EventGroupHandle_t group;
    bool received;
    EventBits_t seen;
} deleted_t;

static void wait_for_a_queue(void *arg)
{
    deleted_t *it = arg;
    int item;
    it->received = xQueueReceive(it->queue, &item, 20) == pdTRUE;
    xSemaphoreGive(done);
    vTaskDelete(NULL);
}

static void wait_for_a_group(void *arg)
{
    deleted_t *it = arg;
    it->seen = xEventGroupWaitBits(it->group, 3, pdTRUE, pdTRUE, portMAX_DELAY);
    xSemaphoreGive(done);
    vTaskDelete(NULL);
}

static void what_is_deleted_while_tasks_wait_for_it_is_left_in_peace(void **state)
{
    (void)state;
    deleted_t it = {.queue = xQueueCreate(1, sizeof(int)), .received = true};
    TaskHandle_t task = start_task(wait_for_a_queue, &it);
    wait_until_blocked(task);
    vQueueDelete(it.queue);
    wait_done();
    assert_false(it.received);
    vQueueDelete(it.queue); /* its memory was left to the one who waited, who waits no more */
}

static void it_is_deleted_with_its_waiter(void)
{
    deleted_t it = {.group = xEventGroupCreate()};
    TaskHandle_t task = start_task(wait_for_a_group, &it);
    wait_until_blocked(task);
    vTaskDelete(task);
    vEventGroupDelete(it.group);
    while (eTaskGetState(task) != eDeleted) {
        if (xSemaphoreTake(done, 1) == pdTRUE) {
            break; /* its wait has ended before it did */
        }
    }
}

static void a_group_that_is_deleted_ends_the_waits_for_it(void **state)
{
    (void)state;
    deleted_t first = {.group = xEventGroupCreate(), .seen = 99}, second = first;
    xEventGroupSetBits(first.group, 1);
    wait_until_blocked(start_task(wait_for_a_group, &first));
    wait_until_blocked(start_task(wait_for_a_group, &second));
    vEventGroupDelete(first.group);
    wait_done();
    wait_done();
    assert_int_equal(first.seen, 0);
    assert_int_equal(second.seen, 0);
    /* The last one that waited may be a task that is deleted itself. */
    it_is_deleted_with_its_waiter();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_deleted_while_tasks_wait_for_it_is_left_in_peace,
                                        helpers_set_up, helpers_tear_down),
        cmocka_unit_test_setup_teardown(a_group_that_is_deleted_ends_the_waits_for_it, helpers_set_up,
                                        helpers_tear_down),
        cmocka_unit_test_setup_teardown(a_set_tells_its_members_in_the_order_of_their_items, helpers_set_up,
                                        helpers_tear_down),
        cmocka_unit_test_setup_teardown(overwriting_tells_a_set_once, helpers_set_up, helpers_tear_down),
        cmocka_unit_test_setup_teardown(a_task_waits_for_any_member, helpers_set_up, helpers_tear_down),
        cmocka_unit_test_setup_teardown(objects_live_in_memory_of_the_caller, helpers_set_up,
                                        helpers_tear_down),
        cmocka_unit_test_setup_teardown(what_the_macros_end_in_can_be_called, helpers_set_up,
                                        helpers_tear_down),
        cmocka_unit_test_setup_teardown(a_mutex_knows_its_holder, helpers_set_up, helpers_tear_down),
        cmocka_unit_test_setup_teardown(forms_for_interrupts_are_the_plain_ones_without_waiting,
                                        helpers_set_up, helpers_tear_down),
        cmocka_unit_test_setup_teardown(tasks_meet_at_an_event_group, helpers_set_up, helpers_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
