/* The types of ESP-IDF's Wi-Fi, as far as applications that join a network or offer one use them. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sdkconfig.h"
#include "esp_event_base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    WIFI_MODE_NULL = 0,
    WIFI_MODE_STA,
    WIFI_MODE_AP,
    WIFI_MODE_APSTA,
    WIFI_MODE_NAN,
    WIFI_MODE_MAX
} wifi_mode_t;

typedef enum { WIFI_IF_STA = 0, WIFI_IF_AP = 1, WIFI_IF_NAN = 2, WIFI_IF_MAX } wifi_interface_t;

/* The names of ESP-IDF 3 and 4. */
#define ESP_IF_WIFI_STA WIFI_IF_STA
#define ESP_IF_WIFI_AP  WIFI_IF_AP

typedef enum {
    WIFI_COUNTRY_POLICY_AUTO,
    WIFI_COUNTRY_POLICY_MANUAL,
} wifi_country_policy_t;

typedef struct {
    char cc[3];
    uint8_t schan, nchan;
    int8_t max_tx_power;
    wifi_country_policy_t policy;
    uint32_t wifi_5g_channel_mask;
} wifi_country_t;

typedef enum {
    WIFI_AUTH_OPEN = 0,
    WIFI_AUTH_WEP,
    WIFI_AUTH_WPA_PSK,
    WIFI_AUTH_WPA2_PSK,
    WIFI_AUTH_WPA_WPA2_PSK,
    WIFI_AUTH_ENTERPRISE,
    WIFI_AUTH_WPA2_ENTERPRISE = WIFI_AUTH_ENTERPRISE,
    WIFI_AUTH_WPA3_PSK,
    WIFI_AUTH_WPA2_WPA3_PSK,
    WIFI_AUTH_WAPI_PSK,
    WIFI_AUTH_OWE,
    WIFI_AUTH_WPA3_ENT_192,
    WIFI_AUTH_WPA3_EXT_PSK,
    WIFI_AUTH_WPA3_EXT_PSK_MIXED_MODE,
    WIFI_AUTH_DPP,
    WIFI_AUTH_WPA3_ENTERPRISE,
    WIFI_AUTH_WPA2_WPA3_ENTERPRISE,
    WIFI_AUTH_WPA_ENTERPRISE,
    WIFI_AUTH_MAX
} wifi_auth_mode_t;

typedef enum {
    WIFI_REASON_UNSPECIFIED = 1,
    WIFI_REASON_AUTH_EXPIRE = 2,
    WIFI_REASON_AUTH_LEAVE = 3,
    WIFI_REASON_ASSOC_EXPIRE = 4,
    WIFI_REASON_ASSOC_TOOMANY = 5,
    WIFI_REASON_NOT_AUTHED = 6,
    WIFI_REASON_NOT_ASSOCED = 7,
    WIFI_REASON_ASSOC_LEAVE = 8,
    WIFI_REASON_ASSOC_NOT_AUTHED = 9,
    WIFI_REASON_MIC_FAILURE = 14,
    WIFI_REASON_4WAY_HANDSHAKE_TIMEOUT = 15,
    WIFI_REASON_GROUP_KEY_UPDATE_TIMEOUT = 16,
    WIFI_REASON_802_1X_AUTH_FAILED = 23,
    WIFI_REASON_TIMEOUT = 39,
    WIFI_REASON_BEACON_TIMEOUT = 200,
    WIFI_REASON_NO_AP_FOUND = 201,
    WIFI_REASON_AUTH_FAIL = 202,
    WIFI_REASON_ASSOC_FAIL = 203,
    WIFI_REASON_HANDSHAKE_TIMEOUT = 204,
    WIFI_REASON_CONNECTION_FAIL = 205,
    WIFI_REASON_ROAMING = 207,
} wifi_err_reason_t;

typedef enum { WIFI_SECOND_CHAN_NONE = 0, WIFI_SECOND_CHAN_ABOVE, WIFI_SECOND_CHAN_BELOW } wifi_second_chan_t;
typedef enum { WIFI_SCAN_TYPE_ACTIVE = 0, WIFI_SCAN_TYPE_PASSIVE } wifi_scan_type_t;
typedef enum { WIFI_FAST_SCAN = 0, WIFI_ALL_CHANNEL_SCAN } wifi_scan_method_t;
typedef enum { WIFI_CONNECT_AP_BY_SIGNAL = 0, WIFI_CONNECT_AP_BY_SECURITY } wifi_sort_method_t;
typedef enum { WIFI_PS_NONE, WIFI_PS_MIN_MODEM, WIFI_PS_MAX_MODEM } wifi_ps_type_t;
typedef enum {
    WIFI_BW_HT20 = 1,
    WIFI_BW20 = WIFI_BW_HT20,
    WIFI_BW_HT40 = 2,
    WIFI_BW40 = WIFI_BW_HT40,
} wifi_bandwidth_t;
typedef enum { WIFI_BAND_2G = 1, WIFI_BAND_5G = 2 } wifi_band_t;
typedef enum { WIFI_BAND_MODE_2G_ONLY = 1, WIFI_BAND_MODE_5G_ONLY, WIFI_BAND_MODE_AUTO } wifi_band_mode_t;
typedef enum { WIFI_STORAGE_FLASH, WIFI_STORAGE_RAM } wifi_storage_t;
typedef enum { WIFI_ANT_ANT0, WIFI_ANT_ANT1, WIFI_ANT_MAX } wifi_ant_t;

typedef enum {
    WIFI_CIPHER_TYPE_NONE = 0,
    WIFI_CIPHER_TYPE_WEP40,
    WIFI_CIPHER_TYPE_WEP104,
    WIFI_CIPHER_TYPE_TKIP,
    WIFI_CIPHER_TYPE_CCMP,
    WIFI_CIPHER_TYPE_TKIP_CCMP,
    WIFI_CIPHER_TYPE_AES_CMAC128,
    WIFI_CIPHER_TYPE_SMS4,
    WIFI_CIPHER_TYPE_GCMP,
    WIFI_CIPHER_TYPE_GCMP256,
    WIFI_CIPHER_TYPE_AES_GMAC128,
    WIFI_CIPHER_TYPE_AES_GMAC256,
    WIFI_CIPHER_TYPE_UNKNOWN,
} wifi_cipher_type_t;

typedef enum {
    WPA3_SAE_PWE_UNSPECIFIED,
    WPA3_SAE_PWE_HUNT_AND_PECK,
    WPA3_SAE_PWE_HASH_TO_ELEMENT,
    WPA3_SAE_PWE_BOTH,
} wifi_sae_pwe_method_t;

typedef enum {
    WPA3_SAE_PK_MODE_AUTOMATIC = 0,
    WPA3_SAE_PK_MODE_ONLY = 1,
    WPA3_SAE_PK_MODE_DISABLED = 2,
} wifi_sae_pk_mode_t;

typedef struct {
    uint32_t min, max; /* ms */
} wifi_active_scan_time_t;

typedef struct {
    wifi_active_scan_time_t active;
    uint32_t passive; /* ms */
} wifi_scan_time_t;

typedef struct {
    uint8_t *ssid, *bssid;
    uint8_t channel;
    bool show_hidden;
    wifi_scan_type_t scan_type;
    wifi_scan_time_t scan_time;
    uint8_t home_chan_dwell_time;
    struct {
        uint16_t ghz_2_channels;
        uint32_t ghz_5_channels;
    } channel_bitmap;
    bool coex_background_scan;
} wifi_scan_config_t;

typedef struct {
    uint8_t bssid[6], ssid[33];
    uint8_t primary;
    wifi_second_chan_t second;
    int8_t rssi;
    wifi_auth_mode_t authmode;
    wifi_cipher_type_t pairwise_cipher, group_cipher;
    wifi_ant_t ant;
    uint32_t phy_11b : 1, phy_11g : 1, phy_11n : 1, phy_lr : 1, phy_11a : 1, phy_11ac : 1, phy_11ax : 1,
        wps : 1, ftm_responder : 1, ftm_initiator : 1, reserved : 22;
    wifi_country_t country;
    wifi_bandwidth_t bandwidth;
    uint8_t vht_ch_freq1, vht_ch_freq2;
} wifi_ap_record_t;

typedef struct {
    int8_t rssi;
    wifi_auth_mode_t authmode;
    uint8_t rssi_5g_adjustment;
} wifi_scan_threshold_t;

typedef struct {
    bool capable, required;
} wifi_pmf_config_t;

typedef struct {
    uint8_t ssid[32], password[64];
    uint8_t ssid_len, channel;
    wifi_auth_mode_t authmode;
    uint8_t ssid_hidden, max_connection;
    uint16_t beacon_interval;
    wifi_cipher_type_t pairwise_cipher;
    bool ftm_responder;
    wifi_pmf_config_t pmf_cfg;
    wifi_sae_pwe_method_t sae_pwe_h2e;
    uint8_t transition_disable : 1, sae_ext : 1, wpa3_compatible_mode : 1, reserved : 5;
    uint8_t csa_count, dtim_period;
    struct {
        uint16_t period;
        bool protected_keep_alive;
    } bss_max_idle_cfg;
    uint16_t gtk_rekey_interval;
} wifi_ap_config_t;

typedef struct {
    uint8_t ssid[32], password[64];
    wifi_scan_method_t scan_method;
    bool bssid_set;
    uint8_t bssid[6];
    uint8_t channel;
    uint16_t listen_interval;
    wifi_sort_method_t sort_method;
    wifi_scan_threshold_t threshold;
    wifi_pmf_config_t pmf_cfg;
    uint32_t rm_enabled : 1, btm_enabled : 1, mbo_enabled : 1, ft_enabled : 1, owe_enabled : 1,
        transition_disable : 1, reserved : 26;
    wifi_sae_pwe_method_t sae_pwe_h2e;
    wifi_sae_pk_mode_t sae_pk_mode;
    uint8_t failure_retry_cnt;
    uint8_t sae_h2e_identifier[32];
} wifi_sta_config_t;

typedef union {
    wifi_ap_config_t ap;
    wifi_sta_config_t sta;
} wifi_config_t;

typedef struct {
    uint8_t mac[6];
    int8_t rssi;
    uint32_t phy_11b : 1, phy_11g : 1, phy_11n : 1, phy_lr : 1, phy_11a : 1, phy_11ac : 1, phy_11ax : 1,
        is_mesh_child : 1, reserved : 24;
} wifi_sta_info_t;

#define ESP_WIFI_MAX_CONN_NUM 15

typedef struct wifi_sta_list_t {
    wifi_sta_info_t sta[ESP_WIFI_MAX_CONN_NUM];
    int num;
} wifi_sta_list_t;

/* ids of WIFI_EVENT */
typedef enum {
    WIFI_EVENT_WIFI_READY = 0,
    WIFI_EVENT_SCAN_DONE, /* data: wifi_event_sta_scan_done_t */
    WIFI_EVENT_STA_START,
    WIFI_EVENT_STA_STOP,
    WIFI_EVENT_STA_CONNECTED,    /* data: wifi_event_sta_connected_t */
    WIFI_EVENT_STA_DISCONNECTED, /* data: wifi_event_sta_disconnected_t */
    WIFI_EVENT_STA_AUTHMODE_CHANGE,
    WIFI_EVENT_STA_WPS_ER_SUCCESS,
    WIFI_EVENT_STA_WPS_ER_FAILED,
    WIFI_EVENT_STA_WPS_ER_TIMEOUT,
    WIFI_EVENT_STA_WPS_ER_PIN,
    WIFI_EVENT_STA_WPS_ER_PBC_OVERLAP,
    WIFI_EVENT_AP_START,
    WIFI_EVENT_AP_STOP,
    WIFI_EVENT_AP_STACONNECTED,
    WIFI_EVENT_AP_STADISCONNECTED,
    WIFI_EVENT_AP_PROBEREQRECVED,
    WIFI_EVENT_FTM_REPORT,
    WIFI_EVENT_STA_BSS_RSSI_LOW,
    WIFI_EVENT_ACTION_TX_STATUS,
    WIFI_EVENT_ROC_DONE,
    WIFI_EVENT_STA_BEACON_TIMEOUT,
    WIFI_EVENT_MAX,
} wifi_event_t;

ESP_EVENT_DECLARE_BASE(WIFI_EVENT);

typedef struct {
    uint32_t status; /* 0: the scan succeeded */
    uint8_t number, scan_id;
} wifi_event_sta_scan_done_t;

typedef struct {
    uint8_t ssid[32], ssid_len, bssid[6], channel;
    wifi_auth_mode_t authmode;
    uint16_t aid;
} wifi_event_sta_connected_t;

typedef struct {
    uint8_t ssid[32], ssid_len, bssid[6], reason;
    int8_t rssi;
} wifi_event_sta_disconnected_t;

typedef struct {
    wifi_auth_mode_t old_mode, new_mode;
} wifi_event_sta_authmode_change_t;

/* Of WPS, and of requests that a radio hears: without one, none of these comes. */
typedef struct {
    uint8_t pin_code[8];
} wifi_event_sta_wps_er_pin_t;

typedef enum {
    WPS_FAIL_REASON_NORMAL = 0,
    WPS_FAIL_REASON_RECV_M2D,
    WPS_FAIL_REASON_RECV_DEAUTH,
    WPS_FAIL_REASON_MAX
} wifi_event_sta_wps_fail_reason_t;

#define MAX_SSID_LEN       32
#define MAX_PASSPHRASE_LEN 64
#define MAX_WPS_AP_CRED    3

typedef struct {
    uint8_t ap_cred_cnt;
    struct {
        uint8_t ssid[MAX_SSID_LEN], passphrase[MAX_PASSPHRASE_LEN];
    } ap_cred[MAX_WPS_AP_CRED];
} wifi_event_sta_wps_er_success_t;

typedef struct {
    int rssi;
    uint8_t mac[6];
} wifi_event_ap_probe_req_rx_t;

typedef struct {
    uint8_t mac[6], aid;
    bool is_mesh_child;
} wifi_event_ap_staconnected_t;

typedef struct {
    uint8_t mac[6], aid;
    bool is_mesh_child;
    uint16_t reason;
} wifi_event_ap_stadisconnected_t;

/* ---- of what only a radio hears or sends ---- */

typedef enum {
    WIFI_PHY_MODE_LR,
    WIFI_PHY_MODE_11B,
    WIFI_PHY_MODE_11G,
    WIFI_PHY_MODE_11A,
    WIFI_PHY_MODE_HT20,
    WIFI_PHY_MODE_HT40,
    WIFI_PHY_MODE_HE20,
    WIFI_PHY_MODE_VHT20,
} wifi_phy_mode_t;

typedef enum {
    WIFI_PHY_RATE_1M_L = 0x00,
    WIFI_PHY_RATE_2M_L = 0x01,
    WIFI_PHY_RATE_5M_L = 0x02,
    WIFI_PHY_RATE_11M_L = 0x03,
    WIFI_PHY_RATE_2M_S = 0x05,
    WIFI_PHY_RATE_5M_S = 0x06,
    WIFI_PHY_RATE_11M_S = 0x07,
    WIFI_PHY_RATE_48M = 0x08,
    WIFI_PHY_RATE_24M = 0x09,
    WIFI_PHY_RATE_12M = 0x0A,
    WIFI_PHY_RATE_6M = 0x0B,
    WIFI_PHY_RATE_54M = 0x0C,
    WIFI_PHY_RATE_36M = 0x0D,
    WIFI_PHY_RATE_18M = 0x0E,
    WIFI_PHY_RATE_9M = 0x0F,
    WIFI_PHY_RATE_MCS0_LGI = 0x10,
    WIFI_PHY_RATE_MCS7_LGI = 0x17,
    WIFI_PHY_RATE_LORA_250K = 0x29,
    WIFI_PHY_RATE_LORA_500K = 0x2A,
    WIFI_PHY_RATE_MAX,
} wifi_phy_rate_t;

typedef struct {
    wifi_phy_mode_t phymode;
    wifi_phy_rate_t rate;
    bool ersu, dcm;
} wifi_tx_rate_config_t;

typedef enum { WIFI_SEND_SUCCESS = 0, WIFI_SEND_FAIL } wifi_tx_status_t;

typedef struct {
    uint8_t *des_addr, *src_addr;
    wifi_interface_t ifidx;
    uint8_t *data;
    uint16_t data_len;
    wifi_phy_rate_t rate;
    int tx_status; /* wifi_tx_status_t */
} wifi_tx_info_t;

typedef wifi_tx_info_t esp_80211_tx_info_t;

typedef struct {
    int rssi, noise_floor;
    unsigned rate, channel, timestamp, sig_len;
    unsigned rx_state;
} wifi_pkt_rx_ctrl_t;

typedef struct {
    wifi_pkt_rx_ctrl_t rx_ctrl;
    uint8_t payload[];
} wifi_promiscuous_pkt_t;

typedef enum { WIFI_PKT_MGMT, WIFI_PKT_CTRL, WIFI_PKT_DATA, WIFI_PKT_MISC } wifi_promiscuous_pkt_type_t;

#define WIFI_PROMIS_FILTER_MASK_ALL  0xFFFFFFFFu
#define WIFI_PROMIS_FILTER_MASK_MGMT 1u
#define WIFI_PROMIS_FILTER_MASK_CTRL (1u << 1)
#define WIFI_PROMIS_FILTER_MASK_DATA (1u << 2)
#define WIFI_PROMIS_FILTER_MASK_MISC (1u << 3)

typedef struct {
    uint32_t filter_mask;
} wifi_promiscuous_filter_t;

typedef struct {
    wifi_scan_time_t scan_time;
    uint8_t home_chan_dwell_time;
} wifi_scan_default_params_t;

typedef enum {
    WIFI_VND_IE_TYPE_BEACON,
    WIFI_VND_IE_TYPE_PROBE_REQ,
    WIFI_VND_IE_TYPE_PROBE_RESP,
    WIFI_VND_IE_TYPE_ASSOC_REQ,
    WIFI_VND_IE_TYPE_ASSOC_RESP,
} wifi_vendor_ie_type_t;

typedef enum { WIFI_VND_IE_ID_0, WIFI_VND_IE_ID_1 } wifi_vendor_ie_id_t;

#define WIFI_VENDOR_IE_ELEMENT_ID 0xDD

typedef struct {
    uint8_t element_id, length, vendor_oui[3], vendor_oui_type;
    uint8_t payload[];
} vendor_ie_data_t;

typedef struct {
    wifi_pkt_rx_ctrl_t rx_ctrl;
    uint8_t mac[6], dmac[6];
    bool first_word_invalid;
    int8_t *buf;
    uint16_t len;
} wifi_csi_info_t;

#define WIFI_EVENT_MASK_ALL               0xFFFFFFFFu
#define WIFI_EVENT_MASK_NONE              0u
#define WIFI_EVENT_MASK_AP_PROBEREQRECVED 1u

#ifdef __cplusplus
}
#endif
