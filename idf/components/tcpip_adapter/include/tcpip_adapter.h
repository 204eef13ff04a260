/* ESP-IDF 3's names for network interfaces; each is esp_netif's function for the interface that it names. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "tcpip_adapter_types.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Codes are those of the function of esp_netif.h that each is named after, and ESP_ERR_ESP_NETIF_INVALID_PARAMS where the
 * interface does not exist. Any task may call all of this.
 */

/** From here on the interfaces of station, access point and Ethernet are made by themselves, as their drivers start. */
void tcpip_adapter_init(void);

esp_err_t tcpip_adapter_get_ip_info(tcpip_adapter_if_t tcpip_if, tcpip_adapter_ip_info_t *ip_info);
esp_err_t tcpip_adapter_set_ip_info(tcpip_adapter_if_t tcpip_if, const tcpip_adapter_ip_info_t *ip_info);
esp_err_t tcpip_adapter_get_old_ip_info(tcpip_adapter_if_t tcpip_if, tcpip_adapter_ip_info_t *ip_info);
esp_err_t tcpip_adapter_get_ip6_linklocal(tcpip_adapter_if_t tcpip_if, ip6_addr_t *if_ip6);
esp_err_t tcpip_adapter_get_ip6_global(tcpip_adapter_if_t tcpip_if, ip6_addr_t *if_ip6);
esp_err_t tcpip_adapter_create_ip6_linklocal(tcpip_adapter_if_t tcpip_if);

esp_err_t tcpip_adapter_get_dns_info(tcpip_adapter_if_t tcpip_if, tcpip_adapter_dns_type_t type,
                                     tcpip_adapter_dns_info_t *dns);
esp_err_t tcpip_adapter_set_dns_info(tcpip_adapter_if_t tcpip_if, tcpip_adapter_dns_type_t type,
                                     tcpip_adapter_dns_info_t *dns);

esp_err_t tcpip_adapter_dhcpc_start(tcpip_adapter_if_t tcpip_if);
esp_err_t tcpip_adapter_dhcpc_stop(tcpip_adapter_if_t tcpip_if);
esp_err_t tcpip_adapter_dhcpc_get_status(tcpip_adapter_if_t tcpip_if, tcpip_adapter_dhcp_status_t *status);
esp_err_t tcpip_adapter_dhcpc_option(tcpip_adapter_dhcp_option_mode_t opt_op,
                                     tcpip_adapter_dhcp_option_id_t opt_id, void *opt_val, uint32_t opt_len);
esp_err_t tcpip_adapter_dhcps_start(tcpip_adapter_if_t tcpip_if);
esp_err_t tcpip_adapter_dhcps_stop(tcpip_adapter_if_t tcpip_if);
esp_err_t tcpip_adapter_dhcps_get_status(tcpip_adapter_if_t tcpip_if, tcpip_adapter_dhcp_status_t *status);
esp_err_t tcpip_adapter_dhcps_option(tcpip_adapter_dhcp_option_mode_t opt_op,
                                     tcpip_adapter_dhcp_option_id_t opt_id, void *opt_val, uint32_t opt_len);

esp_err_t tcpip_adapter_set_hostname(tcpip_adapter_if_t tcpip_if, const char *hostname);
esp_err_t tcpip_adapter_get_hostname(tcpip_adapter_if_t tcpip_if, const char **hostname);
int tcpip_adapter_get_netif_index(tcpip_adapter_if_t tcpip_if);
bool tcpip_adapter_is_netif_up(tcpip_adapter_if_t tcpip_if);
/** @return TCPIP_ADAPTER_IF_MAX: it is none of them */
tcpip_adapter_if_t tcpip_adapter_if_from_esp_netif(esp_netif_t *esp_netif);
esp_err_t tcpip_adapter_get_sta_list(const wifi_sta_list_t *wifi_sta_list,
                                     tcpip_adapter_sta_list_t *tcpip_sta_list);

/** What esp_wifi_init() calls: registers what makes the interfaces. ESP_OK, and nothing, without tcpip_adapter_init(). */
esp_err_t tcpip_adapter_set_default_wifi_handlers(void);
/** The same for Ethernet, which applications call. */
esp_err_t tcpip_adapter_set_default_eth_handlers(void);

#ifdef __cplusplus
}
#endif
