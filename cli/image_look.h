/* What a file that is, or should be, an image holds: the judged image, what it is for, and all that follows it. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "file_view.h"
#include "flash_search.h"
#include "otter/encrypted_image.h"
#include "otter/image.h"
#include "otter/image_kind.h"
#include "otter/promise.h"
#include "signature_look.h"

/** Something that follows the image in the file, or comes where no image is. */
typedef struct {
    uint32_t offset;
    otter_image_kind_t kind; /* OTTER_IMAGE_KIND_NONE: a partition table, of `rows` partitions */
    uint32_t rows;
    flash_image_t image; /* verdict and facts, unless it is a table */
} image_part_t;

#define IMAGE_PARTS_MAX 24 /* more than a table can make sense of; the rest is not told */

typedef struct {
    file_view_t view;
    uint32_t start; /* where the judged image begins: 0, or behind erased flash a bootloader's place */
    otter_image_stream_t stream; /* its verdict; of a broken image, all segments that could be found */
    otter_image_kind_t kind;     /* of the image at `start` */
    uint32_t segments_named; /* by the header; more than stream.info.segments_seen: not all could be found */
    image_signature_t signature;
    uint32_t end;           /* of image and signature; `start` where there is no image */
    flash_content_t behind; /* [end, end of file) */
    image_part_t parts[IMAGE_PARTS_MAX];
    uint32_t part_count;
    bool is_signed_data; /* no image, but what `image sign --data` makes: `signature` has a good block */
    bool is_factory;     /* a merged factory file: a bootloader and what it starts */
    /* in flash: not 0 of a dump that begins with the bootloader of a chip that has it elsewhere */
    uint32_t begins_at;
    /* The file is encrypted: nothing above is known but `view`, and it is good if its length is what the header announces. */
    bool is_encrypted;
    uint8_t header[OTTER_ENCRYPTED_HEADER];
    otter_encrypted_header_t encrypted; /* of `header` */
    otter_fault_t fault;                /* code ESP_OK: the image, and all images that follow it, are good */
} image_look_t;

/**
 * Look at a file.
 * @param path  "-" is standard input
 * @param chip  judge the image at its start as this device would; NULL: as the one that it is for
 * @return false: it cannot be read; `fault` says why. image_look_end() either way
 */
OTTER_MUST_CHECK bool image_look(image_look_t *look, const char *path, const otter_chip_t *chip);

/** The same file judged again, by another chip, and signed by whom `config` trusts. @param chip, config  NULL: by anybody */
void image_look_again(image_look_t *look, const otter_chip_t *chip, const otter_trust_config_t *config);

/**
 * Looks at the file as at signed data, whatever it holds: all but its last 4096 bytes is signed.
 * @return false: it is none, whoever signs; `fault` says why
 */
OTTER_MUST_CHECK bool image_look_data(image_look_t *look);

void image_look_end(image_look_t *look);
