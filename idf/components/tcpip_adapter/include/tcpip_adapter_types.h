/* Names of ESP-IDF 3 for the types of esp_netif. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "esp_netif.h"
#include "esp_netif_sta_list.h"
#include "lwip/ip_addr.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TCPIP_ADAPTER_DHCP_INIT                   ESP_NETIF_DHCP_INIT
#define TCPIP_ADAPTER_DHCP_STARTED                ESP_NETIF_DHCP_STARTED
#define TCPIP_ADAPTER_DHCP_STOPPED                ESP_NETIF_DHCP_STOPPED
#define TCPIP_ADAPTER_DNS_MAIN                    ESP_NETIF_DNS_MAIN
#define TCPIP_ADAPTER_DNS_BACKUP                  ESP_NETIF_DNS_BACKUP
#define TCPIP_ADAPTER_DNS_FALLBACK                ESP_NETIF_DNS_FALLBACK
#define TCPIP_ADAPTER_OP_SET                      ESP_NETIF_OP_SET
#define TCPIP_ADAPTER_OP_GET                      ESP_NETIF_OP_GET
#define TCPIP_ADAPTER_DOMAIN_NAME_SERVER          ESP_NETIF_DOMAIN_NAME_SERVER
#define TCPIP_ADAPTER_ROUTER_SOLICITATION_ADDRESS ESP_NETIF_ROUTER_SOLICITATION_ADDRESS
#define TCPIP_ADAPTER_REQUESTED_IP_ADDRESS        ESP_NETIF_REQUESTED_IP_ADDRESS
#define TCPIP_ADAPTER_IP_ADDRESS_LEASE_TIME       ESP_NETIF_IP_ADDRESS_LEASE_TIME
#define TCPIP_ADAPTER_IP_REQUEST_RETRY_TIME       ESP_NETIF_IP_REQUEST_RETRY_TIME

#define ESP_ERR_TCPIP_ADAPTER_INVALID_PARAMS       ESP_ERR_ESP_NETIF_INVALID_PARAMS
#define ESP_ERR_TCPIP_ADAPTER_IF_NOT_READY         ESP_ERR_ESP_NETIF_IF_NOT_READY
#define ESP_ERR_TCPIP_ADAPTER_DHCPC_START_FAILED   ESP_ERR_ESP_NETIF_DHCPC_START_FAILED
#define ESP_ERR_TCPIP_ADAPTER_DHCP_ALREADY_STARTED ESP_ERR_ESP_NETIF_DHCP_ALREADY_STARTED
#define ESP_ERR_TCPIP_ADAPTER_DHCP_ALREADY_STOPPED ESP_ERR_ESP_NETIF_DHCP_ALREADY_STOPPED
#define ESP_ERR_TCPIP_ADAPTER_NO_MEM               ESP_ERR_ESP_NETIF_NO_MEM
#define ESP_ERR_TCPIP_ADAPTER_DHCP_NOT_STOPPED     ESP_ERR_ESP_NETIF_DHCP_NOT_STOPPED

typedef enum {
    TCPIP_ADAPTER_IF_STA = 0,
    TCPIP_ADAPTER_IF_AP,
    TCPIP_ADAPTER_IF_ETH,
    TCPIP_ADAPTER_IF_TEST, /* there is none */
    TCPIP_ADAPTER_IF_MAX
} tcpip_adapter_if_t;

typedef esp_netif_ip_info_t tcpip_adapter_ip_info_t;
typedef esp_netif_dhcp_status_t tcpip_adapter_dhcp_status_t;
typedef esp_netif_dhcp_option_mode_t tcpip_adapter_dhcp_option_mode_t;
typedef esp_netif_dhcp_option_mode_t tcpip_adapter_option_mode_t;
typedef esp_netif_dhcp_option_id_t tcpip_adapter_dhcp_option_id_t;
typedef esp_netif_dhcp_option_id_t tcpip_adapter_option_id_t;
typedef esp_netif_dns_type_t tcpip_adapter_dns_type_t;
typedef esp_netif_dns_info_t tcpip_adapter_dns_info_t;
typedef esp_netif_sta_list_t tcpip_adapter_sta_list_t;
typedef esp_netif_sta_info_t tcpip_adapter_sta_info_t;

#ifdef __cplusplus
}
#endif
