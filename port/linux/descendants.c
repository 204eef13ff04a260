/* A parent that ends leaves its children to the next process above it that adopts, so killing children until there are none
 * reaches all, also those that have a session of their own. A child's number is not given to another process before
 * this one has waited for it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/descendants.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/magic.h>
#include <sys/prctl.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LOOK_AGAIN_MS 50 /* for what a child that was killed has left behind */

bool descendants_adopt(void)
{
    return prctl(PR_SET_CHILD_SUBREAPER, 1) == 0;
}

/** The parent of the process that a folder of /proc is about. @return 0: it is gone, or cannot be read */
static pid_t parent_of(int proc, const char *name)
{
    char path[32], text[512];
    snprintf(path, sizeof(path), "%.20s/stat", name);
    int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
    if (fd >= 0) {
        close(fd);
    }
    if (n <= 0) {
        return 0;
    }
    text[n] = '\0';
    const char *end = strrchr(text, ')'); /* of the program's name, which may hold anything */
    int parent = 0;
    return end != NULL && sscanf(end + 1, " %*c %d", &parent) == 1 ? parent : 0;
}

/** @return false with errno: they cannot be found, or one must not be killed */
static bool kill_children(void)
{
    DIR *proc = opendir("/proc");
    struct statfs fs;
    if (proc == NULL || fstatfs(dirfd(proc), &fs) != 0 || fs.f_type != PROC_SUPER_MAGIC) {
        if (proc != NULL) {
            closedir(proc);
        }
        errno = ENOSYS; /* not mounted: there is no way to find them */
        return false;
    }
    int error = 0;
    for (struct dirent *entry; (entry = readdir(proc)) != NULL;) {
        if (isdigit((unsigned char)entry->d_name[0]) && parent_of(dirfd(proc), entry->d_name) == getpid() &&
            kill(atoi(entry->d_name), SIGKILL) != 0) {
            error = errno;
        }
    }
    closedir(proc);
    errno = error;
    return error == 0;
}

/** Buries the dead. @return false: there are no children any more */
static bool has_children(void)
{
    pid_t pid;
    while ((pid = waitpid(-1, NULL, WNOHANG)) > 0 || (pid < 0 && errno == EINTR)) {
    }
    return pid == 0;
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void wait_for_an_end(void)
{
    sigset_t end;
    sigemptyset(&end);
    sigaddset(&end, SIGCHLD);
    const struct timespec limit = {.tv_nsec = LOOK_AGAIN_MS * 1000000};
    (void)sigtimedwait(&end, NULL, &limit); /* whatever came of it, the caller looks */
}

bool descendants_end(void)
{
    const int64_t until = now_ms() + DESCENDANTS_LIMIT_MS;
    while (has_children()) {
        if (!kill_children()) {
            return false;
        }
        if (now_ms() >= until) {
            errno = ETIMEDOUT;
            return false;
        }
        wait_for_an_end();
    }
    return true;
}
