/* Buses on which no device acknowledges. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "driver/i2c_master.h"

#include <pthread.h>
#include <stdlib.h>

#include "esp_log.h"

static const char TAG[] = "i2c.master";

struct i2c_master_bus_t {
    i2c_port_num_t port;
    unsigned devices;
};

struct i2c_master_dev_t {
    struct i2c_master_bus_t *bus;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards buses and their counts */
static struct i2c_master_bus_t *buses[I2C_NUM_MAX];

/** With the lock held. @param port -1: any. @return below 0: none is free */
static int free_port(int port)
{
    for (int each = 0; each < I2C_NUM_MAX; each++) {
        if ((port < 0 || port == each) && buses[each] == NULL) {
            return each;
        }
    }
    return -1;
}

esp_err_t i2c_new_master_bus(const i2c_master_bus_config_t *bus_config,
                             i2c_master_bus_handle_t *ret_bus_handle)
{
    if (bus_config == NULL || ret_bus_handle == NULL || bus_config->i2c_port >= I2C_NUM_MAX) {
        return ESP_ERR_INVALID_ARG;
    }
    struct i2c_master_bus_t *bus = calloc(1, sizeof(*bus));
    if (bus == NULL) {
        return ESP_ERR_NO_MEM;
    }
    (void)pthread_mutex_lock(&lock); /* it is a plain one: this cannot fail */
    int port = free_port(bus_config->i2c_port);
    if (port >= 0) {
        bus->port = port;
        buses[port] = bus;
    }
    (void)pthread_mutex_unlock(&lock);
    if (port < 0) {
        free(bus);
        return bus_config->i2c_port < 0 ? ESP_ERR_NOT_FOUND : ESP_ERR_INVALID_STATE;
    }
    ESP_LOGI(TAG, "a stand-in: there is no device on bus %d", port);
    *ret_bus_handle = bus;
    return ESP_OK;
}

esp_err_t i2c_del_master_bus(i2c_master_bus_handle_t bus_handle)
{
    if (bus_handle == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    (void)pthread_mutex_lock(&lock);
    bool unused = bus_handle->devices == 0;
    if (unused) {
        buses[bus_handle->port] = NULL;
    }
    (void)pthread_mutex_unlock(&lock);
    if (!unused) {
        return ESP_ERR_INVALID_STATE;
    }
    free(bus_handle);
    return ESP_OK;
}

esp_err_t i2c_master_get_bus_handle(i2c_port_num_t port_num, i2c_master_bus_handle_t *ret_handle)
{
    if (port_num < 0 || port_num >= I2C_NUM_MAX || ret_handle == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    (void)pthread_mutex_lock(&lock);
    i2c_master_bus_handle_t found = buses[port_num];
    (void)pthread_mutex_unlock(&lock);
    if (found == NULL) {
        return ESP_ERR_INVALID_STATE;
    }
    *ret_handle = found;
    return ESP_OK;
}

static void count_device(struct i2c_master_bus_t *bus, int more)
{
    (void)pthread_mutex_lock(&lock);
    bus->devices += (unsigned)more;
    (void)pthread_mutex_unlock(&lock);
}

esp_err_t i2c_master_bus_add_device(i2c_master_bus_handle_t bus_handle, const i2c_device_config_t *dev_config,
                                    i2c_master_dev_handle_t *ret_handle)
{
    if (bus_handle == NULL || dev_config == NULL || ret_handle == NULL || dev_config->scl_speed_hz == 0) {
        return ESP_ERR_INVALID_ARG;
    }
    struct i2c_master_dev_t *device = calloc(1, sizeof(*device));
    if (device == NULL) {
        return ESP_ERR_NO_MEM;
    }
    device->bus = bus_handle;
    count_device(bus_handle, 1);
    *ret_handle = device;
    return ESP_OK;
}

esp_err_t i2c_master_bus_rm_device(i2c_master_dev_handle_t handle)
{
    if (handle == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    count_device(handle->bus, -1);
    free(handle);
    return ESP_OK;
}

esp_err_t i2c_master_bus_reset(i2c_master_bus_handle_t bus_handle)
{
    return bus_handle != NULL ? ESP_OK : ESP_ERR_INVALID_ARG;
}

esp_err_t i2c_master_bus_wait_all_done(i2c_master_bus_handle_t bus_handle, int timeout_ms)
{
    (void)timeout_ms;
    return bus_handle != NULL ? ESP_OK : ESP_ERR_INVALID_ARG;
}

esp_err_t i2c_master_probe(i2c_master_bus_handle_t bus_handle, uint16_t address, int xfer_timeout_ms)
{
    (void)address, (void)xfer_timeout_ms;
    return bus_handle != NULL ? ESP_ERR_NOT_FOUND : ESP_ERR_INVALID_ARG;
}

static esp_err_t no_acknowledge(const struct i2c_master_dev_t *device, const void *buffer, size_t size)
{
    return device != NULL && buffer != NULL && size > 0 ? ESP_ERR_INVALID_STATE : ESP_ERR_INVALID_ARG;
}

esp_err_t i2c_master_transmit(i2c_master_dev_handle_t i2c_dev, const uint8_t *write_buffer, size_t write_size,
                              int xfer_timeout_ms)
{
    (void)xfer_timeout_ms;
    return no_acknowledge(i2c_dev, write_buffer, write_size);
}

esp_err_t i2c_master_receive(i2c_master_dev_handle_t i2c_dev, uint8_t *read_buffer, size_t read_size,
                             int xfer_timeout_ms)
{
    (void)xfer_timeout_ms;
    return no_acknowledge(i2c_dev, read_buffer, read_size);
}

esp_err_t i2c_master_transmit_receive(i2c_master_dev_handle_t i2c_dev, const uint8_t *write_buffer,
                                      size_t write_size, uint8_t *read_buffer, size_t read_size,
                                      int xfer_timeout_ms)
{
    (void)xfer_timeout_ms;
    esp_err_t err = no_acknowledge(i2c_dev, write_buffer, write_size);
    return err == ESP_ERR_INVALID_ARG ? err : no_acknowledge(i2c_dev, read_buffer, read_size);
}
