/* ESP-IDF's nvs_flash: which partitions of the current device are ready for NVS. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "nvs_flash.h"

#include <stdlib.h>
#include <string.h>

#include "esp_log.h"
#include "idf/device_current.h"
#include "idf/nvs_partitions.h"
#include "otter/system.h"

static const char TAG[] = "nvs";

static void end_cipher(otter_nvs_cipher_t *cipher)
{
    if (cipher != NULL) {
        cipher->end(cipher);
    }
}

/** The device is going, or the partition's turn is over. */
static void drop(otter_attached_t *attached)
{
    nvs_partition_t *partition = (nvs_partition_t *)attached;
    while (partition->opened != NULL) {
        nvs_opened_t *opened = partition->opened;
        partition->opened = opened->next;
        free(opened);
    }
    otter_nvs_close(partition->store);
    end_cipher(partition->cipher);
    free(partition);
}

esp_err_t nvs_partition_find(const char *label, nvs_partition_t **out)
{
    const otter_device_t *device = otter_device_current();
    esp_err_t err = ESP_ERR_NVS_NOT_INITIALIZED;
    for (otter_attached_t *at = device != NULL ? device->attached : NULL; at != NULL; at = at->next) {
        if (at->drop != drop) {
            continue;
        }
        *out = (nvs_partition_t *)at;
        if (strcmp((*out)->label, label != NULL ? label : NVS_DEFAULT_PART_NAME) == 0) {
            return ESP_OK;
        }
        err = ESP_ERR_NVS_PART_NOT_FOUND;
    }
    *out = NULL;
    return err;
}

esp_err_t nvs_partition_of(nvs_handle_t handle, nvs_partition_t **out, nvs_opened_t **opened)
{
    const otter_device_t *device = otter_device_current();
    for (otter_attached_t *at = device != NULL ? device->attached : NULL; at != NULL; at = at->next) {
        if (at->drop != drop) {
            continue;
        }
        *out = (nvs_partition_t *)at;
        for (nvs_opened_t *o = (*out)->opened; o != NULL; o = o->next) {
            if (o->number == handle) {
                *opened = o;
                return ESP_OK;
            }
        }
    }
    return ESP_ERR_NVS_INVALID_HANDLE;
}

/** A partition that is not ready yet becomes so. */
static esp_err_t attach(otter_device_t *device, const esp_partition_t *partition, otter_nvs_cipher_t *cipher)
{
    nvs_partition_t *made = calloc(1, sizeof(*made));
    if (made == NULL) {
        return ESP_ERR_NO_MEM;
    }
    otter_fault_t fault = {.code = ESP_OK};
    const otter_nvs_place_t place = {.flash = partition->flash_chip,
                                     .offset = partition->address,
                                     .size = partition->size,
                                     .cipher = cipher,
                                     .read_only = partition->readonly};
    esp_err_t err = otter_nvs_open(&place, &made->store, &fault);
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "partition %s: %s", partition->label, otter_fault_text(&fault, err));
        free(made);
        return err;
    }
    made->cipher = cipher;
    memcpy(made->label, partition->label, sizeof(made->label));
    made->attached = (otter_attached_t){.next = device->attached, .drop = drop};
    device->attached = &made->attached;
    return ESP_OK;
}

esp_err_t nvs_partition_init(const esp_partition_t *partition, otter_nvs_cipher_t *cipher)
{
    otter_device_t *device = device_or_complain(TAG);
    nvs_partition_t *there;
    esp_err_t err = device == NULL ? ESP_ERR_INVALID_STATE : ESP_ERR_INVALID_ARG;
    bool taken = false;
    otter_lock(OTTER_LOCK_NVS);
    if (device != NULL && partition != NULL) {
        err = nvs_partition_find(partition->label, &there);
        if (err != ESP_OK) {
            err = attach(device, partition, cipher);
            taken = err == ESP_OK;
        }
    }
    otter_unlock(OTTER_LOCK_NVS);
    end_cipher(taken ? NULL : cipher);
    return err;
}

esp_err_t nvs_flash_init_partition_ptr(const esp_partition_t *partition)
{
    return nvs_partition_init(partition, NULL);
}

/** NULL is none: only names that the table has are right. */
const esp_partition_t *nvs_partition_in_table(const char *label)
{
    return label != NULL
               ? esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_NVS, label)
               : NULL;
}

esp_err_t nvs_flash_init_partition(const char *partition_label)
{
    const esp_partition_t *partition = nvs_partition_in_table(partition_label);
    return partition != NULL ? nvs_flash_init_partition_ptr(partition) : ESP_ERR_NOT_FOUND;
}

esp_err_t nvs_flash_deinit_partition(const char *partition_label)
{
    otter_device_t *device = otter_device_current();
    nvs_partition_t *partition;
    otter_lock(OTTER_LOCK_NVS);
    esp_err_t err = nvs_partition_find(partition_label, &partition);
    if (err == ESP_OK) {
        otter_attached_t **link = &device->attached;
        while (*link != &partition->attached) {
            link = &(*link)->next;
        }
        *link = partition->attached.next;
        drop(&partition->attached);
    }
    otter_unlock(OTTER_LOCK_NVS);
    return err == ESP_OK ? ESP_OK : ESP_ERR_NVS_NOT_INITIALIZED;
}

esp_err_t nvs_flash_deinit(void)
{
    return nvs_flash_deinit_partition(NVS_DEFAULT_PART_NAME);
}

esp_err_t nvs_flash_erase_partition_ptr(const esp_partition_t *partition)
{
    if (partition == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    otter_ignore(nvs_flash_deinit_partition(partition->label)); /* not ready is what it has to be */
    return esp_partition_erase_range(partition, 0, partition->size);
}

esp_err_t nvs_flash_erase_partition(const char *part_name)
{
    const esp_partition_t *partition = nvs_partition_in_table(part_name);
    return partition != NULL ? nvs_flash_erase_partition_ptr(partition) : ESP_ERR_NOT_FOUND;
}

esp_err_t nvs_flash_erase(void)
{
    return nvs_flash_erase_partition(NVS_DEFAULT_PART_NAME);
}
