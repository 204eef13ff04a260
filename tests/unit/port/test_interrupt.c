/* What ends the waits of a program: a signal that came before, one that comes, the end of its time. Each in its own process. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "linux/interrupt.h"
#include "linux/resolve.h"

#define LONG_MS 60000

static int silent[2]; /* a pipe into which nobody writes */

/* In the C library's place: an answer that takes its time. */
int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
    (void)host;
    (void)service;
    (void)result;
    if ((hints->ai_flags & AI_NUMERICHOST) == 0) {
        struct pollfd wait = {.fd = silent[0], .events = POLLIN};
        poll(&wait, 1, LONG_MS);
    }
    return EAI_NONAME;
}

static int wait_for_bytes(int timeout_ms)
{
    struct pollfd wait = {.fd = silent[0], .events = POLLIN};
    return interrupt_poll(&wait, 1, timeout_ms);
}

static bool is_cancelled(interrupt_t by)
{
    return wait_for_bytes(LONG_MS) == -1 && errno == ECANCELED && interrupt_came() == by &&
           wait_for_bytes(LONG_MS) == -1; /* and so for ever */
}

static bool signal_before_the_wait(void)
{
    interrupt_catch();
    raise(SIGINT);
    return is_cancelled(INTERRUPT_SIGNAL);
}

static void *kill_soon(void *arg)
{
    const struct timespec soon = {.tv_nsec = 100000000};
    (void)arg;
    nanosleep(&soon, NULL);
    kill(getpid(), SIGTERM);
    return NULL;
}

static bool signal_in_the_wait(void)
{
    pthread_t thread;
    interrupt_catch();
    bool ok = interrupt_came() == INTERRUPT_NONE && pthread_create(&thread, NULL, kill_soon, NULL) == 0;
    bool cancelled = ok && is_cancelled(INTERRUPT_SIGNAL);
    return ok && pthread_join(thread, NULL) == 0 && cancelled;
}

static bool end_of_time(void)
{
    interrupt_after(50);
    return wait_for_bytes(1) == 0 && is_cancelled(INTERRUPT_TIME);
}

static bool wait_without_end(void)
{
    interrupt_after(50);
    return wait_for_bytes(-1) == -1 && interrupt_came() == INTERRUPT_TIME;
}

static bool name_look_up(void)
{
    struct addrinfo *list = NULL;
    interrupt_after(100);
    return resolve_host("name.example", 443, AF_UNSPEC, LONG_MS, &list) == RESOLVE_TIMED_OUT;
}

static bool nothing_is_caught(void)
{
    return wait_for_bytes(10) == 0 && interrupt_came() == INTERRUPT_NONE;
}

static bool the_second_signal_ends_the_process(void)
{
    interrupt_catch();
    raise(SIGINT);
    (void)interrupt_came();
    raise(SIGINT);
    return false; /* not reached */
}

static void waits_end_at_once(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool (*run)(void);
        int killed_by; /* 0: it exits */
    } rows[] = {
        {"a signal that came before the wait", signal_before_the_wait, 0},
        {"a signal in the wait", signal_in_the_wait, 0},
        {"the end of the time", end_of_time, 0},
        {"the end of the time, in a wait without end", wait_without_end, 0},
        {"the end of the time, while a name is looked up", name_look_up, 0},
        {"nothing", nothing_is_caught, 0},
        {"the second signal", the_second_signal_ends_the_process, SIGINT},
    };
    assert_int_equal(pipe(silent), 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            alarm(10);
            _exit(rows[i].run() ? 0 : 1);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        bool good = rows[i].killed_by != 0 ? WIFSIGNALED(status) && WTERMSIG(status) == rows[i].killed_by
                                           : WIFEXITED(status) && WEXITSTATUS(status) == 0;
        if (!good) {
            fail_msg("%s: status 0x%x", rows[i].name, (unsigned)status);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_end_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
