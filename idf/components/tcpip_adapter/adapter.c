/* The interfaces that ESP-IDF 3 numbers, and esp_netif's functions for them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "tcpip_adapter.h"

#include <stdatomic.h>
#include <string.h>

#include "esp_eth.h"
#include "esp_log.h"
#include "esp_wifi.h"

static const char TAG[] = "tcpip_adapter";

static const char *const keys[TCPIP_ADAPTER_IF_MAX] = {
    [TCPIP_ADAPTER_IF_STA] = "WIFI_STA_DEF",
    [TCPIP_ADAPTER_IF_AP] = "WIFI_AP_DEF",
    [TCPIP_ADAPTER_IF_ETH] = "ETH_DEF",
};

static atomic_bool makes_interfaces;

void tcpip_adapter_init(void)
{
    (void)esp_netif_init(); /* it is ESP_OK */
    atomic_store(&makes_interfaces, true);
}

/** The interface of this key, made where there is none. */
static void make(tcpip_adapter_if_t tcpip_if)
{
    if (esp_netif_get_handle_from_ifkey(keys[tcpip_if]) != NULL) {
        return;
    }
    esp_netif_t *netif = tcpip_if == TCPIP_ADAPTER_IF_STA
                             ? esp_netif_create_wifi(WIFI_IF_STA, ESP_NETIF_BASE_DEFAULT_WIFI_STA)
                             : esp_netif_create_wifi(WIFI_IF_AP, ESP_NETIF_BASE_DEFAULT_WIFI_AP);
    if (netif == NULL) { /* who asks for it gets a code */
        ESP_LOGE(TAG, "no interface '%s'", keys[tcpip_if]);
    }
}

/** NULL: there is none */
static esp_netif_t *netif_of(tcpip_adapter_if_t tcpip_if)
{
    if ((unsigned)tcpip_if >= TCPIP_ADAPTER_IF_MAX || keys[tcpip_if] == NULL) {
        return NULL;
    }
    if (atomic_load(&makes_interfaces) && tcpip_if != TCPIP_ADAPTER_IF_ETH) {
        make(tcpip_if);
    }
    return esp_netif_get_handle_from_ifkey(keys[tcpip_if]);
}

/** Registered before what lets an interface follow its driver, which then finds it. */
static void make_started(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)arg, (void)base, (void)data;
    make(id == WIFI_EVENT_AP_START ? TCPIP_ADAPTER_IF_AP : TCPIP_ADAPTER_IF_STA);
}

esp_err_t tcpip_adapter_set_default_wifi_handlers(void)
{
    if (!atomic_load(&makes_interfaces)) {
        return ESP_OK;
    }
    esp_err_t err = esp_event_handler_register(WIFI_EVENT, WIFI_EVENT_STA_START, make_started, NULL);
    err =
        err != ESP_OK ? err : esp_event_handler_register(WIFI_EVENT, WIFI_EVENT_AP_START, make_started, NULL);
    err = err != ESP_OK ? err : esp_wifi_set_default_wifi_sta_handlers();
    return err != ESP_OK ? err : esp_wifi_set_default_wifi_ap_handlers();
}

/** A driver starts: it gets the interface of Ethernet, where that has none. */
static void make_ethernet(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)arg, (void)base, (void)id;
    const esp_netif_config_t config = ESP_NETIF_DEFAULT_ETH();
    if (esp_netif_get_handle_from_ifkey(keys[TCPIP_ADAPTER_IF_ETH]) != NULL) {
        return;
    }
    esp_netif_t *netif = esp_netif_new(&config);
    if (netif == NULL ||
        esp_netif_attach(netif, esp_eth_new_netif_glue(*(esp_eth_handle_t *)data)) != ESP_OK) {
        ESP_LOGE(TAG, "no interface '%s'", keys[TCPIP_ADAPTER_IF_ETH]);
    }
}

esp_err_t tcpip_adapter_set_default_eth_handlers(void)
{
    return atomic_load(&makes_interfaces)
               ? esp_event_handler_register(ETH_EVENT, ETHERNET_EVENT_START, make_ethernet, NULL)
               : ESP_OK;
}

tcpip_adapter_if_t tcpip_adapter_if_from_esp_netif(esp_netif_t *esp_netif)
{
    const char *key = esp_netif_get_ifkey(esp_netif);
    int found = 0;
    while (found < TCPIP_ADAPTER_IF_MAX &&
           (key == NULL || keys[found] == NULL || strcmp(keys[found], key) != 0)) {
        found++;
    }
    return (tcpip_adapter_if_t)found;
}

/* ---- esp_netif's ---- */

esp_err_t tcpip_adapter_get_ip_info(tcpip_adapter_if_t tcpip_if, tcpip_adapter_ip_info_t *ip_info)
{
    return esp_netif_get_ip_info(netif_of(tcpip_if), ip_info);
}

esp_err_t tcpip_adapter_set_ip_info(tcpip_adapter_if_t tcpip_if, const tcpip_adapter_ip_info_t *ip_info)
{
    return esp_netif_set_ip_info(netif_of(tcpip_if), ip_info);
}

esp_err_t tcpip_adapter_get_old_ip_info(tcpip_adapter_if_t tcpip_if, tcpip_adapter_ip_info_t *ip_info)
{
    return esp_netif_get_old_ip_info(netif_of(tcpip_if), ip_info);
}

esp_err_t tcpip_adapter_get_ip6_linklocal(tcpip_adapter_if_t tcpip_if, ip6_addr_t *if_ip6)
{
    return esp_netif_get_ip6_linklocal(netif_of(tcpip_if), if_ip6);
}

esp_err_t tcpip_adapter_get_ip6_global(tcpip_adapter_if_t tcpip_if, ip6_addr_t *if_ip6)
{
    return esp_netif_get_ip6_global(netif_of(tcpip_if), if_ip6);
}

esp_err_t tcpip_adapter_create_ip6_linklocal(tcpip_adapter_if_t tcpip_if)
{
    return esp_netif_create_ip6_linklocal(netif_of(tcpip_if));
}

esp_err_t tcpip_adapter_get_dns_info(tcpip_adapter_if_t tcpip_if, tcpip_adapter_dns_type_t type,
                                     tcpip_adapter_dns_info_t *dns)
{
    return esp_netif_get_dns_info(netif_of(tcpip_if), type, dns);
}

esp_err_t tcpip_adapter_set_dns_info(tcpip_adapter_if_t tcpip_if, tcpip_adapter_dns_type_t type,
                                     tcpip_adapter_dns_info_t *dns)
{
    return esp_netif_set_dns_info(netif_of(tcpip_if), type, dns);
}

esp_err_t tcpip_adapter_dhcpc_start(tcpip_adapter_if_t tcpip_if)
{
    return esp_netif_dhcpc_start(netif_of(tcpip_if));
}

esp_err_t tcpip_adapter_dhcpc_stop(tcpip_adapter_if_t tcpip_if)
{
    return esp_netif_dhcpc_stop(netif_of(tcpip_if));
}

esp_err_t tcpip_adapter_dhcpc_get_status(tcpip_adapter_if_t tcpip_if, tcpip_adapter_dhcp_status_t *status)
{
    return esp_netif_dhcpc_get_status(netif_of(tcpip_if), status);
}

esp_err_t tcpip_adapter_dhcpc_option(tcpip_adapter_dhcp_option_mode_t opt_op,
                                     tcpip_adapter_dhcp_option_id_t opt_id, void *opt_val, uint32_t opt_len)
{
    return esp_netif_dhcpc_option(netif_of(TCPIP_ADAPTER_IF_STA), opt_op, opt_id, opt_val, opt_len);
}

esp_err_t tcpip_adapter_dhcps_start(tcpip_adapter_if_t tcpip_if)
{
    return esp_netif_dhcps_start(netif_of(tcpip_if));
}

esp_err_t tcpip_adapter_dhcps_stop(tcpip_adapter_if_t tcpip_if)
{
    return esp_netif_dhcps_stop(netif_of(tcpip_if));
}

esp_err_t tcpip_adapter_dhcps_get_status(tcpip_adapter_if_t tcpip_if, tcpip_adapter_dhcp_status_t *status)
{
    return esp_netif_dhcps_get_status(netif_of(tcpip_if), status);
}

esp_err_t tcpip_adapter_dhcps_option(tcpip_adapter_dhcp_option_mode_t opt_op,
                                     tcpip_adapter_dhcp_option_id_t opt_id, void *opt_val, uint32_t opt_len)
{
    return esp_netif_dhcps_option(netif_of(TCPIP_ADAPTER_IF_AP), opt_op, opt_id, opt_val, opt_len);
}

esp_err_t tcpip_adapter_set_hostname(tcpip_adapter_if_t tcpip_if, const char *hostname)
{
    return esp_netif_set_hostname(netif_of(tcpip_if), hostname);
}

esp_err_t tcpip_adapter_get_hostname(tcpip_adapter_if_t tcpip_if, const char **hostname)
{
    return esp_netif_get_hostname(netif_of(tcpip_if), hostname);
}

int tcpip_adapter_get_netif_index(tcpip_adapter_if_t tcpip_if)
{
    return esp_netif_get_netif_impl_index(netif_of(tcpip_if));
}

bool tcpip_adapter_is_netif_up(tcpip_adapter_if_t tcpip_if)
{
    return esp_netif_is_netif_up(netif_of(tcpip_if));
}

esp_err_t tcpip_adapter_get_sta_list(const wifi_sta_list_t *wifi_sta_list,
                                     tcpip_adapter_sta_list_t *tcpip_sta_list)
{
    return esp_netif_get_sta_list(wifi_sta_list, tcpip_sta_list);
}

esp_err_t esp_netif_get_sta_list(const wifi_sta_list_t *wifi_sta_list, esp_netif_sta_list_t *netif_sta_list)
{
    if (wifi_sta_list == NULL || netif_sta_list == NULL || wifi_sta_list->num < 0 ||
        wifi_sta_list->num > ESP_WIFI_MAX_CONN_NUM) {
        return ESP_ERR_ESP_NETIF_INVALID_PARAMS;
    }
    memset(netif_sta_list, 0, sizeof(*netif_sta_list));
    netif_sta_list->num = wifi_sta_list->num;
    for (int i = 0; i < wifi_sta_list->num; i++) {
        memcpy(netif_sta_list->sta[i].mac, wifi_sta_list->sta[i].mac, sizeof(netif_sta_list->sta[i].mac));
        netif_sta_list->sta[i].ip.addr = ESP_IP4TOADDR(127, 0, 0, 1);
    }
    return ESP_OK;
}
