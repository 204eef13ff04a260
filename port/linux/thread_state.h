/* Whether a thread of this process uses the processor or has given it up, by the kernel's own account. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct {
    bool waits;      /* it is blocked now: in a system call, on a lock, on a page */
    uint64_t blocks; /* how often it has blocked since it started */
} thread_state_t;

/** @param thread  a thread id of this process (gettid). @return false: there is no such thread, or no way to know */
bool thread_state_read(pid_t thread, thread_state_t *state);
