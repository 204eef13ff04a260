/* proc(5): /proc/self/task/ID/status. */
#include "linux/thread_state.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STATUS_MAX 8192 /* some 1,500 bytes are usual */

static const char *value_of(const char *status, const char *name)
{
    const char *at = strstr(status, name);
    return at != NULL ? at + strlen(name) : NULL;
}

bool thread_state_read(pid_t thread, thread_state_t *state)
{
    char path[64], status[STATUS_MAX];
    snprintf(path, sizeof(path), "/proc/self/task/%d/status", (int)thread);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    ssize_t len = read(fd, status, sizeof(status) - 1);
    close(fd);
    status[len > 0 ? len : 0] = '\0';
    const char *letter = value_of(status, "\nState:\t");
    const char *blocks = value_of(status, "\nvoluntary_ctxt_switches:\t");
    if (letter == NULL || blocks == NULL) {
        return false;
    }
    *state = (thread_state_t){.waits = *letter != 'R', .blocks = strtoull(blocks, NULL, 10)};
    return true;
}
