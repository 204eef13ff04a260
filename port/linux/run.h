/* The virtual device: bootloader, firmware, reset, again. What `otter run` runs. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "linux/linux_device.h"

typedef struct {
    linux_device_options_t device;
    uint32_t boots_max; /* stop when this many boots have ended; 0: no limit */
    /* seconds that end a boot on which a task never blocks, or leaves the watchdog alone; 0: never */
    uint32_t watchdog_s;
    /* power is lost in the middle of this flash operation (from 1) of the run; 0: it is not */
    uint32_t cut_after;
    uint32_t cut_at_ms;      /* power is lost after so long; 0: it is not */
    uint32_t off_at_ms;      /* the run ends after so long; 0: it does not */
    uint32_t brownout_at_ms; /* the supply sags after so long, in the app that runs then; 0: it does not */
    bool skip_sleep;         /* a deep sleep takes no time */
    bool fast;               /* nor does anything else whose end is known */
    const char *until;       /* the run ends when the console has said this; NULL: it does not */
    bool list_operations;    /* print the flash operations when it ends */
    bool debugger;           /* start the firmware in gdb */
} run_options_t;

typedef enum {
    RUN_IDLE,        /* the firmware has nothing more to do */
    RUN_BOOTS_LIMIT, /* boots_max boots have ended */
    RUN_UNPOWERED,   /* a planned power cut came */
    RUN_SAID,        /* the console has said the text */
    RUN_TIME_OVER,   /* off_at_ms has passed */
    RUN_STOPPED,     /* by a signal; SIGPIPE: whoever read the console has gone */
    RUN_FAILED, /* the device cannot be opened, nothing boots, it only crashes, or updates in a loop: `why` */
    RUN_SHORT, /* of something this machine has not enough of: `why`. The device is as before the boot that failed */
} run_end_t;

typedef struct {
    run_end_t end;
    int signal;              /* STOPPED: which */
    char why[512];           /* FAILED, SHORT: one line */
    char output[96];         /* why standard output could not be written, "" if it could */
    uint32_t boots;          /* that have ended */
    uint32_t crashes;        /* of them, those that ended with a crash or a hang */
    uint32_t crashes_in_row; /* of the app that ran last, up to its last boot */
    uint32_t operations;     /* programs and erases of sectors */
    bool cut;                /* the planned power cut has come */
    /* The app that ran last; "" if none did. */
    char version[33], label[17];
    uint32_t address;  /* of its partition */
    char looping[33];  /* version whose trials have failed more than once, "" for none */
    uint32_t failures; /* of it */
    /* What is left in the flash. */
    bool known;     /* the rest is */
    uint32_t state; /* esp_ota_img_states_t of the app that ran last, RUN_NO_RECORD where it has none */
    char next[17];  /* label of what would boot next; "" if nothing */
    int off;        /* keeper_off_t; for run.c */
} run_report_t;

#define RUN_NO_RECORD 0xFFFFFFFEu /* of factory and test apps, and of a slot that no record names */

/**
 * Run the device in the flash file until one of the ends above. Prints what a serial console would show, in ESP-IDF's
 * words, on standard output. Without boots_max a partition that crashes RUN_CRASHES_MAX times in a row ends it, a version
 * that is installed again each time and fails RUN_FAILURES_MAX trials, and one that is installed over itself RUN_CRASHES_MAX
 * times in a row.
 * The device lives in a process of its own, below this one, and nothing of it is left when this returns: see keeper.h.
 */
void run_device(const char *path, const run_options_t *options, run_report_t *report);

#define RUN_CRASHES_MAX  10u
#define RUN_FAILURES_MAX 3u
