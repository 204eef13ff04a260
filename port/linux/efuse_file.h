/* What a chip keeps in eFuses, in a text file beside the flash file: flash.bin.efuse, one "name=value" a line. */
#pragma once

#include <stdbool.h>

#include "otter/chip.h"
#include "otter/efuse.h"

/*
 * Names: chip (as otter_chip_by_name), revision, blk_revision (major * 100 + minor), secure_version. Unknown names are
 * kept. A missing file is a chip of unknown kind with nothing burned.
 */
typedef struct {
    char path[4096];
    bool exists;
    bool has_chip, has_revision;
    otter_chip_t chip; /* id OTTER_CHIP_LINUX and revision 0 where the file says nothing */
    uint32_t secure_version;
} efuse_file_t;

/**
 * Read the eFuse file that belongs to a flash file.
 * @return ESP_OK (also when there is none), ESP_ERR_INVALID_STATE (a line cannot be read: why says which), ESP_FAIL
 */
esp_err_t efuse_file_load(efuse_file_t *file, const char *flash_path, char *why, size_t why_size);

/** Write it whole through a temporary name and sync: the old or the new content, never a mixture. */
esp_err_t efuse_file_save(const efuse_file_t *file);

/** The eFuse seam on this file; `file` must live as long as the seam is used. */
otter_efuse_t efuse_file_seam(efuse_file_t *file);
