/* Does work in a process of its own, and leaves nothing of it behind, whatever ends it: what `otter run` stands on. */
/* SPDX-License-Identifier: Apache-2.0 */
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
#define KEEPER_SAYS_OFF  SIGUSR1 /* end at once, for a reason of keeper_off_t */
#define KEEPER_HAS_ENDED SIGUSR2 /* end at once and quietly: nobody waits for a result */

/** Why the keeper says KEEPER_SAYS_OFF. */
typedef enum {
    KEEPER_OFF_NOT,     /* it does not */
    KEEPER_OFF_UNHEARD, /* whoever read standard output has gone */
    KEEPER_OFF_TIME,    /* the plan's time is over */
    KEEPER_OFF_TEXT,    /* standard output has said the plan's text */
} keeper_off_t;

/** When to say it; all zeros: only when nobody listens any more. */
typedef struct {
    uint32_t off_after_ms; /* 0: never */
    const char *off_text;  /* NULL: none. With one, standard output of the worker is a pipe */
    void (*off)(void *arg, keeper_off_t reason); /* called before it is said, in the keeper; may be NULL */
} keeper_plan_t;

typedef enum {
    KEEPER_DONE,        /* work() has returned */
    KEEPER_NOT_STARTED, /* it has not begun: no process or descriptor is left; `error` */
    KEEPER_LOST,        /* the worker was killed: `signal` */
} keeper_end_t;

typedef struct {
    keeper_end_t end;
    int error;        /* NOT_STARTED: errno */
    int signal;       /* LOST: by which; 0: it ended without having done its work */
    keeper_off_t off; /* the reason, if it was said */
    int output;       /* with plan->off_text: errno of writing standard output; 0: it was written */
    int left;         /* errno of descendants_end(), 0: nothing is left */
} keeper_result_t;

/**
 * Runs work(arg, signals) in a new process and waits for its end. `signals` is a non-blocking signalfd for SIGCHLD and all of
 * the signals above; they stay blocked, in both. `arg` is also that of plan->off. What work() wants to tell, it leaves in
 * memory that is shared.
 */
void keeper_run(const keeper_plan_t *plan, void (*work)(void *arg, int signals), void *arg,
                keeper_result_t *result);

/** The next signal that ends the worker, from its signalfd. @return 0 if there is none */
int keeper_next_signal(int signals);

/** For a process that the worker starts: no signal is blocked. */
void keeper_unblock_signals(void);
