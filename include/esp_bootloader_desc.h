/* The bootloader descriptor: 80 bytes at offset 32 of a second-stage bootloader's image (FORMATS.md section 5.5). */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_assert.h"
#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ESP_BOOTLOADER_DESC_MAGIC_BYTE 80

/** Texts are zero padded; one that fills its field has no terminator. */
typedef struct {
    uint8_t magic_byte;
    uint8_t reserved[2];
    uint8_t secure_version;
    uint32_t version; /* the project's own number */
    char idf_ver[32];
    char date_time[24];
    uint8_t reserved2[16];
} esp_bootloader_desc_t;

/** That of otter's own bootloader, which boots a flash in `otter run`; never NULL. */
const esp_bootloader_desc_t *esp_bootloader_get_description(void);

#ifndef __cplusplus
static_assert(sizeof(esp_bootloader_desc_t) == 80, "the descriptor is 80 bytes on flash");
static_assert(offsetof(esp_bootloader_desc_t, idf_ver) == 8, "texts begin at 8");
#endif

#ifdef __cplusplus
}
#endif
