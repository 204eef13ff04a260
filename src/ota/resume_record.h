/* The memory of an unfinished download, in the last sector of the slot that it goes to. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fletcher.h"
#include "esp_partition.h"
#include "otter/device.h"
#include "otter/promise.h"

/*
 * The record holds a header (which file: URL, validator, length; section 1 below) and behind it one checksum per unit of
 * the image, written when the unit is in flash. A unit is 4096 bytes, or one sector if that is larger; of images with
 * more of them than there is room for marks, a 256th of the image, or what has room if that is more. So progress costs no erase,
 * survives a reset at any point, and what it claims is checked against flash before it is believed.
 *
 *   off  size  field (little endian)
 *     0     4  magic "OTR3"; cleared to 0 when the download is finished
 *     4     4  length of the file, bytes
 *     8     4  unit, bytes
 *    12     4  CRC-32 (seed 0) of the URL
 *    16   128  validator, zero padded
 *   144     4  CRC-32 (seed 0) of bytes 4 to 143
 *   256   4 n  checksum of each unit (base/fletcher.h), 0 for FFFFFFFF; FFFFFFFF: not there yet. Where write units are larger
 *              than 4 bytes, each mark has one of its own
 *
 * Where the image is not the file as it is (it is encrypted) the beginning of the file is kept, too, and units are of the image:
 *
 *     0     4  magic "OTR4" instead
 *   148     4  length of the image, bytes
 *   152     4  bytes kept (K)
 *   156     4  CRC-32 (seed 0) of bytes 148 to 155, then of the kept ones
 *   256     K  the file's first bytes; the marks follow them
 *
 * An image that reaches into the last sector, or a download whose length or validator the server does not tell (or whose
 * validator does not fit its field), has no such memory; nor has flash with write units above 256 bytes.
 */
#define RESUME_VALIDATOR_SIZE 128u
#define RESUME_KEPT_MAX       512u /* in whole write units, which has_room() sees to */

/** A file that is being downloaded. What it points to is the caller's. */
typedef struct {
    const char *url, *validator; /* validator NULL: there is none */
    int64_t length;              /* bytes; -1: not known */
    int64_t image;               /* bytes of what becomes of it */
    const uint8_t *kept;         /* of its beginning; NULL: it is the image as it is */
    uint32_t kept_len;
} resume_file_t;

/** Bytes at the end of a slot: 4096, or one sector if that is larger. */
uint32_t resume_record_size(const otter_flash_t *flash);

typedef struct {
    otter_device_t *device;
    const esp_partition_t *slot;
    bool active;       /* there is a record for this download in flash */
    uint32_t length;   /* bytes of the file */
    uint32_t image;    /* of what becomes of it */
    uint32_t kept_len; /* of its beginning, that are kept */
    uint32_t unit;     /* bytes */
    uint32_t marked;   /* units that are marked */
    uint32_t taken;    /* bytes of the image that are in flash */
    fletcher_t sum;    /* of those of the last unit */
    /* marks follow that are torn or no longer true: the sector is written anew before the next one */
    bool stale;
} resume_record_t;

/**
 * Looks for the memory of a download of `url` in `slot`. Writes nothing.
 * @param record     record->length is not 0 where there is one, even if nothing can be gone on from
 * @param url        NULL: of any URL
 * @param validator  receives what proves that it is the same file, where record->length is not 0
 * @param kept       receives record->kept_len bytes of RESUME_KEPT_MAX, likewise; NULL: nobody asks
 * @return bytes that are in flash for certain (a multiple of the unit), 0: nothing to go on from
 */
uint32_t resume_record_load(resume_record_t *record, otter_device_t *device, const esp_partition_t *slot,
                            const char *url, char validator[RESUME_VALIDATOR_SIZE], uint8_t *kept);

/** Starts the memory of a new download; record->active tells whether it can have one. Erases and programs one sector. */
OTTER_MUST_CHECK esp_err_t resume_record_start(resume_record_t *record, otter_device_t *device,
                                               const esp_partition_t *slot, const resume_file_t *file);

/**
 * The next bytes of the image are in flash: marks the units that they complete. Nothing happens without a record, and an error
 * ends it.
 */
OTTER_MUST_CHECK esp_err_t resume_record_take(resume_record_t *record, const void *data, size_t len);

/** The download is finished, or is not to be gone on with. */
OTTER_MUST_CHECK esp_err_t resume_record_clear(resume_record_t *record);

/**
 * `slot` is about to be written by something else: whatever its marks say is no longer to be believed, not even where flash
 * by chance reads as they say. Writes only where there is a record.
 * @return ESP_OK, ESP_ERR_FLASH_OP_*
 */
OTTER_MUST_CHECK esp_err_t resume_record_forget(otter_device_t *device, const esp_partition_t *slot);
