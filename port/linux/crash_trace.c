/* Addresses come from glibc's backtrace(), names from addr2line: both only when a crash has come. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/crash_trace.h"

#include <execinfo.h>
#include <link.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define FRAMES_MAX    32
#define SKIPPED       3 /* the two functions below, and the handler */
#define STACK_SIZE    32768u
#define ADDRESS_SIZE  20
#define NAMES_LIMIT_S 10u

extern const char __executable_start[],
    _end[]; /* the linker's: what belongs to the program, and to no library */

/* A thread of its own crash: one that has used up its stack has this for its last words. */
static _Thread_local char last_stack[STACK_SIZE] __attribute__((aligned(16)));
static _Thread_local void *frames[FRAMES_MAX];
static _Thread_local sigjmp_buf overwritten;

static const char *elf; /* NULL: addresses only */

static uintptr_t moved_by; /* by so much the addresses of this process are above those of its file */

static int note_program(struct dl_phdr_info *info, size_t size, void *unused)
{
    (void)size, (void)unused;
    moved_by = info->dlpi_addr;
    return 1; /* the program itself comes first, and is enough */
}

/** Names and lines, on standard output. In a new process: the one that crashed can call nothing that allocates. */
static void tell_names(char addresses[FRAMES_MAX][ADDRESS_SIZE], int count)
{
    char *words[FRAMES_MAX + 5];
    static char command[] = "addr2line", option[] = "-Cfpiae"; /* e: the file follows */
    int n = 0;
    words[n++] = command;
    words[n++] = option;
    words[n++] = (char *)(uintptr_t)elf;
    for (int i = 0; i < count; i++) {
        words[n++] = addresses[i];
    }
    words[n] = NULL;
    pid_t pid = _Fork();
    if (pid == 0) {
        alarm(NAMES_LIMIT_S);
        execvp(command, words);
        _exit(127); /* without binutils the addresses must do */
    }
    if (pid > 0) {
        (void)waitpid(pid, NULL, 0); /* the alarm ends it */
    }
}

static void say(const char *text)
{
    ssize_t ignored = write(STDOUT_FILENO, text, strlen(text));
    (void)ignored; /* nobody is left to tell */
}

static void on_overwritten(int signal)
{
    (void)signal;
    siglongjmp(overwritten, 1);
}

/** As backtrace(), into frames; what a stack says that was written over is followed as far as it goes. @return how many */
static __attribute__((noinline)) int find_way(volatile bool *whole)
{
    const struct sigaction stop = {.sa_handler = on_overwritten, .sa_flags = SA_NODEFER};
    int found = 0;
    *whole = sigsetjmp(overwritten, 0) == 0;
    if (*whole) {
        (void)sigaction(SIGSEGV, &stop, NULL);
        (void)sigaction(SIGBUS, &stop, NULL);
        (void)backtrace(frames, FRAMES_MAX);
    }
    (void)signal(SIGSEGV, SIG_DFL);
    (void)signal(SIGBUS, SIG_DFL);
    while (found < FRAMES_MAX && frames[found] != NULL) {
        found++;
    }
    return found;
}

/**
 * The way to here, without its first `skipped` steps.
 * @param exact  the first of the program's own is where it stopped; all others say where they go on, behind a call
 */
static __attribute__((noinline)) void tell_way(int skipped, bool exact)
{
    char addresses[FRAMES_MAX][ADDRESS_SIZE];
    volatile bool whole;
    int count = 0, found = find_way(&whole);
    say("\nBacktrace:");
    for (int i = skipped; i < found; i++) {
        uintptr_t at = (uintptr_t)frames[i];
        if (at >= (uintptr_t)__executable_start && at < (uintptr_t)_end) {
            const uintptr_t behind = exact && count == 0 ? 0 : 1;
            snprintf(addresses[count], ADDRESS_SIZE, "0x%lx", (unsigned long)(at - moved_by - behind));
            say(" ");
            say(addresses[count++]);
        }
    }
    say(whole ? "\n" : " |<-CORRUPTED\n"); /* as on a chip */
    if (elf != NULL && count > 0) {
        tell_names(addresses, count);
    }
}

static __attribute__((noinline)) void on_crash(int signal)
{
    tell_way(SKIPPED, signal != SIGABRT);
    raise(signal); /* its handler is the default one again */
}

static bool is_digest(const char *hex, const uint8_t digest[32])
{
    char own[65];
    for (int i = 0; i < 32; i++) {
        snprintf(own + 2 * i, 3, "%02x", digest[i]);
    }
    return hex != NULL && strcmp(hex, own) == 0;
}

/** A sanitizer has told its report. */
static __attribute__((noinline)) void on_report(void)
{
    tell_way(SKIPPED, false);
}

/** The sanitizers have it, where the program is linked with one. */
extern void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

void crash_trace_thread(void)
{
    const stack_t stack = {.ss_sp = last_stack, .ss_size = sizeof(last_stack)};
    stack_t now;
    if (sigaltstack(NULL, &now) == 0 && (now.ss_flags & SS_DISABLE) != 0) { /* else a sanitizer has one */
        (void)sigaltstack(&stack, NULL); /* without it a crash tells less */
    }
}

void crash_trace_begin(const esp_app_desc_t *running)
{
    static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    const char *named = getenv(CRASH_TRACE_ENV_ELF);
    void *frame;
    if (named == NULL) {
        return;
    }
    elf = is_digest(getenv(CRASH_TRACE_ENV_DIGEST), running->app_elf_sha256) ? named : NULL;
    (void)dl_iterate_phdr(note_program, NULL);
    (void)backtrace(&frame, 1); /* loads what it needs while that is possible */
    if (__sanitizer_set_death_callback != NULL) {
        __sanitizer_set_death_callback(on_report);
    }
    for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++) {
        struct sigaction now;
        const struct sigaction ours = {.sa_handler = on_crash,
                                       .sa_flags = (int)(SA_RESETHAND | SA_NODEFER | SA_ONSTACK)};
        if (sigaction(crashes[i], NULL, &now) == 0 && now.sa_handler == SIG_DFL) {
            (void)sigaction(crashes[i], &ours, NULL); /* without it a crash tells less */
        }
    }
}
