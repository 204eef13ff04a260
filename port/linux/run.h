/* The virtual device: bootloader, firmware, reset, again. What `otter run` runs. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "linux/linux_device.h"

typedef struct {
    linux_device_options_t device;
    uint32_t boots_max;  /* stop when this many boots have ended; 0: no limit */
    uint32_t watchdog_s; /* seconds without a sign of life (esp_task_wdt.h) that end a boot; 0: never */
    uint32_t
        cut_after; /* power is lost in the middle of this flash operation (from 1) of the run; 0: it is not */
} run_options_t;

typedef enum {
    RUN_IDLE,        /* the firmware has nothing more to do */
    RUN_BOOTS_LIMIT, /* boots_max boots have ended */
    RUN_UNPOWERED,   /* the planned power cut came */
    RUN_STOPPED,     /* by a signal; SIGPIPE: whoever read the console has gone */
    RUN_FAILED,      /* the device cannot be opened, nothing boots, or it only crashes: `why` */
    RUN_SHORT, /* of something this machine has not enough of: `why`. The device is as before the boot that failed */
} run_end_t;

typedef struct {
    run_end_t end;
    int signal;    /* STOPPED: which */
    char why[512]; /* FAILED, SHORT: one line */
} run_report_t;

/**
 * Run the device in the flash file until one of the ends above. Prints what a serial console would show, in ESP-IDF's
 * words, on standard output. Without boots_max a partition that crashes RUN_CRASHES_MAX times in a row ends it.
 * The device lives in a process of its own, below this one, and nothing of it is left when this returns: see keeper.h.
 */
void run_device(const char *path, const run_options_t *options, run_report_t *report);

#define RUN_CRASHES_MAX 10u
