/* ESP-IDF's non-volatile storage: which partitions are ready for it. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "esp_partition.h"
#include "nvs.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Make a partition ready for nvs_open*(): read it, repair what a reset has left half done, make it usable if it is erased. A
 * partition that is ready stays as it is.
 * @return ESP_OK
 *         ESP_ERR_NOT_FOUND               no such partition of type data and subtype nvs
 *         ESP_ERR_NVS_NO_FREE_PAGES       no page is free: what is in it is no NVS, or it has less than 2 pages of 4096 bytes
 *         ESP_ERR_NVS_NEW_VERSION_FOUND   written by a format that is not known here
 *         ESP_ERR_NOT_SUPPORTED           a flash on which a state cannot change in place (otter/nvs_store.h)
 *         ESP_ERR_INVALID_STATE (no device), ESP_ERR_NO_MEM, or what flash says
 */
esp_err_t nvs_flash_init(void);
esp_err_t nvs_flash_init_partition(const char *partition_label);
esp_err_t nvs_flash_init_partition_ptr(const esp_partition_t *partition);

/** Its handles end. @return ESP_OK, ESP_ERR_NVS_NOT_INITIALIZED */
esp_err_t nvs_flash_deinit(void);
esp_err_t nvs_flash_deinit_partition(const char *partition_label);

/** Erase the partition, after nvs_flash_deinit*() where it is ready. @return ESP_OK, ESP_ERR_NOT_FOUND, or what flash says */
esp_err_t nvs_flash_erase(void);
esp_err_t nvs_flash_erase_partition(const char *part_name);
esp_err_t nvs_flash_erase_partition_ptr(const esp_partition_t *partition);

/*
 * Encrypted NVS: entries are XTS-AES-256 by their place. The keys lie in a partition of subtype nvs_keys, or where a scheme says.
 */

#define NVS_KEY_SIZE 32 /* bytes */

/** The keys of the values, and of their places. */
typedef struct {
    uint8_t eky[NVS_KEY_SIZE];
    uint8_t tky[NVS_KEY_SIZE];
} nvs_sec_cfg_t;

/** Who makes keys and has them again, for others than a partition: an HMAC of the chip, for example. */
typedef esp_err_t (*nvs_flash_generate_keys_t)(const void *scheme_data, nvs_sec_cfg_t *cfg);
typedef esp_err_t (*nvs_flash_read_cfg_t)(const void *scheme_data, nvs_sec_cfg_t *cfg);
typedef struct {
    int scheme_id;
    void *scheme_data;
    nvs_flash_generate_keys_t nvs_flash_key_gen;
    nvs_flash_read_cfg_t nvs_flash_read_cfg;
} nvs_sec_scheme_t;

/**
 * As nvs_flash_init() and nvs_flash_init_partition(), with these keys; cfg NULL: not encrypted. With CONFIG_NVS_ENCRYPTION
 * nvs_flash_init() finds the keys itself: by the scheme that is registered, else in the first partition of subtype nvs_keys,
 * where it makes them if that is erased. ESP_FAIL, and told in the log: there is no such partition.
 * @return also ESP_ERR_NVS_WRONG_ENCRYPTION: nothing that is written can be read with them. Nothing was changed
 */
esp_err_t nvs_flash_secure_init(nvs_sec_cfg_t *cfg);
esp_err_t nvs_flash_secure_init_partition(const char *partition_label, nvs_sec_cfg_t *cfg);

/** New keys by chance, written to an erased partition of keys. @return ESP_OK, ESP_ERR_INVALID_ARG (NULL), or what flash says */
esp_err_t nvs_flash_generate_keys(const esp_partition_t *partition, nvs_sec_cfg_t *cfg);

/**
 * The keys of a partition. `cfg` changes with ESP_OK only.
 * @return ESP_OK
 *         ESP_ERR_INVALID_ARG (NULL)
 *         ESP_ERR_NVS_KEYS_NOT_INITIALIZED  it is erased
 *         ESP_ERR_NVS_CORRUPT_KEY_PART      its checksum is wrong
 */
esp_err_t nvs_flash_read_security_cfg(const esp_partition_t *partition, nvs_sec_cfg_t *cfg);

/** Remember a scheme; it stays the caller's. @return ESP_OK, ESP_ERR_INVALID_ARG (NULL) */
esp_err_t nvs_flash_register_security_scheme(nvs_sec_scheme_t *scheme_cfg);

/** Forget it. */
void nvs_flash_deregister_security_scheme(void);

/** The scheme that was registered; NULL: none was. */
nvs_sec_scheme_t *nvs_flash_get_default_security_scheme(void);

/** Ask a scheme. @return ESP_ERR_INVALID_ARG (NULL, also of its functions), or what its function says */
esp_err_t nvs_flash_generate_keys_v2(nvs_sec_scheme_t *scheme_cfg, nvs_sec_cfg_t *cfg);
esp_err_t nvs_flash_read_security_cfg_v2(nvs_sec_scheme_t *scheme_cfg, nvs_sec_cfg_t *cfg);

#ifdef __cplusplus
}
#endif
