/* How a firmware process and `otter run` talk: inherited descriptors named in the environment, one-byte messages. */
#pragma once

#include <stdint.h>

#define RUN_ENV_FLASH   "OTTER_FLASH_FD"   /* flash file, open and locked */
#define RUN_ENV_CONTROL "OTTER_CONTROL_FD" /* write end of the pipe to the runner */

/** What the firmware tells the runner, one byte each. */
enum {
    RUN_SAYS_RESTART = 'R', /* esp_restart(): reset reason SW */
    RUN_SAYS_IDLE = 'I',    /* app_main and all tasks have ended: nothing more will happen */
    RUN_SAYS_ALIVE = '.',   /* feeds the watchdog */
};

/** Sends one message; nothing happens when there is no runner. */
void run_protocol_tell(char message);

/** RUN_SAYS_ALIVE, at most every 100 ms. */
void run_protocol_alive(void);
