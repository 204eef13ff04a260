/* What only a stack of the device's own could do: the machine's does it, or nobody. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_netif.h"
#include "esp_netif_net_stack.h"

static esp_err_t refuse(const void *netif)
{
    return netif != NULL ? ESP_ERR_NOT_SUPPORTED : ESP_ERR_ESP_NETIF_INVALID_PARAMS;
}

esp_err_t esp_netif_set_driver_config(esp_netif_t *netif, const esp_netif_driver_ifconfig_t *driver_config)
{
    return netif != NULL && driver_config != NULL ? ESP_OK : ESP_ERR_ESP_NETIF_INVALID_PARAMS;
}

esp_err_t esp_netif_receive(esp_netif_t *netif, void *buffer, size_t len, void *eb)
{
    (void)buffer, (void)len, (void)eb;
    return refuse(netif);
}

esp_err_t esp_netif_transmit(esp_netif_t *netif, void *data, size_t len)
{
    (void)data, (void)len;
    return refuse(netif);
}

esp_err_t esp_netif_set_link_speed(esp_netif_t *netif, uint32_t speed)
{
    (void)speed;
    return netif != NULL ? ESP_OK : ESP_ERR_ESP_NETIF_INVALID_PARAMS;
}

void *esp_netif_get_netif_impl(esp_netif_t *netif)
{
    (void)netif;
    return NULL;
}

esp_netif_t *esp_netif_get_handle_from_netif_impl(void *dev)
{
    (void)dev;
    return NULL;
}

esp_err_t esp_netif_tx_rx_event_enable(esp_netif_t *netif)
{
    return refuse(netif);
}

esp_err_t esp_netif_tx_rx_event_disable(esp_netif_t *netif)
{
    return netif != NULL ? ESP_OK : ESP_ERR_ESP_NETIF_INVALID_PARAMS;
}

esp_err_t esp_netif_join_ip6_multicast_group(esp_netif_t *netif, const esp_ip6_addr_t *addr)
{
    (void)addr;
    return refuse(netif);
}

esp_err_t esp_netif_leave_ip6_multicast_group(esp_netif_t *netif, const esp_ip6_addr_t *addr)
{
    (void)addr;
    return refuse(netif);
}

esp_err_t esp_netif_add_ip6_address(esp_netif_t *netif, const esp_ip6_addr_t addr, bool preferred)
{
    (void)addr, (void)preferred;
    return refuse(netif);
}

esp_err_t esp_netif_remove_ip6_address(esp_netif_t *netif, const esp_ip6_addr_t *addr)
{
    (void)addr;
    return refuse(netif);
}

esp_err_t esp_netif_dhcps_get_clients_by_mac(esp_netif_t *netif, int num,
                                             esp_netif_pair_mac_ip_t *mac_ip_pair)
{
    (void)num, (void)mac_ip_pair;
    return refuse(netif);
}
