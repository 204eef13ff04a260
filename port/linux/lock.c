/* The locks of the system seam on Linux; a file of its own because port/sim has no others. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>

#include "otter/system.h"

/* Recursive, as the seam promises. Tasks are deleted while they wait for FreeRTOS objects only, so none ends with a lock. */
static pthread_mutex_t locks[OTTER_LOCK_COUNT] = {
    [OTTER_LOCK_UPDATES] = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP,
    [OTTER_LOCK_NVS] = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP,
    [OTTER_LOCK_SYSTEM] = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP,
    [OTTER_LOCK_LISTS] = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP,
    [OTTER_LOCK_FLASH] = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP,
    [OTTER_LOCK_LOG] = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP,
};

void otter_lock(otter_lock_t lock)
{
    pthread_mutex_lock(&locks[lock]); /* cannot fail on a mutex of this kind, initialised as these are */
}

void otter_unlock(otter_lock_t lock)
{
    pthread_mutex_unlock(&locks[lock]);
}
