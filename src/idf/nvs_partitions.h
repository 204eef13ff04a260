/* The partitions that nvs_flash_init*() has made ready on the current device, and their handles. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "otter/device.h"
#include "otter/nvs_store.h"

/** What nvs_open() gave out. */
typedef struct nvs_opened {
    struct nvs_opened *next;
    nvs_handle_t number;
    uint8_t ns;
    bool read_only;
    bool purges; /* opened with NVS_READWRITE_PURGE */
} nvs_opened_t;

typedef struct {
    otter_attached_t attached; /* to its device */
    char label[17];
    otter_nvs_t *store;
    otter_nvs_cipher_t *cipher; /* NULL: not encrypted */
    nvs_opened_t *opened;
} nvs_partition_t;

/**
 * Makes a partition ready, as nvs_flash_init_partition_ptr().
 * @param cipher  taken over, also on failure and where it is ready already; NULL: not encrypted
 */
OTTER_MUST_CHECK esp_err_t nvs_partition_init(const esp_partition_t *partition, otter_nvs_cipher_t *cipher);

/** The partition of type data and subtype nvs with this label; NULL: there is none. */
const esp_partition_t *nvs_partition_in_table(const char *label);

/* The others with OTTER_LOCK_NVS held. */

/**
 * @param label  NULL: "nvs"
 * @return ESP_OK, ESP_ERR_NVS_NOT_INITIALIZED (none is ready), ESP_ERR_NVS_PART_NOT_FOUND (this one is not)
 */
OTTER_MUST_CHECK esp_err_t nvs_partition_find(const char *label, nvs_partition_t **out);

/** The partition and the handle itself. @return ESP_OK, ESP_ERR_NVS_INVALID_HANDLE */
OTTER_MUST_CHECK esp_err_t nvs_partition_of(nvs_handle_t handle, nvs_partition_t **out,
                                            nvs_opened_t **opened);
