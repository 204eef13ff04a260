/* Work beside its caller, for the system seam: a thread for each, where this process may use a second processor. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "otter/system.h"

#define STACK_SIZE (256u * 1024) /* for the work, of which hardly any is ever touched */

typedef struct {
    pid_t process; /* a process that was forked has no thread */
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool asked, working, ends; /* what follows is guarded by the mutex */
    uint32_t upto;
    otter_beside_t job;
} helper_t;

static void *help(void *arg)
{
    helper_t *helper = arg;
    pthread_mutex_lock(&helper->mutex);
    while (!helper->ends || helper->asked) {
        if (!helper->asked) {
            pthread_cond_wait(&helper->changed, &helper->mutex);
            continue;
        }
        const uint32_t upto = helper->upto;
        helper->asked = false;
        helper->working = true;
        pthread_mutex_unlock(&helper->mutex);
        helper->job.work(helper->job.arg, upto);
        pthread_mutex_lock(&helper->mutex);
        helper->working = false;
        pthread_cond_broadcast(&helper->changed);
    }
    pthread_mutex_unlock(&helper->mutex);
    return NULL;
}

static bool has_second_processor(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 1;
}

/** Signals are for the tasks of the program: the thread takes none. */
static bool start_thread(helper_t *helper)
{
    pthread_attr_t attr;
    sigset_t all, before;
    if (pthread_attr_init(&attr) != 0) {
        return false;
    }
    (void)pthread_attr_setstacksize(&attr, STACK_SIZE); /* what the system gives otherwise is larger */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(&helper->thread, &attr, help, helper) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    return started;
}

void otter_beside_begin(otter_beside_t *beside, void (*work)(void *arg, uint32_t upto), void *arg)
{
    *beside = (otter_beside_t){.work = work, .arg = arg};
    helper_t *helper = has_second_processor() ? calloc(1, sizeof(*helper)) : NULL;
    if (helper == NULL) {
        return;
    }
    helper->job = *beside;
    helper->process = getpid();
    pthread_mutex_init(&helper->mutex, NULL);
    pthread_cond_init(&helper->changed, NULL);
    if (start_thread(helper)) {
        beside->port = helper;
    } else {
        free(helper);
    }
}

/** NULL where nothing goes on beside, or no longer does. */
static helper_t *helper_of(const otter_beside_t *beside)
{
    helper_t *helper = beside->port;
    return helper != NULL && helper->process == getpid() ? helper : NULL;
}

void otter_beside_kick(otter_beside_t *beside, uint32_t upto)
{
    helper_t *helper = helper_of(beside);
    if (helper == NULL) {
        beside->work(beside->arg, upto);
        return;
    }
    pthread_mutex_lock(&helper->mutex);
    helper->asked = true;
    helper->upto = upto;
    pthread_cond_broadcast(&helper->changed);
    pthread_mutex_unlock(&helper->mutex);
}

void otter_beside_wait(otter_beside_t *beside)
{
    helper_t *helper = helper_of(beside);
    if (helper == NULL) {
        return;
    }
    pthread_mutex_lock(&helper->mutex);
    while (helper->asked || helper->working) {
        pthread_cond_wait(&helper->changed, &helper->mutex);
    }
    pthread_mutex_unlock(&helper->mutex);
}

void otter_beside_end(otter_beside_t *beside)
{
    helper_t *helper = helper_of(beside);
    if (helper != NULL) {
        pthread_mutex_lock(&helper->mutex);
        helper->ends = true;
        pthread_cond_broadcast(&helper->changed);
        pthread_mutex_unlock(&helper->mutex);
        pthread_join(helper->thread, NULL);
        pthread_cond_destroy(&helper->changed);
        pthread_mutex_destroy(&helper->mutex);
    }
    free(beside->port);
    *beside = (otter_beside_t){0};
}
