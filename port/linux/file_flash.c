/*
 * Flash in one ordinary file, or in a block device. An erase is remembered before it is written, so that erasing and then
 * programming a run of sectors costs one write of each byte.
 *
 * Invariants:
 * 1. [blank_from, blank_to) is erased as far as anybody can tell; of it, [lazy_from, blank_to) is not in the file yet.
 * 2. Operations reach the file in the order in which they were asked for, sector by sector: whatever does not continue
 *    the blank range in sequence first writes what is lazy (write_lazy). A process killed at any point leaves a file
 *    that a chip could have been left with: each sector is old, or erased and then programmed up to some byte.
 * 3. After sync everything asked for is on the medium (flash_sync: write_lazy, then fdatasync, which has a device empty its
 *    own cache, unless nothing was written since the last one). An erase is a write of 0xFF: no device promises that it reads as
 *    that after a discard.
 * 4. Where the flash is shared, `shared->erase` says [lazy_from, blank_to) at any moment (publish_erase): after the bytes
 *    that take its place are in the file, before the operation returns. Whoever opens the flash next takes it over, so an
 *    erase that has returned survives its process. Without it, a killed process loses its last erase as a chip behind a
 *    cache would: never one that something else was written after, and none before a sync.
 */
/* SPDX-License-Identifier: Apache-2.0 */
#include "linux/file_flash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "otter/bytes.h"
#include "esp_log.h"
#include "linux/flash_medium.h"
#include "linux/steady_clock.h"

#define SECTOR FILE_FLASH_SECTOR
#define WRITEBACK_STEP                                                                                       \
    (8u << 20) /* start writing to the medium after this many dirty bytes, while more arrive */

#define ERASED_BYTES_SIZE (16u * 1024)
#define BUFFER_SIZE       (32u * 1024) /* behind the structure: for whoever reads much */
#define FILLS_MAX         (OTTER_FLASH_ERASE_MAX / ERASED_BYTES_SIZE) /* pieces of erased bytes in a sector */

static const char TAG[] = "file_flash";

struct file_flash {
    otter_flash_t flash;
    int fd;
    file_flash_options_t options;
    bool is_device;  /* its length is what it is */
    uint32_t length; /* bytes in the file; until something is written it may be less than the flash has */
    uint32_t blank_from, lazy_from, blank_to;
    uint32_t dirty, dirty_from,
        dirty_to;  /* bytes written since writeback was last started, and where they lie */
    bool unsynced; /* something may have been written that is not surely on the medium */
    int cause;     /* errno of the last failure, 0: none */
    bool sync_failed;
    void (*cut)(void); /* power is lost; NULL: no cut can be planned */
    otter_run_flash_speed_t speed;
    int64_t free_us; /* the chip is busy until then, by steady_clock_us() */
    struct {
        uint8_t *old; /* what was in its later half, where power goes; NULL: there is none */
        uint32_t off, len;
        uint32_t planned; /* the cut that was known when it began */
    } begun;              /* the erase that the chip is busy with, and nobody waits for */
};

/* What comes so soon behind an operation comes right behind it: the machine wakes up a little late from each wait. */
#define LATE_US  500
#define SLICE_US 5000 /* of a wait, behind which power may be gone */

/** What it erases at once in less time than sector by sector. */
static uint32_t block_of(const otter_run_flash_speed_t *speed, uint32_t sector)
{
    const uint32_t block = speed->block64_us != 0 ? 0x10000u : speed->block32_us != 0 ? 0x8000u : 0;
    return block > sector ? block : 0;
}

/** The chip was given something that takes so long, as soon as it is free. */
static void keep_busy(file_flash_t *f, uint64_t us)
{
    const int64_t now = steady_clock_us();
    f->free_us = (now - f->free_us < LATE_US ? f->free_us : now) + (int64_t)us;
}

/** At least `len` erased bytes to write from, at most ERASED_BYTES_SIZE; as much memory is used as was asked for. */
static const uint8_t *erased_bytes(uint32_t len)
{
    static uint8_t bytes[ERASED_BYTES_SIZE];
    if (bytes[len - 1] != 0xFF) {
        memset(bytes, 0xFF, len);
    }
    return bytes;
}

static esp_err_t medium_failed(file_flash_t *f, const char *what, uint32_t off)
{
    f->cause = errno;
    ESP_LOGE(TAG, "%s at 0x%x failed: %s", what, (unsigned)off, strerror(f->cause));
    errno = f->cause; /* which the log may have changed */
    return ESP_ERR_FLASH_OP_FAIL;
}

/** Starts writing to the medium what has gathered, so that the sync at the end has little left to do. */
static void note_dirty(file_flash_t *f, uint32_t off, uint32_t len)
{
    f->dirty_from = f->dirty > 0 ? min_u32(f->dirty_from, off) : off;
    f->dirty_to = f->dirty > 0 ? max_u32(f->dirty_to, off + len) : off + len;
    f->dirty += len;
    f->unsynced = true;
    if (f->dirty >= WRITEBACK_STEP) {
        /* A hint: its failure costs time at the sync and nothing else. */
        (void)sync_file_range(f->fd, f->dirty_from, f->dirty_to - f->dirty_from, SYNC_FILE_RANGE_WRITE);
        f->dirty = 0;
    }
}

/** Writes `len` bytes and behind them `fill` erased bytes (a sector at most) in one call where the kernel takes them. */
static esp_err_t write_file(file_flash_t *f, uint32_t off, const uint8_t *src, uint32_t len, uint32_t fill)
{
    struct iovec parts[1 + FILLS_MAX] = {{.iov_base = (void *)(uintptr_t)src, .iov_len = len}};
    struct iovec *part = parts;
    int count = 1;
    uint32_t at = off;
    for (uint32_t left = fill; left > 0; count++) {
        const uint32_t n = min_u32(left, ERASED_BYTES_SIZE);
        parts[count] = (struct iovec){.iov_base = (void *)(uintptr_t)erased_bytes(n), .iov_len = n};
        left -= n;
    }
    while (count > 0) {
        ssize_t n = pwritev(f->fd, part, count, at);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return medium_failed(f, "write", at);
        }
        at += (uint32_t)n;
        while (count > 0 && (size_t)n >= part->iov_len) {
            n -= (ssize_t)part->iov_len;
            part++;
            count--;
        }
        if (count > 0) {
            part->iov_base = (uint8_t *)part->iov_base + n;
            part->iov_len -= (size_t)n;
            count = part->iov_len == 0 && count == 1 ? 0 : count;
        }
    }
    note_dirty(f, off, len + fill);
    return ESP_OK;
}

/*
 * A range of whole sectors in one word, so that it changes at one instant whatever kills the process, with a check, so that
 * a pointer gone wild in a firmware does not erase the device: from 20 bits, to 20 bits, check 24 bits.
 */
#define RANGE_BITS 20
_Static_assert(OTTER_FLASH_SIZE_MAX / SECTOR < 1u << RANGE_BITS, "a range of sectors fits the word");

static uint64_t range_word(uint32_t from, uint32_t to)
{
    const uint32_t sectors[] = {from / SECTOR, to / SECTOR};
    uint32_t check = crc32_le(0, sectors, sizeof(sectors)) >> 8;
    return sectors[0] | (uint64_t)sectors[1] << RANGE_BITS | (uint64_t)check << 2 * RANGE_BITS;
}

/** @return false if the word is no range of sectors of this flash with something in it; anybody can have written it */
static bool range_of_word(const file_flash_t *f, uint64_t word, uint32_t *from, uint32_t *to)
{
    const uint32_t mask = (1u << RANGE_BITS) - 1, count = f->flash.size / SECTOR;
    uint32_t first = (uint32_t)word & mask, end = (uint32_t)(word >> RANGE_BITS) & mask;
    if (end > count || first >= end) {
        return false;
    }
    *from = first * SECTOR;
    *to = end * SECTOR;
    return word == range_word(*from, *to);
}

static void publish_erase(const file_flash_t *f)
{
    if (f->options.shared != NULL) {
        bool lazy = f->lazy_from < f->blank_to;
        __atomic_store_n(&f->options.shared->erase, lazy ? range_word(f->lazy_from, f->blank_to) : 0,
                         __ATOMIC_SEQ_CST);
    }
}

/** Takes over what the process before remembered of its last erase. */
static void take_over_erase(file_flash_t *f)
{
    uint32_t from, to;
    if (f->options.shared != NULL &&
        range_of_word(f, __atomic_load_n(&f->options.shared->erase, __ATOMIC_SEQ_CST), &from, &to)) {
        f->blank_from = f->lazy_from = from;
        f->blank_to = to;
    }
}

/** Puts the erased bytes that are only remembered into the file. */
static esp_err_t write_lazy(file_flash_t *f)
{
    while (f->lazy_from < f->blank_to) {
        uint32_t n = min_u32(f->blank_to - f->lazy_from, ERASED_BYTES_SIZE);
        esp_err_t err = write_file(f, f->lazy_from, erased_bytes(n), n, 0);
        if (err != ESP_OK) {
            return err;
        }
        f->lazy_from += n;
        publish_erase(f);
    }
    return ESP_OK;
}

/** Before the first write: the file gets what it lacks of its flash. */
static esp_err_t grow(file_flash_t *f)
{
    while (f->length < f->flash.size) {
        uint32_t n = min_u32(f->flash.size - f->length, ERASED_BYTES_SIZE);
        esp_err_t err = write_file(f, f->length, erased_bytes(n), n, 0);
        if (err != ESP_OK) {
            return err;
        }
        f->length += n;
    }
    return ESP_OK;
}

static esp_err_t read_file(file_flash_t *f, uint32_t off, uint8_t *dst, uint32_t len)
{
    if (!range_fits(off, len, f->length)) { /* behind the end of a shorter file */
        uint32_t there = off < f->length ? f->length - off : 0;
        memset(dst + there, 0xFF, len - there);
        len = there;
    }
    while (len > 0) {
        ssize_t n = pread(f->fd, dst, len, off);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            errno = n == 0 ? ENODATA : errno; /* somebody cut the file short under us */
            return medium_failed(f, "read", off);
        }
        dst += n;
        off += (uint32_t)n;
        len -= (uint32_t)n;
    }
    return ESP_OK;
}

/** Remembers a range that read as blank. It is likely to be programmed next, and then its old content need not be read again. */
static void note_content(file_flash_t *f, uint32_t off, const uint8_t *bytes, uint32_t len)
{
    if (f->lazy_from < f->blank_to || f->options.read_only) {
        return; /* there is an erase to remember */
    }
    bool blank = bytes_are_erased(bytes, len);
    if (blank && len >= SECTOR) {
        f->blank_from = off;
        f->lazy_from = f->blank_to = off + len;
    } else if (!blank && off < f->blank_to && f->blank_from < off + len) {
        f->blank_from = f->blank_to; /* another process programmed it */
    }
}

/** What is in flash, in no time. */
static esp_err_t read_unlimited(file_flash_t *f, uint32_t off, uint8_t *bytes, uint32_t len)
{
    if (f->lazy_from >= f->blank_to || off >= f->blank_to || off + len <= f->lazy_from) {
        esp_err_t err = read_file(f, off, bytes, len);
        if (err == ESP_OK) {
            note_content(f, off, bytes, len);
        }
        return err;
    }
    uint32_t before = off < f->lazy_from ? f->lazy_from - off : 0;
    uint32_t lazy = min_u32(len - before, f->blank_to - (off + before));
    memset(bytes + before, 0xFF, lazy);
    esp_err_t err = read_file(f, off, bytes, before);
    const uint32_t behind = before + lazy;
    return err == ESP_OK ? read_file(f, off + behind, bytes + behind, len - behind) : err;
}

/* ---- an erase that nobody waits for ---- */

static void end_erase(file_flash_t *f)
{
    free(f->begun.old);
    f->begun.old = NULL;
}

/**
 * From here on the power may go in the middle of it, by a time that the runner names: then a part of what it has erased was not
 * erased yet. Without memory the operation behind it is the one that is cut.
 */
static void begin_erase(file_flash_t *f, uint32_t off, uint32_t len)
{
    const uint32_t half = len / f->flash.erase_size / 2 * f->flash.erase_size;
    f->begun.old = half < len && f->cut != NULL && f->options.shared != NULL ? malloc(len - half) : NULL;
    f->begun.off = off + half;
    f->begun.len = len - half;
    if (f->begun.old != NULL && read_unlimited(f, f->begun.off, f->begun.old, f->begun.len) == ESP_OK) {
        f->begun.planned = f->options.shared->cut_at;
    } else {
        end_erase(f);
    }
}

/** Does the runner have the power go in the operation that was counted last? @param planned  what it had said when that began */
static bool power_goes(otter_run_flash_t *shared, uint32_t planned)
{
    if (shared->cut_at == planned || shared->cut_at != shared->last.number + 1) {
        return false;
    }
    shared->cut_at = shared->last.number; /* the next one was named, when this one had begun */
    return true;
}

/** The power goes in it, if the runner says so. */
static void look_at_power(file_flash_t *f)
{
    if (f->begun.old == NULL || !power_goes(f->options.shared, f->begun.planned)) {
        return;
    }
    const uint32_t torn = f->flash.erase_size / 2;
    (void)write_lazy(f);
    (void)write_file(f, f->begun.off + torn, f->begun.old + torn, f->begun.len - torn, 0);
    f->cut();
}

/** The chip works on one thing at a time. */
static void wait_until_free(file_flash_t *f)
{
    while (f->options.speed != NULL && f->free_us > steady_clock_us()) {
        const int64_t next = steady_clock_us() + SLICE_US;
        steady_clock_wait_until(f->begun.old != NULL && next < f->free_us ? next : f->free_us);
        look_at_power(f);
    }
    end_erase(f);
}

static esp_err_t flash_read(void *dev, uint32_t off, void *dst, uint32_t len)
{
    file_flash_t *f = dev;
    wait_until_free(f);
    if (f->speed.read_rate != 0) {
        keep_busy(f, (uint64_t)len * 1000000 / f->speed.read_rate);
    }
    return read_unlimited(f, off, dst, len);
}

/** Programs the next bytes of a range that is known to be blank, without reading its old content. */
static esp_err_t program_blank(file_flash_t *f, uint32_t off, const uint8_t *src, uint32_t len)
{
    uint32_t end = off + len;
    uint32_t upto = end;
    if (end > f->lazy_from) {
        upto = min_u32(align_up_u32(end, f->flash.erase_size),
                       f->blank_to); /* a sector is erased as a whole before it is used */
    }
    esp_err_t err = write_file(f, off, src, len, upto - end);
    if (err != ESP_OK) {
        return err;
    }
    f->blank_from = end;
    if (upto > f->lazy_from) {
        f->lazy_from = upto;
        publish_erase(f);
    }
    return ESP_OK;
}

/**
 * True if programming src over the bytes in the file would need a bit to become 1, or a unit to be programmed once more.
 * Sets *err when it cannot tell.
 */
static bool needs_erase(file_flash_t *f, uint32_t off, const uint8_t *src, uint32_t len, uint8_t old[SECTOR],
                        esp_err_t *err)
{
    *err = ESP_OK;
    for (uint32_t done = 0; done < len && *err == ESP_OK; done += SECTOR) {
        uint32_t n = min_u32(len - done, SECTOR);
        *err = read_file(f, off + done, old, n);
        for (uint32_t i = 0; i < n && *err == ESP_OK; i++) {
            if (f->flash.write_once ? old[i] != 0xFF : (src[done + i] & ~old[i]) != 0) {
                ESP_LOGE(TAG, "program at 0x%x %s: erase the sector first", (unsigned)(off + done + i),
                         f->flash.write_once ? "is the second one" : "asks for a bit to become 1");
                return true;
            }
        }
    }
    return false;
}

/** Programming over unknown content: new = old AND src, as a chip does it. */
static esp_err_t program_and(file_flash_t *f, uint32_t off, const uint8_t *src, uint32_t len)
{
    esp_err_t err = ESP_OK;
    uint8_t bytes[SECTOR];
    const bool strict = f->options.strict || f->flash.write_once;
    if (strict && needs_erase(f, off, src, len, bytes, &err)) {
        return ESP_ERR_FLASH_OP_FAIL;
    }
    for (uint32_t done = 0; done < len && err == ESP_OK; done += (uint32_t)sizeof(bytes)) {
        uint32_t n = min_u32(len - done, (uint32_t)sizeof(bytes));
        if (!strict || len > sizeof(bytes)) { /* else they are there already */
            err = read_file(f, off + done, bytes, n);
        }
        for (uint32_t i = 0; i < n; i++) {
            bytes[i] &= src[done + i];
        }
        if (err == ESP_OK) {
            err = write_file(f, off + done, bytes, n, 0);
        }
    }
    return err;
}

static esp_err_t refuse_read_only(void)
{
    ESP_LOGE(TAG, "the flash file is open for reading only");
    return ESP_ERR_FLASH_OP_FAIL;
}

static esp_err_t program_unlimited(file_flash_t *f, uint32_t off, const void *src, uint32_t len)
{
    bool in_blank = off >= f->blank_from && off < f->blank_to && len <= f->blank_to - off;
    if (in_blank && off == f->blank_from) {
        return program_blank(f, off, src, len);
    }
    esp_err_t err = write_lazy(f);
    if (err != ESP_OK) {
        return err;
    }
    if (in_blank) {
        f->blank_from = off; /* what was skipped is erased too, but no longer worth remembering */
        return program_blank(f, off, src, len);
    }
    if (off < f->blank_to && f->blank_from < off + len) {
        f->blank_from = f->lazy_from = f->blank_to;
    }
    return program_and(f, off, src, len);
}

static esp_err_t erase_unlimited(file_flash_t *f, uint32_t off, uint32_t len)
{
    if (off == f->blank_to && f->blank_from < f->blank_to) {
        f->blank_to += len; /* goes on where the last erase ended */
        publish_erase(f);
        return ESP_OK;
    }
    esp_err_t err = write_lazy(f);
    if (err != ESP_OK) {
        return err;
    }
    f->blank_from = f->lazy_from = off;
    f->blank_to = off + len;
    publish_erase(f);
    return ESP_OK;
}

/**
 * Counts operations that follow, each of `op->len` bytes, one behind the other from `op->off` on.
 * @return how many of them still have power: less than `count` if it is lost
 */
static uint32_t count_ops(file_flash_t *f, const otter_run_op_t *op, uint32_t count)
{
    otter_run_flash_t *shared = f->options.shared;
    if (shared == NULL || count == 0) {
        return count;
    }
    const uint32_t before = shared->last.number;
    uint32_t powered = count;
    if (f->cut != NULL && shared->cut_at > before) {
        powered = min_u32(count, shared->cut_at - before - 1);
    }
    const uint32_t begun = min_u32(count, powered + 1);
    otter_run_op_t next = *op;
    for (uint32_t i = 0; i < begun; i++) {
        next.number = before + i + 1;
        next.off = op->off + i * op->len;
        if (f->options.trace > 0) {
            (void)!write(f->options.trace, &next,
                         sizeof(next)); /* whoever reads the list sees that one is missing */
        }
    }
    shared->last = next;
    return powered;
}

/**
 * The operation that was counted last takes so long. @return false: power is lost in the middle of it, which nobody knew when it
 * began
 */
static bool take_time(file_flash_t *f, uint64_t us)
{
    otter_run_flash_t *shared = f->cut != NULL ? f->options.shared : NULL;
    const uint32_t planned = shared != NULL ? shared->cut_at : 0;
    if (f->options.speed == NULL) {
        return true;
    }
    keep_busy(f, us);
    while (f->free_us > steady_clock_us()) {
        const int64_t next = steady_clock_us() + SLICE_US;
        steady_clock_wait_until(next < f->free_us ? next : f->free_us);
        if (shared != NULL && power_goes(shared, planned)) {
            return false;
        }
    }
    return true;
}

static esp_err_t flash_program(void *dev, uint32_t off, const void *src, uint32_t len)
{
    file_flash_t *f = dev;
    if (f->options.read_only) {
        return refuse_read_only();
    }
    esp_err_t err = grow(f);
    if (err != ESP_OK) {
        return err;
    }
    const otter_run_op_t op = {.off = off, .len = len};
    wait_until_free(f);
    if (count_ops(f, &op, 1) == 0 || !take_time(f, otter_run_program_us(&f->speed, off, len))) {
        (void)program_unlimited(f, off, src,
                                len / 2); /* torn: half of it, and power is gone whatever happened */
        (void)write_lazy(f);
        f->cut();
    }
    return program_unlimited(f, off, src, len);
}

/** Sectors that are erased at once. @param waits  for the end of it */
static esp_err_t erase_piece(file_flash_t *f, uint32_t off, uint32_t len, bool waits)
{
    const uint32_t sector = f->flash.erase_size;
    const otter_run_op_t op = {.is_erase = true, .off = off, .len = sector};
    const uint64_t us = otter_run_erase_us(&f->speed, off, len);
    wait_until_free(f);
    uint32_t whole = count_ops(f, &op, len / sector) * sector;
    if (!waits && whole == len) {
        begin_erase(f, off, len);
        keep_busy(f, us);
    } else if (whole == len && !take_time(f, us)) {
        whole = len / sector / 2 * sector;
    }
    if (whole < len) {
        if (whole > 0) {
            (void)erase_unlimited(f, off, whole);
        }
        (void)write_lazy(f);
        (void)write_file(f, off + whole, NULL, 0, sector / 2); /* torn: half of one sector */
        f->cut();
    }
    return erase_unlimited(f, off, len);
}

/** As few pieces as the chip has commands for. */
static esp_err_t erase(file_flash_t *f, uint32_t off, uint32_t len, bool waits)
{
    if (f->options.read_only) {
        return refuse_read_only();
    }
    esp_err_t err = grow(f);
    if (f->options.speed == NULL) {
        return err == ESP_OK ? erase_piece(f, off, len, waits) : err;
    }
    for (uint32_t n; len > 0 && err == ESP_OK; off += n, len -= n) {
        n = max_u32(otter_run_erase_piece(&f->speed, off, len), f->flash.erase_size);
        err = erase_piece(f, off, n, waits);
    }
    return err;
}

static esp_err_t flash_erase(void *dev, uint32_t off, uint32_t len)
{
    return erase(dev, off, len, true);
}

static esp_err_t flash_erase_begin(void *dev, uint32_t off, uint32_t len)
{
    return erase(dev, off, len, false);
}

static bool flash_is_busy(void *dev)
{
    file_flash_t *f = dev;
    const bool busy = f->options.speed != NULL && f->free_us > steady_clock_us();
    if (busy) {
        look_at_power(f);
    }
    return busy;
}

static esp_err_t flash_sync(void *dev)
{
    file_flash_t *f = dev;
    if (f->options.read_only) {
        return ESP_OK;
    }
    wait_until_free(f);
    esp_err_t err = write_lazy(f);
    if (err != ESP_OK || !f->unsynced) {
        return err; /* a flush of the medium costs as much as it does with something to flush */
    }
    if (fdatasync(f->fd) != 0) {
        f->sync_failed = true;
        return medium_failed(f, "sync", 0);
    }
    f->unsynced = false;
    return ESP_OK;
}

static const otter_flash_ops_t file_ops = {.read = flash_read,
                                           .program = flash_program,
                                           .erase = flash_erase,
                                           .sync = flash_sync,
                                           .erase_begin = flash_erase_begin,
                                           .is_busy = flash_is_busy};

esp_err_t file_flash_adopt(int fd, const file_flash_options_t *options, otter_flash_t **out,
                           otter_fault_t *fault)
{
    flash_medium_t medium = {0};
    esp_err_t err = flash_medium_measure(fd, options->read_only || options->grows, &medium, fault);
    if (err != ESP_OK) {
        close(fd);
        return err;
    }
    file_flash_t *f = calloc(1, sizeof(*f) + BUFFER_SIZE);
    if (f == NULL) {
        close(fd);
        return otter_fault(fault, ESP_ERR_NO_MEM, "out of memory");
    }
    f->fd = fd;
    f->options = *options;
    f->speed = options->speed != NULL ? *options->speed : (otter_run_flash_speed_t){0};
    f->is_device = medium.is_device;
    f->length = medium.size;
    f->unsynced = true; /* whoever had it open before may have gone without */
    f->flash = (otter_flash_t){.ops = &file_ops,
                               .dev = f,
                               .size = align_up_u32(medium.size, SECTOR),
                               .erase_size = SECTOR,
                               .block_size = block_of(&f->speed, SECTOR),
                               .write_size = 1,
                               .stable_reads = options->speed == NULL,
                               .buffer = {(uint8_t *)(f + 1), BUFFER_SIZE}};
    take_over_erase(f);
    *out = &f->flash;
    return ESP_OK;
}

esp_err_t file_flash_open(const char *path, const file_flash_options_t *options, otter_flash_t **out,
                          otter_fault_t *fault)
{
    int fd = -1;
    const flash_medium_use_t use = !options->read_only ? FLASH_MEDIUM_WRITE
                                   : options->look     ? FLASH_MEDIUM_LOOK
                                                       : FLASH_MEDIUM_READ;
    esp_err_t err = flash_medium_open(path, use, options->wait_ms, &fd, fault);
    return err == ESP_OK ? file_flash_adopt(fd, options, out, fault) : err;
}

esp_err_t file_flash_check(const file_flash_geometry_t *geometry, uint32_t size, otter_fault_t *fault)
{
    const otter_flash_t flash = {.size = size,
                                 .erase_size = geometry->sector_size != 0 ? geometry->sector_size : SECTOR,
                                 .write_size = geometry->write_unit != 0 ? geometry->write_unit : 1,
                                 .write_once = geometry->write_once};
    if (flash.erase_size < SECTOR || flash.erase_size > OTTER_FLASH_ERASE_MAX ||
        flash.write_size > OTTER_FLASH_UNIT_MAX) {
        return otter_fault(fault, ESP_ERR_INVALID_ARG,
                           "a flash file erases %u to %u bytes at once, and programs at most %u", SECTOR,
                           OTTER_FLASH_ERASE_MAX, OTTER_FLASH_UNIT_MAX);
    }
    return otter_flash_check_geometry(&flash, fault);
}

esp_err_t file_flash_shape(otter_flash_t *flash, const file_flash_geometry_t *geometry, otter_fault_t *fault)
{
    const file_flash_t *f = flash->dev;
    const uint32_t sector = geometry->sector_size != 0 ? geometry->sector_size : SECTOR;
    uint32_t size = flash->size;
    if ((f->options.read_only || f->options.grows) && !f->is_device) {
        size = (size + sector - 1) / sector * sector; /* that may be no power of two yet */
    }
    esp_err_t err = file_flash_check(geometry, size, fault);
    if (err != ESP_OK) {
        return err;
    }
    flash->size = size;
    flash->erase_size = sector;
    flash->block_size = block_of(&f->speed, sector);
    flash->write_size = geometry->write_unit != 0 ? geometry->write_unit : 1;
    flash->write_once = geometry->write_once;
    flash->stable_reads =
        !geometry->write_once && f->options.speed == NULL; /* as of the flash that it stands for */
    return ESP_OK;
}

bool file_flash_is_device(const otter_flash_t *flash)
{
    const file_flash_t *f = flash->dev;
    return f->is_device;
}

uint32_t file_flash_length(const otter_flash_t *flash)
{
    const file_flash_t *f = flash->dev;
    return f->length;
}

int file_flash_cause(const otter_flash_t *flash)
{
    const file_flash_t *f = flash->dev;
    return f->cause;
}

bool file_flash_lost_a_sync(const otter_flash_t *flash)
{
    const file_flash_t *f = flash->dev;
    return f->sync_failed;
}

void file_flash_extend(otter_flash_t *flash, uint32_t size)
{
    const file_flash_t *f = flash->dev;
    flash->size = f->is_device ? flash->size : max_u32(flash->size, size);
}

void file_flash_plan_cut(otter_flash_t *flash, void (*cut)(void))
{
    file_flash_t *f = flash->dev;
    f->cut = cut;
}

int file_flash_descriptor(otter_flash_t *flash)
{
    file_flash_t *f = flash->dev;
    if (!f->options.read_only) {
        (void)grow(f); /* whoever gets the descriptor takes the file for the flash */
    }
    (void)write_lazy(f); /* a failure was logged and shows again at the next operation or sync */
    f->blank_from = f->lazy_from = f->blank_to; /* whoever gets the descriptor writes too */
    f->unsynced = true;
    return f->fd;
}

void file_flash_forsake(otter_flash_t *flash)
{
    file_flash_t *f = flash->dev;
    close(f->fd);
    f->fd = -1;
    f->options.read_only = true;
    f->options.shared = NULL;
    f->options.trace = 0;
    f->blank_from = f->lazy_from = f->blank_to;
}

esp_err_t file_flash_close(otter_flash_t *flash)
{
    if (flash == NULL) {
        return ESP_OK;
    }
    file_flash_t *f = flash->dev;
    esp_err_t err = flash_sync(f);
    close(f->fd);
    end_erase(f); /* of a flash that is open for reading it was never begun */
    free(f);
    return err;
}

esp_err_t file_flash_create(const char *path, uint32_t size, otter_fault_t *fault)
{
    if (size == 0 || size % SECTOR != 0 || size > OTTER_FLASH_SIZE_MAX) {
        return otter_fault(fault, ESP_ERR_INVALID_SIZE,
                           "a flash has a multiple of 4096 bytes, at most 2 GiB");
    }
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) {
        return errno == EEXIST ? otter_fault(fault, ESP_ERR_INVALID_STATE, "it exists already")
                               : otter_fault(fault, ESP_FAIL, "%s", strerror(errno));
    }
    file_flash_t f = {.fd = fd, .length = size, .blank_to = size};
    bool written = write_lazy(&f) == ESP_OK && fsync(fd) == 0;
    int cause = errno;
    if (close(fd) != 0 || !written) {
        unlink(path);
        return otter_fault(fault, ESP_FAIL, "cannot write %u bytes: %s", (unsigned)size, strerror(cause));
    }
    return ESP_OK;
}
