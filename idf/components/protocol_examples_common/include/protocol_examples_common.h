/* What ESP-IDF's examples connect with. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sdkconfig.h"
#include "esp_err.h"
#include "esp_netif.h"
#if CONFIG_EXAMPLE_CONNECT_ETHERNET
#include "esp_eth.h"
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define EXAMPLE_NETIF_DESC_STA    "example_netif_sta"
#define EXAMPLE_NETIF_DESC_ETH    "example_netif_eth"
#define EXAMPLE_NETIF_DESC_THREAD "example_netif_thread"
#define EXAMPLE_NETIF_DESC_PPP    "example_netif_ppp"

#if CONFIG_EXAMPLE_CONNECT_ETHERNET
#define EXAMPLE_INTERFACE get_example_netif_from_desc(EXAMPLE_NETIF_DESC_ETH)
#else
#define EXAMPLE_INTERFACE get_example_netif_from_desc(EXAMPLE_NETIF_DESC_STA)
#endif
#define get_example_netif() EXAMPLE_INTERFACE

/**
 * Joins the networks that the options name, and waits until each has an IP address (at most 60 s). Tells the addresses.
 * @return ESP_OK; ESP_ERR_INVALID_STATE: without an event loop, or connected already; ESP_FAIL: no address came
 */
esp_err_t example_connect(void);
/** @return ESP_OK; ESP_ERR_INVALID_STATE: not connected */
esp_err_t example_disconnect(void);

/** The console is standard input and output as it is. @return ESP_OK */
esp_err_t example_configure_stdin_stdout(void);

/** @return NULL: there is none, or it is not connected */
esp_netif_t *get_example_netif_from_desc(const char *desc);

#if CONFIG_EXAMPLE_CONNECT_ETHERNET
esp_eth_handle_t get_example_eth_handle(void);
#endif

#ifdef __cplusplus
}
#endif
