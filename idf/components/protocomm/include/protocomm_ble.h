/* Bluetooth as a transport, which is not there. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "protocomm.h"

#ifdef __cplusplus
extern "C" {
#endif

ESP_EVENT_DECLARE_BASE(PROTOCOMM_TRANSPORT_BLE_EVENT);
typedef enum {
    PROTOCOMM_TRANSPORT_BLE_CONNECTED,
    PROTOCOMM_TRANSPORT_BLE_DISCONNECTED,
} protocomm_transport_ble_event_t;

#define MAX_BLE_DEVNAME_LEN           29
#define BLE_UUID128_VAL_LENGTH        16
#define MAX_BLE_MANUFACTURER_DATA_LEN 29

typedef struct name_uuid {
    const char *name;
    uint16_t uuid;
} protocomm_ble_name_uuid_t;

typedef struct protocomm_ble_config {
    char device_name[MAX_BLE_DEVNAME_LEN + 1];
    uint8_t service_uuid[BLE_UUID128_VAL_LENGTH];
    uint8_t *manufacturer_data;
    ssize_t manufacturer_data_len, nu_lookup_count;
    protocomm_ble_name_uuid_t *nu_lookup;
    unsigned ble_bonding : 1, ble_sm_sc : 1, ble_link_encryption : 1;
    uint8_t *ble_addr;
    unsigned keep_ble_on : 1, ble_notify : 1;
} protocomm_ble_config_t;

/** The log says why. @return ESP_ERR_NOT_SUPPORTED; stopping: ESP_ERR_INVALID_ARG, it was not started */
esp_err_t protocomm_ble_start(protocomm_t *pc, const protocomm_ble_config_t *config);
esp_err_t protocomm_ble_stop(protocomm_t *pc);

#ifdef __cplusplus
}
#endif
