/* What ESP-IDF's OTA code calls of a chip, or of components that linux has in part: partition digests, flash, security. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <sys/stat.h>

#include "bootloader_common.h"
#include "bootloader_flash_priv.h"
#include "bootloader_sha.h"
#include "bootloader_utility.h"
#include "esp_flash.h"
#include "esp_flash_encrypt.h"
#include "esp_log.h"
#include "esp_partition.h"
#include "esp_private/partition_linux.h"
#include "esp_rom_spiflash.h"

#define DIGEST_LEN 32

bool esp_flash_encryption_enabled(void)
{
    return false;
}

/* ---- in partition_target.c on a chip ---- */

esp_err_t esp_partition_get_sha256(const esp_partition_t *partition, uint8_t *sha_256)
{
    return bootloader_common_get_sha256_of_partition(partition->address, partition->size, partition->type,
                                                     sha_256);
}

bool esp_partition_check_identity(const esp_partition_t *partition_1, const esp_partition_t *partition_2)
{
    uint8_t digest[2][DIGEST_LEN] = {0};
    return esp_partition_get_sha256(partition_1, digest[0]) == ESP_OK &&
           esp_partition_get_sha256(partition_2, digest[1]) == ESP_OK &&
           memcmp(digest[0], digest[1], DIGEST_LEN) == 0;
}

/* ---- in spi_flash on a chip ---- */

esp_flash_t *esp_flash_default_chip;

esp_err_t esp_flash_set_dangerous_write_protection(esp_flash_t *chip, const bool protect)
{
    (void)chip, (void)protect;
    return ESP_OK; /* esp_partition of linux protects nothing */
}

/* ---- in the ROM on a chip ---- */

static esp_rom_spiflash_legacy_data_t rom_data = {
    .chip = {.chip_size = UINT32_MAX, .block_size = 0x10000, .sector_size = 0x1000, .page_size = 256}};
esp_rom_spiflash_legacy_data_t *rom_spiflash_legacy_data = &rom_data;

__attribute__((constructor)) static void tell_flash_size(void)
{
    const esp_partition_file_mmap_ctrl_t *file = esp_partition_get_file_mmap_ctrl_input();
    struct stat st;
    if (file->flash_file_name[0] != '\0' && stat(file->flash_file_name, &st) == 0) {
        rom_data.chip.chip_size = (uint32_t)st.st_size;
    }
}

/* ---- in bootloader_utility.c on a chip, the rest of which boots one ---- */

void bootloader_debug_buffer(const void *buffer, size_t length, const char *label)
{
    ESP_LOG_BUFFER_HEX_LEVEL(label, buffer, length, ESP_LOG_DEBUG);
}

esp_err_t bootloader_sha256_flash_contents(uint32_t flash_offset, uint32_t len, uint8_t *digest)
{
    if (digest == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    const void *bytes = bootloader_mmap(flash_offset, len);
    bootloader_sha256_handle_t sha = bytes != NULL ? bootloader_sha256_start() : NULL;
    if (sha == NULL) {
        return bytes != NULL ? ESP_ERR_NO_MEM : ESP_FAIL;
    }
    bootloader_sha256_data(sha, bytes, len);
    bootloader_sha256_finish(sha, digest);
    bootloader_munmap(bytes);
    return ESP_OK;
}
