/* The signals are held back but for the waits: none can come between the last look at the flag and the wait. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/interrupt.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

static bool is_caught;
static int64_t end_ms; /* 0: no limit */
static interrupt_t came;
static volatile sig_atomic_t met; /* in a wait */

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static sigset_t signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    return set;
}

static void on_signal(int number)
{
    (void)number;
    met = 1;
}

void interrupt_catch(void)
{
    const struct sigaction action = {.sa_handler = on_signal};
    const sigset_t set = signals();
    sigprocmask(SIG_BLOCK, &set, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    is_caught = true;
}

void interrupt_after(int64_t ms)
{
    end_ms = now_ms() + ms;
}

/** The first signal has done its work; the next one ends the process. */
static void let_signals_through(void)
{
    const sigset_t set = signals();
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

interrupt_t interrupt_came(void)
{
    const struct timespec now = {0};
    const sigset_t set = signals();
    if (came != INTERRUPT_NONE) {
        return came;
    }
    if (is_caught && (met != 0 || sigtimedwait(&set, NULL, &now) > 0)) {
        came = INTERRUPT_SIGNAL;
        let_signals_through();
    } else if (end_ms != 0 && now_ms() >= end_ms) {
        came = INTERRUPT_TIME;
    }
    return came;
}

/** poll() with the signals let in. */
static int open_poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    const struct timespec limit = {.tv_sec = timeout_ms / 1000,
                                   .tv_nsec = (long)(timeout_ms % 1000) * 1000000};
    sigset_t mask;
    sigprocmask(SIG_BLOCK, NULL, &mask);
    if (is_caught) {
        sigdelset(&mask, SIGINT);
        sigdelset(&mask, SIGTERM);
    }
    return ppoll(fds, count, timeout_ms < 0 ? NULL : &limit, &mask);
}

int interrupt_poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    if (interrupt_came() == INTERRUPT_NONE) {
        int64_t left_ms = end_ms != 0 ? end_ms - now_ms() : INT64_MAX;
        bool is_last = timeout_ms < 0 ? end_ms != 0 : left_ms < timeout_ms;
        int ready = open_poll(fds, count, !is_last ? timeout_ms : left_ms > 0 ? (int)left_ms : 0);
        bool has_ended = (ready == 0 && is_last) || (ready < 0 && errno == EINTR);
        if (!has_ended || interrupt_came() == INTERRUPT_NONE) {
            return ready;
        }
    }
    errno = ECANCELED;
    return -1;
}
