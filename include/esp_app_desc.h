/* The application descriptor: 256 bytes at offset 32 of every application image (FORMATS.md section 5.4). */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_assert.h"
#include "esp_attr.h"
#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ESP_APP_DESC_MAGIC_WORD 0xABCD5432u

/** Texts are zero padded; one that fills its field has no terminator. */
typedef struct {
    uint32_t magic_word;
    uint32_t secure_version;
    uint32_t reserv1[2];
    char version[32];
    char project_name[32];
    char time[16];
    char date[16];
    char idf_ver[32];
    uint8_t app_elf_sha256[32];
    uint16_t min_efuse_blk_rev_full; /* major * 100 + minor */
    uint16_t max_efuse_blk_rev_full;
    uint8_t mmu_page_size;  /* log2 of bytes, 0: the chip's default */
    uint8_t spi_flash_mode; /* how the flash chip is read, as ESP-IDF 6.1 numbers it; 0: not told */
    uint8_t reserv3[2];
    uint32_t reserv2[18];
} esp_app_desc_t;

static_assert(sizeof(esp_app_desc_t) == 256, "the descriptor is 256 bytes on flash");
static_assert(offsetof(esp_app_desc_t, app_elf_sha256) == 144, "digest of the ELF at 144");
static_assert(offsetof(esp_app_desc_t, mmu_page_size) == 180, "page size at 180");

/** Descriptor of the running application; never NULL. */
const esp_app_desc_t *esp_app_get_description(void);

/**
 * Writes the ELF's SHA-256 as lower-case hex, at most CONFIG_APP_RETRIEVE_LEN_ELF_SHA digits and at most size - 1.
 * @return bytes written with the terminator; 0, and nothing written, if dst is NULL or size below 2
 */
int esp_app_get_elf_sha256(char *dst, size_t size);
char *esp_app_get_elf_sha256_str(void);

#ifdef __cplusplus
}
#endif
