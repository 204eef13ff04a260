/* Core dumps in flash, of which there is never one: a crash is told on the console. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "esp_partition.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    uint32_t exc_tcb, exc_pc;
    char exc_task[16];
    uint32_t core_dump_version;
    uint8_t app_elf_sha256[65];
} esp_core_dump_summary_t;

static inline const esp_partition_t *esp_core_dump_partition(void)
{
    return esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_COREDUMP, NULL);
}

/** @return ESP_ERR_NOT_FOUND: there is no partition for it; ESP_ERR_INVALID_SIZE: no dump in it */
static inline esp_err_t esp_core_dump_image_check(void)
{
    return esp_core_dump_partition() == NULL ? ESP_ERR_NOT_FOUND : ESP_ERR_INVALID_SIZE;
}

/** @return as esp_core_dump_image_check() */
static inline esp_err_t esp_core_dump_image_get(size_t *out_addr, size_t *out_size)
{
    return out_addr == NULL || out_size == NULL ? ESP_ERR_INVALID_ARG : esp_core_dump_image_check();
}

/** @return as esp_core_dump_image_check() */
static inline esp_err_t esp_core_dump_get_summary(esp_core_dump_summary_t *summary)
{
    return summary == NULL ? ESP_ERR_INVALID_ARG : esp_core_dump_image_check();
}

/** @return ESP_OK; ESP_ERR_NOT_FOUND: there is no partition; what erasing says */
static inline esp_err_t esp_core_dump_image_erase(void)
{
    const esp_partition_t *partition = esp_core_dump_partition();
    return partition != NULL ? esp_partition_erase_range(partition, 0, partition->size) : ESP_ERR_NOT_FOUND;
}

#ifdef __cplusplus
}
#endif
