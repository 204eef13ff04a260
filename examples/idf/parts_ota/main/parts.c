/* Each part of the flash is received elsewhere first, verified there, and then copied to its place. */
#include "parts.h"

#include <string.h>

#include "esp_check.h"
#include "esp_flash_partitions.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_partition.h"
#include "sdkconfig.h"

/* What is no partition in most tables. */
typedef struct {
    const char *file, *label;
    esp_partition_type_t type;
    esp_partition_subtype_t subtype;
    size_t offset, size;
    /* Where the table has a row for it: then a cut copy is finished at the next start. */
    bool copied_by_library;
} part_t;

static const char *TAG = "parts";
static const part_t parts[] = {
    {"bootloader.bin", "bootloader", ESP_PARTITION_TYPE_BOOTLOADER, ESP_PARTITION_SUBTYPE_BOOTLOADER_PRIMARY,
     ESP_PRIMARY_BOOTLOADER_OFFSET, ESP_BOOTLOADER_SIZE, false},
    {"partition-table.bin", "table", ESP_PARTITION_TYPE_PARTITION_TABLE,
     ESP_PARTITION_SUBTYPE_PARTITION_TABLE_PRIMARY, ESP_PRIMARY_PARTITION_TABLE_OFFSET,
     ESP_PARTITION_TABLE_SIZE, true},
};

static esp_err_t choose_part(const part_t *part, esp_https_ota_config_t *config)
{
    config->partition.staging = esp_ota_get_next_update_partition(NULL);
    config->partition.final = esp_partition_find_first(part->type, part->subtype, NULL);
    config->partition.finalize_with_copy = part->copied_by_library && config->partition.final != NULL;
    if (config->partition.final == NULL) {
        ESP_RETURN_ON_ERROR(esp_partition_register_external(NULL, part->offset, part->size, part->label,
                                                            part->type, part->subtype,
                                                            &config->partition.final),
                            TAG, "no place for the %s", part->label);
    }
    if (!config->partition.finalize_with_copy) {
        ESP_LOGW(TAG, "keep the power on: a cut while the %s is copied can end the device", part->label);
    }
    return ESP_OK;
}

static esp_err_t choose_data(esp_https_ota_config_t *config)
{
#if CONFIG_SECURE_SIGNED_DATA_PARTITION
    config->partition.staging =
        esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, "staging");
    ESP_RETURN_ON_FALSE(config->partition.staging != NULL, ESP_ERR_NOT_FOUND, TAG,
                        "there is no partition staging");
#endif
    config->partition.final =
        esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, "storage");
    ESP_RETURN_ON_FALSE(config->partition.final != NULL, ESP_ERR_NOT_FOUND, TAG,
                        "there is no partition storage");
    config->partition.finalize_with_copy = true;
    return ESP_OK;
}

esp_err_t parts_choose(const char *url, esp_https_ota_config_t *config)
{
    const char *slash = strrchr(url, '/');
    const char *file = slash != NULL ? slash + 1 : url;
    if (strcmp(file, "storage.bin") == 0) {
        return choose_data(config);
    }
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (strcmp(file, parts[i].file) == 0) {
            return choose_part(&parts[i], config);
        }
    }
    return ESP_OK; /* an app stays in the slot where it is received */
}

esp_err_t parts_put_in_place(const esp_https_ota_config_t *config)
{
    const esp_partition_t *final = config->partition.final;
    if (final == NULL || config->partition.finalize_with_copy) {
        return ESP_OK;
    }
    esp_err_t err = esp_partition_copy(final, 0, config->partition.staging, 0, final->size);
    esp_partition_deregister_external(final); /* one of the table stays */
    return err;
}
