/* The update session with handles from the heap, as ESP-IDF's applications use it: a number each, never 0, never used twice. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "esp_log.h"
#include "ota/update.h"

static const char TAG[] = "esp_ota_ops";

/** NULL: no open update has this number, or it is 0. */
static otter_update_t *find_update(const otter_device_t *device, esp_ota_handle_t handle)
{
    otter_update_t *update = device->updates;
    while (update != NULL && (update->handle == 0 || update->handle != handle)) {
        update = update->next;
    }
    return update;
}

static void free_update(otter_update_t *update)
{
    free(update);
}

/** An update that has just been opened, or not, gets its number. @return err */
static esp_err_t hand_out(otter_device_t *device, otter_update_t *update, esp_err_t err,
                          esp_ota_handle_t *out_handle)
{
    if (err != ESP_OK) {
        free(update);
        return err;
    }
    do {
        device->last_update_handle++;
    } while (device->last_update_handle == 0 || find_update(device, device->last_update_handle) != NULL);
    update->handle = device->last_update_handle;
    update->closed = free_update;
    *out_handle = update->handle;
    return ESP_OK;
}

/**
 * Memory for an update of `partition`, and behind it for a write unit; nothing has failed yet.
 * @return ESP_OK, ESP_ERR_INVALID_ARG (no out_handle), ESP_ERR_NO_MEM
 */
static esp_err_t new_update(otter_device_t *device, const esp_partition_t *partition,
                            const esp_ota_handle_t *out_handle, otter_update_t **update, uint8_t **tail)
{
    if (out_handle == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    const otter_flash_t *flash = partition != NULL ? partition->flash_chip : NULL;
    *update = malloc(sizeof(**update) + (flash != NULL ? otter_flash_unit(flash) : 0));
    if (*update == NULL) {
        return ESP_ERR_NO_MEM;
    }
    *tail = flash != NULL ? (uint8_t *)(*update + 1) : NULL;
    device->fault = (otter_fault_t){0};
    return ESP_OK;
}

esp_err_t ota_begin(otter_device_t *device, const esp_partition_t *partition, size_t image_size,
                    esp_ota_handle_t *out_handle)
{
    otter_update_t *update;
    uint8_t *tail;
    esp_err_t err = new_update(device, partition, out_handle, &update, &tail);
    if (err != ESP_OK) {
        return err;
    }
    err = update_begin(update, device, partition, image_size, tail, &device->fault);
    return hand_out(device, update, err, out_handle);
}

esp_err_t ota_resume(otter_device_t *device, const esp_partition_t *partition, size_t erase_size,
                     size_t image_offset, esp_ota_handle_t *out_handle)
{
    otter_update_t *update;
    uint8_t *tail;
    esp_err_t err = new_update(device, partition, out_handle, &update, &tail);
    if (err != ESP_OK) {
        return err;
    }
    err = update_resume(update, device, partition, erase_size, image_offset, false, tail, &device->fault);
    return hand_out(device, update, err, out_handle);
}

/** Bytes for a handle that is not open: its write ends with this. */
static esp_err_t refuse_handle(const otter_device_t *device, esp_ota_handle_t handle)
{
    ESP_LOGE(TAG, "not found the handle");
    return handle != 0 && handle == device->replaced_handle ? ESP_ERR_NOT_FOUND : ESP_ERR_INVALID_ARG;
}

esp_err_t ota_write(otter_device_t *device, esp_ota_handle_t handle, const void *data, size_t size)
{
    otter_update_t *update = find_update(device, handle);
    if (data != NULL && (size == 0 || update == NULL)) {
        return size == 0 ? ESP_OK : refuse_handle(device, handle);
    }
    return otter_update_write(update, data, size, &device->fault);
}

esp_err_t ota_write_with_offset(otter_device_t *device, esp_ota_handle_t handle, const void *data,
                                size_t size, uint32_t offset)
{
    otter_update_t *update = find_update(device, handle);
    if (data != NULL && (size == 0 || update == NULL)) {
        return size == 0 ? ESP_OK : refuse_handle(device, handle);
    }
    return otter_update_write_with_offset(update, data, size, offset, &device->fault);
}

esp_err_t ota_set_final_partition(otter_device_t *device, esp_ota_handle_t handle,
                                  const esp_partition_t *final, bool finalize_with_copy)
{
    device->fault = (otter_fault_t){0};
    return otter_update_set_final_partition(find_update(device, handle), final, finalize_with_copy,
                                            &device->fault);
}

esp_err_t ota_end(otter_device_t *device, esp_ota_handle_t handle)
{
    device->fault = (otter_fault_t){0};
    return otter_update_end(find_update(device, handle), &device->fault);
}

esp_err_t ota_abort(otter_device_t *device, esp_ota_handle_t handle)
{
    return otter_update_abort(find_update(device, handle));
}
