/* What bytes are for: an app image, a bootloader, a program for RAM, or something that is no image at all. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "otter/image.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    OTTER_IMAGE_KIND_NONE,       /* no image: otter_image_foreign_name() may know what it is */
    OTTER_IMAGE_KIND_APP,        /* what an app partition holds */
    OTTER_IMAGE_KIND_BOOTLOADER, /* what the chip's ROM starts */
    OTTER_IMAGE_KIND_RAM, /* it does not begin with what is mapped from flash: for the ROM or a debugger */
    OTTER_IMAGE_KIND_ESP8266, /* the same magic, another format */
} otter_image_kind_t;

/**
 * What this image is for, by its own bytes; of a stream that is not complete, as far as they go: its first segment tells.
 * Where nothing tells (a chip that is not known, the virtual device) it counts as an app.
 */
otter_image_kind_t otter_image_kind(const otter_image_info_t *info);

/** "app image", "bootloader image", ...: a constant, to go behind "valid" or "broken". */
const char *otter_image_kind_name(otter_image_kind_t kind);

/** "app", "bootloader", ...: a constant, for programs. */
const char *otter_image_kind_key(otter_image_kind_t kind);

/**
 * What begins with these bytes, where it is known but no image for an app partition: "an ELF file", "a partition table".
 * @param len  of `head`; 16 bytes tell most
 * @return a constant, NULL if nothing is known
 */
const char *otter_image_foreign_name(const uint8_t *head, size_t len);

#ifdef __cplusplus
}
#endif
