/* An app image around any bytes, for a device whose own bootloader starts them (FORMATS.md section 5.6). */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "esp_app_format.h"
#include "otter/promise.h"

/** A payload that is open; its size and its digest are known before the image begins. */
typedef struct {
    const char *path;
    int fd;
    uint32_t size;      /* bytes, at least 1 */
    uint8_t digest[32]; /* SHA-256 */
} payload_t;

/** Opens a file, or a pipe, of at least one byte that fits in a flash, and reads it once. Says why not. @return false then */
OTTER_MUST_CHECK bool payload_open(payload_t *payload, const char *path);

void payload_close(payload_t *payload);

/**
 * Writes the image, reading the payload once more and a piece at a time; it appears under its name only when it is whole and
 * was judged as a device will.
 * @param header  of the image; its entry becomes the payload's length
 * @param desc    app descriptor of 256 bytes
 * @param output  "-": standard output
 * @param length  receives the bytes of the image
 * @return false after saying why not
 */
OTTER_MUST_CHECK bool payload_write_image(const payload_t *payload, const esp_image_header_t *header,
                                          const uint8_t *desc, const char *output, uint64_t *length);
