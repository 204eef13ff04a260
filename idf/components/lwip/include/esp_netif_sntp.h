/* esp_netif's way to SNTP: the time is there as soon as it is waited for. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "esp_err.h"
#include "esp_netif_types.h"
#include "esp_sntp.h"
#include "freertos/FreeRTOS.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef void (*esp_sntp_time_cb_t)(struct timeval *tv);

#define ESP_SNTP_SERVER_LIST(...)                                                                            \
    {                                                                                                        \
        __VA_ARGS__                                                                                          \
    }
/* NOLINTBEGIN(bugprone-macro-parentheses): a list in braces */
#define ESP_NETIF_SNTP_DEFAULT_CONFIG_MULTIPLE(servers_in_list, list_of_servers)                             \
    {                                                                                                        \
        .smooth_sync = false, .server_from_dhcp = false, .wait_for_sync = true, .start = true,               \
        .sync_cb = NULL, .renew_servers_after_new_IP = false, .ip_event_to_renew = IP_EVENT_STA_GOT_IP,      \
        .index_of_first_server = 0, .num_of_servers = (servers_in_list), .servers = list_of_servers,         \
    }
/* NOLINTEND(bugprone-macro-parentheses) */
#define ESP_NETIF_SNTP_DEFAULT_CONFIG(server) ESP_NETIF_SNTP_DEFAULT_CONFIG_MULTIPLE(1, {server})

typedef struct esp_sntp_config {
    bool smooth_sync, server_from_dhcp;
    bool wait_for_sync; /* without it esp_netif_sntp_sync_wait() is ESP_ERR_INVALID_STATE */
    bool start;
    esp_sntp_time_cb_t sync_cb;
    bool renew_servers_after_new_IP;
    ip_event_t ip_event_to_renew;
    size_t index_of_first_server, num_of_servers;
    const char *servers[SNTP_MAX_SERVERS];
} esp_sntp_config_t;

/** @return ESP_OK, ESP_ERR_INVALID_ARG (NULL, too many servers), ESP_ERR_INVALID_STATE (called before) */
esp_err_t esp_netif_sntp_init(const esp_sntp_config_t *config);
esp_err_t esp_netif_sntp_start(void);
void esp_netif_sntp_deinit(void);
/** Returns at once. @return ESP_OK, ESP_ERR_INVALID_STATE (not initialized, or not to wait for), ESP_ERR_TIMEOUT (not started) */
esp_err_t esp_netif_sntp_sync_wait(TickType_t tout);

#ifdef __cplusplus
}
#endif
