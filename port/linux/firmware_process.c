/* Starting, watching and ending the process of a firmware. */
#include "linux/firmware_process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "esp_log.h"
#include "otter/system.h"

#define STOP_GRACE_MS 2000 /* for a firmware that was asked to end, before it is killed */
#define SLICE_MS      1000

static const char TAG[] = "task_wdt";

typedef struct {
    pid_t pid;
    int control;     /* read end; -1 once the firmware closed it */
    int signals;     /* signalfd */
    sigset_t before; /* signal mask to restore */
    bool said_restart, said_idle, said_power_lost;
    uint32_t silent_ms; /* time without a sign of life in which this process was not stopped itself */
} process_t;

static void set_inherited(int fd)
{
    fcntl(fd, F_SETFD, 0);
}

static void set_env_number(const char *name, int value)
{
    char text[16];
    snprintf(text, sizeof(text), "%d", value);
    setenv(name, text, 1);
}

/** In the new process: becomes the firmware. Never returns. */
static void become_firmware(const firmware_start_t *start, int control, pid_t runner, const sigset_t *mask)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != runner) {
        _exit(127); /* the runner died before the line above took effect */
    }
    sigprocmask(SIG_SETMASK, mask, NULL);
    /* Whatever this process got from its own parent is not the firmware's. An old kernel without the call leaves it. */
    (void)close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
    set_inherited(start->flash);
    set_inherited(control);
    set_env_number(RUN_ENV_FLASH, start->flash);
    set_env_number(RUN_ENV_CONTROL, control);
    set_inherited(start->shared);
    set_env_number(RUN_ENV_SHARED, start->shared);
    setenv(RUN_ENV_FLASH_PATH, start->flash_path, 1);
    char boot[RUN_BOOT_TEXT_SIZE];
    run_boot_encode(&start->boot, boot);
    setenv(RUN_ENV_BOOT, boot, 1);
    char *const argv[] = {(char *)(uintptr_t)start->name, NULL};
    fexecve(start->executable, argv, environ);
    fprintf(stderr, "the executable in the image cannot be started: %s\n", strerror(errno));
    _exit(127);
}

static bool watch_signals(process_t *p)
{
    sigset_t watched;
    sigemptyset(&watched);
    static const int numbers[] = {SIGCHLD, SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        sigaddset(&watched, numbers[i]);
    }
    sigprocmask(SIG_BLOCK, &watched, &p->before);
    p->signals = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
    return p->signals >= 0;
}

/** @return false if the system gives no process or no pipe; errno says why */
static bool start_process(process_t *p, const firmware_start_t *start)
{
    int ends[2];
    if (!watch_signals(p) || pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
        return false;
    }
    pid_t runner = getpid();
    fflush(NULL);
    p->pid = fork();
    if (p->pid == 0) {
        become_firmware(start, ends[1], runner, &p->before);
    }
    close(ends[1]);
    if (p->pid < 0) {
        close(ends[0]);
        return false;
    }
    p->control = ends[0];
    return true;
}

static void read_control(process_t *p)
{
    char messages[256];
    ssize_t n;
    while (p->control >= 0 && (n = read(p->control, messages, sizeof(messages))) >= 0) {
        p->said_restart = p->said_restart || memchr(messages, RUN_SAYS_RESTART, (size_t)n) != NULL;
        p->said_idle = p->said_idle || memchr(messages, RUN_SAYS_IDLE, (size_t)n) != NULL;
        p->said_power_lost = p->said_power_lost || memchr(messages, RUN_SAYS_POWER_LOST, (size_t)n) != NULL;
        p->silent_ms = 0;
        if (n == 0) {
            close(p->control);
            p->control = -1;
        }
    }
}

/** The next signal that ends the runner. @return 0 if there is none */
static int read_stop_signal(process_t *p)
{
    struct signalfd_siginfo info;
    while (read(p->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo != SIGCHLD) {
            return (int)info.ssi_signo;
        }
    }
    return 0;
}

static void poll_slice(process_t *p, uint32_t ms)
{
    struct pollfd fds[] = {{.fd = p->signals, .events = POLLIN}, {.fd = p->control, .events = POLLIN}};
    int64_t before = otter_now_us();
    (void)poll(fds, 2, (int)ms); /* interrupted or timed out: the caller looks at everything anyway */
    int64_t passed_ms = (otter_now_us() - before) / 1000;
    /* A longer gap means that this process stood still (suspended, a laptop asleep), and the firmware most likely too. */
    p->silent_ms += passed_ms < SLICE_MS ? (uint32_t)passed_ms : SLICE_MS;
}

static void kill_and_wait(process_t *p)
{
    kill(p->pid, SIGKILL);
    while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR) {
    }
}

/** Lets the firmware end by itself on the signal, for a short while. */
static void stop_process(process_t *p, int signal)
{
    kill(p->pid, signal);
    int64_t until = otter_now_us() + (int64_t)STOP_GRACE_MS * 1000;
    while (otter_now_us() < until) {
        if (waitpid(p->pid, NULL, WNOHANG) == p->pid) {
            return;
        }
        poll_slice(p, 50);
        read_control(p);
        (void)read_stop_signal(p); /* one was enough */
    }
    kill_and_wait(p);
}

static void explain_status(const process_t *p, int status, firmware_result_t *result)
{
    if (p->said_power_lost) {
        result->end = FIRMWARE_UNPOWERED;
        return;
    }
    bool ended_well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (ended_well && (p->said_restart || p->said_idle)) {
        result->end = p->said_restart ? FIRMWARE_RESTARTED : FIRMWARE_IDLE;
        return;
    }
    result->end = FIRMWARE_CRASHED;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT) {
        snprintf(result->text, sizeof(result->text), "abort() was called");
    } else if (WIFSIGNALED(status)) {
        snprintf(result->text, sizeof(result->text), "signal %d, %s", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    } else {
        snprintf(result->text, sizeof(result->text), "the process ended by itself with exit status %d",
                 WEXITSTATUS(status));
    }
}

static void watch_process(process_t *p, uint32_t watchdog_s, firmware_result_t *result)
{
    uint64_t limit_ms = (uint64_t)watchdog_s * 1000;
    for (;;) {
        uint64_t left = watchdog_s == 0 ? SLICE_MS : limit_ms - p->silent_ms;
        poll_slice(p, left < SLICE_MS ? (uint32_t)left : SLICE_MS);
        int signal = read_stop_signal(p);
        int status;
        pid_t ended = waitpid(p->pid, &status, WNOHANG);
        read_control(p); /* after waitpid: all that a dead process has said is there */
        if (signal != 0) {
            if (ended != p->pid) {
                stop_process(p, signal);
            }
            result->end = FIRMWARE_STOPPED;
            result->signal = signal;
            return;
        }
        if (ended == p->pid) {
            explain_status(p, status, result);
            return;
        }
        if (watchdog_s != 0 && p->silent_ms >= limit_ms) {
            ESP_LOGE(TAG, "Task watchdog got triggered: a task has shown no sign of life for %u s",
                     (unsigned)watchdog_s);
            kill_and_wait(p);
            result->end = FIRMWARE_HUNG;
            return;
        }
    }
}

void firmware_process_run(const firmware_start_t *start, firmware_result_t *result)
{
    memset(result, 0, sizeof(*result));
    process_t p = {.pid = -1, .control = -1, .signals = -1};
    if (start_process(&p, start)) {
        watch_process(&p, start->watchdog_s, result);
    } else {
        result->end = FIRMWARE_CRASHED;
        snprintf(result->text, sizeof(result->text), "no process could be started: %s", strerror(errno));
    }
    if (p.control >= 0) {
        close(p.control);
    }
    if (p.signals >= 0) {
        close(p.signals);
    }
    sigprocmask(SIG_SETMASK, &p.before, NULL);
}
