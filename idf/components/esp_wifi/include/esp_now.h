/* ESP-NOW without a radio: peers are kept, no peer acknowledges what is sent to it, and nothing is received. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "esp_wifi.h"
#include "esp_wifi_types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ESP_ERR_ESPNOW_BASE      (ESP_ERR_WIFI_BASE + 100)
#define ESP_ERR_ESPNOW_NOT_INIT  (ESP_ERR_ESPNOW_BASE + 1)
#define ESP_ERR_ESPNOW_ARG       (ESP_ERR_ESPNOW_BASE + 2)
#define ESP_ERR_ESPNOW_NO_MEM    (ESP_ERR_ESPNOW_BASE + 3)
#define ESP_ERR_ESPNOW_FULL      (ESP_ERR_ESPNOW_BASE + 4)
#define ESP_ERR_ESPNOW_NOT_FOUND (ESP_ERR_ESPNOW_BASE + 5)
#define ESP_ERR_ESPNOW_INTERNAL  (ESP_ERR_ESPNOW_BASE + 6)
#define ESP_ERR_ESPNOW_EXIST     (ESP_ERR_ESPNOW_BASE + 7)
#define ESP_ERR_ESPNOW_IF        (ESP_ERR_ESPNOW_BASE + 8)
#define ESP_ERR_ESPNOW_CHAN      (ESP_ERR_ESPNOW_BASE + 9)

#define ESP_NOW_ETH_ALEN             6
#define ESP_NOW_KEY_LEN              16
#define ESP_NOW_MAX_TOTAL_PEER_NUM   20
#define ESP_NOW_MAX_ENCRYPT_PEER_NUM 6
#define ESP_NOW_MAX_IE_DATA_LEN      250
#define ESP_NOW_MAX_DATA_LEN         ESP_NOW_MAX_IE_DATA_LEN
#define ESP_NOW_MAX_DATA_LEN_V2      1470

typedef enum {
    ESP_NOW_SEND_SUCCESS = WIFI_SEND_SUCCESS,
    ESP_NOW_SEND_FAIL = WIFI_SEND_FAIL,
} esp_now_send_status_t;

typedef struct esp_now_peer_info {
    uint8_t peer_addr[ESP_NOW_ETH_ALEN];
    uint8_t lmk[ESP_NOW_KEY_LEN];
    uint8_t channel; /* without a meaning here */
    wifi_interface_t ifidx;
    bool encrypt;
    void *priv;
} esp_now_peer_info_t;

typedef struct esp_now_peer_num {
    int total_num, encrypt_num;
} esp_now_peer_num_t;

typedef struct esp_now_recv_info {
    uint8_t *src_addr, *des_addr;
    wifi_pkt_rx_ctrl_t *rx_ctrl;
} esp_now_recv_info_t;

typedef wifi_tx_info_t esp_now_send_info_t;
typedef wifi_tx_rate_config_t esp_now_rate_config_t;

typedef void (*esp_now_recv_cb_t)(const esp_now_recv_info_t *esp_now_info, const uint8_t *data, int data_len);
typedef void (*esp_now_send_cb_t)(const esp_now_send_info_t *tx_info, esp_now_send_status_t status);
/* Before ESP-IDF 5.0 and 5.5. */
typedef void (*esp_now_old_recv_cb_t)(const uint8_t *mac_addr, const uint8_t *data, int data_len);
typedef void (*esp_now_old_send_cb_t)(const uint8_t *mac_addr, esp_now_send_status_t status);

/* All but the next three are ESP_ERR_ESPNOW_NOT_INIT before esp_now_init(), ESP_ERR_ESPNOW_ARG with NULL. */

/** Says once in the log that this is a stand-in. @return ESP_OK; ESP_ERR_ESPNOW_INTERNAL: before esp_wifi_init() */
esp_err_t esp_now_init(void);
/** Forgets peers and callbacks. */
esp_err_t esp_now_deinit(void);
esp_err_t esp_now_get_version(uint32_t *version);

/** It is never called. */
esp_err_t esp_now_register_recv_cb(esp_now_recv_cb_t cb);
esp_err_t esp_now_register_old_recv_cb(esp_now_old_recv_cb_t cb);
esp_err_t esp_now_unregister_recv_cb(void);
/** Called in the timers' task: ESP_NOW_SEND_SUCCESS for what goes to everybody, else ESP_NOW_SEND_FAIL. */
esp_err_t esp_now_register_send_cb(esp_now_send_cb_t cb);
esp_err_t esp_now_register_old_send_cb(esp_now_old_send_cb_t cb);
esp_err_t esp_now_unregister_send_cb(void);

/** @param peer_addr  NULL: to all peers. @return ESP_OK; ESP_ERR_ESPNOW_ARG: no data, or more than ESP_NOW_MAX_DATA_LEN_V2;
    ESP_ERR_ESPNOW_NOT_FOUND; ESP_ERR_ESPNOW_NO_MEM: too much waits to be told */
esp_err_t esp_now_send(const uint8_t *peer_addr, const uint8_t *data, size_t len);

/** @return ESP_OK; ESP_ERR_ESPNOW_EXIST; ESP_ERR_ESPNOW_FULL */
esp_err_t esp_now_add_peer(const esp_now_peer_info_t *peer);
/** @return ESP_OK; ESP_ERR_ESPNOW_NOT_FOUND, as of all that follow */
esp_err_t esp_now_del_peer(const uint8_t *peer_addr);
esp_err_t esp_now_mod_peer(const esp_now_peer_info_t *peer);
esp_err_t esp_now_get_peer(const uint8_t *peer_addr, esp_now_peer_info_t *peer);
esp_err_t esp_now_fetch_peer(bool from_head, esp_now_peer_info_t *peer);
esp_err_t esp_now_set_peer_rate_config(const uint8_t *peer_addr, esp_now_rate_config_t *config);
bool esp_now_is_peer_exist(const uint8_t *peer_addr);
esp_err_t esp_now_get_peer_num(esp_now_peer_num_t *num);

/* Taken, and of no consequence. */
esp_err_t esp_now_set_pmk(const uint8_t *pmk);
esp_err_t esp_now_set_wake_window(uint16_t window);
esp_err_t esp_wifi_config_espnow_rate(wifi_interface_t ifx, wifi_phy_rate_t rate);
esp_err_t esp_now_set_user_oui(uint8_t *oui);
esp_err_t esp_now_get_user_oui(uint8_t *oui);

#ifdef __cplusplus
}

/* Callbacks of either version. */
static inline esp_err_t esp_now_register_recv_cb(esp_now_old_recv_cb_t cb)
{
    return esp_now_register_old_recv_cb(cb);
}

static inline esp_err_t esp_now_register_send_cb(esp_now_old_send_cb_t cb)
{
    return esp_now_register_old_send_cb(cb);
}
#else
#define esp_now_register_recv_cb(cb)                                                                         \
    _Generic((cb), esp_now_old_recv_cb_t                                                                     \
             : esp_now_register_old_recv_cb, default                                                         \
             : esp_now_register_recv_cb)(cb)
#define esp_now_register_send_cb(cb)                                                                         \
    _Generic((cb), esp_now_old_send_cb_t                                                                     \
             : esp_now_register_old_send_cb, default                                                         \
             : esp_now_register_send_cb)(cb)
#endif
