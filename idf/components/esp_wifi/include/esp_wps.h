/* WPS: without a radio nobody presses a button. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "esp_err.h"
#include "esp_wifi.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ESP_ERR_WIFI_REGISTRAR (ESP_ERR_WIFI_BASE + 51)
#define ESP_ERR_WIFI_WPS_TYPE  (ESP_ERR_WIFI_BASE + 52)
#define ESP_ERR_WIFI_WPS_SM    (ESP_ERR_WIFI_BASE + 53)

typedef enum wps_type { WPS_TYPE_DISABLE = 0, WPS_TYPE_PBC, WPS_TYPE_PIN, WPS_TYPE_MAX } wps_type_t;

#define WPS_MAX_MANUFACTURER_LEN 65
#define WPS_MAX_MODEL_NUMBER_LEN 33
#define WPS_MAX_MODEL_NAME_LEN   33
#define WPS_MAX_DEVICE_NAME_LEN  33
#define PIN_LEN                  9

typedef struct {
    char manufacturer[WPS_MAX_MANUFACTURER_LEN];
    char model_number[WPS_MAX_MODEL_NUMBER_LEN];
    char model_name[WPS_MAX_MODEL_NAME_LEN];
    char device_name[WPS_MAX_DEVICE_NAME_LEN];
} wps_factory_information_t;

typedef struct {
    wps_type_t wps_type;
    wps_factory_information_t factory_info;
    char pin[PIN_LEN];
} esp_wps_config_t;

#define WPS_CONFIG_INIT_DEFAULT(type)                                                                        \
    {                                                                                                        \
        .wps_type = type                                                                                     \
    }

/** @return ESP_ERR_NOT_SUPPORTED; ESP_ERR_WIFI_WPS_TYPE: no such kind, or NULL */
static inline esp_err_t esp_wifi_wps_enable(const esp_wps_config_t *config)
{
    return config == NULL || config->wps_type == WPS_TYPE_DISABLE || config->wps_type >= WPS_TYPE_MAX
               ? ESP_ERR_WIFI_WPS_TYPE
               : ESP_ERR_NOT_SUPPORTED;
}

static inline esp_err_t esp_wifi_wps_disable(void)
{
    return ESP_OK;
}

/** @return ESP_ERR_WIFI_WPS_SM: it is not enabled */
static inline esp_err_t esp_wifi_wps_start(int timeout_ms)
{
    (void)timeout_ms;
    return ESP_ERR_WIFI_WPS_SM;
}

static inline esp_err_t esp_wifi_ap_wps_enable(const esp_wps_config_t *config)
{
    return esp_wifi_wps_enable(config);
}

static inline esp_err_t esp_wifi_ap_wps_disable(void)
{
    return ESP_OK;
}

static inline esp_err_t esp_wifi_ap_wps_start(const unsigned char *pin)
{
    (void)pin;
    return ESP_ERR_WIFI_WPS_SM;
}

#ifdef __cplusplus
}
#endif
