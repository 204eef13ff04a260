/* One run of a firmware: its executable is started on the flash of the device, watched, and its end is explained. */
#pragma once

#include <stdint.h>

#include "linux/run_protocol.h"

/** How a run ended. */
typedef enum {
    FIRMWARE_RESTARTED, /* esp_restart() */
    FIRMWARE_IDLE,      /* nothing more will happen */
    FIRMWARE_CRASHED,   /* a signal, an exit of its own, or it could not be started */
    FIRMWARE_HUNG,      /* the watchdog ended it */
    FIRMWARE_UNPOWERED, /* the planned power cut came */
    FIRMWARE_STOPPED,   /* the runner got a signal that ends it; the firmware is gone too */
} firmware_end_t;

typedef struct {
    int executable;         /* descriptor of an ELF executable for this machine */
    int flash;              /* descriptor of the flash file */
    int shared;             /* descriptor behind RUN_ENV_SHARED */
    const char *flash_path; /* absolute */
    const char *name;       /* argv[0] */
    run_boot_t boot;
    uint32_t watchdog_s; /* seconds without a sign of life; 0: no watchdog */
} firmware_start_t;

typedef struct {
    firmware_end_t end;
    int signal;    /* STOPPED: which */
    char text[96]; /* CRASHED: why, in words */
} firmware_result_t;

/**
 * Start a firmware and wait for its end. It inherits the environment, standard input, output and error, the flash and a
 * pipe, and no other descriptor; it dies with this process. While it runs SIGINT, SIGTERM, SIGHUP and SIGQUIT end it.
 * The descriptors stay the caller's. One at a time in a process.
 */
void firmware_process_run(const firmware_start_t *start, firmware_result_t *result);
