/* Writes the bytes of an app image into memory: header, segments, checksum, hash. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_app_format.h"
#include "otter/promise.h"

typedef struct {
    uint8_t *bytes; /* owned */
    size_t len, room;
    uint8_t checksum;
    uint32_t segments;
    bool out_of_memory; /* then everything after it did nothing */
} image_writer_t;

/** Begins with the 24 header bytes; the segment count is filled in by the end. */
void image_writer_begin(image_writer_t *w, const esp_image_header_t *header);

/** One segment; `len` is filled up to a multiple of 4 with zeros. `data` NULL: all zeros. */
void image_writer_segment(image_writer_t *w, uint32_t load_addr, const uint8_t *data, size_t len);

/** Padding, checksum and, if the header says so, the hash. @return false when memory was out */
OTTER_MUST_CHECK bool image_writer_end(image_writer_t *w);

void image_writer_free(image_writer_t *w);

/** SHA-256 of some bytes. @return false when memory is out */
OTTER_MUST_CHECK bool image_sha256(const uint8_t *data, size_t len, uint8_t digest[32]);
