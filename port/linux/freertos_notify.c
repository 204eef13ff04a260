/* Direct-to-task notifications: values of a task that others change and it waits for. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "freertos/task.h"

#include "linux/freertos_kernel.h"

/** With the lock held. NULL: no such task or index. */
static kernel_notification_t *find(TaskHandle_t task, UBaseType_t index)
{
    return index < KERNEL_NOTIFICATIONS && kernel_is_task(task) ? &task->notifications[index] : NULL;
}

static void apply(kernel_notification_t *notification, uint32_t value, eNotifyAction action)
{
    switch (action) {
    case eSetBits:
        notification->value |= value;
        break;
    case eIncrement:
        notification->value++;
        break;
    case eSetValueWithOverwrite:
    case eSetValueWithoutOverwrite:
        notification->value = value;
        break;
    case eNoAction:
    default:
        break;
    }
    notification->pending = true;
}

BaseType_t xTaskNotifyAndQueryIndexed(TaskHandle_t task, UBaseType_t index, uint32_t value,
                                      eNotifyAction action, uint32_t *before)
{
    kernel_lock();
    kernel_notification_t *notification = find(task, index);
    bool told = notification != NULL && !(action == eSetValueWithoutOverwrite && notification->pending);
    if (notification != NULL && before != NULL) {
        *before = notification->value;
    }
    if (told) {
        apply(notification, value, action);
        pthread_cond_broadcast(kernel_notified());
    }
    kernel_unlock();
    return told ? pdPASS : pdFAIL;
}

static bool is_pending(const void *notification)
{
    return ((const kernel_notification_t *)notification)->pending;
}

BaseType_t xTaskNotifyWaitIndexed(UBaseType_t index, uint32_t clear_before, uint32_t clear_after,
                                  uint32_t *value, TickType_t wait)
{
    kernel_lock();
    kernel_notification_t *notification = find(kernel_current(), index);
    bool received = false;
    if (notification != NULL) { /* outside of tasks nobody can be notified */
        if (!notification->pending) {
            notification->value &= ~clear_before;
        }
        received = kernel_wait(kernel_notified(), is_pending, notification, wait);
        if (value != NULL) {
            *value = notification->value;
        }
        if (received) {
            notification->value &= ~clear_after;
            notification->pending = false;
        }
    }
    kernel_unlock();
    return received ? pdTRUE : pdFALSE;
}

uint32_t ulTaskNotifyTakeIndexed(UBaseType_t index, BaseType_t clear_on_exit, TickType_t wait)
{
    kernel_lock();
    uint32_t count = 0;
    kernel_notification_t *notification = find(kernel_current(), index);
    if (notification != NULL) {
        if (notification->value == 0) { /* notified, but with the value 0: there is nothing to take */
            notification->pending = false;
            (void)kernel_wait(kernel_notified(), is_pending, notification, wait);
        }
        count = notification->value;
        if (count > 0) {
            notification->value = clear_on_exit != pdFALSE ? 0 : count - 1;
        }
        notification->pending = false;
    }
    kernel_unlock();
    return count;
}

BaseType_t xTaskNotifyStateClearIndexed(TaskHandle_t task, UBaseType_t index)
{
    kernel_lock();
    kernel_notification_t *notification = find(task != NULL ? task : kernel_current(), index);
    bool was = notification != NULL && notification->pending;
    if (was) {
        notification->pending = false;
    }
    kernel_unlock();
    return was ? pdTRUE : pdFALSE;
}

uint32_t ulTaskNotifyValueClearIndexed(TaskHandle_t task, UBaseType_t index, uint32_t bits)
{
    kernel_lock();
    kernel_notification_t *notification = find(task != NULL ? task : kernel_current(), index);
    uint32_t before = 0;
    if (notification != NULL) {
        before = notification->value;
        notification->value &= ~bits;
    }
    kernel_unlock();
    return before;
}
