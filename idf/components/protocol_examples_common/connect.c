/* example_connect(): Wi-Fi, Ethernet or both, until each has an address. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esp_eth.h"
#include "esp_event.h"
#include "esp_log.h"
#include "esp_wifi.h"
#include "freertos/FreeRTOS.h"
#include "freertos/event_groups.h"
#include "protocol_examples_common.h"

#define WAIT_TICKS pdMS_TO_TICKS(60000)
#define GOT_STA    1u
#define GOT_ETH    2u

static const char TAG[] = "example_connect";

static struct {
    EventGroupHandle_t got;
    esp_netif_t *sta, *eth;
    esp_eth_handle_t driver;
    esp_eth_netif_glue_handle_t glue;
} connection;

static void on_address(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)arg, (void)base;
    const ip_event_got_ip_t *event = data;
    if (event->esp_netif == connection.sta || event->esp_netif == connection.eth) {
        ESP_LOGI(TAG, "Got IPv4 event: Interface \"%s\" address: " IPSTR,
                 esp_netif_get_desc(event->esp_netif), IP2STR(&event->ip_info.ip));
        (void)xEventGroupSetBits(connection.got, id == IP_EVENT_ETH_GOT_IP ? GOT_ETH : GOT_STA);
    }
}

/** What the network is called, and its password, in one line of the console. */
static esp_err_t choose_network(wifi_sta_config_t *sta)
{
#if CONFIG_EXAMPLE_WIFI_SSID_PWD_FROM_STDIN
    char line[sizeof(sta->ssid) + sizeof(sta->password) + 2] = "";
    (void)example_configure_stdin_stdout();
    printf("Please input ssid password:\n");
    fflush(stdout);
    if (fgets(line, sizeof(line), stdin) == NULL) {
        ESP_LOGE(TAG, "the console has ended before it named a network");
        return ESP_FAIL;
    }
    char *rest = line;
    const char *ssid = strtok_r(rest, " \r\n", &rest), *password = strtok_r(rest, " \r\n", &rest);
    strncpy((char *)sta->ssid, ssid != NULL ? ssid : "", sizeof(sta->ssid));
    strncpy((char *)sta->password, password != NULL ? password : "", sizeof(sta->password));
#elif CONFIG_EXAMPLE_CONNECT_WIFI
    strncpy((char *)sta->ssid, CONFIG_EXAMPLE_WIFI_SSID, sizeof(sta->ssid));
    strncpy((char *)sta->password, CONFIG_EXAMPLE_WIFI_PASSWORD, sizeof(sta->password));
#else
    (void)sta;
#endif
    return ESP_OK;
}

static esp_err_t start_wifi(void)
{
    const wifi_init_config_t init = WIFI_INIT_CONFIG_DEFAULT();
    esp_netif_inherent_config_t base = ESP_NETIF_INHERENT_DEFAULT_WIFI_STA();
    wifi_config_t config = {0};
    base.if_desc = EXAMPLE_NETIF_DESC_STA;
    base.route_prio = 128;
    ESP_ERROR_CHECK(esp_wifi_init(&init));
    connection.sta = esp_netif_create_wifi(WIFI_IF_STA, &base);
    if (connection.sta == NULL) {
        return ESP_FAIL;
    }
    ESP_ERROR_CHECK(esp_wifi_set_default_wifi_sta_handlers());
    ESP_ERROR_CHECK(esp_wifi_set_storage(WIFI_STORAGE_RAM));
    ESP_ERROR_CHECK(esp_wifi_set_mode(WIFI_MODE_STA));
    ESP_ERROR_CHECK(esp_wifi_start());
    esp_err_t err = choose_network(&config.sta);
    if (err != ESP_OK) {
        return err;
    }
    ESP_LOGI(TAG, "Connecting to %.32s...", (const char *)config.sta.ssid);
    ESP_ERROR_CHECK(esp_wifi_set_config(WIFI_IF_STA, &config));
    return esp_wifi_connect();
}

static esp_err_t start_ethernet(void)
{
    const esp_eth_config_t config = ETH_DEFAULT_CONFIG(NULL, NULL);
    esp_netif_inherent_config_t base = ESP_NETIF_INHERENT_DEFAULT_ETH();
    base.if_desc = EXAMPLE_NETIF_DESC_ETH;
    base.route_prio = 64;
    const esp_netif_config_t whole = {.base = &base, .stack = ESP_NETIF_NETSTACK_DEFAULT_ETH};
    connection.eth = esp_netif_new(&whole);
    if (connection.eth == NULL) {
        return ESP_FAIL;
    }
    ESP_ERROR_CHECK(esp_eth_driver_install(&config, &connection.driver));
    connection.glue = esp_eth_new_netif_glue(connection.driver);
    ESP_ERROR_CHECK(esp_netif_attach(connection.eth, connection.glue));
    return esp_eth_start(connection.driver);
}

static void tell_addresses(esp_netif_t *netif)
{
    esp_netif_ip_info_t ip;
    if (netif == NULL || esp_netif_get_ip_info(netif, &ip) != ESP_OK) {
        return;
    }
    ESP_LOGI(TAG, "Connected to %s", esp_netif_get_desc(netif));
    ESP_LOGI(TAG, "- IPv4 address: " IPSTR ",", IP2STR(&ip.ip));
#if CONFIG_EXAMPLE_CONNECT_IPV6
    esp_ip6_addr_t ip6;
    if (esp_netif_get_ip6_linklocal(netif, &ip6) == ESP_OK) {
        ESP_LOGI(TAG, "- IPv6 address: " IPV6STR ", type: ESP_IP6_ADDR_IS_LINK_LOCAL", IPV62STR(ip6));
    }
#endif
}

esp_err_t example_connect(void)
{
    EventBits_t wanted = 0;
    if (connection.got != NULL) {
        return ESP_ERR_INVALID_STATE;
    }
    connection.got = xEventGroupCreate();
    if (connection.got == NULL) {
        return ESP_ERR_NO_MEM;
    }
    esp_err_t err = esp_event_handler_register(IP_EVENT, IP_EVENT_STA_GOT_IP, on_address, NULL);
    if (err == ESP_OK) {
        err = esp_event_handler_register(IP_EVENT, IP_EVENT_ETH_GOT_IP, on_address, NULL);
    }
#if CONFIG_EXAMPLE_CONNECT_ETHERNET
    wanted |= GOT_ETH;
    err = err == ESP_OK ? start_ethernet() : err;
#endif
#if CONFIG_EXAMPLE_CONNECT_WIFI
    wanted |= GOT_STA;
    err = err == ESP_OK ? start_wifi() : err;
#endif
    (void)start_ethernet, (void)start_wifi; /* one of them may not be wanted */
    if (err != ESP_OK) {
        return err;
    }
    ESP_LOGI(TAG, "Waiting for IP(s)");
    EventBits_t got = xEventGroupWaitBits(connection.got, wanted, pdFALSE, pdTRUE, WAIT_TICKS);
    if ((got & wanted) != wanted) {
        return ESP_FAIL;
    }
    tell_addresses(connection.eth);
    tell_addresses(connection.sta);
    return ESP_OK;
}

esp_err_t example_disconnect(void)
{
    if (connection.got == NULL) {
        return ESP_ERR_INVALID_STATE;
    }
    (void)esp_event_handler_unregister(IP_EVENT, IP_EVENT_STA_GOT_IP, on_address);
    (void)esp_event_handler_unregister(IP_EVENT, IP_EVENT_ETH_GOT_IP, on_address);
    if (connection.sta != NULL) {
        (void)esp_wifi_stop();
        (void)esp_wifi_deinit();
        esp_netif_destroy_default_wifi(connection.sta);
    }
    if (connection.eth != NULL) {
        (void)esp_eth_stop(connection.driver);
        (void)esp_eth_del_netif_glue(connection.glue);
        (void)esp_eth_driver_uninstall(connection.driver);
        esp_netif_destroy(connection.eth);
    }
    vEventGroupDelete(connection.got);
    memset(&connection, 0, sizeof(connection));
    return ESP_OK;
}

static bool has_desc(esp_netif_t *netif, void *desc)
{
    return strcmp(esp_netif_get_desc(netif), desc) == 0;
}

esp_netif_t *get_example_netif_from_desc(const char *desc)
{
    return esp_netif_find_if(has_desc, (void *)(uintptr_t)desc);
}

#if CONFIG_EXAMPLE_CONNECT_ETHERNET
esp_eth_handle_t get_example_eth_handle(void)
{
    return connection.driver;
}
#endif
