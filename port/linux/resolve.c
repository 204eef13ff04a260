/* Name look-up in a thread of its own: getaddrinfo() cannot be told a time limit, so its caller stops waiting instead. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/resolve.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "linux/interrupt.h"

#define STEP_MS    50
#define STACK_SIZE (256 * 1024) /* the resolver's plugins want more than the minimum */

/* Shared by the waiting caller and the thread; the last to let go frees it. */
typedef struct {
    pthread_mutex_t mutex;
    pthread_cond_t finished;
    int users;
    bool done;
    int code;
    struct addrinfo *result;
    struct addrinfo hints;
    char service[8];
    char host[];
} lookup_t;

static void let_go(lookup_t *lookup)
{
    pthread_mutex_lock(&lookup->mutex);
    bool last = --lookup->users == 0;
    pthread_mutex_unlock(&lookup->mutex);
    if (!last) {
        return;
    }
    if (lookup->result != NULL) {
        freeaddrinfo(lookup->result);
    }
    pthread_cond_destroy(&lookup->finished);
    pthread_mutex_destroy(&lookup->mutex);
    free(lookup);
}

static void *run(void *arg)
{
    lookup_t *lookup = arg;
    struct addrinfo *result = NULL;
    int code = getaddrinfo(lookup->host, lookup->service, &lookup->hints, &result);
    pthread_mutex_lock(&lookup->mutex);
    lookup->code = code;
    lookup->result = code == 0 ? result : NULL;
    lookup->done = true;
    pthread_cond_signal(&lookup->finished);
    pthread_mutex_unlock(&lookup->mutex);
    let_go(lookup);
    return NULL;
}

static lookup_t *new_lookup(const char *host, const char *service, const struct addrinfo *hints)
{
    size_t size = strlen(host) + 1;
    lookup_t *lookup = calloc(1, sizeof(*lookup) + size);
    if (lookup == NULL) {
        return NULL;
    }
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&lookup->finished, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&lookup->mutex, NULL);
    lookup->hints = *hints;
    memcpy(lookup->host, host, size);
    snprintf(lookup->service, sizeof(lookup->service), "%s", service);
    return lookup;
}

static bool start(lookup_t *lookup)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    lookup->users = 2;
    pthread_t thread;
    /* The program's signals are for the program's own threads: one that schedules tasks by a timer must not do it here. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(&thread, &attributes, run, lookup) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (!started) {
        lookup->users = 1;
    }
    return started;
}

/** A time from now on the clock of the condition. */
static struct timespec from_now(int ms)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += ms / 1000;
    at.tv_nsec += (long)(ms % 1000) * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    return at;
}

/** In short steps, because no signal ends the wait for a condition. */
static int wait_for(lookup_t *lookup, int timeout_ms, struct addrinfo **out)
{
    pthread_mutex_lock(&lookup->mutex);
    for (int left_ms = timeout_ms; !lookup->done && left_ms > 0 && interrupt_came() == INTERRUPT_NONE;
         left_ms -= STEP_MS) {
        const struct timespec until = from_now(left_ms < STEP_MS ? left_ms : STEP_MS);
        int waited = 0;
        while (!lookup->done && waited == 0) {
            waited = pthread_cond_timedwait(&lookup->finished, &lookup->mutex, &until);
        }
    }
    int code = lookup->done ? lookup->code : RESOLVE_TIMED_OUT;
    if (code == 0) {
        *out = lookup->result;
        lookup->result = NULL;
    }
    pthread_mutex_unlock(&lookup->mutex);
    return code;
}

int resolve_host(const char *host, uint16_t port, int family, int timeout_ms, struct addrinfo **out)
{
    char service[8];
    snprintf(service, sizeof(service), "%u", port);
    struct addrinfo hints = {
        .ai_family = family, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV | AI_NUMERICHOST};
    if (getaddrinfo(host, service, &hints, out) == 0) {
        return 0; /* an address, not a name: nothing to ask anybody */
    }
    hints.ai_flags = AI_NUMERICSERV;
    lookup_t *lookup = new_lookup(host, service, &hints);
    if (lookup == NULL) {
        return EAI_MEMORY;
    }
    int code = start(lookup) ? wait_for(lookup, timeout_ms, out) : EAI_AGAIN;
    let_go(lookup);
    return code;
}
