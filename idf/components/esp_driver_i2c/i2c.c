/* The older names of I2C: what is collected is not kept, for nobody would acknowledge it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "driver/i2c.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "esp_log.h"

static const char TAG[] = "i2c";

static atomic_bool installed[I2C_NUM_MAX];

static bool is_port(i2c_port_t port)
{
    return (unsigned)port < I2C_NUM_MAX;
}

esp_err_t i2c_param_config(i2c_port_t i2c_num, const i2c_config_t *i2c_conf)
{
    return is_port(i2c_num) && i2c_conf != NULL && i2c_conf->mode < I2C_MODE_MAX ? ESP_OK
                                                                                 : ESP_ERR_INVALID_ARG;
}

esp_err_t i2c_driver_install(i2c_port_t i2c_num, i2c_mode_t mode, size_t slv_rx_buf_len,
                             size_t slv_tx_buf_len, int intr_alloc_flags)
{
    (void)slv_rx_buf_len, (void)slv_tx_buf_len, (void)intr_alloc_flags;
    if (!is_port(i2c_num)) {
        return ESP_ERR_INVALID_ARG;
    }
    if (mode != I2C_MODE_MASTER || atomic_exchange(&installed[i2c_num], true)) {
        return ESP_FAIL;
    }
    ESP_LOGI(TAG, "a stand-in: there is no device on bus %d", (int)i2c_num);
    return ESP_OK;
}

esp_err_t i2c_driver_delete(i2c_port_t i2c_num)
{
    return is_port(i2c_num) && atomic_exchange(&installed[i2c_num], false) ? ESP_OK : ESP_ERR_INVALID_ARG;
}

esp_err_t i2c_set_pin(i2c_port_t i2c_num, int sda_io_num, int scl_io_num, bool sda_pullup_en,
                      bool scl_pullup_en, i2c_mode_t mode)
{
    (void)sda_io_num, (void)scl_io_num, (void)sda_pullup_en, (void)scl_pullup_en;
    return is_port(i2c_num) && mode < I2C_MODE_MAX ? ESP_OK : ESP_ERR_INVALID_ARG;
}

esp_err_t i2c_set_timeout(i2c_port_t i2c_num, int timeout)
{
    return is_port(i2c_num) && timeout > 0 ? ESP_OK : ESP_ERR_INVALID_ARG;
}

/* ---- commands ---- */

i2c_cmd_handle_t i2c_cmd_link_create(void)
{
    return malloc(1);
}

void i2c_cmd_link_delete(i2c_cmd_handle_t cmd_handle)
{
    free(cmd_handle);
}

static esp_err_t collect(const void *cmd_handle, const void *data)
{
    return cmd_handle != NULL && data != NULL ? ESP_OK : ESP_ERR_INVALID_ARG;
}

esp_err_t i2c_master_start(i2c_cmd_handle_t cmd_handle)
{
    return collect(cmd_handle, cmd_handle);
}

esp_err_t i2c_master_write_byte(i2c_cmd_handle_t cmd_handle, uint8_t data, bool ack_en)
{
    (void)data, (void)ack_en;
    return collect(cmd_handle, cmd_handle);
}

esp_err_t i2c_master_write(i2c_cmd_handle_t cmd_handle, const uint8_t *data, size_t data_len, bool ack_en)
{
    (void)data_len, (void)ack_en;
    return collect(cmd_handle, data);
}

esp_err_t i2c_master_read_byte(i2c_cmd_handle_t cmd_handle, uint8_t *data, i2c_ack_type_t ack)
{
    (void)ack;
    return collect(cmd_handle, data);
}

esp_err_t i2c_master_read(i2c_cmd_handle_t cmd_handle, uint8_t *data, size_t data_len, i2c_ack_type_t ack)
{
    (void)data_len, (void)ack;
    return collect(cmd_handle, data);
}

esp_err_t i2c_master_stop(i2c_cmd_handle_t cmd_handle)
{
    return collect(cmd_handle, cmd_handle);
}

/* ---- transfers ---- */

esp_err_t i2c_master_cmd_begin(i2c_port_t i2c_num, i2c_cmd_handle_t cmd_handle, TickType_t ticks_to_wait)
{
    (void)ticks_to_wait;
    if (!is_port(i2c_num) || cmd_handle == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    return atomic_load(&installed[i2c_num]) ? ESP_FAIL : ESP_ERR_INVALID_STATE;
}

esp_err_t i2c_master_write_to_device(i2c_port_t i2c_num, uint8_t device_address, const uint8_t *write_buffer,
                                     size_t write_size, TickType_t ticks_to_wait)
{
    (void)device_address, (void)write_size;
    return i2c_master_cmd_begin(i2c_num, (i2c_cmd_handle_t)(uintptr_t)write_buffer, ticks_to_wait);
}

esp_err_t i2c_master_read_from_device(i2c_port_t i2c_num, uint8_t device_address, uint8_t *read_buffer,
                                      size_t read_size, TickType_t ticks_to_wait)
{
    (void)device_address, (void)read_size;
    return i2c_master_cmd_begin(i2c_num, read_buffer, ticks_to_wait);
}

esp_err_t i2c_master_write_read_device(i2c_port_t i2c_num, uint8_t device_address,
                                       const uint8_t *write_buffer, size_t write_size, uint8_t *read_buffer,
                                       size_t read_size, TickType_t ticks_to_wait)
{
    (void)device_address, (void)write_size, (void)read_size;
    return write_buffer != NULL ? i2c_master_cmd_begin(i2c_num, read_buffer, ticks_to_wait)
                                : ESP_ERR_INVALID_ARG;
}
