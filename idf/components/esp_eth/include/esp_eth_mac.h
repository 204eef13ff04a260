/* ESP-IDF's MACs by their names, in a chip and behind SPI: each is the one MAC that is there. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "driver/gpio.h"
#include "driver/spi_master.h"
#include "esp_err.h"
#include "esp_eth_com.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct esp_eth_mac_s esp_eth_mac_t;
struct esp_eth_mac_s {
    esp_err_t (*del)(esp_eth_mac_t *mac);
};

typedef enum { EMAC_DATA_INTERFACE_RMII, EMAC_DATA_INTERFACE_MII } eth_data_interface_t;
typedef enum { EMAC_CLK_DEFAULT, EMAC_CLK_EXT_IN, EMAC_CLK_OUT } emac_rmii_clock_mode_t;
typedef enum {
    EMAC_CLK_IN_GPIO = 0,
    EMAC_APPL_CLK_OUT_GPIO = 0,
    EMAC_CLK_OUT_GPIO = 16,
    EMAC_CLK_OUT_180_GPIO = 17,
} emac_rmii_clock_gpio_t;
typedef enum {
    ETH_DMA_BURST_LEN_32,
    ETH_DMA_BURST_LEN_16,
    ETH_DMA_BURST_LEN_8,
    ETH_DMA_BURST_LEN_4,
    ETH_DMA_BURST_LEN_2,
    ETH_DMA_BURST_LEN_1,
} eth_mac_dma_burst_len_t;

typedef struct {
    struct {
        emac_rmii_clock_mode_t clock_mode;
        int clock_gpio; /* an emac_rmii_clock_gpio_t, or another pin */
    } rmii;
} eth_mac_clock_config_t;

/* All that it has in ESP-IDF 4 and 5. */
typedef struct {
    uint32_t sw_reset_timeout_ms, rx_task_stack_size, rx_task_prio;
    int smi_mdc_gpio_num, smi_mdio_gpio_num;
    uint32_t flags;
    eth_data_interface_t interface;
    eth_mac_clock_config_t clock_config;
} eth_mac_config_t;
#define ETH_MAC_FLAG_WORK_WITH_CACHE_DISABLE 1
#define ETH_MAC_FLAG_PIN_TO_CORE             2
#define ETH_MAC_DEFAULT_CONFIG()                                                                             \
    {                                                                                                        \
        .sw_reset_timeout_ms = 100, .rx_task_stack_size = 4096, .rx_task_prio = 15, .smi_mdc_gpio_num = 23,  \
        .smi_mdio_gpio_num = 18,                                                                             \
    }

typedef struct {
    int mdc_num, mdio_num;
} emac_esp_smi_gpio_config_t;

typedef struct {
    union {
        emac_esp_smi_gpio_config_t smi_gpio;
        struct { /* before ESP-IDF 5.4 */
            int smi_mdc_gpio_num, smi_mdio_gpio_num;
        };
    };
    eth_data_interface_t interface;
    eth_mac_clock_config_t clock_config;
    eth_mac_dma_burst_len_t dma_burst_len;
    int intr_priority;
} eth_esp32_emac_config_t;
#define ETH_ESP32_EMAC_DEFAULT_CONFIG()                                                                      \
    {                                                                                                        \
        .smi_gpio = {.mdc_num = 23, .mdio_num = 18}, .interface = EMAC_DATA_INTERFACE_RMII,                  \
    }

/* Behind SPI; what a driver of one's own says is not used. */
typedef struct {
    int int_gpio_num;
    uint32_t poll_period_ms;
    int spi_host_id;
    /* A spi_device_interface_config_t; in ESP-IDF 4.4 and before a spi_device_handle_t, as spi_hdl. */
    void *spi_devcfg;
    void *spi_hdl;
} eth_w5500_config_t;
typedef eth_w5500_config_t eth_dm9051_config_t, eth_ksz8851snl_config_t;
/* ESP-IDF 5: the host and its device's configuration; ESP-IDF 4: a device's handle. */
#define OTTER_ETH_OF_TWO(host, devcfg)                                                                       \
    {                                                                                                        \
        .int_gpio_num = 4, .poll_period_ms = 0, .spi_host_id = (int)(host), .spi_devcfg = (devcfg)           \
    }
#define OTTER_ETH_OF_ONE(handle)                                                                             \
    {                                                                                                        \
        .int_gpio_num = 4, .poll_period_ms = 0, .spi_host_id = 0, .spi_devcfg = NULL, .spi_hdl = (handle)    \
    }
#define OTTER_ETH_THIRD(first, second, third, ...) third
#define ETH_W5500_DEFAULT_CONFIG(...)                                                                        \
    OTTER_ETH_THIRD(__VA_ARGS__, OTTER_ETH_OF_TWO, OTTER_ETH_OF_ONE, )(__VA_ARGS__)
#define ETH_DM9051_DEFAULT_CONFIG     ETH_W5500_DEFAULT_CONFIG
#define ETH_KSZ8851SNL_DEFAULT_CONFIG ETH_W5500_DEFAULT_CONFIG

/**
 * What its del() frees. ESP-IDF 4 has one argument for the MAC in a chip, an eth_mac_config_t, and ESP-IDF 5 its own before it.
 * @return NULL: config is NULL, or there is no memory
 */
esp_eth_mac_t *esp_eth_mac_new_esp32(const void *config, ...);
#define esp_eth_mac_new_w5500      esp_eth_mac_new_esp32
#define esp_eth_mac_new_dm9051     esp_eth_mac_new_esp32
#define esp_eth_mac_new_ksz8851snl esp_eth_mac_new_esp32

#ifdef __cplusplus
}
#endif
