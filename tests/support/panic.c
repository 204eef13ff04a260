/* What ends in a panic, tried in a process of its own. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/panic.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "sim/sim_system.h"

void assert_panics(void (*call)(void), const char *text)
{
    int ends[2], status;
    char said[512];
    size_t len = 0;
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], STDERR_FILENO);
        sim_console_show(true);
        signal(SIGABRT, SIG_DFL); /* cmocka's would take it for a failed test */
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        call();
        _exit(0);
    }
    close(ends[1]);
    for (ssize_t n; len < sizeof(said) - 1 && (n = read(ends[0], said + len, sizeof(said) - 1 - len)) > 0;) {
        len += (size_t)n;
    }
    said[len] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (strstr(said, text) == NULL) {
        fail_msg("expected '%s', and it said '%s'", text, said);
    }
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}
