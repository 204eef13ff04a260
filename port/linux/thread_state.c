/* proc(5): status and schedstat in /proc/self/task/ID. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/thread_state.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define STATUS_MAX 8192 /* some 1,500 bytes are usual */

static const char *value_of(const char *status, const char *name)
{
    const char *at = strstr(status, name);
    return at != NULL ? at + strlen(name) : NULL;
}

static bool read_file(pid_t thread, const char *name, char *text, size_t size)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/task/%d/%s", (int)thread, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    ssize_t len = read(fd, text, size - 1);
    close(fd);
    text[len > 0 ? len : 0] = '\0';
    return len > 0;
}

bool thread_state_read(pid_t thread, thread_state_t *state)
{
    char times[96], status[STATUS_MAX];
    if (!read_file(thread, "schedstat", times, sizeof(times)) ||
        !read_file(thread, "status", status, sizeof(status))) {
        return false;
    }
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    const char *letter = value_of(status, "\nState:\t");
    const char *blocks = value_of(status, "\nvoluntary_ctxt_switches:\t");
    if (letter == NULL || blocks == NULL) {
        return false;
    }
    *state = (thread_state_t){.waits = *letter != 'R',
                              .blocks = strtoull(blocks, NULL, 10),
                              .now_ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec};
    return sscanf(times, "%" SCNu64 " %" SCNu64, &state->used_ns, &state->delayed_ns) == 2;
}

bool thread_state_blocked(const thread_state_t *before, const thread_state_t *after)
{
    uint64_t passed = after->now_ns - before->now_ns;
    uint64_t busy = after->used_ns - before->used_ns + after->delayed_ns - before->delayed_ns;
    /* The time alone says nothing of a thread that waits for a processor just now: that is counted when it has got one. */
    bool gave_up = after->waits || after->blocks != before->blocks;
    return gave_up && passed >= busy && passed - busy >= THREAD_BLOCKED_LEAST_NS;
}
