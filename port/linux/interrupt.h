/* Lets Ctrl-C, or a time limit for everything, end the waits of this process at once. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <poll.h>
#include <stdint.h>

/**
 * From now on the first SIGINT or SIGTERM ends the wait that it meets, and every later one before it begins; it does nothing
 * else. A second one ends the process. For programs with one thread that waits; others call none of this.
 */
void interrupt_catch(void);

/** The same in so many milliseconds from now, without a signal. */
void interrupt_after(int64_t ms);

typedef enum { INTERRUPT_NONE, INTERRUPT_SIGNAL, INTERRUPT_TIME } interrupt_t;

/** What has come first; it stays. */
interrupt_t interrupt_came(void);

/** poll() that also ends, with -1 and ECANCELED, when something of this has come. EINTR for other signals. */
int interrupt_poll(struct pollfd *fds, nfds_t count, int timeout_ms);
