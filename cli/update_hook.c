/* A process of its own, which is waited for by its descriptor: so signals and the time limit end the wait. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "update_hook.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"
#include "linux/interrupt.h"

#define VERB         "update"
#define LIMIT_MS     3600000
#define LAST_WORD_MS 5000 /* from SIGTERM to SIGKILL */

/** In the new process. */
static void become(const char *command, const char *flash, const update_outcome_t *outcome, bool quiet_output)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGXFSZ, SIG_DFL);
    if (quiet_output) {
        dup2(STDERR_FILENO, STDOUT_FILENO);
    }
    setenv("OTTER_FLASH", flash, 1);
    setenv("OTTER_SLOT", outcome->report.slot, 1);
    setenv("OTTER_VERSION", outcome->to_version, 1);
    setenv("OTTER_FROM_VERSION", outcome->from_version, 1);
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

/** @return true: it has ended; false: not in this time, or something wants the wait to end */
static bool wait_for(int process, int timeout_ms)
{
    struct pollfd ended = {.fd = process, .events = POLLIN};
    int ready;
    do {
        ready = timeout_ms < 0 ? interrupt_poll(&ended, 1, -1) : poll(&ended, 1, timeout_ms);
    } while (ready < 0 && errno == EINTR);
    return ready > 0;
}

/** What the shell came to, in words; NULL: all is well. */
static const char *failure(int status, char *text, size_t size)
{
    if (WIFSIGNALED(status)) {
        snprintf(text, size, "was ended by signal %d, %s", WTERMSIG(status), strsignal(WTERMSIG(status)));
    } else if (WEXITSTATUS(status) != 0) {
        snprintf(text, size, "ended with status %d", WEXITSTATUS(status));
    } else {
        return NULL;
    }
    return text;
}

bool update_hook_run(const char *command, const char *flash, const update_outcome_t *outcome,
                     bool quiet_output, uint32_t limit_ms)
{
    char text[96] = "";
    int status = 0;
    fflush(NULL); /* what was done is told before anything comes of it */
    pid_t child = fork();
    if (child == 0) {
        become(command, flash, outcome, quiet_output);
    }
    int process = child > 0 ? (int)syscall(SYS_pidfd_open, child, 0) : -1;
    if (child < 0) {
        return cli_refuse(VERB, "updated, but --on-updated was not run: %s", strerror(errno));
    }
    interrupt_after(limit_ms > 0 ? limit_ms : LIMIT_MS);
    const char *ended_by = "";
    if (process >= 0 && !wait_for(process, -1)) {
        ended_by = interrupt_came() == INTERRUPT_TIME ? " (--max-seconds)" : " (interrupted)";
        kill(child, SIGTERM);
        if (!wait_for(process, LAST_WORD_MS)) {
            kill(child, SIGKILL);
        }
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (process >= 0) {
        close(process);
    }
    const char *why = failure(status, text, sizeof(text));
    return why == NULL || cli_refuse(VERB, "updated, but the command of --on-updated %s%s", why, ended_by);
}
