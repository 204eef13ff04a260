/* The record of a fleet's agent in NVS, for firmware that has no partition to spare for it. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "esp_err.h"
#include "otter/ddi.h"
#include "otter/promise.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * As otter_ddi_config_t wants them; config.ctx is the name of an NVS namespace, of the default partition, which the program has
 * initialized. It is one blob, "ddi": after a power cut the old one or the new one.
 */

/** @return ESP_OK; ESP_ERR_NOT_FOUND (none yet, or of another size); ESP_ERR_NVS_NOT_INITIALIZED and what else nvs_open() says */
OTTER_MUST_CHECK esp_err_t otter_ddi_nvs_load(void *name_space, uint8_t record[OTTER_DDI_RECORD_SIZE]);

/** @return ESP_OK, or as nvs_open(), nvs_set_blob() and nvs_commit() */
OTTER_MUST_CHECK esp_err_t otter_ddi_nvs_save(void *name_space, const uint8_t record[OTTER_DDI_RECORD_SIZE]);

#ifdef __cplusplus
}
#endif
