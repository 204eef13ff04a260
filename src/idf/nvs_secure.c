/* ESP-IDF's encrypted NVS: where its keys are from. The only file of nvs_* that needs a cipher. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "esp_log.h"
#include "idf/nvs_partitions.h"
#include "nvs_flash.h"
#include "nvs_sec_provider.h"
#include "otter/build_options.h"
#include "otter/bytes.h"
#include "otter/crypto.h"
#include "otter/system.h"

static const char TAG[] = "nvs";

/* A partition of keys begins with both and their CRC. */
enum { AT_TKY = NVS_KEY_SIZE, AT_CRC = OTTER_NVS_KEYS_LEN, KEYS_SIZE = OTTER_NVS_KEYS_CRC };

static void join(const nvs_sec_cfg_t *cfg, uint8_t raw[KEYS_SIZE])
{
    memcpy(raw, cfg->eky, NVS_KEY_SIZE);
    memcpy(raw + AT_TKY, cfg->tky, NVS_KEY_SIZE);
    le32_put(raw + AT_CRC, crc32_le(UINT32_MAX, raw, AT_CRC));
}

esp_err_t nvs_flash_secure_init_partition(const char *partition_label, nvs_sec_cfg_t *cfg)
{
    const esp_partition_t *partition = nvs_partition_in_table(partition_label);
    if (partition == NULL || cfg == NULL) {
        return partition == NULL ? ESP_ERR_NOT_FOUND : nvs_flash_init_partition_ptr(partition);
    }
    uint8_t raw[KEYS_SIZE];
    join(cfg, raw);
    otter_nvs_cipher_t *cipher = otter_nvs_cipher_new(raw);
    otter_wipe(raw, sizeof(raw));
    return cipher != NULL ? nvs_partition_init(partition, cipher) : ESP_ERR_NO_MEM;
}

esp_err_t nvs_flash_secure_init(nvs_sec_cfg_t *cfg)
{
    return nvs_flash_secure_init_partition(NVS_DEFAULT_PART_NAME, cfg);
}

esp_err_t nvs_flash_generate_keys(const esp_partition_t *partition, nvs_sec_cfg_t *cfg)
{
    if (partition == NULL || cfg == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    uint8_t raw[(KEYS_SIZE + 15) / 16 * 16];
    otter_random(cfg, sizeof(*cfg));
    memset(raw, ERASED_BYTE, sizeof(raw));
    join(cfg, raw);
    esp_err_t err = esp_partition_erase_range(partition, 0, partition->size);
    if (err == ESP_OK) {
        err = esp_partition_write(partition, 0, raw, sizeof(raw));
    }
    otter_wipe(raw, sizeof(raw));
    return err;
}

esp_err_t nvs_flash_read_security_cfg(const esp_partition_t *partition, nvs_sec_cfg_t *cfg)
{
    if (partition == NULL || cfg == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    uint8_t raw[KEYS_SIZE];
    esp_err_t err = esp_partition_read_raw(partition, 0, raw, sizeof(raw));
    if (err == ESP_OK && bytes_are_erased(raw, sizeof(raw))) {
        return ESP_ERR_NVS_KEYS_NOT_INITIALIZED;
    }
    if (err == ESP_OK) {
        err = esp_partition_read(partition, 0, raw, sizeof(raw));
    }
    if (err == ESP_OK && !otter_nvs_keys_are_whole(raw)) {
        err = ESP_ERR_NVS_CORRUPT_KEY_PART;
    }
    if (err == ESP_OK) {
        memcpy(cfg->eky, raw, NVS_KEY_SIZE);
        memcpy(cfg->tky, raw + AT_TKY, NVS_KEY_SIZE);
    }
    otter_wipe(raw, sizeof(raw));
    return err;
}

/* Schemes. */

static nvs_sec_scheme_t *registered; /* by the program, for all of it */

esp_err_t nvs_flash_register_security_scheme(nvs_sec_scheme_t *scheme_cfg)
{
    if (scheme_cfg == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    otter_lock(OTTER_LOCK_NVS);
    registered = scheme_cfg;
    otter_unlock(OTTER_LOCK_NVS);
    return ESP_OK;
}

nvs_sec_scheme_t *nvs_flash_get_default_security_scheme(void)
{
    otter_lock(OTTER_LOCK_NVS);
    nvs_sec_scheme_t *scheme = registered;
    otter_unlock(OTTER_LOCK_NVS);
    return scheme;
}

void nvs_flash_deregister_security_scheme(void)
{
    otter_lock(OTTER_LOCK_NVS);
    registered = NULL;
    otter_unlock(OTTER_LOCK_NVS);
}

esp_err_t nvs_flash_generate_keys_v2(nvs_sec_scheme_t *scheme_cfg, nvs_sec_cfg_t *cfg)
{
    return scheme_cfg != NULL && cfg != NULL && scheme_cfg->nvs_flash_key_gen != NULL
               ? scheme_cfg->nvs_flash_key_gen(scheme_cfg->scheme_data, cfg)
               : ESP_ERR_INVALID_ARG;
}

esp_err_t nvs_flash_read_security_cfg_v2(nvs_sec_scheme_t *scheme_cfg, nvs_sec_cfg_t *cfg)
{
    return scheme_cfg != NULL && cfg != NULL && scheme_cfg->nvs_flash_read_cfg != NULL
               ? scheme_cfg->nvs_flash_read_cfg(scheme_cfg->scheme_data, cfg)
               : ESP_ERR_INVALID_ARG;
}

/* The scheme of a partition of keys. */

static esp_err_t generate_in_partition(const void *scheme_data, nvs_sec_cfg_t *cfg)
{
    return nvs_flash_generate_keys(scheme_data, cfg);
}

static esp_err_t read_from_partition(const void *scheme_data, nvs_sec_cfg_t *cfg)
{
    return nvs_flash_read_security_cfg(scheme_data, cfg);
}

static nvs_sec_scheme_t scheme_of(const esp_partition_t *partition)
{
    return (nvs_sec_scheme_t){.scheme_id = NVS_SEC_SCHEME_FLASH_ENC,
                              .scheme_data = (void *)partition,
                              .nvs_flash_key_gen = generate_in_partition,
                              .nvs_flash_read_cfg = read_from_partition};
}

esp_err_t nvs_sec_provider_register_flash_enc(const nvs_sec_config_flash_enc_t *sec_scheme_cfg,
                                              nvs_sec_scheme_t **sec_scheme_handle_out)
{
    if (sec_scheme_cfg == NULL || sec_scheme_cfg->nvs_keys_part == NULL || sec_scheme_handle_out == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    nvs_sec_scheme_t *scheme = malloc(sizeof(*scheme));
    if (scheme == NULL) {
        return ESP_ERR_NO_MEM;
    }
    *scheme = scheme_of(sec_scheme_cfg->nvs_keys_part);
    *sec_scheme_handle_out = scheme;
    return nvs_flash_register_security_scheme(scheme);
}

esp_err_t nvs_sec_provider_deregister(nvs_sec_scheme_t *sec_scheme_handle)
{
    if (sec_scheme_handle == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (nvs_flash_get_default_security_scheme() == sec_scheme_handle) {
        nvs_flash_deregister_security_scheme();
    }
    free(sec_scheme_handle);
    return ESP_OK;
}

/* By CONFIG_NVS_ENCRYPTION alone. */

/** The keys, which are made where the scheme has none yet. */
static esp_err_t find_keys(nvs_sec_scheme_t *scheme, nvs_sec_cfg_t *cfg)
{
    esp_err_t err = nvs_flash_read_security_cfg_v2(scheme, cfg);
    if (err == ESP_ERR_NVS_KEYS_NOT_INITIALIZED) {
        ESP_LOGI(TAG, "NVS key partition empty, generating keys");
        err = nvs_flash_generate_keys_v2(scheme, cfg);
    }
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "Failed to read NVS security cfg: [0x%02X] (%s)", (unsigned)err, esp_err_to_name(err));
    }
    return err;
}

static esp_err_t init_encrypted(void)
{
    nvs_sec_scheme_t of_table, *scheme = nvs_flash_get_default_security_scheme();
    if (scheme == NULL) {
        of_table = scheme_of(
            esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_NVS_KEYS, NULL));
        scheme = &of_table;
        if (of_table.scheme_data == NULL) {
            ESP_LOGE(TAG, "CONFIG_NVS_ENCRYPTION is enabled, but no partition with subtype nvs_keys found in "
                          "the partition table.");
            return ESP_FAIL;
        }
    }
    nvs_sec_cfg_t cfg;
    esp_err_t err = find_keys(scheme, &cfg);
    err = err == ESP_OK ? nvs_flash_secure_init(&cfg) : err;
    otter_wipe(&cfg, sizeof(cfg));
    return err;
}

esp_err_t nvs_flash_init(void)
{
    return otter_build_options.nvs_encryption ? init_encrypted()
                                              : nvs_flash_init_partition(NVS_DEFAULT_PART_NAME);
}
