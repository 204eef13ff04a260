/* ESP-IDF's Ethernet without MAC and PHY: once started, the link is up, and the network is this machine's. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "esp_event.h"
#include "esp_eth_mac.h"
#include "esp_eth_phy.h"
#include "esp_netif.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef void *esp_eth_handle_t;

typedef struct {
    esp_eth_mac_t *mac;
    esp_eth_phy_t *phy;
    uint32_t check_link_period_ms;
} esp_eth_config_t;
#define ETH_DEFAULT_CONFIG(emac, ephy)                                                                       \
    {                                                                                                        \
        .mac = (emac), .phy = (ephy), .check_link_period_ms = 2000                                           \
    }

/* ids of ETH_EVENT; the data is an esp_eth_handle_t */
typedef enum {
    ETHERNET_EVENT_START,
    ETHERNET_EVENT_STOP,
    ETHERNET_EVENT_CONNECTED,
    ETHERNET_EVENT_DISCONNECTED,
} eth_event_t;
ESP_EVENT_DECLARE_BASE(ETH_EVENT);

/* The link has 100 Mbit/s, both ways at once; what sets such things is accepted. */
typedef enum {
    ETH_CMD_G_MAC_ADDR, /* 6 bytes, as the next */
    ETH_CMD_S_MAC_ADDR,
    ETH_CMD_G_PHY_ADDR, /* an int, which is 0 */
    ETH_CMD_S_PHY_ADDR,
    ETH_CMD_G_AUTONEGO, /* a bool, which is true */
    ETH_CMD_S_AUTONEGO,
    ETH_CMD_G_SPEED, /* an eth_speed_t */
    ETH_CMD_S_SPEED,
    ETH_CMD_S_PROMISCUOUS,
    ETH_CMD_S_FLOW_CTRL,
    ETH_CMD_G_DUPLEX_MODE, /* an eth_duplex_t */
    ETH_CMD_S_DUPLEX_MODE,
    ETH_CMD_S_PHY_LOOPBACK, /* ESP_ERR_NOT_SUPPORTED */
} esp_eth_io_cmd_t;

/** @param config  its MAC and PHY may be NULL. @return ESP_OK: uninstall it; ESP_ERR_INVALID_ARG, ESP_ERR_NO_MEM */
esp_err_t esp_eth_driver_install(const esp_eth_config_t *config, esp_eth_handle_t *out_hdl);
/** @return ESP_OK; ESP_ERR_INVALID_STATE: it is not stopped */
esp_err_t esp_eth_driver_uninstall(esp_eth_handle_t hdl);

/** Posts ETHERNET_EVENT_START and _CONNECTED. @return ESP_OK; ESP_ERR_INVALID_STATE: it is started */
esp_err_t esp_eth_start(esp_eth_handle_t hdl);
/** Posts ETHERNET_EVENT_DISCONNECTED and _STOP. @return ESP_OK; ESP_ERR_INVALID_STATE: it is not started */
esp_err_t esp_eth_stop(esp_eth_handle_t hdl);

/** @param data  6 bytes. @return ESP_OK; ESP_ERR_NOT_SUPPORTED: another command */
esp_err_t esp_eth_ioctl(esp_eth_handle_t hdl, esp_eth_io_cmd_t cmd, void *data);

/* What esp_netif_attach() takes; an interface that it is attached to follows the events. */
typedef struct esp_eth_netif_glue_t *esp_eth_netif_glue_handle_t;
esp_eth_netif_glue_handle_t esp_eth_new_netif_glue(esp_eth_handle_t eth_hdl);
esp_err_t esp_eth_del_netif_glue(esp_eth_netif_glue_handle_t glue);

#ifdef __cplusplus
}
#endif
