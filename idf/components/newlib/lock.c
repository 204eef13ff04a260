/* Newlib's locks: a mutex of FreeRTOS for each, made when it is first taken. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/lock.h>

#include <stdlib.h>

#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"

static portMUX_TYPE making = portMUX_INITIALIZER_UNLOCKED;

static SemaphoreHandle_t mutex_of(_lock_t *lock)
{
    return (SemaphoreHandle_t)__atomic_load_n(lock, __ATOMIC_ACQUIRE);
}

static void make(_lock_t *lock, bool recursive)
{
    SemaphoreHandle_t made = recursive ? xSemaphoreCreateRecursiveMutex() : xSemaphoreCreateMutex();
    if (made == NULL) {
        abort();
    }
    taskENTER_CRITICAL(&making);
    const bool ours = mutex_of(lock) == NULL;
    if (ours) {
        __atomic_store_n(lock, (_lock_t)made, __ATOMIC_RELEASE);
    }
    taskEXIT_CRITICAL(&making);
    if (!ours) { /* another task was first */
        vSemaphoreDelete(made);
    }
}

static SemaphoreHandle_t made(_lock_t *lock, bool recursive)
{
    if (mutex_of(lock) == NULL) {
        make(lock, recursive);
    }
    return mutex_of(lock);
}

void _lock_init(_lock_t *lock)
{
    *lock = NULL;
    make(lock, false);
}

void _lock_init_recursive(_lock_t *lock)
{
    *lock = NULL;
    make(lock, true);
}

void _lock_close(_lock_t *lock)
{
    SemaphoreHandle_t mutex = mutex_of(lock);
    if (mutex != NULL) {
        *lock = NULL;
        vSemaphoreDelete(mutex);
    }
}

void _lock_close_recursive(_lock_t *lock)
{
    _lock_close(lock);
}

void _lock_acquire(_lock_t *lock)
{
    (void)xSemaphoreTake(made(lock, false), portMAX_DELAY);
}

void _lock_acquire_recursive(_lock_t *lock)
{
    (void)xSemaphoreTakeRecursive(made(lock, true), portMAX_DELAY);
}

int _lock_try_acquire(_lock_t *lock)
{
    return xSemaphoreTake(made(lock, false), 0) == pdTRUE ? 0 : -1;
}

int _lock_try_acquire_recursive(_lock_t *lock)
{
    return xSemaphoreTakeRecursive(made(lock, true), 0) == pdTRUE ? 0 : -1;
}

void _lock_release(_lock_t *lock)
{
    (void)xSemaphoreGive(made(lock, false));
}

void _lock_release_recursive(_lock_t *lock)
{
    (void)xSemaphoreGiveRecursive(made(lock, true));
}
