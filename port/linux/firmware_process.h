/* One run of a firmware: its executable is started on the flash of the device, watched, and its end is explained. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "linux/file_flash.h"
#include "linux/run_protocol.h"

/** How a run ended. */
typedef enum {
    FIRMWARE_RESTARTED,   /* esp_restart() */
    FIRMWARE_IDLE,        /* nothing more will happen */
    FIRMWARE_UNWRITTEN,   /* the same, but this machine did not take all that it wrote into the flash file */
    FIRMWARE_CRASHED,     /* a signal, an exit of its own, or its executable is none for this machine */
    FIRMWARE_HUNG,        /* the watchdog ended it */
    FIRMWARE_ASLEEP,      /* deep sleep, as long as its memory says */
    FIRMWARE_BROWNED_OUT, /* the supply has sagged, as `brownout_at_us` had planned */
    FIRMWARE_UNPOWERED,   /* the planned power cut came */
    FIRMWARE_STOPPED,     /* the runner got a signal that ends it; the firmware is gone too */
    FIRMWARE_FROZEN, /* the keeper has ended; it stands still, for the caller to end it: descendants_end() */
    FIRMWARE_NOT_STARTED, /* this machine had no process, descriptor or memory for it: app_main() has not run */
    FIRMWARE_LEFT,        /* what it has started cannot be ended, and may use the flash */
} firmware_end_t;

typedef struct {
    int executable; /* descriptor of an ELF executable for this machine */
    int flash;      /* descriptor of the flash file */
    int shared;     /* descriptor behind OTTER_RUN_ENV_SHARED */
    otter_run_shared_t *shared_memory;
    int trace;              /* descriptor for OTTER_RUN_ENV_TRACE; 0: none */
    const char *flash_path; /* absolute */
    const char *efuse_path; /* absolute; NULL: beside the flash file */
    const char *name;       /* argv[0] */
    otter_run_boot_t boot;
    int64_t brownout_at_us; /* by otter_now_us(); 0: none comes */
    int signals;            /* of this process, which is a keeper's worker: what keeper_run() gave it */
    bool debugger;          /* start it in gdb, which gets the terminal */
} firmware_start_t;

typedef struct {
    firmware_end_t end;
    int signal;     /* STOPPED: which */
    char text[160]; /* CRASHED, NOT_STARTED, LEFT: why, in words */
} firmware_result_t;

/**
 * Start a firmware and wait for its end. It inherits the environment, standard input, output and error, the flash and a
 * pipe, and no other descriptor; it dies with this process, and when this returns, all that it has started has ended, too
 * (unless the result is LEFT or FROZEN). While it runs the signals that end a worker end it.
 * The descriptors stay the caller's. One at a time in a process.
 */
void firmware_process_run(const firmware_start_t *start, firmware_result_t *result);
