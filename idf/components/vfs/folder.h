/* The folder of a partition's files on this machine, and how it is filled. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "otter_files.h"

#define FOLDER_ID_LEN 16

/** @return FLASH.files/LABEL, or with a suffix behind it; to be freed; NULL: no memory */
char *folder_path(const esp_partition_t *partition, const char *suffix);
/** Empties it, and makes it where it is not there. @return false, said */
bool folder_clear(const char *folder);
/** Whose files the folder has. @return false: nobody's */
bool folder_read_id(const esp_partition_t *partition, uint8_t id[FOLDER_ID_LEN]);
bool folder_write_id(const esp_partition_t *partition, const uint8_t id[FOLDER_ID_LEN]);
/** @return bytes of all files in it */
size_t folder_used(const char *folder);
/** Writes the files that the partition was flashed with. @param len bytes of them, behind its first sector
    @return ESP_OK; ESP_FAIL, said; what reading flash says */
esp_err_t folder_unpack(const esp_partition_t *partition, const char *folder, uint32_t len);
