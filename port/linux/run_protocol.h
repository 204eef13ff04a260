/* How a firmware process and `otter run` talk: inherited descriptors and facts in the environment, one-byte messages. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "linux/file_flash.h"
#include "linux/rtc_memory.h"
#include "otter/promise.h"

/* The environment of a firmware process. Nothing else is handed over but standard input, output and error. */
#define RUN_ENV_FLASH   "OTTER_FLASH_FD"   /* descriptor of the flash file, open and locked */
#define RUN_ENV_CONTROL "OTTER_CONTROL_FD" /* descriptor: write end of the pipe to the runner */
#define RUN_ENV_FLASH_PATH                                                                                   \
    "OTTER_FLASH_PATH"                    /* absolute path of the flash file; the eFuse file lies beside it */
#define RUN_ENV_EFUSE  "OTTER_EFUSE_PATH" /* absolute path of an eFuse file elsewhere; may be missing */
#define RUN_ENV_BOOT   "OTTER_BOOT"       /* run_boot_t as text */
#define RUN_ENV_SHARED "OTTER_SHARED_FD"  /* descriptor of a memory file: run_shared_t */
#define RUN_ENV_TRACE  "OTTER_TRACE_FD"   /* descriptor for file_flash_options_t.trace; may be missing */

/** A deep sleep: set before RUN_SAYS_ASLEEP. */
typedef struct {
    uint64_t us; /* microseconds; RUN_PAUSE_FOR_EVER: nothing ends it */
} run_pause_t;

#define RUN_PAUSE_FOR_EVER UINT64_MAX

/** Memory that the runner and each firmware in turn share: it lives as long as the device has power. */
typedef struct {
    file_flash_shared_t flash; /* the planned power cut, and the last erase */
    char silent[96];           /* the task that the watchdog waits for, in words; "" for none */
    run_pause_t pause;
    /* survives a reset, as RTC memory does */
    uint8_t retained[8192 - 96 - sizeof(file_flash_shared_t) - sizeof(run_pause_t)];
} run_shared_t;
_Static_assert(sizeof(run_shared_t) == 8192, "whole pages, zeros when power comes");

#define RUN_RTC_OFFSET  0x10000u /* of the memory file: there begin the regions of rtc_memory.h */
#define RUN_SHARED_SIZE (RUN_RTC_OFFSET + RTC_REGIONS * RTC_REGION_SIZE) /* of the file, in bytes */

/** What the bootloader tells the firmware. */
typedef struct {
    uint32_t reset_reason;           /* esp_reset_reason_t */
    uint32_t running;                /* offset in flash of the partition that was booted */
    uint32_t table_offset;           /* offset in flash of the partition table */
    uint32_t watchdog_s;             /* limit of the task watchdog, 0: there is none */
    uint16_t revision, blk_revision; /* of the chip, which is always "linux" */
    bool rollback, anti_rollback, emulated_efuse;
} run_boot_t;

#define RUN_BOOT_TEXT_SIZE 192

void run_boot_encode(const run_boot_t *boot, char text[RUN_BOOT_TEXT_SIZE]);

/** @return false if the text is not what run_boot_encode() writes */
OTTER_MUST_CHECK bool run_boot_decode(const char *text, run_boot_t *boot);

/** What the firmware tells the runner, one byte each. */
enum {
    RUN_SAYS_RESTART = 'R',    /* esp_restart(): reset reason SW */
    RUN_SAYS_ASLEEP = 'S',     /* deep sleep, for as long as run_pause_t says: reset reason DEEPSLEEP */
    RUN_SAYS_IDLE = 'I',       /* every task has ended or waits for ever: nothing more will happen */
    RUN_SAYS_ALIVE = '.',      /* feeds the watchdog: every task shows life */
    RUN_SAYS_POWER_LOST = 'P', /* the planned power cut has come */
    RUN_SAYS_NO_START =
        'N', /* as the first message: app_main() will not run, for want of something on this machine */
};

#define RUN_EXIT_UNWRITTEN 74 /* exit status behind RUN_SAYS_IDLE: the flash file has not taken everything */

/** Sends one message; nothing happens when there is no runner. */
void run_protocol_tell(char message);

/** The program's last message: what was printed is flushed, and the process ends. */
void run_protocol_end(char message) __attribute__((noreturn));

/** In a process that was forked: it is not the firmware, and says nothing. */
void run_protocol_forsake(void);
