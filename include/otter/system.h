/* The system seam: clock, random, waiting, console, locks, work beside and restart as link-time functions of the port. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Monotonic microseconds since the program (on a board: the chip) started. */
int64_t otter_now_us(void);

/** Wait at least `ms` milliseconds; 0 gives way to others. */
void otter_sleep_ms(uint32_t ms);

/** Unpredictable bytes. */
void otter_random(void *buf, size_t len);

/** Writes one finished console text (it ends in a newline when a line ends); one call is not torn by other tasks. */
void otter_console_write(const char *text, size_t len);

/**
 * Memory for a line of the log that has more than 300 bytes. The library's own two ask malloc(). A program without a heap defines
 * both, to give NULL: such a line is cut then, and ends in "...".
 */
void *otter_log_memory(size_t size);
void otter_log_memory_free(void *memory);

/** True if the console shows colours (a terminal). */
bool otter_console_has_color(void);

/**
 * Ends this run of the firmware: the next thing that runs is the bootloader. Called by esp_restart() after the
 * shutdown handlers. In port/sim it unwinds to the simulated device's boot loop.
 */
void otter_system_restart(void) __attribute__((noreturn));

/**
 * What several tasks may use at once, each guarded by one lock of the program. Where more than one is held they were taken
 * in this order, so no two tasks can wait for each other.
 */
typedef enum {
    OTTER_LOCK_UPDATES, /* open updates, otadata and the verdict on what runs: src/ota */
    OTTER_LOCK_NVS,     /* the partitions that are ready for nvs_*, and what is in them */
    OTTER_LOCK_SYSTEM, /* the few variables of a program: event loop, shutdown handlers, progress of updates */
    OTTER_LOCK_LISTS,  /* partitions and mapped ranges */
    OTTER_LOCK_FLASH,  /* each operation of a flash, with its counters, maps and watches */
    OTTER_LOCK_LOG,    /* levels of tags, where lines go */
    OTTER_LOCK_COUNT
} otter_lock_t;

/**
 * Take a lock, waiting for it; the task that holds one may take it again and gives it back as often. Nobody waits for
 * another task (but its own work beside it), a time or a peer while holding one, and no function of an application is called:
 * all waits are as short as the flash operations under them. A port without tasks does nothing here.
 */
void otter_lock(otter_lock_t lock);
void otter_unlock(otter_lock_t lock);

/**
 * Work that may go on beside the task that wants it: on another processor, if the port has one to give. Without one it is done in
 * otter_beside_kick(), and there is nothing to wait for; that is all that a port without tasks needs.
 */
typedef struct {
    void (*work)(void *arg, uint32_t upto);
    void *arg;
    void *port; /* NULL: nothing goes on beside */
} otter_beside_t;

/** `work` may be asked for from now on. What it uses is its own from a kick to the end of a wait. */
void otter_beside_begin(otter_beside_t *beside, void (*work)(void *arg, uint32_t upto), void *arg);

/** Has work(arg, upto) called. Calls never overlap; of kicks that come during a call the last one counts. */
void otter_beside_kick(otter_beside_t *beside, uint32_t upto);

/** Waits until what was asked for is done, as long as `work` takes. Not with a lock that `work` takes, or one behind it. */
void otter_beside_wait(otter_beside_t *beside);

/** Waits, and gives back what begin took. Harmless twice and on zeros. */
void otter_beside_end(otter_beside_t *beside);

/** A sign of life for the watchdog: long operations that do not block call it as they make progress. Cheap. */
void otter_system_alive(void);

#ifdef __cplusplus
}
#endif
