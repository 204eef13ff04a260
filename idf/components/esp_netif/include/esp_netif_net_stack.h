/* Between a driver and a stack of the device's own, which is not here. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "esp_netif.h"

#ifdef __cplusplus
extern "C" {
#endif

/** @return NULL, both */
void *esp_netif_get_netif_impl(esp_netif_t *netif);
esp_netif_t *esp_netif_get_handle_from_netif_impl(void *dev);
/** @return ESP_ERR_NOT_SUPPORTED; ESP_ERR_ESP_NETIF_INVALID_PARAMS: NULL */
esp_err_t esp_netif_transmit(esp_netif_t *netif, void *data, size_t len);
/** Of no consequence. @return ESP_OK; ESP_ERR_ESP_NETIF_INVALID_PARAMS: NULL */
esp_err_t esp_netif_set_link_speed(esp_netif_t *netif, uint32_t speed);

#ifdef __cplusplus
}
#endif
