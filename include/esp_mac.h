/* MAC addresses of the device: a base, given by `otter run --mac`, and one of each interface that comes of it. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "sdkconfig.h"
#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

#define MAC2STR(a) (a)[0], (a)[1], (a)[2], (a)[3], (a)[4], (a)[5]
#define MACSTR     "%02x:%02x:%02x:%02x:%02x:%02x"

typedef enum {
    ESP_MAC_WIFI_STA,    /* the base */
    ESP_MAC_WIFI_SOFTAP, /* its last byte + 1 */
    ESP_MAC_BT,          /* + 2 */
    ESP_MAC_ETH,         /* + 3 */
    ESP_MAC_IEEE802154,  /* not there, as on an ESP32 */
    ESP_MAC_BASE,
    ESP_MAC_EFUSE_FACTORY, /* what the device was made with */
    ESP_MAC_EFUSE_CUSTOM,  /* not burned */
    ESP_MAC_EFUSE_EXT,     /* not there, as on an ESP32 */
} esp_mac_type_t;

#define ONE_UNIVERSAL_MAC_ADDR  1
#define TWO_UNIVERSAL_MAC_ADDR  2
#define FOUR_UNIVERSAL_MAC_ADDR 4
#define UNIVERSAL_MAC_ADDR_NUM  FOUR_UNIVERSAL_MAC_ADDR

/*
 * All of them take 6 bytes, and ESP_ERR_INVALID_ARG is NULL. Any task.
 */

/**
 * The base that the device was made with: that of `otter run --mac`, or 02:00:00:00:00:01. It is the same in each run, and each
 * device that shall have its own needs the option.
 */
esp_err_t esp_efuse_mac_get_default(uint8_t *mac);
/** @return ESP_ERR_INVALID_MAC: none is burned */
esp_err_t esp_efuse_mac_get_custom(uint8_t *mac);

/** Instead of the factory's, for addresses that nobody has read yet. @return also ESP_ERR_INVALID_ARG: of a group (bit 0) */
esp_err_t esp_base_mac_addr_set(const uint8_t *mac);
esp_err_t esp_base_mac_addr_get(uint8_t *mac);

/** @return ESP_ERR_NOT_SUPPORTED: no such type; ESP_ERR_INVALID_MAC: none is burned */
esp_err_t esp_read_mac(uint8_t *mac, esp_mac_type_t type);

/** An interface's own. @return ESP_ERR_NOT_SUPPORTED: no such type; ESP_ERR_INVALID_ARG: one that is burned */
esp_err_t esp_iface_mac_addr_set(const uint8_t *mac, esp_mac_type_t type);

/** 6; 0: no such type. */
size_t esp_mac_addr_len_get(esp_mac_type_t type);

/** The same with the bit for local administration, or if it has that already, another bit changed. */
esp_err_t esp_derive_local_mac(uint8_t *local_mac, const uint8_t *universal_mac);

#ifdef __cplusplus
}
#endif
