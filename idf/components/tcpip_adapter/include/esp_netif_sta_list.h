/* The addresses of an access point's stations, by ESP-IDF 4's name. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "esp_netif.h"
#include "esp_wifi_types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    uint8_t mac[6];
    esp_ip4_addr_t ip;
} esp_netif_sta_info_t;

typedef struct {
    esp_netif_sta_info_t sta[ESP_WIFI_MAX_CONN_NUM];
    int num;
} esp_netif_sta_list_t;

/** The same stations, with the address of this machine, which is the only one.
    @return ESP_OK; ESP_ERR_ESP_NETIF_INVALID_PARAMS */
esp_err_t esp_netif_get_sta_list(const wifi_sta_list_t *wifi_sta_list, esp_netif_sta_list_t *netif_sta_list);

#ifdef __cplusplus
}
#endif
