/* An ADC without a voltage, and its calibration. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdlib.h>

#include "esp_adc/adc_oneshot.h"
#include "esp_log.h"
#include "full_scale.h"

static const char TAG[] = "adc";

#define UNITS        2
#define CHANNELS     (ADC_CHANNEL_10 + 1)
#define DEFAULT_BITS 12

struct adc_oneshot_unit_ctx_t {
    adc_unit_t unit;
    int bits[CHANNELS];
};

struct adc_cali_scheme_t {
    int bits, full_mv;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards which units are in use */
static bool in_use[UNITS];

static int bits_of(adc_bitwidth_t width)
{
    return width == ADC_BITWIDTH_DEFAULT ? DEFAULT_BITS : (int)width;
}

/** @return whether it was not in use, or is not any more */
static bool use_unit(adc_unit_t unit, bool use)
{
    (void)pthread_mutex_lock(&lock); /* it is a plain one: this cannot fail */
    bool changed = in_use[unit] != use;
    in_use[unit] = use;
    (void)pthread_mutex_unlock(&lock);
    return changed;
}

esp_err_t adc_oneshot_new_unit(const adc_oneshot_unit_init_cfg_t *init_config,
                               adc_oneshot_unit_handle_t *ret_unit)
{
    if (init_config == NULL || ret_unit == NULL || (unsigned)init_config->unit_id >= UNITS) {
        return ESP_ERR_INVALID_ARG;
    }
    struct adc_oneshot_unit_ctx_t *unit = calloc(1, sizeof(*unit));
    if (unit == NULL) {
        return ESP_ERR_NO_MEM;
    }
    if (!use_unit(init_config->unit_id, true)) {
        free(unit);
        return ESP_ERR_NOT_FOUND;
    }
    unit->unit = init_config->unit_id;
    ESP_LOGI(TAG, "a stand-in: each channel has half of the voltage that can be measured");
    *ret_unit = unit;
    return ESP_OK;
}

esp_err_t adc_oneshot_del_unit(adc_oneshot_unit_handle_t handle)
{
    if (handle == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    (void)use_unit(handle->unit, false);
    free(handle);
    return ESP_OK;
}

esp_err_t adc_oneshot_config_channel(adc_oneshot_unit_handle_t handle, adc_channel_t channel,
                                     const adc_oneshot_chan_cfg_t *config)
{
    if (handle == NULL || config == NULL || (unsigned)channel >= CHANNELS ||
        !adc_is_width(config->bitwidth)) {
        return ESP_ERR_INVALID_ARG;
    }
    handle->bits[channel] = bits_of(config->bitwidth);
    return ESP_OK;
}

esp_err_t adc_oneshot_read(adc_oneshot_unit_handle_t handle, adc_channel_t chan, int *out_raw)
{
    if (handle == NULL || out_raw == NULL || (unsigned)chan >= CHANNELS) {
        return ESP_ERR_INVALID_ARG;
    }
    int bits = handle->bits[chan] != 0 ? handle->bits[chan] : DEFAULT_BITS;
    *out_raw = 1 << (bits - 1);
    return ESP_OK;
}

esp_err_t adc_oneshot_get_calibrated_result(adc_oneshot_unit_handle_t handle, adc_cali_handle_t cali_handle,
                                            adc_channel_t chan, int *cali_result)
{
    int raw;
    esp_err_t err = adc_oneshot_read(handle, chan, &raw);
    return err == ESP_OK ? adc_cali_raw_to_voltage(cali_handle, raw, cali_result) : err;
}

esp_err_t adc_oneshot_io_to_channel(int io_num, adc_unit_t *unit_id, adc_channel_t *channel)
{
    (void)io_num, (void)unit_id, (void)channel;
    return ESP_ERR_NOT_SUPPORTED;
}

esp_err_t adc_oneshot_channel_to_io(adc_unit_t unit_id, adc_channel_t channel, int *io_num)
{
    (void)unit_id, (void)channel, (void)io_num;
    return ESP_ERR_NOT_SUPPORTED;
}

/* ---- calibration ---- */

esp_err_t adc_cali_check_scheme(adc_cali_scheme_ver_t *scheme_mask)
{
    if (scheme_mask == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *scheme_mask =
        (adc_cali_scheme_ver_t)(ADC_CALI_SCHEME_VER_LINE_FITTING | ADC_CALI_SCHEME_VER_CURVE_FITTING);
    return ESP_OK;
}

static esp_err_t new_scheme(adc_atten_t attenuation, adc_bitwidth_t width, adc_cali_handle_t *ret_handle)
{
    if (ret_handle == NULL || (unsigned)attenuation > ADC_ATTEN_DB_12 || !adc_is_width(width)) {
        return ESP_ERR_INVALID_ARG;
    }
    struct adc_cali_scheme_t *scheme = calloc(1, sizeof(*scheme));
    if (scheme == NULL) {
        return ESP_ERR_NO_MEM;
    }
    scheme->bits = bits_of(width);
    scheme->full_mv = adc_full_mv(attenuation);
    *ret_handle = scheme;
    return ESP_OK;
}

esp_err_t adc_cali_create_scheme_curve_fitting(const adc_cali_curve_fitting_config_t *config,
                                               adc_cali_handle_t *ret_handle)
{
    return config != NULL ? new_scheme(config->atten, config->bitwidth, ret_handle) : ESP_ERR_INVALID_ARG;
}

esp_err_t adc_cali_create_scheme_line_fitting(const adc_cali_line_fitting_config_t *config,
                                              adc_cali_handle_t *ret_handle)
{
    return config != NULL ? new_scheme(config->atten, config->bitwidth, ret_handle) : ESP_ERR_INVALID_ARG;
}

esp_err_t adc_cali_delete_scheme_curve_fitting(adc_cali_handle_t handle)
{
    free(handle);
    return handle != NULL ? ESP_OK : ESP_ERR_INVALID_ARG;
}

esp_err_t adc_cali_delete_scheme_line_fitting(adc_cali_handle_t handle)
{
    return adc_cali_delete_scheme_curve_fitting(handle);
}

esp_err_t adc_cali_raw_to_voltage(adc_cali_handle_t handle, int raw, int *voltage)
{
    if (handle == NULL || voltage == NULL || raw < 0 || raw >= 1 << handle->bits) {
        return ESP_ERR_INVALID_ARG;
    }
    *voltage = raw * handle->full_mv / ((1 << handle->bits) - 1);
    return ESP_OK;
}
