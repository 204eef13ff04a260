/* Starting, watching and ending the process of a firmware. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/firmware_process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "esp_log.h"
#include "linux/crash_trace.h"
#include "linux/descendants.h"
#include "linux/keeper.h"
#include "otter/system.h"

#define STOP_GRACE_MS 2000 /* for a firmware that was asked to end, before it is killed */
#define OFF_GRACE_MS  20 /* for the flash operation that is under way, into which a power cut may be planned */
#define SLICE_MS      250
#define FREEZE_LOOKS                                                                                         \
    20 /* for a firmware that is told to stand still; it may be in a long call of the system */
#define FREEZE_LOOK_MS 50
#define LAST_READS_MAX 1024 /* of 4 KiB: more than a pipe holds */

static const char TAG[] = "task_wdt";

typedef struct {
    pid_t pid;
    int control;     /* read end; -1 once the firmware closed it */
    int signals;     /* signalfd */
    int *exec_error; /* shared with the process until it becomes the firmware; 0: it has become it */
    bool said_anything, said_restart, said_asleep, said_idle, said_power_lost, said_no_start, said_hung;
    uint64_t silent_us; /* time without a sign of life in which this process was not stopped itself */
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

/**
 * Becomes gdb with the firmware in it, in the foreground of the terminal, whose Ctrl-C is then gdb's. The file with its symbols
 * is the one that `otter run` of a build folder names. Returns only if there is no gdb.
 */
static void become_debugger(const firmware_start_t *start)
{
    char program[64], symbols[PATH_MAX + 16] = "echo no file with symbols is known\\n";
    const char *elf = getenv(CRASH_TRACE_ENV_ELF);
    if (elf != NULL) {
        snprintf(symbols, sizeof(symbols), "symbol-file %s", elf);
    }
    set_inherited(start->executable);
    snprintf(program, sizeof(program), "/proc/self/fd/%d", start->executable);
    signal(SIGTTOU, SIG_IGN);
    setpgid(0, 0);
    tcsetpgrp(STDIN_FILENO, getpgrp()); /* without a terminal there is nothing to get */
    signal(SIGTTOU, SIG_DFL);
    execlp("gdb", "gdb", "-q", "-ex", "set startup-with-shell off", "-ex", symbols, "--args", program,
           (char *)NULL);
}

/** In the new process: becomes the firmware. Never returns. */
static void become_firmware(const firmware_start_t *start, int control, pid_t runner, int *exec_error)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != runner) {
        _exit(127); /* the runner died before the line above took effect */
    }
    keeper_unblock_signals();
    /* Whatever this process got from its own parent is not the firmware's. An old kernel without the call leaves it. */
    (void)close_range(3, ~0u, CLOSE_RANGE_CLOEXEC);
    set_inherited(start->flash);
    set_inherited(control);
    set_env_number(OTTER_RUN_ENV_FLASH, start->flash);
    set_env_number(OTTER_RUN_ENV_CONTROL, control);
    set_inherited(start->shared);
    set_env_number(OTTER_RUN_ENV_SHARED, start->shared);
    unsetenv(OTTER_RUN_ENV_TRACE);
    if (start->trace > 0) {
        set_inherited(start->trace);
        set_env_number(OTTER_RUN_ENV_TRACE, start->trace);
    }
    setenv(OTTER_RUN_ENV_FLASH_PATH, start->flash_path, 1);
    unsetenv(OTTER_RUN_ENV_EFUSE);
    if (start->efuse_path != NULL) {
        setenv(OTTER_RUN_ENV_EFUSE, start->efuse_path, 1);
    }
    char boot[OTTER_RUN_BOOT_TEXT_SIZE];
    run_boot_encode(&start->boot, boot);
    setenv(OTTER_RUN_ENV_BOOT, boot, 1);
    if (start->debugger) {
        become_debugger(start);
        *exec_error = errno;
        _exit(127);
    }
    char *const argv[] = {(char *)(uintptr_t)start->name, NULL};
    fexecve(start->executable, argv, environ);
    *exec_error = errno;
    _exit(127);
}

/** @return false if the system gives no process, no pipe or no memory; errno says why */
static bool start_process(process_t *p, const firmware_start_t *start)
{
    void *page = mmap(NULL, sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) {
        return false;
    }
    p->exec_error = page;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
        return false;
    }
    pid_t runner = getpid();
    fflush(NULL);
    p->pid = fork();
    if (p->pid == 0) {
        become_firmware(start, ends[1], runner, p->exec_error);
    }
    int error = errno;
    close(ends[1]);
    p->control = ends[0];
    errno = error;
    return p->pid > 0;
}

/**
 * Not all that there may be: a firmware that writes without end must not keep this process from anything else.
 * @return false: there is nothing to read
 */
static bool read_control(process_t *p)
{
    char messages[4096];
    ssize_t n = p->control >= 0 ? read(p->control, messages, sizeof(messages)) : -1;
    if (n < 0) {
        return false;
    }
    if (n == 0) {
        close(p->control);
        p->control = -1;
        return false;
    }
    /* Only as the first message: an app that runs has been started. */
    p->said_no_start = p->said_no_start || (!p->said_anything && messages[0] == OTTER_RUN_SAYS_NO_START);
    p->said_anything = true;
    p->said_restart = p->said_restart || memchr(messages, OTTER_RUN_SAYS_RESTART, (size_t)n) != NULL;
    p->said_asleep = p->said_asleep || memchr(messages, OTTER_RUN_SAYS_ASLEEP, (size_t)n) != NULL;
    p->said_idle = p->said_idle || memchr(messages, OTTER_RUN_SAYS_IDLE, (size_t)n) != NULL;
    p->said_power_lost = p->said_power_lost || memchr(messages, OTTER_RUN_SAYS_POWER_LOST, (size_t)n) != NULL;
    p->said_hung = p->said_hung || memchr(messages, OTTER_RUN_SAYS_HUNG, (size_t)n) != NULL;
    if (memchr(messages, OTTER_RUN_SAYS_ALIVE, (size_t)n) != NULL) {
        p->silent_us = 0;
    }
    return true;
}

/** The rest of what a process said that has ended. */
static void read_last_words(process_t *p)
{
    for (int i = 0; i < LAST_READS_MAX && read_control(p); i++) {
    }
}

/** True of a firmware whose first thread, which speaks for it, could run and gets no processor, or waits for a disk. */
static bool stands_in_line(pid_t pid)
{
    char path[32], text[512];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
    if (fd >= 0) {
        close(fd);
    }
    text[n > 0 ? n : 0] = '\0';
    const char *end = strrchr(text, ')'); /* of the program's name; its state follows */
    return end != NULL && (strncmp(end, ") R", 3) == 0 || strncmp(end, ") D", 3) == 0);
}

static void poll_slice(process_t *p, uint32_t ms)
{
    struct pollfd fds[] = {{.fd = p->signals, .events = POLLIN}, {.fd = p->control, .events = POLLIN}};
    int64_t before = otter_now_us();
    (void)poll(fds, 2, (int)ms); /* interrupted or timed out: the caller looks at everything anyway */
    int64_t passed_us = otter_now_us() - before;
    if (!stands_in_line(p->pid)) {
        /* A longer gap means that this process stood still (suspended, a laptop asleep), and the firmware most likely too. */
        p->silent_us += passed_us < SLICE_MS * 1000 ? (uint64_t)passed_us : SLICE_MS * 1000;
    }
}

/**
 * Waits for all children that have ended: the firmware, and what it has left behind.
 * @return true: the firmware is among them; `*status` as from waitpid()
 */
static bool has_ended(const process_t *p, int *status)
{
    pid_t pid;
    while ((pid = waitpid(-1, status, WNOHANG)) > 0) {
        if (pid == p->pid) {
            return true;
        }
    }
    return false;
}

/** Lets the firmware end by itself, for a short while. */
static bool ends_by_itself(process_t *p, int64_t limit_ms, int *status)
{
    int64_t until = otter_now_us() + limit_ms * 1000;
    bool ended = has_ended(p, status);
    while (!ended && otter_now_us() < until) {
        poll_slice(p, 10);
        (void)read_control(p);
        (void)keeper_next_signal(p->signals); /* one was enough */
        ended = has_ended(p, status);
    }
    return ended;
}

/** Nobody waits for this process, but for the firmware perhaps: all that it wrote shall be there when it ends. */
static void freeze_process(process_t *p)
{
    int status;
    kill(p->pid, SIGSTOP);
    for (int i = 0; i < FREEZE_LOOKS && waitpid(p->pid, &status, WNOHANG | WUNTRACED) == 0; i++) {
        poll_slice(p, FREEZE_LOOK_MS); /* a stop is told by SIGCHLD, as an end is */
        (void)keeper_next_signal(p->signals);
    }
}

/** What the kernel says of a file that is no program for this machine. Everything else is the machine's own trouble. */
static bool is_fault_of_image(int exec_error)
{
    static const int faults[] = {ENOEXEC, ENOENT, EINVAL, ELIBBAD, ENOTDIR, EISDIR};
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        if (faults[i] == exec_error) {
            return true;
        }
    }
    return false;
}

static void explain_crash(int status, firmware_result_t *result)
{
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

/** Which task it is, as the firmware has left it in the memory that is shared, where it can write anything. */
static void tell_hang(const firmware_start_t *start)
{
    char silent[sizeof(start->shared_memory->silent)];
    memcpy(silent, start->shared_memory->silent, sizeof(silent));
    silent[sizeof(silent) - 1] = '\0';
    for (char *p = silent; *p != '\0'; p++) {
        *p = *p >= ' ' && *p <= '~' ? *p : '?';
    }
    ESP_LOGE(TAG,
             "Task watchdog got triggered. The following tasks/users did not reset the watchdog in time:");
    ESP_LOGE(TAG, " - %s", silent[0] != '\0' ? silent : "the app stands still as a whole");
    ESP_LOGE(TAG, "no sign of life for %u s (--watchdog)", (unsigned)start->boot.watchdog_s);
}

static void explain_status(const process_t *p, const firmware_start_t *start, int status,
                           firmware_result_t *result)
{
    bool ended_well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (*p->exec_error != 0) {
        result->end = is_fault_of_image(*p->exec_error) ? FIRMWARE_CRASHED : FIRMWARE_NOT_STARTED;
        snprintf(result->text, sizeof(result->text), "the executable in the image cannot be started: %s",
                 strerror(*p->exec_error));
        if (result->end == FIRMWARE_CRASHED) {
            fprintf(stderr, "%s\n", result->text); /* the console tells of a crash only */
        }
    } else if (p->said_no_start) {
        result->end = FIRMWARE_NOT_STARTED;
        snprintf(result->text, sizeof(result->text), "it has told why on standard error");
    } else if (p->said_power_lost && file_flash_was_cut(&start->shared_memory->flash)) {
        result->end = FIRMWARE_UNPOWERED;
    } else if (ended_well && p->said_hung) {
        tell_hang(start);
        result->end = FIRMWARE_HUNG;
    } else if (ended_well && (p->said_restart || p->said_asleep || p->said_idle)) {
        result->end = p->said_restart ? FIRMWARE_RESTARTED : p->said_asleep ? FIRMWARE_ASLEEP : FIRMWARE_IDLE;
    } else if (p->said_idle && WIFEXITED(status) && WEXITSTATUS(status) == OTTER_RUN_EXIT_UNWRITTEN) {
        result->end = FIRMWARE_UNWRITTEN;
    } else if (start->debugger) {
        result->end = FIRMWARE_IDLE; /* gdb was left: what it held shows nothing more */
    } else {
        explain_crash(status, result);
    }
}

/** This process was told to end. */
static void end_on_signal(process_t *p, const firmware_start_t *start, int signal, firmware_result_t *result)
{
    int status;
    bool off = signal == KEEPER_SAYS_OFF;
    if (signal == KEEPER_HAS_ENDED) {
        freeze_process(p);
        result->end = FIRMWARE_FROZEN;
        return;
    }
    if (!off) {
        kill(p->pid, signal);
    }
    if (ends_by_itself(p, off ? OFF_GRACE_MS : STOP_GRACE_MS, &status) && off) {
        read_last_words(p);
        explain_status(p, start, status, result);
    }
    if (result->end != FIRMWARE_UNPOWERED) {
        result->end = FIRMWARE_STOPPED;
        result->signal = signal;
    }
}

/** The supply sags: the firmware is gone in the middle of what it does, of a flash operation if one comes now. */
static void brown_out(process_t *p, const firmware_start_t *start, firmware_result_t *result)
{
    otter_run_flash_t *flash = &start->shared_memory->flash;
    const uint32_t planned = flash->cut_at;
    int status;
    flash->cut_at = flash->last.number + 1;
    if (ends_by_itself(p, OFF_GRACE_MS, &status)) {
        read_last_words(p);
    }
    flash->cut_at = planned;
    result->end = file_flash_was_cut(flash) ? FIRMWARE_UNPOWERED : FIRMWARE_BROWNED_OUT;
}

/** Until the end of the firmware, or until it must be ended. */
static void watch_process(process_t *p, const firmware_start_t *start, firmware_result_t *result)
{
    const uint64_t watchdog_us = (uint64_t)start->boot.watchdog_s * 1000000;
    for (;;) {
        /* One that has said its last word has nothing more to show but its end, which may take it a while. */
        bool leaves = p->said_idle || p->said_restart || p->said_asleep;
        uint64_t limit_us = watchdog_us + (leaves ? STOP_GRACE_MS * 1000 : 0);
        uint64_t left_ms = limit_us > p->silent_us ? (limit_us - p->silent_us) / 1000 + 1 : 0;
        uint64_t slice_ms = watchdog_us != 0 && left_ms < SLICE_MS ? left_ms : SLICE_MS;
        const int64_t sag_us =
            start->brownout_at_us != 0 ? start->brownout_at_us - otter_now_us() : INT64_MAX;
        slice_ms =
            sag_us < (int64_t)slice_ms * 1000 ? (uint64_t)(sag_us > 0 ? sag_us / 1000 + 1 : 0) : slice_ms;
        poll_slice(p, (uint32_t)slice_ms);
        int status, signal = keeper_next_signal(p->signals);
        if (signal != 0) {
            end_on_signal(p, start, signal, result);
            return;
        }
        bool ended = has_ended(p, &status);
        (void)read_control(p);
        if (ended) {
            read_last_words(p);
            explain_status(p, start, status, result);
            return;
        }
        if (start->brownout_at_us != 0 && otter_now_us() >= start->brownout_at_us) {
            brown_out(p, start, result);
            return;
        }
        if (watchdog_us != 0 && p->silent_us >= limit_us) {
            tell_hang(start);
            result->end = FIRMWARE_HUNG;
            return;
        }
    }
}

void firmware_process_run(const firmware_start_t *start, firmware_result_t *result)
{
    memset(result, 0, sizeof(*result));
    process_t p = {.pid = -1, .control = -1, .signals = start->signals};
    start->shared_memory->silent[0] = '\0';
    if (start_process(&p, start)) {
        watch_process(&p, start, result);
    } else {
        result->end = FIRMWARE_NOT_STARTED;
        snprintf(result->text, sizeof(result->text), "no process for it: %s", strerror(errno));
    }
    if (result->end != FIRMWARE_FROZEN &&
        !descendants_end()) { /* the firmware, if it has not ended, and all that came from it */
        result->end = FIRMWARE_LEFT;
        snprintf(result->text, sizeof(result->text), "%s", strerror(errno));
    }
    if (p.control >= 0) {
        close(p.control);
    }
    if (p.exec_error != NULL) {
        munmap(p.exec_error, sizeof(*p.exec_error));
    }
}
