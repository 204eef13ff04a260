/* Names of lwip, of interfaces and of the radio. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "esp_netif.h"
#include "esp_netif_net_stack.h"
#include "esp_sntp.h"
#include "esp_wifi.h"
#include "esp_wpa.h"
#include "esp_wpa2.h"
#include "esp_wps.h"
#include "lwip/apps/sntp.h"
#include "lwip/def.h"
#include "lwip/dns.h"
#include "lwip/errno.h"
#include "lwip/etharp.h"
#include "lwip/ip.h"
#include "lwip/ip6_addr.h"
#include "lwip/netdb.h"
#include "lwip/netif.h"
#include "lwip/opt.h"
#include "lwip/priv/tcpip_priv.h"
#include "lwip/sockets.h"
#include "lwip/tcpip.h"

static err_t called(struct tcpip_api_call_data *call)
{
    return call->err;
}

static void called_back(void *arg)
{
    LOCK_TCPIP_CORE();
    printf("called back: %s\n", (const char *)arg);
    UNLOCK_TCPIP_CORE();
}

static void ask_lwip(void)
{
    ip_addr_t address, other;
    char text[IP6ADDR_STRLEN_MAX];
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    struct tcpip_api_call_data call = {.err = ERR_USE};
    inet_pton(AF_INET6, "::ffff:10.0.0.7", &in6.sin6_addr);
    const uint32_t v4 = in6.sin6_addr.un.u32_addr[3];
    printf("part %s, byte %u", inet_ntop(AF_INET, &v4, text, sizeof(text)), in6.sin6_addr.s6_addr[15]);
    printf(", mapped %d\n", IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr) != 0);
    IP_ADDR4(&address, 10, 0, 0, 7);
    printf("four %s %d %d", ipaddr_ntoa(&address), ipaddr_addr("10.0.0.7") == v4,
           ipaddr_addr("ten") == IPADDR_NONE);
    printf(", six %d", ipaddr_aton("fe80::1", &other));
    printf(" %s", ipaddr_ntoa_r(&other, text, sizeof(text)));
    printf(" %d %d", IP_IS_V6(&other), ip6_addr_islinklocal(ip_2_ip6(&other)));
    ip_addr_copy(address, other);
    printf(", same %d, none %d\n", ip_addr_cmp(&address, &other), ipaddr_aton("fe80::g", &other));
    printf("numbers %x %x %d\n", (unsigned)PP_HTONS(0x1234), (unsigned)PP_HTONL(0x12345678), LWIP_MIN(3, 2));
    printf("netif %d %d, call %d, ", netif_default == NULL, netif_find("st1") == NULL,
           tcpip_api_call(called, &call));
    fflush(stdout);
    tcpip_callback(called_back, "here");
    sntp_setserver(1, &address);
    sntp_servermode_dhcp(true);
    printf("sntp %d %d\n", ip_addr_cmp(sntp_getserver(1), &address), (int)sntp_getreachability(1));
}

static void ask_netif(void)
{
    esp_netif_t *netif = esp_netif_create_default_wifi_sta();
    esp_ip6_addr_t all[CONFIG_LWIP_IPV6_NUM_ADDRESSES];
    int count = esp_netif_get_all_ip6(netif, all);
    printf("prio %d", esp_netif_set_route_prio(netif, 7));
    printf(" %d, event %d %d", esp_netif_get_route_prio(netif),
           (int)esp_netif_get_event_id(netif, ESP_NETIF_IP_EVENT_GOT_IP) == IP_EVENT_STA_GOT_IP,
           (int)esp_netif_get_event_id(NULL, ESP_NETIF_IP_EVENT_GOT_IP));
    printf(", six %d, impl %d, receive 0x%x 0x%x\n", count >= 0 && count < CONFIG_LWIP_IPV6_NUM_ADDRESSES,
           esp_netif_get_netif_impl(netif) == NULL, esp_netif_receive(netif, NULL, 0, NULL),
           esp_netif_transmit(NULL, NULL, 0));
}

static void ask_radio(void)
{
    wifi_country_t country = {.cc = "DE", .schan = 1, .nchan = 13}, got;
    uint8_t protocols = 0;
    wifi_bandwidth_t bandwidth;
    wifi_phy_mode_t phy;
    uint16_t seconds = 0;
    bool hears;
    const esp_wps_config_t wps = WPS_CONFIG_INIT_DEFAULT(WPS_TYPE_PBC);
    ESP_ERROR_CHECK(esp_wifi_set_country(&country));
    ESP_ERROR_CHECK(esp_wifi_get_country(&got));
    ESP_ERROR_CHECK(esp_wifi_set_protocol(WIFI_IF_STA, WIFI_PROTOCOL_11B));
    ESP_ERROR_CHECK(esp_wifi_get_protocol(WIFI_IF_STA, &protocols));
    ESP_ERROR_CHECK(esp_wifi_set_bandwidth(WIFI_IF_AP, WIFI_BW_HT20));
    ESP_ERROR_CHECK(esp_wifi_get_bandwidth(WIFI_IF_AP, &bandwidth));
    ESP_ERROR_CHECK(esp_wifi_get_inactive_time(WIFI_IF_STA, &seconds));
    ESP_ERROR_CHECK(esp_wifi_get_promiscuous(&hears));
    printf("country %.2s %d, protocol %d, bandwidth %d, inactive %d, power 0x%x\n", got.cc, got.nchan,
           protocols, bandwidth, seconds, esp_wifi_set_max_tx_power(2));
    printf("hears %d 0x%x, sends 0x%x, phy 0x%x, interface 0x%x, wps 0x%x, band 0x%x\n", hears,
           esp_wifi_set_promiscuous(true), esp_wifi_80211_tx(WIFI_IF_STA, "x", 1, true),
           esp_wifi_sta_get_negotiated_phymode(&phy), esp_wifi_set_bandwidth(WIFI_IF_NAN, WIFI_BW_HT20),
           esp_wifi_wps_enable(&wps), esp_wifi_set_band(WIFI_BAND_5G));
    printf("enterprise 0x%x 0x%x\n", esp_wifi_sta_wpa2_ent_enable(),
           esp_wifi_sta_wpa2_ent_set_username((const unsigned char *)"me", 2));
}

void ask_names(void)
{
    ask_lwip();
    ask_netif();
    ask_radio();
}
