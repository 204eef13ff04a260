/* The virtual device: bootloader, firmware, reset, again. What `otter run` runs. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "linux/linux_device.h"

typedef struct {
    linux_device_options_t device;
    uint32_t boots_max;  /* stop when this many boots have ended; 0: no limit */
    uint32_t watchdog_s; /* seconds without a sign of life that end a boot; 0: never */
    uint32_t
        cut_after; /* power is lost in the middle of this flash operation (from 1) of the run; 0: it is not */
} run_options_t;

typedef enum {
    RUN_IDLE,        /* the firmware has nothing more to do */
    RUN_BOOTS_LIMIT, /* boots_max boots have ended */
    RUN_UNPOWERED,   /* the planned power cut came in the firmware; one in the bootloader ends the process */
    RUN_FAILED,      /* the device cannot be opened, nothing boots, or it only crashes: `why` */
    RUN_STOPPED,     /* by a signal */
} run_end_t;

/**
 * Run the device in the flash file until one of the ends above. Prints what a serial console would show, in ESP-IDF's
 * words, on standard output. Without boots_max a partition that crashes RUN_CRASHES_MAX times in a row ends it.
 * @param signal  written when RUN_STOPPED: which one
 * @param why     buffer for one line, written when RUN_FAILED
 */
run_end_t run_device(const char *path, const run_options_t *options, int *signal, char *why, size_t why_size);

#define RUN_CRASHES_MAX 10u
