/* Buses on which zeros come back, and transfers that wait to be fetched. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "driver/spi_master.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "esp_log.h"
#include "freertos/queue.h"

static const char TAG[] = "spi_master";

#define BITS 8

struct spi_device_t {
    spi_host_device_t host;
    transaction_cb_t pre_cb, post_cb;
    QueueHandle_t done; /* of spi_transaction_t * */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards the buses */
static struct {
    bool ready;
    unsigned devices;
} buses[SPI_HOST_MAX];

static bool is_bus(spi_host_device_t host)
{
    return host > SPI1_HOST && host < SPI_HOST_MAX; /* the first one is the flash's */
}

esp_err_t spi_bus_initialize(spi_host_device_t host_id, const spi_bus_config_t *bus_config,
                             spi_dma_chan_t dma_chan)
{
    (void)dma_chan;
    if (!is_bus(host_id) || bus_config == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    (void)pthread_mutex_lock(&lock); /* it is a plain one: this cannot fail */
    bool is_new = !buses[host_id].ready;
    buses[host_id].ready = true;
    (void)pthread_mutex_unlock(&lock);
    if (is_new) {
        ESP_LOGI(TAG, "a stand-in: there is no device on bus %d, and zeros come back", (int)host_id);
    }
    return is_new ? ESP_OK : ESP_ERR_INVALID_STATE;
}

esp_err_t spi_bus_free(spi_host_device_t host_id)
{
    if (!is_bus(host_id)) {
        return ESP_ERR_INVALID_ARG;
    }
    (void)pthread_mutex_lock(&lock);
    bool ok = buses[host_id].ready && buses[host_id].devices == 0;
    buses[host_id].ready = buses[host_id].ready && !ok;
    (void)pthread_mutex_unlock(&lock);
    return ok ? ESP_OK : ESP_ERR_INVALID_STATE;
}

/** @return false: the bus is not initialized */
static bool count_device(spi_host_device_t host, int more)
{
    (void)pthread_mutex_lock(&lock);
    bool ready = buses[host].ready;
    buses[host].devices += ready ? (unsigned)more : 0;
    (void)pthread_mutex_unlock(&lock);
    return ready;
}

static spi_device_handle_t new_device(const spi_device_interface_config_t *config)
{
    spi_device_handle_t device = calloc(1, sizeof(*device));
    if (device == NULL) {
        return NULL;
    }
    device->pre_cb = config->pre_cb;
    device->post_cb = config->post_cb;
    device->done = xQueueCreate((UBaseType_t)config->queue_size, sizeof(spi_transaction_t *));
    if (device->done == NULL) {
        free(device);
        return NULL;
    }
    return device;
}

static void free_device(spi_device_handle_t device)
{
    vQueueDelete(device->done);
    free(device);
}

esp_err_t spi_bus_add_device(spi_host_device_t host_id, const spi_device_interface_config_t *dev_config,
                             spi_device_handle_t *handle)
{
    if (!is_bus(host_id) || dev_config == NULL || handle == NULL || dev_config->clock_speed_hz <= 0 ||
        dev_config->queue_size <= 0) {
        return ESP_ERR_INVALID_ARG;
    }
    spi_device_handle_t device = new_device(dev_config);
    if (device == NULL) {
        return ESP_ERR_NO_MEM;
    }
    device->host = host_id;
    if (!count_device(host_id, 1)) {
        free_device(device);
        return ESP_ERR_INVALID_STATE;
    }
    *handle = device;
    return ESP_OK;
}

esp_err_t spi_bus_remove_device(spi_device_handle_t handle)
{
    if (handle == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (uxQueueMessagesWaiting(handle->done) > 0) {
        return ESP_ERR_INVALID_STATE;
    }
    (void)count_device(handle->host, -1);
    free_device(handle);
    return ESP_OK;
}

esp_err_t spi_device_transmit(spi_device_handle_t handle, spi_transaction_t *trans_desc)
{
    if (handle == NULL || trans_desc == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (handle->pre_cb != NULL) {
        handle->pre_cb(trans_desc);
    }
    const size_t bits = trans_desc->rxlength != 0 ? trans_desc->rxlength : trans_desc->length;
    if ((trans_desc->flags & SPI_TRANS_USE_RXDATA) != 0) {
        memset(trans_desc->rx_data, 0, sizeof(trans_desc->rx_data));
    } else if (trans_desc->rx_buffer != NULL) {
        memset(trans_desc->rx_buffer, 0, bits / BITS + (bits % BITS != 0));
    }
    if (handle->post_cb != NULL) {
        handle->post_cb(trans_desc);
    }
    return ESP_OK;
}

esp_err_t spi_device_polling_transmit(spi_device_handle_t handle, spi_transaction_t *trans_desc)
{
    return spi_device_transmit(handle, trans_desc);
}

esp_err_t spi_device_queue_trans(spi_device_handle_t handle, spi_transaction_t *trans_desc,
                                 TickType_t ticks_to_wait)
{
    esp_err_t err = spi_device_transmit(handle, trans_desc);
    return err != ESP_OK                                                                  ? err
           : xQueueSend(handle->done, (const void *)&trans_desc, ticks_to_wait) == pdTRUE ? ESP_OK
                                                                                          : ESP_ERR_TIMEOUT;
}

esp_err_t spi_device_get_trans_result(spi_device_handle_t handle, spi_transaction_t **trans_desc,
                                      TickType_t ticks_to_wait)
{
    if (handle == NULL || trans_desc == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    return xQueueReceive(handle->done, (void *)trans_desc, ticks_to_wait) == pdTRUE ? ESP_OK
                                                                                    : ESP_ERR_TIMEOUT;
}

esp_err_t spi_device_acquire_bus(spi_device_handle_t device, TickType_t wait)
{
    return device != NULL && wait == portMAX_DELAY ? ESP_OK : ESP_ERR_INVALID_ARG;
}

void spi_device_release_bus(spi_device_handle_t dev)
{
    (void)dev;
}
