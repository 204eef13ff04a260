/* Before gpio.c: a task preempted under a lock of the host would keep every task of a higher priority from running again. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <pthread.h>

#include "freertos/FreeRTOS.h"

#define pthread_mutex_lock(lock)   ((void)(lock), vPortEnterCritical())
#define pthread_mutex_unlock(lock) ((void)(lock), vPortExitCritical())
