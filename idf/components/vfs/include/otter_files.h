/* Files of a partition: a folder beside the flash file, which begins with what the partition was flashed with. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "esp_err.h"
#include "esp_partition.h"

/*
 * What stands for SPIFFS, LittleFS and FAT. FORMATS.md section 11 has the partition's bytes and the folder: the partition says
 * whose files those are, so that flash that is erased or written anew has others. Their content is not in the flash.
 */

typedef struct {
    const char *kind;      /* "SPIFFS", for the log */
    const char *base_path; /* copied */
    const esp_partition_t *partition;
    bool format_if_mount_failed;
    bool read_only;
    bool makes_folders; /* names may have "/" in them without a folder, as SPIFFS's */
} otter_files_config_t;

/** The partition of that label, or with NULL the first of that subtype; NULL: there is none. */
const esp_partition_t *otter_files_partition(const char *label, esp_partition_subtype_t subtype);

/**
 * Mounts the partition's files.
 * @return ESP_OK; ESP_ERR_INVALID_ARG: a path that ESP-IDF does not take; ESP_ERR_INVALID_STATE: something is mounted there, or
 * this partition elsewhere; ESP_FAIL: the partition holds no files of otter's, or the folder cannot be written (the log says
 * which); ESP_ERR_NO_MEM; what reading and writing flash says
 */
esp_err_t otter_files_mount(const otter_files_config_t *config);
/** @return ESP_OK; ESP_ERR_INVALID_STATE: it is not mounted */
esp_err_t otter_files_unmount(const esp_partition_t *partition);
bool otter_files_are_mounted(const esp_partition_t *partition);
/** The partition whose files are at that path; NULL: those of none. */
const esp_partition_t *otter_files_at(const char *base_path);
/** Removes all files. @return as otter_files_mount() */
esp_err_t otter_files_format(const esp_partition_t *partition);
/** @param total bytes, of the partition; a file that needs more is not refused. @param used bytes, of the files */
esp_err_t otter_files_info(const esp_partition_t *partition, size_t *total, size_t *used);
