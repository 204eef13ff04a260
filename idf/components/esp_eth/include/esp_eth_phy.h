/* ESP-IDF's PHYs by their names: each is one that has a link, and is taken by esp_eth_driver_install(). */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "esp_err.h"
#include "esp_eth_com.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct esp_eth_phy_s esp_eth_phy_t;
struct esp_eth_phy_s {
    esp_err_t (*del)(esp_eth_phy_t *phy);
};

typedef struct {
    int32_t phy_addr;
    uint32_t reset_timeout_ms, autonego_timeout_ms;
    int reset_gpio_num;
    int32_t hw_reset_assert_time_us, post_hw_reset_delay_ms;
} eth_phy_config_t;
#define ETH_PHY_DEFAULT_CONFIG()                                                                             \
    {                                                                                                        \
        .phy_addr = ESP_ETH_PHY_ADDR_AUTO, .reset_timeout_ms = 100, .autonego_timeout_ms = 4000,             \
        .reset_gpio_num = 5,                                                                                 \
    }

/** What its del() frees. @return NULL: config is NULL, or there is no memory */
esp_eth_phy_t *esp_eth_phy_new_generic(const eth_phy_config_t *config);
#define esp_eth_phy_new_ip101      esp_eth_phy_new_generic
#define esp_eth_phy_new_rtl8201    esp_eth_phy_new_generic
#define esp_eth_phy_new_lan87xx    esp_eth_phy_new_generic
#define esp_eth_phy_new_lan8720    esp_eth_phy_new_generic /* ESP-IDF 4, as the next */
#define esp_eth_phy_new_ksz8041    esp_eth_phy_new_generic
#define esp_eth_phy_new_ksz80xx    esp_eth_phy_new_generic
#define esp_eth_phy_new_dp83848    esp_eth_phy_new_generic
#define esp_eth_phy_new_dm9051     esp_eth_phy_new_generic
#define esp_eth_phy_new_w5500      esp_eth_phy_new_generic
#define esp_eth_phy_new_ksz8851snl esp_eth_phy_new_generic

#ifdef __cplusplus
}
#endif
