/* Does work in a process of its own, and leaves nothing of it behind, whatever ends it: what `otter run` stands on. */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Two processes look after each other: the keeper, which the user has started and sees, and the worker. Both adopt what the
 * work leaves without a parent, so the end of either, even by SIGKILL, leaves the other one to clean up. A worker that is
 * stopped (SIGSTOP) is made to go on. SIGINT, SIGTERM, SIGHUP and SIGQUIT are for the worker, which gets them from the
 * keeper; those that were ignored stay so.
 */

/** What the worker can be told by the keeper beside the signals that end a program. */
#define KEEPER_SAYS_OFF  SIGUSR1 /* end at once: nobody listens any more */
#define KEEPER_HAS_ENDED SIGUSR2 /* end at once and quietly: nobody waits for a result */

typedef enum {
    KEEPER_DONE,        /* work() has returned */
    KEEPER_NOT_STARTED, /* it has not begun: no process or descriptor is left; `error` */
    KEEPER_LOST,        /* the worker was killed: `signal` */
} keeper_end_t;

typedef struct {
    keeper_end_t end;
    int error;    /* NOT_STARTED: errno */
    int signal;   /* LOST: by which; 0: it ended without having done its work */
    bool unheard; /* it was told to end because whoever read standard output has gone */
    int left;     /* errno of descendants_end(), 0: nothing is left */
} keeper_result_t;

/**
 * Runs work(arg, signals) in a new process and waits for its end. `signals` is a non-blocking signalfd for SIGCHLD and all of
 * the signals above; they stay blocked, in both. What work() wants to tell it leaves in memory that is shared.
 */
void keeper_run(void (*work)(void *arg, int signals), void *arg, keeper_result_t *result);

/** The next signal that ends the worker, from its signalfd. @return 0 if there is none */
int keeper_next_signal(int signals);

/** For a process that the worker starts: no signal is blocked. */
void keeper_unblock_signals(void);
