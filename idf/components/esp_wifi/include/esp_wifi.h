/* ESP-IDF's Wi-Fi without a radio: states, events and codes are the driver's, the network is this machine's. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "esp_err.h"
#include "esp_event.h"
#include "esp_wifi_default.h"
#include "esp_wifi_types.h"

#ifdef __cplusplus
extern "C" {
#endif

#ifndef ESP_ERR_WIFI_BASE
#define ESP_ERR_WIFI_BASE 0x3000
#endif
#define ESP_ERR_WIFI_NOT_INIT    (ESP_ERR_WIFI_BASE + 1)
#define ESP_ERR_WIFI_NOT_STARTED (ESP_ERR_WIFI_BASE + 2)
#define ESP_ERR_WIFI_NOT_STOPPED (ESP_ERR_WIFI_BASE + 3)
#define ESP_ERR_WIFI_IF          (ESP_ERR_WIFI_BASE + 4)
#define ESP_ERR_WIFI_MODE        (ESP_ERR_WIFI_BASE + 5)
#define ESP_ERR_WIFI_STATE       (ESP_ERR_WIFI_BASE + 6)
#define ESP_ERR_WIFI_CONN        (ESP_ERR_WIFI_BASE + 7)
#define ESP_ERR_WIFI_NVS         (ESP_ERR_WIFI_BASE + 8)
#define ESP_ERR_WIFI_MAC         (ESP_ERR_WIFI_BASE + 9)
#define ESP_ERR_WIFI_SSID        (ESP_ERR_WIFI_BASE + 10)
#define ESP_ERR_WIFI_PASSWORD    (ESP_ERR_WIFI_BASE + 11)
#define ESP_ERR_WIFI_TIMEOUT     (ESP_ERR_WIFI_BASE + 12)
#define ESP_ERR_WIFI_WAKE_FAIL   (ESP_ERR_WIFI_BASE + 13)
#define ESP_ERR_WIFI_WOULD_BLOCK (ESP_ERR_WIFI_BASE + 14)
#define ESP_ERR_WIFI_NOT_CONNECT (ESP_ERR_WIFI_BASE + 15)
#define ESP_ERR_WIFI_POST        (ESP_ERR_WIFI_BASE + 18)
#define ESP_ERR_WIFI_INIT_STATE  (ESP_ERR_WIFI_BASE + 19)
#define ESP_ERR_WIFI_STOP_STATE  (ESP_ERR_WIFI_BASE + 20)
#define ESP_ERR_WIFI_NOT_ASSOC   (ESP_ERR_WIFI_BASE + 21)
#define ESP_ERR_WIFI_TX_DISALLOW (ESP_ERR_WIFI_BASE + 22)

/** Of buffers, queues and features of a driver nothing is looked at. */
typedef struct {
    int static_rx_buf_num, dynamic_rx_buf_num, tx_buf_type, static_tx_buf_num, dynamic_tx_buf_num;
    int rx_mgmt_buf_type, rx_mgmt_buf_num, cache_tx_buf_num;
    int csi_enable, ampdu_rx_enable, ampdu_tx_enable, amsdu_tx_enable;
    int nvs_enable;
    int nano_enable, rx_ba_win, wifi_task_core_id, beacon_max_len, mgmt_sbuf_num;
    uint64_t feature_caps;
    bool sta_disconnected_pm;
    int espnow_max_encrypt_num, tx_hetb_queue_num;
    bool dump_hesigb_enable;
    int magic;
} wifi_init_config_t;
#define WIFI_INIT_CONFIG_MAGIC 0x1F2F3F4F
#define WIFI_INIT_CONFIG_DEFAULT()                                                                           \
    {                                                                                                        \
        .nvs_enable = 1, .magic = WIFI_INIT_CONFIG_MAGIC                                                     \
    }

/*
 * As of the driver: most functions are ESP_ERR_WIFI_NOT_INIT before esp_wifi_init(), ESP_ERR_WIFI_NOT_STARTED before
 * esp_wifi_start() where they need it, and ESP_ERR_INVALID_ARG with NULL. Any task may call them.
 */

/** Says once in the log that this is a stand-in. @return ESP_OK; ESP_ERR_INVALID_ARG: not WIFI_INIT_CONFIG_DEFAULT() */
esp_err_t esp_wifi_init(const wifi_init_config_t *config);
/** @return ESP_OK; ESP_ERR_WIFI_NOT_STOPPED */
esp_err_t esp_wifi_deinit(void);

esp_err_t esp_wifi_set_mode(wifi_mode_t mode);
esp_err_t esp_wifi_get_mode(wifi_mode_t *mode);

/** Posts WIFI_EVENT_STA_START and _AP_START; this machine then is the one station of the access point, with its events. */
esp_err_t esp_wifi_start(void);
/** Posts WIFI_EVENT_STA_DISCONNECTED if connected, WIFI_EVENT_STA_STOP and _AP_STOP. */
esp_err_t esp_wifi_stop(void);
/** Forgets the configuration, in NVS, too. */
esp_err_t esp_wifi_restore(void);

/**
 * Posts WIFI_EVENT_STA_CONNECTED; an interface of esp_netif_create_default_wifi_sta() then posts IP_EVENT_STA_GOT_IP.
 * @return ESP_OK, also when connected; ESP_ERR_WIFI_SSID: no network is configured; ESP_ERR_WIFI_MODE: no station
 */
esp_err_t esp_wifi_connect(void);
esp_err_t esp_wifi_disconnect(void);

/** One network is found: the one that is configured. Posts WIFI_EVENT_SCAN_DONE, before it returns if `block`. */
esp_err_t esp_wifi_scan_start(const wifi_scan_config_t *config, bool block);
esp_err_t esp_wifi_scan_stop(void);
esp_err_t esp_wifi_scan_get_ap_num(uint16_t *number);
/** @param number  room in `ap_records` before, filled records behind */
esp_err_t esp_wifi_scan_get_ap_records(uint16_t *number, wifi_ap_record_t *ap_records);
/** One record after the other. @return ESP_OK; ESP_FAIL: there are no more */
esp_err_t esp_wifi_scan_get_ap_record(wifi_ap_record_t *ap_record);
esp_err_t esp_wifi_clear_ap_list(void);

/** @return ESP_OK; ESP_ERR_WIFI_NOT_CONNECT */
esp_err_t esp_wifi_sta_get_ap_info(wifi_ap_record_t *ap_info);
esp_err_t esp_wifi_sta_get_rssi(int *rssi);
/** One, while it is started: this machine. */
esp_err_t esp_wifi_ap_get_sta_list(wifi_sta_list_t *sta);
/** @return ESP_OK; ESP_ERR_NOT_FOUND: none of that address */
esp_err_t esp_wifi_ap_get_sta_aid(const uint8_t mac[6], uint16_t *aid);

esp_err_t esp_wifi_set_config(wifi_interface_t interface, wifi_config_t *conf);
esp_err_t esp_wifi_get_config(wifi_interface_t interface, wifi_config_t *conf);
esp_err_t esp_wifi_set_mac(wifi_interface_t ifx, const uint8_t mac[6]);
esp_err_t esp_wifi_get_mac(wifi_interface_t ifx, uint8_t mac[6]);

/**
 * WIFI_STORAGE_FLASH, as after esp_wifi_init() with nvs_enable: mode and configurations of both interfaces are in NVS (namespace
 * nvs.net80211), where esp_wifi_init() finds them after a restart. Setters are ESP_ERR_WIFI_NVS where NVS has no room.
 */
esp_err_t esp_wifi_set_storage(wifi_storage_t storage);

/* What only a radio could do: kept until a restart, and given back. */
esp_err_t esp_wifi_set_ps(wifi_ps_type_t type);
esp_err_t esp_wifi_get_ps(wifi_ps_type_t *type);
esp_err_t esp_wifi_set_protocol(wifi_interface_t ifx, uint8_t protocol_bitmap);
esp_err_t esp_wifi_get_protocol(wifi_interface_t ifx, uint8_t *protocol_bitmap);
esp_err_t esp_wifi_set_bandwidth(wifi_interface_t ifx, wifi_bandwidth_t bw);
esp_err_t esp_wifi_get_bandwidth(wifi_interface_t ifx, wifi_bandwidth_t *bw);
esp_err_t esp_wifi_set_channel(uint8_t primary, wifi_second_chan_t second);
/** Always 1. */
esp_err_t esp_wifi_get_channel(uint8_t *primary, wifi_second_chan_t *second);
esp_err_t esp_wifi_set_country(const wifi_country_t *country);
esp_err_t esp_wifi_get_country(wifi_country_t *country);
esp_err_t esp_wifi_set_country_code(const char *country, bool ieee80211d_enabled);
/** @param country  3 bytes, without a 0 behind */
esp_err_t esp_wifi_get_country_code(char *country);
/** @param power  quarters of dBm, 8 to 84 */
esp_err_t esp_wifi_set_max_tx_power(int8_t power);
esp_err_t esp_wifi_get_max_tx_power(int8_t *power);
/** @param sec  3 at least for a station, 10 for an access point */
esp_err_t esp_wifi_set_inactive_time(wifi_interface_t ifx, uint16_t sec);
esp_err_t esp_wifi_get_inactive_time(wifi_interface_t ifx, uint16_t *sec);
/** @param config  NULL: the usual ones */
esp_err_t esp_wifi_set_scan_parameters(const wifi_scan_default_params_t *config);
esp_err_t esp_wifi_get_scan_parameters(wifi_scan_default_params_t *config);
esp_err_t esp_wifi_set_event_mask(uint32_t mask);
esp_err_t esp_wifi_get_event_mask(uint32_t *mask);
/** 2.4 GHz alone; another band is ESP_ERR_NOT_SUPPORTED. */
esp_err_t esp_wifi_set_band(wifi_band_t band);
esp_err_t esp_wifi_get_band(wifi_band_t *band);
esp_err_t esp_wifi_set_band_mode(wifi_band_mode_t band_mode);
esp_err_t esp_wifi_get_band_mode(wifi_band_mode_t *band_mode);

/* Taken, and of no consequence. */
esp_err_t esp_wifi_clear_fast_connect(void);
esp_err_t esp_wifi_deauth_sta(uint16_t aid);
esp_err_t esp_wifi_set_rssi_threshold(int32_t rssi);
esp_err_t esp_wifi_config_11b_rate(wifi_interface_t ifx, bool disable);
esp_err_t esp_wifi_config_80211_tx_rate(wifi_interface_t ifx, wifi_phy_rate_t rate);
esp_err_t esp_wifi_disable_pmf_config(wifi_interface_t ifx);
esp_err_t esp_wifi_connectionless_module_set_wake_interval(uint16_t wake_interval);
esp_err_t esp_wifi_force_wakeup_acquire(void);
esp_err_t esp_wifi_force_wakeup_release(void);
esp_err_t esp_wifi_set_dynamic_cs(bool enabled);
esp_err_t esp_wifi_statis_dump(uint32_t modules);
typedef void (*esp_vendor_ie_cb_t)(void *ctx, wifi_vendor_ie_type_t type, const uint8_t sa[6],
                                   const vendor_ie_data_t *vnd_ie, int rssi);
esp_err_t esp_wifi_set_vendor_ie(bool enable, wifi_vendor_ie_type_t type, wifi_vendor_ie_id_t idx,
                                 const void *vnd_ie);
esp_err_t esp_wifi_set_vendor_ie_cb(esp_vendor_ie_cb_t cb, void *ctx);
/** This device's own time, us. */
int64_t esp_wifi_get_tsf_time(wifi_interface_t interface);
/** 1 while connected, else 0. */
esp_err_t esp_wifi_sta_get_aid(uint16_t *aid);
/** @return ESP_OK; ESP_ERR_WIFI_NOT_CONNECT */
esp_err_t esp_wifi_sta_get_negotiated_phymode(wifi_phy_mode_t *phymode);

#define WIFI_PROTOCOL_11B 0x1
#define WIFI_PROTOCOL_11G 0x2
#define WIFI_PROTOCOL_11N 0x4
#define WIFI_PROTOCOL_LR  0x8

/* There is no radio that hears others, or sends: what would begin that is ESP_ERR_NOT_SUPPORTED, callbacks are taken. */
typedef void (*wifi_promiscuous_cb_t)(void *buf, wifi_promiscuous_pkt_type_t type);
esp_err_t esp_wifi_set_promiscuous(bool en);
esp_err_t esp_wifi_get_promiscuous(bool *en);
esp_err_t esp_wifi_set_promiscuous_rx_cb(wifi_promiscuous_cb_t cb);
esp_err_t esp_wifi_set_promiscuous_filter(const wifi_promiscuous_filter_t *filter);
esp_err_t esp_wifi_80211_tx(wifi_interface_t ifx, const void *buffer, int len, bool en_sys_seq);
typedef void (*wifi_csi_cb_t)(void *ctx, wifi_csi_info_t *data);
esp_err_t esp_wifi_set_csi(bool en);
esp_err_t esp_wifi_set_csi_rx_cb(wifi_csi_cb_t cb, void *ctx);
esp_err_t esp_wifi_ftm_end_session(void);

#ifdef __cplusplus
}
#endif

#ifdef CONFIG_ESP_NETIF_TCPIP_ADAPTER_COMPATIBLE_LAYER
#include "esp_event_legacy.h" /* as ESP-IDF 4's headers did */
#include "tcpip_adapter.h"
#endif
