/* The registry's network_provisioning: other names for wifi_provisioning/scheme_ble.h. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "network_provisioning/manager.h"
#include "wifi_provisioning/scheme_ble.h"

#define network_prov_scheme_ble                         wifi_prov_scheme_ble
#define NETWORK_PROV_SCHEME_BLE_EVENT_HANDLER_FREE_BTDM WIFI_PROV_SCHEME_BLE_EVENT_HANDLER_FREE_BTDM
#define NETWORK_PROV_SCHEME_BLE_EVENT_HANDLER_FREE_BLE  WIFI_PROV_SCHEME_BLE_EVENT_HANDLER_FREE_BLE
#define NETWORK_PROV_SCHEME_BLE_EVENT_HANDLER_FREE_BT   WIFI_PROV_SCHEME_BLE_EVENT_HANDLER_FREE_BT
#define network_prov_scheme_ble_event_cb_free_btdm      wifi_prov_scheme_ble_event_cb_free_btdm
#define network_prov_scheme_ble_set_service_uuid        wifi_prov_scheme_ble_set_service_uuid
#define network_prov_scheme_ble_set_mfg_data            wifi_prov_scheme_ble_set_mfg_data
#define network_prov_scheme_ble_set_random_addr         wifi_prov_scheme_ble_set_random_addr
#define network_prov_mgr_keep_ble_on                    wifi_prov_mgr_keep_ble_on
