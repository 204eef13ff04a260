/* What ESP-IDF's usual interfaces begin with. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "esp_netif_types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ESP_NETIF_INHERENT_DEFAULT_(flags_, got, lost, key, desc, prio)                                      \
    {                                                                                                        \
        .flags = (esp_netif_flags_t)(flags_), .mac = {0}, .ip_info = NULL, .get_ip_event = (got),            \
        .lost_ip_event = (lost), .if_key = (key), .if_desc = (desc), .route_prio = (prio),                   \
        .bridge_info = NULL                                                                                  \
    }
#define ESP_NETIF_INHERENT_DEFAULT_WIFI_STA()                                                                \
    ESP_NETIF_INHERENT_DEFAULT_(ESP_NETIF_DHCP_CLIENT | ESP_NETIF_FLAG_EVENT_IP_MODIFIED,                    \
                                IP_EVENT_STA_GOT_IP, IP_EVENT_STA_LOST_IP, "WIFI_STA_DEF", "sta", 100)
#define ESP_NETIF_INHERENT_DEFAULT_WIFI_AP()                                                                 \
    ESP_NETIF_INHERENT_DEFAULT_(ESP_NETIF_DHCP_SERVER | ESP_NETIF_FLAG_AUTOUP, 0, 0, "WIFI_AP_DEF", "ap", 10)
#define ESP_NETIF_INHERENT_DEFAULT_ETH()                                                                     \
    ESP_NETIF_INHERENT_DEFAULT_(ESP_NETIF_DHCP_CLIENT | ESP_NETIF_FLAG_EVENT_IP_MODIFIED,                    \
                                IP_EVENT_ETH_GOT_IP, IP_EVENT_ETH_LOST_IP, "ETH_DEF", "eth", 50)

extern const esp_netif_inherent_config_t _g_esp_netif_inherent_sta_config, _g_esp_netif_inherent_ap_config,
    _g_esp_netif_inherent_eth_config;
#define ESP_NETIF_BASE_DEFAULT_WIFI_STA &_g_esp_netif_inherent_sta_config
#define ESP_NETIF_BASE_DEFAULT_WIFI_AP  &_g_esp_netif_inherent_ap_config
#define ESP_NETIF_BASE_DEFAULT_ETH      &_g_esp_netif_inherent_eth_config

#define ESP_NETIF_NETSTACK_DEFAULT_WIFI_STA NULL
#define ESP_NETIF_NETSTACK_DEFAULT_WIFI_AP  NULL
#define ESP_NETIF_NETSTACK_DEFAULT_ETH      NULL

#define ESP_NETIF_DEFAULT_WIFI_STA()                                                                         \
    {                                                                                                        \
        .base = ESP_NETIF_BASE_DEFAULT_WIFI_STA, .driver = NULL, .stack = NULL                               \
    }
#define ESP_NETIF_DEFAULT_WIFI_AP()                                                                          \
    {                                                                                                        \
        .base = ESP_NETIF_BASE_DEFAULT_WIFI_AP, .driver = NULL, .stack = NULL                                \
    }
#define ESP_NETIF_DEFAULT_ETH()                                                                              \
    {                                                                                                        \
        .base = ESP_NETIF_BASE_DEFAULT_ETH, .driver = NULL, .stack = NULL                                    \
    }

#ifdef __cplusplus
}
#endif
