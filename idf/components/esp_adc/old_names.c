/* ESP-IDF 4's names, over the same ADC. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdatomic.h>
#include <stdlib.h>

#include "esp_adc_cal.h"
#include "full_scale.h"

#define CHANNELS     10
#define DEFAULT_BITS 12

static _Atomic int adc1_bits = DEFAULT_BITS;

static int half(int bits)
{
    return 1 << (bits - 1);
}

static int bits_of(adc_bits_width_t width)
{
    return width == ADC_BITWIDTH_DEFAULT ? DEFAULT_BITS : (int)width;
}

static esp_err_t check(adc_channel_t channel, adc_atten_t attenuation)
{
    return (unsigned)channel < CHANNELS && (unsigned)attenuation <= ADC_ATTEN_DB_12 ? ESP_OK
                                                                                    : ESP_ERR_INVALID_ARG;
}

esp_err_t adc1_config_width(adc_bits_width_t width_bit)
{
    if (!adc_is_width(width_bit)) {
        return ESP_ERR_INVALID_ARG;
    }
    adc1_bits = bits_of(width_bit);
    return ESP_OK;
}

esp_err_t adc1_config_channel_atten(adc1_channel_t channel, adc_atten_t atten)
{
    return check(channel, atten);
}

int adc1_get_raw(adc1_channel_t channel)
{
    return (unsigned)channel < CHANNELS ? half(adc1_bits) : -1;
}

esp_err_t adc2_config_channel_atten(adc2_channel_t channel, adc_atten_t atten)
{
    return check(channel, atten);
}

esp_err_t adc2_get_raw(adc2_channel_t channel, adc_bits_width_t width_bit, int *raw_out)
{
    if ((unsigned)channel >= CHANNELS || raw_out == NULL || !adc_is_width(width_bit)) {
        return ESP_ERR_INVALID_ARG;
    }
    *raw_out = half(bits_of(width_bit));
    return ESP_OK;
}

esp_err_t adc_power_acquire(void)
{
    return ESP_OK;
}

esp_err_t adc_power_release(void)
{
    return ESP_OK;
}

esp_err_t esp_adc_cal_check_efuse(esp_adc_cal_value_t value_type)
{
    (void)value_type;
    return ESP_ERR_NOT_SUPPORTED;
}

esp_adc_cal_value_t esp_adc_cal_characterize(adc_unit_t adc_num, adc_atten_t atten,
                                             adc_bits_width_t bit_width, uint32_t default_vref,
                                             esp_adc_cal_characteristics_t *chars)
{
    if (chars == NULL || !adc_is_width(bit_width) || check(ADC_CHANNEL_0, atten) != ESP_OK) {
        return ESP_ADC_CAL_VAL_NOT_SUPPORTED;
    }
    *chars = (esp_adc_cal_characteristics_t){
        .adc_num = adc_num, .atten = atten, .bit_width = bit_width, .vref = default_vref};
    return ESP_ADC_CAL_VAL_DEFAULT_VREF;
}

uint32_t esp_adc_cal_raw_to_voltage(uint32_t adc_reading, const esp_adc_cal_characteristics_t *chars)
{
    uint32_t top = (1u << bits_of(chars->bit_width)) - 1;
    return (adc_reading < top ? adc_reading : top) * (uint32_t)adc_full_mv(chars->atten) / top;
}

esp_err_t esp_adc_cal_get_voltage(adc_channel_t channel, const esp_adc_cal_characteristics_t *chars,
                                  uint32_t *voltage)
{
    if (chars == NULL || voltage == NULL || (unsigned)channel > ADC_CHANNEL_10) {
        return ESP_ERR_INVALID_ARG;
    }
    *voltage = esp_adc_cal_raw_to_voltage((uint32_t)half(bits_of(chars->bit_width)), chars);
    return ESP_OK;
}
