/* A DAC at whose pins nobody measures. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "driver/dac.h"

#include <stdatomic.h>

#include "driver/dac_oneshot.h"
#include "esp_log.h"

static const char TAG[] = "dac";

struct dac_oneshot_s {
    atomic_bool taken;
};

static struct dac_oneshot_s channels[DAC_CHANNEL_MAX];

static esp_err_t check(dac_channel_t channel)
{
    static atomic_flag told = ATOMIC_FLAG_INIT;
    if (!atomic_flag_test_and_set(&told)) {
        ESP_LOGI(TAG, "a stand-in whose voltages nobody measures");
    }
    return (unsigned)channel < DAC_CHANNEL_MAX ? ESP_OK : ESP_ERR_INVALID_ARG;
}

esp_err_t dac_pad_get_io_num(dac_channel_t channel, gpio_num_t *gpio_num)
{
    esp_err_t err = gpio_num != NULL ? check(channel) : ESP_ERR_INVALID_ARG;
    if (err == ESP_OK) {
        *gpio_num = channel == DAC_CHANNEL_1 ? DAC_CHANNEL_1_GPIO_NUM : DAC_CHANNEL_2_GPIO_NUM;
    }
    return err;
}

esp_err_t dac_output_enable(dac_channel_t channel)
{
    return check(channel);
}

esp_err_t dac_output_disable(dac_channel_t channel)
{
    return check(channel);
}

esp_err_t dac_output_voltage(dac_channel_t channel, uint8_t dac_value)
{
    (void)dac_value;
    return check(channel);
}

esp_err_t dac_cw_generator_enable(void)
{
    return ESP_OK;
}

esp_err_t dac_cw_generator_disable(void)
{
    return ESP_OK;
}

esp_err_t dac_cw_generator_config(dac_cw_config_t *cw)
{
    return cw != NULL ? check(cw->en_ch) : ESP_ERR_INVALID_ARG;
}

esp_err_t dac_oneshot_new_channel(const dac_oneshot_config_t *oneshot_cfg, dac_oneshot_handle_t *ret_handle)
{
    if (oneshot_cfg == NULL || ret_handle == NULL || check((dac_channel_t)oneshot_cfg->chan_id) != ESP_OK) {
        return ESP_ERR_INVALID_ARG;
    }
    if (atomic_exchange(&channels[oneshot_cfg->chan_id].taken, true)) {
        return ESP_ERR_INVALID_STATE;
    }
    *ret_handle = &channels[oneshot_cfg->chan_id];
    return ESP_OK;
}

esp_err_t dac_oneshot_del_channel(dac_oneshot_handle_t handle)
{
    if (handle == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    atomic_store(&handle->taken, false);
    return ESP_OK;
}

esp_err_t dac_oneshot_output_voltage(dac_oneshot_handle_t handle, uint8_t digi_value)
{
    (void)digi_value;
    return handle != NULL ? ESP_OK : ESP_ERR_INVALID_ARG;
}
