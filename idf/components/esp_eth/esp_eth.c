/* An Ethernet driver whose link is up as long as it runs. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_eth.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "esp_log.h"
#include "freertos/FreeRTOS.h"

#define POST_WAIT_TICKS pdMS_TO_TICKS(1000)

static const char TAG[] = "eth";

ESP_EVENT_DEFINE_BASE(ETH_EVENT);

typedef struct {
    bool started;
    uint8_t mac[6];
} driver_t;

struct esp_eth_netif_glue_t {
    esp_eth_handle_t driver;
};

static void post(int32_t id, esp_eth_handle_t hdl)
{
    esp_err_t err = esp_event_post(ETH_EVENT, id, &hdl, sizeof(hdl), POST_WAIT_TICKS);
    if (err != ESP_OK && err != ESP_ERR_INVALID_STATE) { /* without an event loop nobody wants to hear it */
        ESP_LOGE(TAG, "event %d is lost: %s", (int)id, esp_err_to_name(err));
    }
}

esp_err_t esp_eth_driver_install(const esp_eth_config_t *config, esp_eth_handle_t *out_hdl)
{
    if (config == NULL || out_hdl == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    driver_t *driver = calloc(1, sizeof(*driver));
    if (driver == NULL) {
        return ESP_ERR_NO_MEM;
    }
    esp_err_t err = esp_read_mac(driver->mac, ESP_MAC_ETH);
    if (err != ESP_OK) {
        free(driver);
        return err;
    }
    ESP_LOGI(TAG, "a stand-in without MAC and PHY: the link is up, and the network is this machine's own");
    *out_hdl = driver;
    return ESP_OK;
}

esp_err_t esp_eth_driver_uninstall(esp_eth_handle_t hdl)
{
    driver_t *driver = hdl;
    if (driver == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (driver->started) {
        return ESP_ERR_INVALID_STATE;
    }
    free(driver);
    return ESP_OK;
}

static esp_err_t set_running(driver_t *driver, bool started)
{
    if (driver == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (driver->started == started) {
        return ESP_ERR_INVALID_STATE;
    }
    driver->started = started;
    post(started ? ETHERNET_EVENT_START : ETHERNET_EVENT_DISCONNECTED, driver);
    post(started ? ETHERNET_EVENT_CONNECTED : ETHERNET_EVENT_STOP, driver);
    return ESP_OK;
}

esp_err_t esp_eth_start(esp_eth_handle_t hdl)
{
    return set_running(hdl, true);
}

esp_err_t esp_eth_stop(esp_eth_handle_t hdl)
{
    return set_running(hdl, false);
}

/** What is the same of each link. */
static esp_err_t link_ioctl(esp_eth_io_cmd_t cmd, void *data)
{
    switch (cmd) {
    case ETH_CMD_G_PHY_ADDR:
        *(int *)data = 0;
        return ESP_OK;
    case ETH_CMD_G_AUTONEGO:
        *(bool *)data = true;
        return ESP_OK;
    case ETH_CMD_G_SPEED:
        *(eth_speed_t *)data = ETH_SPEED_100M;
        return ESP_OK;
    case ETH_CMD_G_DUPLEX_MODE:
        *(eth_duplex_t *)data = ETH_DUPLEX_FULL;
        return ESP_OK;
    case ETH_CMD_S_PHY_ADDR:
    case ETH_CMD_S_AUTONEGO:
    case ETH_CMD_S_SPEED:
    case ETH_CMD_S_PROMISCUOUS:
    case ETH_CMD_S_FLOW_CTRL:
    case ETH_CMD_S_DUPLEX_MODE:
        return ESP_OK;
    default:
        return ESP_ERR_NOT_SUPPORTED;
    }
}

esp_err_t esp_eth_ioctl(esp_eth_handle_t hdl, esp_eth_io_cmd_t cmd, void *data)
{
    driver_t *driver = hdl;
    if (driver == NULL || data == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    switch (cmd) {
    case ETH_CMD_G_MAC_ADDR:
        memcpy(data, driver->mac, sizeof(driver->mac));
        return ESP_OK;
    case ETH_CMD_S_MAC_ADDR:
        memcpy(driver->mac, data, sizeof(driver->mac));
        return ESP_OK;
    default:
        return link_ioctl(cmd, data);
    }
}

static void follow(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    const struct esp_eth_netif_glue_t *glue = arg;
    esp_netif_t *netif = esp_netif_next(NULL);
    while (netif != NULL && esp_netif_get_io_driver(netif) != glue) {
        netif = esp_netif_next(netif);
    }
    if (netif == NULL || *(esp_eth_handle_t *)data != glue->driver) {
        return;
    }
    if (id == ETHERNET_EVENT_CONNECTED) {
        esp_netif_action_connected(netif, base, id, data);
    } else if (id == ETHERNET_EVENT_DISCONNECTED) {
        esp_netif_action_disconnected(netif, base, id, data);
    }
}

static esp_err_t free_mac(esp_eth_mac_t *mac)
{
    free(mac);
    return ESP_OK;
}

static esp_err_t free_phy(esp_eth_phy_t *phy)
{
    free(phy);
    return ESP_OK;
}

esp_eth_mac_t *esp_eth_mac_new_esp32(const void *config, ...)
{
    esp_eth_mac_t *mac = config != NULL ? calloc(1, sizeof(*mac)) : NULL;
    if (mac != NULL) {
        mac->del = free_mac;
    }
    return mac;
}

esp_eth_phy_t *esp_eth_phy_new_generic(const eth_phy_config_t *config)
{
    esp_eth_phy_t *phy = config != NULL ? calloc(1, sizeof(*phy)) : NULL;
    if (phy != NULL) {
        phy->del = free_phy;
    }
    return phy;
}

esp_eth_netif_glue_handle_t esp_eth_new_netif_glue(esp_eth_handle_t eth_hdl)
{
    struct esp_eth_netif_glue_t *glue = eth_hdl != NULL ? calloc(1, sizeof(*glue)) : NULL;
    if (glue == NULL) {
        return NULL;
    }
    glue->driver = eth_hdl;
    if (esp_event_handler_register(ETH_EVENT, ESP_EVENT_ANY_ID, follow, glue) != ESP_OK) {
        free(glue);
        return NULL;
    }
    return glue;
}

esp_err_t esp_eth_del_netif_glue(esp_eth_netif_glue_handle_t glue)
{
    if (glue == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = esp_event_handler_unregister(ETH_EVENT, ESP_EVENT_ANY_ID, follow);
    free(glue);
    return err;
}
