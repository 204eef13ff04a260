/* How a firmware process and `otter run` talk: facts in the environment, inherited descriptors, shared memory, messages. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Programs that otter_firmware() or `otter build` make do all of this by themselves. It is for those that come from elsewhere, as
 * a build of ESP-IDF for its target linux: `otter run` starts whatever program the image in flash holds. The header needs nothing
 * but a C compiler; examples/run_protocol is such a program.
 *
 * One process is one boot. It takes over the flash file, calls its app_main(), and ends with one of the messages below; a process
 * that ends without one has crashed. The runner decides what that means for the next boot.
 */

/** Counts up when a program written before would go wrong; the runner says it in OTTER_RUN_ENV_BOOT. */
#define OTTER_RUN_VERSION 1u

/* The environment of a firmware process. Nothing else is handed over but standard input, output and error. */
#define OTTER_RUN_ENV_FLASH                                                                                  \
    "OTTER_FLASH_FD" /* descriptor of the flash file, open for reading and writing, and locked */
#define OTTER_RUN_ENV_CONTROL "OTTER_CONTROL_FD" /* descriptor: write end of the pipe to the runner */
#define OTTER_RUN_ENV_FLASH_PATH                                                                             \
    "OTTER_FLASH_PATH" /* absolute path of the flash file; the eFuse file lies beside it */
#define OTTER_RUN_ENV_EFUSE  "OTTER_EFUSE_PATH" /* absolute path of an eFuse file elsewhere; may be missing */
#define OTTER_RUN_ENV_BOOT   "OTTER_BOOT"       /* otter_run_boot_t as text: otter_run_boot_decode() */
#define OTTER_RUN_ENV_SHARED "OTTER_SHARED_FD"  /* descriptor of a memory file: otter_run_shared_t */
#define OTTER_RUN_ENV_TRACE                                                                                  \
    "OTTER_TRACE_FD" /* descriptor that gets each otter_run_op_t when it begins; may be missing */
#define OTTER_RUN_ENV_FLASH_SPEED                                                                            \
    "OTTER_FLASH_SPEED" /* otter_run_flash_speed_t as text; may be missing: the flash takes no time */
#define OTTER_RUN_ENV_FAST "OTTER_FAST" /* "1": waits whose end is known may be skipped; may be missing */
#define OTTER_RUN_ENV_LINK "OTTER_LINK" /* otter_run_link_t as text; may be missing: the host's network */

/** An operation of the flash as a chip counts it. */
typedef struct {
    uint32_t number;   /* from 1; 0: there was none */
    uint32_t is_erase; /* of one sector; 0: a program */
    uint32_t off, len; /* bytes */
} otter_run_op_t;

/**
 * What the firmware processes of a device know of its flash, one after the other; zeros to begin with. Whatever the one before
 * left in it is checked before it is believed.
 * A firmware counts: before each operation `last` becomes that one, with the next number. Where that number is `cut_at`, it does
 * half of the operation, says OTTER_RUN_SAYS_POWER_LOST and ends with _exit(0).
 */
typedef struct {
    /* otter's own flash code: the erase that is done as far as anybody can tell, and not in the file yet. The runner has
       written it before a program starts; others leave it 0 */
    uint64_t erase;
    /* Number of the operation in which power is lost, from 1; 0: in none. The runner may set it at any time. */
    uint32_t cut_at;
    otter_run_op_t last; /* the last operation that began; its number says how many there were */
} otter_run_flash_t;

/** A deep sleep: set before OTTER_RUN_SAYS_ASLEEP. */
typedef struct {
    uint64_t us; /* microseconds; OTTER_RUN_PAUSE_FOR_EVER: nothing ends it */
} otter_run_pause_t;

#define OTTER_RUN_PAUSE_FOR_EVER UINT64_MAX
#define OTTER_RUN_RETAINED_SIZE  (8192u - 96u - sizeof(otter_run_flash_t) - sizeof(otter_run_pause_t))

/** Memory that the runner and each firmware in turn share: it lives as long as the device has power. */
typedef struct {
    otter_run_flash_t flash; /* the planned power cut, and the last operation */
    char silent[96];         /* the task that the watchdog waits for, in words; "" for none */
    otter_run_pause_t pause;
    uint8_t retained[OTTER_RUN_RETAINED_SIZE]; /* survives a reset, as RTC memory does: otter's own records */
} otter_run_shared_t;

/*
 * Behind it, in the same memory file: three regions for variables, from multiples of the region's size on. RTC_DATA_ATTR keeps
 * its bytes over deep sleep, RTC_NOINIT_ATTR over all but the loss of power, __NOINIT_ATTR over resets.
 */
#define OTTER_RUN_RTC_REGION_SIZE 0x10000u /* bytes: more than any chip has, and whole pages on any host */
#define OTTER_RUN_RTC_REGIONS     3u
#define OTTER_RUN_RTC_OFFSET      OTTER_RUN_RTC_REGION_SIZE /* of the first region */
#define OTTER_RUN_SHARED_SIZE     (OTTER_RUN_RTC_OFFSET + OTTER_RUN_RTC_REGIONS * OTTER_RUN_RTC_REGION_SIZE)

/** What the bootloader tells the firmware. */
typedef struct {
    uint32_t reset_reason;           /* esp_reset_reason_t */
    uint32_t running;                /* offset in flash of the partition that was booted */
    uint32_t table_offset;           /* offset in flash of the partition table */
    uint32_t watchdog_s;             /* limit of the task watchdog in seconds, 0: there is none */
    uint16_t revision, blk_revision; /* of the chip, which is always "linux" */
    bool rollback, anti_rollback, emulated_efuse;
} otter_run_boot_t;

#define OTTER_RUN_BOOT_TEXT_SIZE 192

/** @return false if the text is not what this version of the runner writes: `boot` is not to be used */
static inline bool otter_run_boot_decode(const char *text, otter_run_boot_t *boot)
{
    unsigned version, rollback, anti_rollback, emulated_efuse;
    int n = sscanf(text,
                   "version=%u reset=%u running=%u table=%u revision=%hu blk_revision=%hu rollback=%u "
                   "anti_rollback=%u emulated_efuse=%u watchdog=%u",
                   &version, &boot->reset_reason, &boot->running, &boot->table_offset, &boot->revision,
                   &boot->blk_revision, &rollback, &anti_rollback, &emulated_efuse, &boot->watchdog_s);
    if (n != 10 || version != OTTER_RUN_VERSION) {
        return false;
    }
    boot->rollback = rollback != 0;
    boot->anti_rollback = anti_rollback != 0;
    boot->emulated_efuse = emulated_efuse != 0;
    return true;
}

/** How long the flash takes, in microseconds (`otter run --flash-speed`). */
typedef struct {
    uint32_t sector_us;              /* erase of 4 KiB */
    uint32_t block32_us, block64_us; /* erase of 32 KiB and of 64 KiB at once; 0: it cannot */
    uint32_t page_us;                /* program of 256 bytes, one page */
    uint32_t byte_us;                /* program of one byte; in between it grows evenly */
    uint32_t read_rate;              /* bytes a second; 0: reading takes no time */
} otter_run_flash_speed_t;

/** @return false if the text is none: `speed` is not to be used */
static inline bool otter_run_flash_speed_decode(const char *text, otter_run_flash_speed_t *speed)
{
    return sscanf(text, "sector=%u block32=%u block64=%u page=%u byte=%u read=%u", &speed->sector_us,
                  &speed->block32_us, &speed->block64_us, &speed->page_us, &speed->byte_us,
                  &speed->read_rate) == 6;
}

/** The largest piece that is erased at once at the beginning of a range of whole sectors. */
static inline uint32_t otter_run_erase_piece(const otter_run_flash_speed_t *speed, uint32_t off, uint32_t len)
{
    const bool by64 = speed->block64_us != 0 && off % 0x10000u == 0 && len >= 0x10000u;
    const bool by32 = speed->block32_us != 0 && off % 0x8000u == 0 && len >= 0x8000u;
    return by64 ? 0x10000u : by32 ? 0x8000u : len < 0x1000u ? len : 0x1000u;
}

/** What an erase of whole sectors takes. */
static inline uint64_t otter_run_erase_us(const otter_run_flash_speed_t *speed, uint32_t off, uint32_t len)
{
    uint64_t us = 0;
    for (uint32_t piece; len > 0; off += piece, len -= piece) {
        piece = otter_run_erase_piece(speed, off, len);
        us += piece == 0x10000u ? speed->block64_us : piece == 0x8000u ? speed->block32_us : speed->sector_us;
    }
    return us;
}

/** What a program takes: page by page. */
static inline uint64_t otter_run_program_us(const otter_run_flash_speed_t *speed, uint32_t off, uint32_t len)
{
    uint64_t us = 0;
    const uint32_t more_us = speed->page_us > speed->byte_us ? speed->page_us - speed->byte_us : 0;
    for (uint32_t piece; len > 0; off += piece, len -= piece) {
        const uint32_t left = 0x100u - off % 0x100u;
        piece = len < left ? len : left;
        us += speed->byte_us + (uint64_t)more_us * (piece - 1) / 0xFFu;
    }
    return us;
}

/** The device's way to its servers (`otter run --link`). */
typedef struct {
    uint32_t rate;     /* bits a second, each way */
    uint32_t delay_us; /* one way */
    uint32_t loss_ppm; /* of the segments that come, in a million */
    uint32_t window;   /* bytes that the device takes before its program has read them: its TCP window */
} otter_run_link_t;

/** @return false if the text is none: `link` is not to be used */
static inline bool otter_run_link_decode(const char *text, otter_run_link_t *link)
{
    return sscanf(text, "rate=%u delay=%u loss=%u window=%u", &link->rate, &link->delay_us, &link->loss_ppm,
                  &link->window) == 4;
}

/** What the firmware tells the runner, one byte each, written to the descriptor of OTTER_RUN_ENV_CONTROL. */
enum {
    OTTER_RUN_SAYS_RESTART = 'R', /* esp_restart(): reset reason SW */
    OTTER_RUN_SAYS_ASLEEP =
        'S',                   /* deep sleep, for as long as otter_run_pause_t says: reset reason DEEPSLEEP */
    OTTER_RUN_SAYS_IDLE = 'I', /* every task has ended or waits for ever: nothing more will happen */
    OTTER_RUN_SAYS_ALIVE = '.',      /* feeds the watchdog: every task shows life */
    OTTER_RUN_SAYS_POWER_LOST = 'P', /* the planned power cut has come */
    OTTER_RUN_SAYS_HUNG =
        'W', /* the watchdog's time has passed by a clock of its own: reset reason TASK_WDT */
    OTTER_RUN_SAYS_NO_START =
        'N', /* as the first message: app_main() will not run, for want of something on this machine */
};

#define OTTER_RUN_EXIT_UNWRITTEN                                                                             \
    74 /* exit status behind OTTER_RUN_SAYS_IDLE: the flash file has not taken everything */

#ifdef __cplusplus
}
#endif
