/* A file's name may be another's tomorrow, a device's name is one of several: so files are locked, devices taken as well. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/flash_medium.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "linux/file_flash.h"
#include "linux/lock_holder.h"
#include "otter/flash.h"

#define DEVICE_LOCK_WAIT_MS 3000
#define LOCK_STEP_MS        20
#define LOCK_QUIET_MS       100 /* a wait that is not told: for one that is about to let go */

static flash_medium_tell_t *tell_of_waits;

bool flash_medium_is_device(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISBLK(st.st_mode);
}

/* ---- opening ---- */

static bool try_lock(int fd, bool read_only)
{
    return flock(fd, (read_only ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0;
}

/** Who has a device that is not ours to open: true, a process that locks it as this one does; false, the kernel. */
static bool is_locked(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool locked = fd >= 0 && !try_lock(fd, false) && errno == EWOULDBLOCK;
    if (fd >= 0) {
        close(fd);
    }
    return locked;
}

/** @return ESP_OK; ESP_ERR_NOT_FINISHED: busy, and may be free in a moment; else as flash_medium_open() */
static esp_err_t open_once(const char *path, flash_medium_use_t use, bool is_device, int *fd,
                           otter_fault_t *fault)
{
    const bool read_only = use != FLASH_MEDIUM_WRITE;
    int how = read_only ? O_RDONLY : O_RDWR | (is_device ? O_EXCL : 0);
    *fd = open(path, how | O_CLOEXEC | O_NONBLOCK);
    if (*fd < 0 && errno == EBUSY && is_device) {
        if (is_locked(path)) {
            return ESP_ERR_NOT_FINISHED;
        }
        return otter_fault(
            fault, ESP_ERR_INVALID_STATE,
            "it is in use: mounted, a partition of it is, or it is a part of something (lsblk tells); "
            "end that first");
    }
    if (*fd < 0) {
        return otter_fault(fault, errno == EROFS ? ESP_ERR_NOT_ALLOWED : ESP_ERR_NOT_FOUND, "%s%s",
                           strerror(errno), errno == ENOENT ? " (`otter flash new` makes a flash file)" : "");
    }
    if (use == FLASH_MEDIUM_LOOK || try_lock(*fd, read_only)) {
        return ESP_OK;
    }
    int error = errno;
    close(*fd);
    return otter_fault(fault, error == EWOULDBLOCK ? ESP_ERR_NOT_FINISHED : ESP_ERR_NOT_FOUND, "%s",
                       strerror(error));
}

/** A device may be open to write and take nothing all the same: the first write would tell. */
static esp_err_t check_writable(int fd, otter_fault_t *fault)
{
    int read_only = 0;
    if (ioctl(fd, BLKROGET, &read_only) != 0 || read_only == 0) {
        return ESP_OK;
    }
    return otter_fault(
        fault, ESP_ERR_NOT_ALLOWED,
        "the device is read-only (a switch on a card, or `blockdev --setro`; --setrw undoes that)");
}

/* ---- waiting ---- */

void flash_medium_tell_waits(flash_medium_tell_t *tell)
{
    tell_of_waits = tell;
}

static void tell(const char *path, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void tell(const char *path, const char *format, ...)
{
    char text[LOCK_HOLDER_SIZE + 80];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (tell_of_waits != NULL) {
        tell_of_waits(path, text);
    }
}

static void tell_begin(const char *path, uint32_t wait_ms)
{
    char holder[LOCK_HOLDER_SIZE];
    lock_holder_name(path, holder, sizeof(holder));
    tell(path, "%s has it open: waiting for that to end, %g seconds at most", holder, wait_ms / 1000.0);
}

/** As open_once(), until the lock is there or the time is over. */
static esp_err_t open_in_time(const char *path, flash_medium_use_t use, uint32_t wait_ms, int *fd,
                              otter_fault_t *fault)
{
    const bool is_device = flash_medium_is_device(path);
    const struct timespec step = {.tv_nsec = LOCK_STEP_MS * 1000000L};
    bool told = false;
    esp_err_t err = open_once(path, use, is_device, fd, fault);
    for (uint32_t waited = 0; err == ESP_ERR_NOT_FINISHED && waited < wait_ms; waited += LOCK_STEP_MS) {
        if (waited == LOCK_QUIET_MS) {
            tell_begin(path, wait_ms);
            told = true;
        }
        nanosleep(&step, NULL);
        err = open_once(path, use, is_device, fd, fault);
    }
    if (told && err == ESP_OK) {
        tell(path, "it is free now");
    }
    return err;
}

static esp_err_t say_busy(const char *path, otter_fault_t *fault)
{
    char holder[LOCK_HOLDER_SIZE];
    lock_holder_name(path, holder, sizeof(holder));
    return otter_fault(fault, ESP_ERR_INVALID_STATE,
                       "%s has it open (a running device, an update, or one that reads it); end that first",
                       holder);
}

esp_err_t flash_medium_open(const char *path, flash_medium_use_t use, uint32_t wait_ms, int *fd,
                            otter_fault_t *fault)
{
    const bool is_device = flash_medium_is_device(path);
    if (is_device && wait_ms < DEVICE_LOCK_WAIT_MS) {
        wait_ms = DEVICE_LOCK_WAIT_MS;
    }
    esp_err_t err = open_in_time(path, use, wait_ms, fd, fault);
    if (err == ESP_ERR_NOT_FINISHED) {
        return say_busy(path, fault);
    }
    if (err != ESP_OK || !is_device || use != FLASH_MEDIUM_WRITE) {
        return err;
    }
    err = check_writable(*fd, fault);
    if (err != ESP_OK) {
        close(*fd);
    }
    return err;
}

/* ---- measuring ---- */

static esp_err_t measure_device(int fd, flash_medium_t *medium, otter_fault_t *fault)
{
    uint64_t size = 0;
    if (ioctl(fd, BLKGETSIZE64, &size) != 0 || size < FILE_FLASH_SECTOR) {
        return otter_fault(fault, size == 0 ? ESP_ERR_NOT_FOUND : ESP_ERR_INVALID_SIZE,
                           "the device has no room: is anything in it?");
    }
    if (size / FILE_FLASH_SECTOR * FILE_FLASH_SECTOR > OTTER_FLASH_SIZE_MAX) {
        return otter_fault(
            fault, ESP_ERR_INVALID_SIZE,
            "the device has %llu MiB, and a flash has at most 2 GiB: give a partition of it, or a part "
            "(`losetup --offset N --sizelimit N`)",
            (unsigned long long)(size >> 20));
    }
    *medium =
        (flash_medium_t){.is_device = true, .size = (uint32_t)(size / FILE_FLASH_SECTOR * FILE_FLASH_SECTOR)};
    return ESP_OK;
}

esp_err_t flash_medium_measure(int fd, bool any_length, flash_medium_t *medium, otter_fault_t *fault)
{
    struct stat st;
    if (fstat(fd, &st) == 0 && S_ISBLK(st.st_mode)) {
        return measure_device(fd, medium, fault);
    }
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        return otter_fault(fault, ESP_ERR_NOT_FOUND, "it is not an ordinary file, nor a block device");
    }
    if (st.st_size == 0 || (st.st_size % FILE_FLASH_SECTOR != 0 && !any_length) ||
        st.st_size > OTTER_FLASH_SIZE_MAX) {
        return otter_fault(
            fault, ESP_ERR_INVALID_SIZE,
            "its size of %lld bytes is not that of a flash (a multiple of 4096, at most 2 GiB)",
            (long long)st.st_size);
    }
    *medium = (flash_medium_t){.size = (uint32_t)st.st_size};
    return ESP_OK;
}
