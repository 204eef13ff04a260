/* Provisioning by Bluetooth: there is none, and a phone is there at once. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "protocomm_ble.h"
#include "wifi_provisioning/manager.h"

#ifdef __cplusplus
extern "C" {
#endif

extern const wifi_prov_scheme_t wifi_prov_scheme_ble;

/** Does nothing: there is no memory of a controller to give back. */
void wifi_prov_scheme_ble_event_cb_free_btdm(void *user_data, wifi_prov_cb_event_t event, void *event_data);
void wifi_prov_scheme_ble_event_cb_free_ble(void *user_data, wifi_prov_cb_event_t event, void *event_data);
void wifi_prov_scheme_ble_event_cb_free_bt(void *user_data, wifi_prov_cb_event_t event, void *event_data);
#define WIFI_PROV_SCHEME_BLE_EVENT_HANDLER_FREE_BTDM                                                         \
    {                                                                                                        \
        .event_cb = wifi_prov_scheme_ble_event_cb_free_btdm, .user_data = NULL                               \
    }
#define WIFI_PROV_SCHEME_BLE_EVENT_HANDLER_FREE_BLE                                                          \
    {                                                                                                        \
        .event_cb = wifi_prov_scheme_ble_event_cb_free_ble, .user_data = NULL                                \
    }
#define WIFI_PROV_SCHEME_BLE_EVENT_HANDLER_FREE_BT                                                           \
    {                                                                                                        \
        .event_cb = wifi_prov_scheme_ble_event_cb_free_bt, .user_data = NULL                                 \
    }

/* Accepted: nobody sees them. @return ESP_OK, ESP_ERR_INVALID_ARG (NULL) */
esp_err_t wifi_prov_scheme_ble_set_service_uuid(uint8_t *uuid128);
esp_err_t wifi_prov_scheme_ble_set_mfg_data(uint8_t *mfg_data, ssize_t mfg_data_len);
esp_err_t wifi_prov_scheme_ble_set_random_addr(const uint8_t *rand_addr);
esp_err_t wifi_prov_mgr_keep_ble_on(uint8_t is_on_after_ble_stop);

#ifdef __cplusplus
}
#endif
