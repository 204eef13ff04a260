/* SmartConfig without a radio: a phone is there at once, and names a network that is there as all others are. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "esp_err.h"
#include "esp_event.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    SC_TYPE_ESPTOUCH = 0,
    SC_TYPE_AIRKISS,
    SC_TYPE_ESPTOUCH_AIRKISS,
    SC_TYPE_ESPTOUCH_V2,
} smartconfig_type_t;

/** Posted in this order; the last one when the station has its address. */
typedef enum {
    SC_EVENT_SCAN_DONE,
    SC_EVENT_FOUND_CHANNEL,
    SC_EVENT_GOT_SSID_PSWD, /* smartconfig_event_got_ssid_pswd_t */
    SC_EVENT_SEND_ACK_DONE,
} smartconfig_event_t;

ESP_EVENT_DECLARE_BASE(SC_EVENT);

typedef struct {
    uint8_t ssid[32], password[64];
    bool bssid_set;
    uint8_t bssid[6];
    smartconfig_type_t type;
    uint8_t token, cellphone_ip[4];
} smartconfig_event_got_ssid_pswd_t;

typedef struct {
    bool enable_log, esp_touch_v2_enable_crypt;
    char *esp_touch_v2_key;
} smartconfig_start_config_t;

#define SMARTCONFIG_START_CONFIG_DEFAULT()                                                                   \
    {                                                                                                        \
        .enable_log = false, .esp_touch_v2_enable_crypt = false, .esp_touch_v2_key = NULL                    \
    }

/** @return ESP_OK; ESP_ERR_INVALID_ARG; ESP_ERR_INVALID_STATE: it is started */
esp_err_t esp_smartconfig_set_type(smartconfig_type_t type);
/** @return ESP_OK; ESP_ERR_INVALID_ARG; ESP_ERR_INVALID_STATE: it is started; what esp_event_handler_register() says */
esp_err_t esp_smartconfig_start(const smartconfig_start_config_t *config);
/** @return ESP_OK */
esp_err_t esp_smartconfig_stop(void);
esp_err_t esp_esptouch_set_timeout(uint8_t time_s);
esp_err_t esp_smartconfig_fast_mode(bool enable);
/** A phone may send bytes of its own: this one has sent none. @return ESP_ERR_INVALID_STATE */
esp_err_t esp_smartconfig_get_rvd_data(uint8_t *rvd_data, uint8_t len);
const char *esp_smartconfig_get_version(void);

#ifdef __cplusplus
}
#endif
