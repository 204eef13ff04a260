/* Flash in an ordinary file or a block device, byte for byte what read_flash gives from a chip; one process at a time writes. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "otter/fault.h"
#include "otter/flash.h"
#include "otter/promise.h"
#include "otter/run_protocol.h"

#define FILE_FLASH_SECTOR 4096u

typedef struct file_flash file_flash_t;

/** How a flash erases and programs, if not as a chip's SPI NOR. */
typedef struct {
    uint32_t sector_size; /* bytes erased at once, a power of two from FILE_FLASH_SECTOR on; 0: that */
    uint32_t write_unit;  /* bytes programmed at once, a power of two; 0: 1 */
    bool write_once;      /* a unit is programmed once after an erase (otter/flash.h) */
} file_flash_geometry_t;

typedef struct {
    /* a program that asks for 0 -> 1 fails (ESP_ERR_FLASH_OP_FAIL); false: it silently stays 0 */
    bool strict;
    bool read_only; /* program and erase fail; a file of any length will do, its last sector ends erased */
    bool look;  /* with read_only: nobody is kept from writing, and what is read may be half of something */
    bool grows; /* the same of a file to write to: the first write adds what it lacks of the flash */
    uint32_t wait_ms;          /* so long another process's lock is waited for; see flash_medium_open() */
    otter_run_flash_t *shared; /* NULL: what this process has not written when it is killed is lost */
    /* how long it takes: then it behaves as the chip does, whose bits may hang after a cut; NULL: as long as the file does */
    const otter_run_flash_speed_t *speed;
    int trace; /* with `shared`: descriptor that gets each operation, a otter_run_op_t, when it begins; 0: none */
} file_flash_options_t;

/**
 * Open a flash file, or a block device that is used as one, and lock it until it is closed: against every other process, or
 * against those that write.
 * @param out      receives the flash; `*out` lives until file_flash_close()
 * @param fault    says what is wrong and what to do
 * @return ESP_OK
 *         ESP_ERR_NOT_FOUND, ESP_ERR_NOT_ALLOWED, ESP_ERR_INVALID_STATE  as flash_medium_open()
 *         ESP_ERR_INVALID_SIZE   empty, not a multiple of 4096 (unless it is only read, or grows), or over 2 GiB
 *         ESP_ERR_NO_MEM
 */
OTTER_MUST_CHECK esp_err_t file_flash_open(const char *path, const file_flash_options_t *options,
                                           otter_flash_t **out, otter_fault_t *fault);

/** The same on a descriptor whose lock came with it (the firmware gets it from `otter run`); takes over the descriptor. */
OTTER_MUST_CHECK esp_err_t file_flash_adopt(int fd, const file_flash_options_t *options, otter_flash_t **out,
                                            otter_fault_t *fault);

/** ESP_OK, or ESP_ERR_INVALID_ARG and why no flash of `size` bytes is like that. */
OTTER_MUST_CHECK esp_err_t file_flash_check(const file_flash_geometry_t *geometry, uint32_t size,
                                            otter_fault_t *fault);

/**
 * Give a flash that was just opened another geometry than SPI NOR's. A program over what is not erased fails where units are
 * programmed once.
 * @return as file_flash_check()
 */
OTTER_MUST_CHECK esp_err_t file_flash_shape(otter_flash_t *flash, const file_flash_geometry_t *geometry,
                                            otter_fault_t *fault);

/** errno of the last operation on the file that failed; 0: none did. ESP_ERR_FLASH_OP_FAIL says no more than that. */
int file_flash_cause(const otter_flash_t *flash);

/** True once a sync has failed: the medium may lack what is in the file, and a later sync that succeeds does not change that. */
bool file_flash_lost_a_sync(const otter_flash_t *flash);

/** True if it lies in a block device: that cannot grow, and nothing lies beside it. */
bool file_flash_is_device(const otter_flash_t *flash);

/** Bytes in the file. */
uint32_t file_flash_length(const otter_flash_t *flash);

/**
 * The flash that is open for reading, or grows, has at least `size` bytes; what the file lacks of them reads as erased. A
 * device stays as it is.
 * @param size  whole sectors, at most OTTER_FLASH_SIZE_MAX
 */
void file_flash_extend(otter_flash_t *flash, uint32_t size);

/** The descriptor behind a flash made here, for handing on. Pending operations are in the file when this returns. */
int file_flash_descriptor(otter_flash_t *flash);

/** Writes what is pending, syncs, unlocks and frees. NULL is fine. @return the result of the final sync */
OTTER_MUST_CHECK esp_err_t file_flash_close(otter_flash_t *flash);

/**
 * Power loss, for trying it out: the operation with the number `cut_at` of what is shared is torn in the middle, then `cut`
 * is called, which must not return. Operations before it are in the file, later ones never are. The flash must have been
 * opened with `shared`.
 */
void file_flash_plan_cut(otter_flash_t *flash, void (*cut)(void));

/** True once the operation has begun in which power is lost. */
static inline bool file_flash_was_cut(const otter_run_flash_t *shared)
{
    return shared->cut_at != 0 && shared->last.number >= shared->cut_at;
}

/**
 * In a process that was forked: the flash belongs to the parent alone. Every operation fails from now on, and nothing that
 * was remembered is written. Does what may be done after fork() in a process with threads.
 */
void file_flash_forsake(otter_flash_t *flash);

/** Make a new file of `size` erased bytes. Fails with ESP_ERR_INVALID_STATE if it exists, ESP_ERR_INVALID_SIZE, ESP_FAIL. */
OTTER_MUST_CHECK esp_err_t file_flash_create(const char *path, uint32_t size, otter_fault_t *fault);
