/* ESP-IDF's schemes for the keys of encrypted NVS: in a partition of flash. HMAC of the chip's is not there. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "esp_partition.h"
#include "nvs_flash.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ESP_ERR_NVS_SEC_BASE                       0xF000
#define ESP_ERR_NVS_SEC_HMAC_KEY_NOT_FOUND         (ESP_ERR_NVS_SEC_BASE + 0x01)
#define ESP_ERR_NVS_SEC_HMAC_KEY_BLK_ALREADY_USED  (ESP_ERR_NVS_SEC_BASE + 0x02)
#define ESP_ERR_NVS_SEC_HMAC_KEY_GENERATION_FAILED (ESP_ERR_NVS_SEC_BASE + 0x03)
#define ESP_ERR_NVS_SEC_HMAC_XTS_KEYS_DERIV_FAILED (ESP_ERR_NVS_SEC_BASE + 0x04)

typedef enum {
    NVS_SEC_SCHEME_FLASH_ENC,
    NVS_SEC_SCHEME_HMAC,
    NVS_SEC_SCHEME_MAX,
} nvs_sec_scheme_id_t;

typedef struct {
    const esp_partition_t *nvs_keys_part; /* of subtype nvs_keys */
} nvs_sec_config_flash_enc_t;

/* The first partition of keys in the table. */
#define NVS_SEC_PROVIDER_CFG_FLASH_ENC_DEFAULT()                                                             \
    {                                                                                                        \
        .nvs_keys_part =                                                                                     \
            esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_NVS_KEYS, NULL)     \
    }

/**
 * Register the scheme that has its keys in this partition.
 * @param sec_scheme_handle_out  for nvs_sec_provider_deregister()
 * @return ESP_OK, ESP_ERR_INVALID_ARG (NULL, also the partition), ESP_ERR_NO_MEM
 */
esp_err_t nvs_sec_provider_register_flash_enc(const nvs_sec_config_flash_enc_t *sec_scheme_cfg,
                                              nvs_sec_scheme_t **sec_scheme_handle_out);

/** Forget it, and free it. @return ESP_OK, ESP_ERR_INVALID_ARG (NULL) */
esp_err_t nvs_sec_provider_deregister(nvs_sec_scheme_t *sec_scheme_handle);

#ifdef __cplusplus
}
#endif
