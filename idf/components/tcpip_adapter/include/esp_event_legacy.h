/* ESP-IDF 3's events: one callback gets all of Wi-Fi, Ethernet and IP. New code has esp_event_handler_register(). */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "esp_err.h"
#include "esp_event.h"
#include "esp_netif.h"
#include "esp_wifi_types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    SYSTEM_EVENT_WIFI_READY = 0,
    SYSTEM_EVENT_SCAN_DONE,
    SYSTEM_EVENT_STA_START,
    SYSTEM_EVENT_STA_STOP,
    SYSTEM_EVENT_STA_CONNECTED,
    SYSTEM_EVENT_STA_DISCONNECTED,
    SYSTEM_EVENT_STA_AUTHMODE_CHANGE,
    SYSTEM_EVENT_STA_GOT_IP,
    SYSTEM_EVENT_STA_LOST_IP,
    SYSTEM_EVENT_STA_BSS_RSSI_LOW,
    SYSTEM_EVENT_STA_WPS_ER_SUCCESS,
    SYSTEM_EVENT_STA_WPS_ER_FAILED,
    SYSTEM_EVENT_STA_WPS_ER_TIMEOUT,
    SYSTEM_EVENT_STA_WPS_ER_PIN,
    SYSTEM_EVENT_STA_WPS_ER_PBC_OVERLAP,
    SYSTEM_EVENT_AP_START,
    SYSTEM_EVENT_AP_STOP,
    SYSTEM_EVENT_AP_STACONNECTED,
    SYSTEM_EVENT_AP_STADISCONNECTED,
    SYSTEM_EVENT_AP_STAIPASSIGNED,
    SYSTEM_EVENT_AP_PROBEREQRECVED,
    SYSTEM_EVENT_ACTION_TX_STATUS,
    SYSTEM_EVENT_ROC_DONE,
    SYSTEM_EVENT_STA_BEACON_TIMEOUT,
    SYSTEM_EVENT_FTM_REPORT,
    SYSTEM_EVENT_GOT_IP6,
    SYSTEM_EVENT_ETH_START,
    SYSTEM_EVENT_ETH_STOP,
    SYSTEM_EVENT_ETH_CONNECTED,
    SYSTEM_EVENT_ETH_DISCONNECTED,
    SYSTEM_EVENT_ETH_GOT_IP,
    SYSTEM_EVENT_ETH_LOST_IP,
    SYSTEM_EVENT_MAX
} system_event_id_t;

#define SYSTEM_EVENT_AP_STA_GOT_IP6 SYSTEM_EVENT_GOT_IP6

typedef wifi_event_sta_scan_done_t system_event_sta_scan_done_t;
typedef wifi_event_sta_connected_t system_event_sta_connected_t;
typedef wifi_event_sta_disconnected_t system_event_sta_disconnected_t;
typedef wifi_event_sta_authmode_change_t system_event_sta_authmode_change_t;
typedef wifi_event_sta_wps_fail_reason_t system_event_sta_wps_fail_reason_t;
typedef wifi_event_sta_wps_er_pin_t system_event_sta_wps_er_pin_t;
typedef wifi_event_sta_wps_er_success_t system_event_sta_wps_er_success_t;
typedef wifi_event_ap_staconnected_t system_event_ap_staconnected_t;
typedef wifi_event_ap_stadisconnected_t system_event_ap_stadisconnected_t;
typedef wifi_event_ap_probe_req_rx_t system_event_ap_probe_req_rx_t;
typedef ip_event_ap_staipassigned_t system_event_ap_staipassigned_t;
typedef ip_event_got_ip_t system_event_sta_got_ip_t;
typedef ip_event_got_ip6_t system_event_got_ip6_t;

/** By event_id; all zeros of an event that has no data. */
typedef union {
    system_event_sta_connected_t connected;
    system_event_sta_disconnected_t disconnected;
    system_event_sta_scan_done_t scan_done;
    system_event_sta_authmode_change_t auth_change;
    system_event_sta_got_ip_t got_ip;
    system_event_sta_wps_er_pin_t sta_er_pin;
    system_event_sta_wps_fail_reason_t sta_er_fail_reason;
    system_event_sta_wps_er_success_t sta_er_success;
    system_event_ap_staconnected_t sta_connected;
    system_event_ap_stadisconnected_t sta_disconnected;
    system_event_ap_probe_req_rx_t ap_probereqrecved;
    system_event_ap_staipassigned_t ap_staipassigned;
    system_event_got_ip6_t got_ip6;
} system_event_info_t;

typedef struct {
    system_event_id_t event_id;
    system_event_info_t event_info;
} system_event_t;

/** Called on the task of the default event loop, behind what interfaces do with the event; what it returns is not looked at. */
typedef esp_err_t (*system_event_cb_t)(void *ctx, system_event_t *event);

/**
 * Makes the default event loop, where there is none, and gives its events of Wi-Fi, Ethernet and IP to `cb` (may be NULL).
 * @return ESP_OK, ESP_ERR_INVALID_STATE (called before), ESP_ERR_NO_MEM
 */
esp_err_t esp_event_loop_init(system_event_cb_t cb, void *ctx);

/** Ends that, and deletes the default event loop.
    @return ESP_OK, ESP_ERR_INVALID_STATE (there is none), ESP_FAIL (called by a handler) */
esp_err_t esp_event_loop_deinit(void);

/** Another callback from now on; NULL: none. @return the one before */
system_event_cb_t esp_event_loop_set_cb(system_event_cb_t cb, void *ctx);

/**
 * Gives an event of the application's own to the callback; handlers of esp_event do not see it.
 * @return ESP_OK, ESP_ERR_INVALID_ARG (NULL), ESP_ERR_INVALID_STATE (before esp_event_loop_init()), ESP_ERR_NO_MEM
 */
esp_err_t esp_event_send(system_event_t *event);

/* Interfaces follow the drivers' events by themselves: nothing is left to do. */
esp_err_t esp_event_process_default(system_event_t *event);
void esp_event_set_default_wifi_handlers(void);
void esp_event_set_default_eth_handlers(void);

#ifdef __cplusplus
}
#endif
