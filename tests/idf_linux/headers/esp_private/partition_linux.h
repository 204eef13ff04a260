/* Declarations of ESP-IDF's header of this name, as far as idf/inside/ uses them: for compiling it where no ESP-IDF is. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

typedef struct {
    char flash_file_name[256];
    size_t flash_file_size;
} esp_partition_file_mmap_ctrl_t;

esp_partition_file_mmap_ctrl_t *esp_partition_get_file_mmap_ctrl_input(void);
esp_partition_file_mmap_ctrl_t *esp_partition_get_file_mmap_ctrl_act(void);
