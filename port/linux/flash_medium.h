/* What a flash lies in, an ordinary file or a block device: opened and locked, and how much there is of it. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "otter/fault.h"
#include "otter/promise.h"

typedef struct {
    bool is_device; /* a block device: it cannot grow, and what lies beside it is gone after a restart */
    uint32_t size;  /* bytes; of a device whole sectors: the rest is not used */
} flash_medium_t;

/** True of the name of a block device, behind symbolic links too (/dev/disk/by-partlabel/...). */
bool flash_medium_is_device(const char *path);

/** What it is opened for. */
typedef enum {
    FLASH_MEDIUM_WRITE, /* locked against every other process */
    FLASH_MEDIUM_READ,  /* locked against those that write */
    FLASH_MEDIUM_LOOK, /* to read without a lock, while somebody may write: what is read may be half of something */
} flash_medium_use_t;

/**
 * Open what a flash lies in and lock it until it is closed: against every other process, or those that write, or not at all. A
 * device that is written to is taken from the kernel as well, so that it cannot be mounted meanwhile, and under none of its
 * names be written by another process. As udev looks at a device whenever it was written to, its lock is waited for three seconds
 * at least.
 * @param wait_ms  so long the lock is waited for, which somebody else may have
 * @param fd       receives the descriptor
 * @param fault    says what is wrong and what to do
 * @return ESP_OK
 *         ESP_ERR_NOT_FOUND      it cannot be opened, or not to write
 *         ESP_ERR_NOT_ALLOWED    not to write, as it is read-only: a device, or the file system around a file
 *         ESP_ERR_INVALID_STATE  another process has it open, to write or while this one would; a device: it is mounted, or a
 *                                part of something
 */
OTTER_MUST_CHECK esp_err_t flash_medium_open(const char *path, flash_medium_use_t use, uint32_t wait_ms,
                                             int *fd, otter_fault_t *fault);

/** Takes a line of text about `path`. */
typedef void flash_medium_tell_t(const char *path, const char *text);

/**
 * From here on, whoever calls this process hears of each wait for a lock that is not over at once: who is waited for and how
 * long, and that it is over. Where the time runs out, flash_medium_open() says so.
 * @param tell  in the thread that waits; NULL: nothing is told, as at the beginning. Set before other threads run
 */
void flash_medium_tell_waits(flash_medium_tell_t *tell);

/**
 * What an open descriptor stands for.
 * @param any_length  a file that is no whole number of sectors will do
 * @return ESP_OK, ESP_ERR_NOT_FOUND (neither file nor block device, or nothing is in the drive), ESP_ERR_INVALID_SIZE (empty,
 *         no whole number of sectors, more than OTTER_FLASH_SIZE_MAX), with the cause as above
 */
OTTER_MUST_CHECK esp_err_t flash_medium_measure(int fd, bool any_length, flash_medium_t *medium,
                                                otter_fault_t *fault);
