/* The keeper and its worker. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/keeper.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "linux/console_tap.h"
#include "linux/descendants.h"

#define GRACE_MS                                                                                             \
    10000 /* for a worker that was told to end, before it is killed; it gives its own children less */

typedef struct {
    const keeper_plan_t *plan;
    void *arg;
    pid_t worker;
    int signals; /* signalfd */
    bool tapped;
    console_tap_t tap; /* of the standard output of the worker, if tapped */
    keeper_off_t off;
    int64_t off_at;  /* ms of the monotonic clock; 0: never */
    int64_t kill_at; /* the same; 0: it was not told to end */
} keeper_t;

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/** Those that end a program, unless whoever started this one wants them ignored (nohup, a job in the background). */
static void add_stop_signals(sigset_t *set)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        struct sigaction now;
        if (sigaction(numbers[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN) {
            sigaddset(set, numbers[i]);
        }
    }
}

/** In the new process. Never returns. */
static void become_worker(keeper_t *k, void (*work)(void *arg, int signals), int output, pid_t keeper)
{
    prctl(PR_SET_PDEATHSIG, KEEPER_HAS_ENDED);
    bool ready = getppid() == keeper && descendants_adopt();
    if (ready && output >= 0) {
        ready = dup2(output, STDOUT_FILENO) >= 0;
        close(output);
        close(k->tap.from);
    }
    if (ready) {
        work(k->arg, k->signals);
        fflush(NULL);
        _exit(EXIT_SUCCESS);
    }
    _exit(EXIT_FAILURE);
}

/** @return false with errno */
static bool start_worker(keeper_t *k, void (*work)(void *arg, int signals))
{
    sigset_t watched;
    sigemptyset(&watched);
    sigaddset(&watched, SIGCHLD);
    sigaddset(&watched, KEEPER_SAYS_OFF);
    sigaddset(&watched, KEEPER_HAS_ENDED);
    add_stop_signals(&watched);
    signal(SIGCHLD, SIG_DFL); /* where it is ignored, which is inherited, nobody learns how a child ended */
    signal(SIGPIPE,
           SIG_IGN); /* chips know neither: a write fails, and the firmware, which inherits this, goes on */
    signal(SIGXFSZ, SIG_IGN);
    sigprocmask(SIG_BLOCK, &watched, NULL);
    k->signals = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
    if (k->signals < 0 || !descendants_adopt()) {
        return false;
    }
    int output = -1;
    if (k->plan->off_text != NULL) {
        k->tapped = true;
        output = console_tap_open(&k->tap, k->plan->off_text);
        if (output < 0) {
            return false;
        }
    }
    pid_t keeper = getpid();
    fflush(NULL);
    k->worker = fork();
    if (k->worker == 0) {
        become_worker(k, work, output, keeper);
    }
    int error = errno;
    if (output >= 0) {
        close(output);
    }
    errno = error;
    return k->worker > 0;
}

static void tell_worker(keeper_t *k, int signal)
{
    kill(k->worker, signal);
    if (k->kill_at == 0) {
        k->kill_at = now_ms() + GRACE_MS;
    }
}

int keeper_next_signal(int signals)
{
    struct signalfd_siginfo info;
    while (read(signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo != SIGCHLD) {
            return (int)info.ssi_signo;
        }
    }
    return 0;
}

static void switch_off(keeper_t *k, keeper_off_t reason)
{
    if (k->off != KEEPER_OFF_NOT) {
        return; /* one reason is enough */
    }
    k->off = reason;
    if (k->plan->off != NULL) {
        k->plan->off(k->arg, reason);
    }
    tell_worker(k, KEEPER_SAYS_OFF);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

/** Waits until there may be something to do. */
static void wait_for_news(keeper_t *k)
{
    enum { SIGNALS, OUTPUT, PIPE, COUNT };
    struct pollfd fds[COUNT] = {
        [SIGNALS] = {.fd = k->signals, .events = POLLIN},
        [OUTPUT] = {.fd = STDOUT_FILENO}, /* without being asked, it tells of errors */
        [PIPE] = {.fd = -1}};
    if (k->tapped) {
        console_tap_prepare(&k->tap, &fds[OUTPUT], &fds[PIPE]);
    }
    if (k->off != KEEPER_OFF_NOT && fds[OUTPUT].events == 0) {
        fds[OUTPUT].fd = -1; /* it has told */
    }
    const int64_t next = earlier(k->kill_at, k->off_at);
    int64_t left = next != 0 ? next - now_ms() : -1;
    left = left < INT_MAX ? left : INT_MAX;
    (void)poll(fds, COUNT, next != 0 && left < 0 ? 0 : (int)left); /* the caller looks at everything anyway */
    if (k->tapped && console_tap_pass(&k->tap, &fds[OUTPUT])) {
        switch_off(k, KEEPER_OFF_TEXT);
    }
    if ((fds[OUTPUT].revents & (POLLERR | POLLHUP)) != 0) {
        switch_off(k, KEEPER_OFF_UNHEARD);
    }
}

/** @return true when the worker has ended; `*status` as from waitpid() */
static bool worker_has_ended(const keeper_t *k, int *status)
{
    pid_t pid;
    while ((pid = waitpid(-1, status, WNOHANG | WUNTRACED)) > 0) {
        if (pid != k->worker) {
            continue; /* something that the work has left */
        }
        if (!WIFSTOPPED(*status)) {
            return true;
        }
        if (WSTOPSIG(*status) == SIGSTOP) { /* a firmware did it: job control stops this process as well */
            kill(k->worker, SIGCONT);
        }
    }
    return false;
}

static int keep(keeper_t *k)
{
    int status;
    while (!worker_has_ended(k, &status)) {
        wait_for_news(k);
        for (int signal; (signal = keeper_next_signal(k->signals)) != 0;) {
            if (signal != KEEPER_SAYS_OFF && signal != KEEPER_HAS_ENDED) {
                tell_worker(k, signal);
            }
        }
        if (k->off_at != 0 && now_ms() >= k->off_at) {
            k->off_at = 0;
            switch_off(k, KEEPER_OFF_TIME);
        }
        if (k->kill_at != 0 && now_ms() >= k->kill_at) {
            kill(k->worker, SIGKILL);
        }
    }
    return status;
}

void keeper_run(const keeper_plan_t *plan, void (*work)(void *arg, int signals), void *arg,
                keeper_result_t *result)
{
    *result = (keeper_result_t){.end = KEEPER_NOT_STARTED};
    keeper_t k = {.plan = plan, .arg = arg, .worker = -1, .signals = -1};
    k.off_at = plan->off_after_ms != 0 ? now_ms() + plan->off_after_ms : 0;
    if (start_worker(&k, work)) {
        int status = keep(&k);
        result->end = WIFEXITED(status) && WEXITSTATUS(status) == 0 ? KEEPER_DONE : KEEPER_LOST;
        result->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
        result->left = descendants_end() ? 0 : errno;
    } else {
        result->error = errno;
    }
    if (k.tapped && console_tap_close(&k.tap) && k.off == KEEPER_OFF_NOT) {
        k.off = KEEPER_OFF_TEXT; /* among its last words */
    }
    result->off = k.off;
    result->output = k.tap.error;
    if (k.signals >= 0) {
        close(k.signals);
    }
}

void keeper_unblock_signals(void)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}
