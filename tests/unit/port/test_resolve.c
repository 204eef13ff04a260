/* Name look-up: the thread that waits for the answer is out of the program's way. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "linux/resolve.h"

#define FIRST_REAL_TIME 32

static int open_signals; /* of the thread that asks: signals that could be handled in it, -1: nobody asked */

/* In the C library's place. */
int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
    (void)host;
    (void)service;
    (void)result;
    if ((hints->ai_flags & AI_NUMERICHOST) == 0) {
        sigset_t blocked;
        pthread_sigmask(SIG_BLOCK, NULL, &blocked);
        open_signals = 0;
        for (int number = 1; number < FIRST_REAL_TIME; number++) {
            bool cannot = number == SIGKILL || number == SIGSTOP;
            open_signals += !cannot && sigismember(&blocked, number) == 0;
        }
    }
    return EAI_NONAME;
}

static void no_signal_is_handled_in_the_thread_of_a_look_up(void **state)
{
    (void)state;
    sigset_t before, after;
    struct addrinfo *list = NULL;
    open_signals = -1;
    pthread_sigmask(SIG_BLOCK, NULL, &before);
    assert_int_equal(resolve_host("name.example", 443, AF_UNSPEC, 10000, &list), EAI_NONAME);
    assert_int_equal(open_signals, 0);
    pthread_sigmask(SIG_BLOCK, NULL, &after);
    for (int number = 1; number < FIRST_REAL_TIME; number++) {
        assert_int_equal(sigismember(&after, number), sigismember(&before, number));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_signal_is_handled_in_the_thread_of_a_look_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
