/* Updates on a device that the caller names: bytes into a partition, and the verdict on what lies there then. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_ota_ops.h" /* OTA_SIZE_UNKNOWN, OTA_WITH_SEQUENTIAL_WRITES */
#include "otter/device.h"
#include "otter/fault.h"
#include "otter/image.h"
#include "otter/promise.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * An update that works without a heap:
 *
 *     otter_update_t update;
 *     otter_fault_t fault = {0};
 *     esp_err_t err = otter_update_begin(&update, device, slot, OTA_WITH_SEQUENTIAL_WRITES, &fault);
 *     while (err == ESP_OK && (len = receive(buffer, sizeof(buffer))) > 0) {
 *         err = otter_update_write(&update, buffer, len, &fault);
 *     }
 *     if (err == ESP_OK) {
 *         err = otter_update_end(&update, &fault);
 *     }
 *     if (err == ESP_OK) {
 *         err = otter_ota_set_boot_partition(device, slot, &fault);
 *     }
 *
 * esp_ota_begin and its kin are the same on the current device, with handles from the heap. What they check, in which order, and
 * each code is documented in esp_ota_ops.h; here only what is different. `fault` says why a call failed, NULL: nobody asks. A
 * failed write or set_final_partition leaves the update open; end and abort close it whatever they return, and a failed begin or
 * resume leaves nothing open.
 *
 * Memory: the update is the caller's, about 2 KiB on a 32-bit chip, and stays where it is between begin and end or abort; so does
 * the device. Data is the caller's again when a call returns. What is in flash is read back through the buffer of the flash
 * (otter/flash.h).
 *
 * Tasks: a device and its updates are for one task at a time. Where several use them, each holds OTTER_LOCK_UPDATES
 * (otter/system.h) around a call, as esp_ota_* do.
 */

#define OTTER_UPDATE_UNIT_MAX 32u /* bytes, the largest write unit of a flash that these functions write */

/** Of a flash that is written. Private: it is declared so that callers can have an update of their own. */
struct otter_slot_writer {
    const esp_partition_t *partition;
    /* each sector is erased when its first byte comes; else all of the range was erased before */
    bool erase_ahead;
    bool differs;      /* what it wrote last had to be erased for it */
    bool in_order;     /* all bytes came one after the other, and none failed */
    bool spent;        /* a write failed where units are programmed once: no more are taken */
    uint32_t erased;   /* up to here it may program */
    uint32_t written;  /* bytes taken; with writes in order also the position of the next one */
    uint32_t end;      /* where the highest byte taken ends */
    uint8_t *tail;     /* bytes that do not fill a write unit yet; NULL where there is no room for one */
    uint32_t tail_len; /* how many */
    uint8_t small[OTTER_UPDATE_UNIT_MAX]; /* room for them */
};

/** Of an image that is judged while it is written. Private. */
struct otter_image_follower {
    const esp_partition_t *partition; /* that the image is written to; NULL: what is written is no image */
    otter_image_rules_t rules;        /* by which it is judged */
    /* memory or a reading failed, or somebody wrote to what was read: the end will read all of it */
    bool lost;
    bool begun;         /* the stream */
    uint32_t read_back; /* bytes of the partition that the stream has seen */
    uint32_t watch;     /* of these bytes; after judging of all that the verdict is about */
    otter_image_stream_t stream;
};

/** One update, open or not. The fields are private; the functions tell what a caller may know. */
typedef struct otter_update {
    otter_device_t *device; /* NULL: it is not open */
    struct otter_update *next;
    uint32_t handle;                             /* esp_ota_handle_t; 0: it has none */
    void (*closed)(struct otter_update *update); /* whoever made it hears of its end; NULL: the caller did */
    /* what is written: a row of the table, or `registered` */
    const esp_partition_t *staging;
    /* what the bytes are, and where they go if they are copied: a row of the table, or `meant` */
    const esp_partition_t *final;
    /* partitions of the application's, which may be gone before the update is */
    esp_partition_t registered, meant;
    bool copy_to_final;
    bool resumed;
    bool used;          /* a write has touched flash, or may have */
    uint32_t image_len; /* of a judged image */
    struct otter_slot_writer writer;
    struct otter_image_follower follower;
} otter_update_t;

/**
 * Open an update of `partition`, which will be overwritten.
 * @param update      needs no preparation, and must not be open
 * @param image_size  bytes that will come, which are erased now; 0 or OTA_SIZE_UNKNOWN: the whole partition;
 *                    OTA_WITH_SEQUENTIAL_WRITES: nothing, each write erases what it reaches
 * @return as esp_ota_begin (never ESP_ERR_NO_MEM), and ESP_ERR_NOT_SUPPORTED: a write unit above OTTER_UPDATE_UNIT_MAX
 */
OTTER_MUST_CHECK esp_err_t otter_update_begin(otter_update_t *update, otter_device_t *device,
                                              const esp_partition_t *partition, size_t image_size,
                                              otter_fault_t *fault);

/**
 * Go on with an update of an app slot that was interrupted: the first `image_offset` bytes are in flash already. Nothing is
 * erased now.
 * @param erase_size    OTA_WITH_SEQUENTIAL_WRITES: writes erase the sectors they enter; else the rest is blank, says the caller
 * @param image_offset  a multiple of the flash's write_size
 * @return as esp_ota_resume (never ESP_ERR_NO_MEM), and ESP_ERR_NOT_SUPPORTED as above
 */
OTTER_MUST_CHECK esp_err_t otter_update_resume(otter_update_t *update, otter_device_t *device,
                                               const esp_partition_t *partition, size_t erase_size,
                                               size_t image_offset, otter_fault_t *fault);

/**
 * Is there an HTTPS update in `slot` that was interrupted, and can be gone on with (ota_resumption)? Writes nothing.
 * @param arrived  bytes of the file that are in flash for certain; the server must still have the same file
 * @return bytes of the whole file; 0: there is none
 */
uint32_t otter_update_find_interrupted(otter_device_t *device, const esp_partition_t *slot,
                                       uint32_t *arrived);

/**
 * Say what the bytes are for, before the first of them: `final`'s type decides how they are judged, and with
 * `finalize_with_copy` end copies them there.
 * @return as esp_ota_set_final_partition; ESP_ERR_NOT_FOUND also when the update is not open
 */
OTTER_MUST_CHECK esp_err_t otter_update_set_final_partition(otter_update_t *update,
                                                            const esp_partition_t *final,
                                                            bool finalize_with_copy, otter_fault_t *fault);

/**
 * The next bytes, in any chunking; size 0 does nothing.
 * @return as esp_ota_write; ESP_ERR_NOT_FOUND: the update is not open, or a newer one of the same slot has replaced it, as it had
 *         written nothing
 */
OTTER_MUST_CHECK esp_err_t otter_update_write(otter_update_t *update, const void *data, size_t size,
                                              otter_fault_t *fault);

/** Bytes at an offset of the partition, in any order, where it was erased. @return as esp_ota_write_with_offset */
OTTER_MUST_CHECK esp_err_t otter_update_write_with_offset(otter_update_t *update, const void *data,
                                                          size_t size, uint32_t offset, otter_fault_t *fault);

/** The verdict of end on an update whose last byte is written; it stays open. @return as otter_update_end */
OTTER_MUST_CHECK esp_err_t otter_update_verify(otter_update_t *update, otter_fault_t *fault);

/**
 * Judge what is in flash, copy it if that was said, and close. Does not select it: see otter_ota_set_boot_partition().
 * @return as esp_ota_end; ESP_ERR_NOT_FOUND: it is not open
 */
OTTER_MUST_CHECK esp_err_t otter_update_end(otter_update_t *update, otter_fault_t *fault);

/** Close without judging; flash stays as it is. @return ESP_OK, ESP_ERR_NOT_FOUND (it is not open) */
esp_err_t otter_update_abort(otter_update_t *update);

/** Bytes that an open update has taken, those that it goes on with included; 0 if it is not open. */
uint32_t otter_update_written(const otter_update_t *update);

/** Bytes of the image, if it is there to its last byte by its own account, and good so far; else 0. May read flash. */
uint32_t otter_update_image_len(otter_update_t *update);

#ifdef __cplusplus
}
#endif
