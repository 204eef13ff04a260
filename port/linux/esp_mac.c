/* MAC addresses: what is derived from the base is kept, as an interface that has one does not change it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_mac.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esp_log.h"
#include "otter/system.h"

#define MAC_LEN  6u
#define VARIABLE "OTTER_MAC" /* of `otter run --mac` */

static const char TAG[] = "system_api";

/* Each type: how its last byte differs from the base. */
static const struct {
    esp_mac_type_t type;
    uint8_t behind;
    bool is_burned;
} kinds[] = {
    {ESP_MAC_WIFI_STA, 0, false},    {ESP_MAC_WIFI_SOFTAP, 1, false}, {ESP_MAC_BT, 2, false},
    {ESP_MAC_ETH, 3, false},         {ESP_MAC_BASE, 0, false},        {ESP_MAC_EFUSE_FACTORY, 0, true},
    {ESP_MAC_EFUSE_CUSTOM, 0, true},
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* With OTTER_LOCK_SYSTEM. */
static struct {
    bool known;
    uint8_t mac[MAC_LEN];
} addresses[KINDS];

/** @return KINDS: there is none */
static size_t find(esp_mac_type_t type)
{
    size_t i = 0;
    while (i < KINDS && kinds[i].type != type) {
        i++;
    }
    if (i == KINDS) {
        ESP_LOGE(TAG, "%d mac type is incorrect (not found)", (int)type);
    }
    return i;
}

static esp_err_t check_pointer(const uint8_t *mac)
{
    if (mac == NULL) {
        ESP_LOGE(TAG, "mac address param is NULL");
    }
    return mac != NULL ? ESP_OK : ESP_ERR_INVALID_ARG;
}

esp_err_t esp_efuse_mac_get_default(uint8_t *mac)
{
    const char *text = getenv(VARIABLE);
    unsigned bytes[MAC_LEN] = {0x02, 0, 0, 0, 0, 0x01};
    if (check_pointer(mac) != ESP_OK) {
        return ESP_ERR_INVALID_ARG;
    }
    if (text != NULL && sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x", &bytes[0], &bytes[1], &bytes[2], &bytes[3],
                               &bytes[4], &bytes[5]) != (int)MAC_LEN) {
        ESP_LOGE(TAG, "'%s' is no MAC address (--mac)", text);
        return ESP_ERR_INVALID_MAC;
    }
    for (size_t i = 0; i < MAC_LEN; i++) {
        mac[i] = (uint8_t)bytes[i];
    }
    return ESP_OK;
}

esp_err_t esp_efuse_mac_get_custom(uint8_t *mac)
{
    return check_pointer(mac) == ESP_OK ? ESP_ERR_INVALID_MAC : ESP_ERR_INVALID_ARG;
}

/** With the lock held: the base that counts now. */
static esp_err_t read_base(uint8_t *mac)
{
    for (size_t i = 0; i < KINDS; i++) {
        if (kinds[i].type == ESP_MAC_BASE && addresses[i].known) {
            memcpy(mac, addresses[i].mac, MAC_LEN);
            return ESP_OK;
        }
    }
    return esp_efuse_mac_get_default(mac);
}

/** With the lock held. */
static esp_err_t read_address(size_t kind, uint8_t *mac)
{
    if (!addresses[kind].known) {
        uint8_t made[MAC_LEN];
        esp_err_t err = kinds[kind].type == ESP_MAC_EFUSE_CUSTOM    ? ESP_ERR_INVALID_MAC
                        : kinds[kind].type == ESP_MAC_EFUSE_FACTORY ? esp_efuse_mac_get_default(made)
                                                                    : read_base(made);
        if (err != ESP_OK) {
            return err;
        }
        made[MAC_LEN - 1] = (uint8_t)(made[MAC_LEN - 1] + kinds[kind].behind);
        memcpy(addresses[kind].mac, made, MAC_LEN);
        addresses[kind].known = true;
    }
    memcpy(mac, addresses[kind].mac, MAC_LEN);
    return ESP_OK;
}

esp_err_t esp_read_mac(uint8_t *mac, esp_mac_type_t type)
{
    if (check_pointer(mac) != ESP_OK) {
        return ESP_ERR_INVALID_ARG;
    }
    size_t kind = find(type);
    if (kind == KINDS) {
        return ESP_ERR_NOT_SUPPORTED;
    }
    otter_lock(OTTER_LOCK_SYSTEM);
    esp_err_t err = read_address(kind, mac);
    otter_unlock(OTTER_LOCK_SYSTEM);
    return err;
}

esp_err_t esp_iface_mac_addr_set(const uint8_t *mac, esp_mac_type_t type)
{
    if (check_pointer(mac) != ESP_OK) {
        return ESP_ERR_INVALID_ARG;
    }
    size_t kind = find(type);
    if (kind == KINDS) {
        return ESP_ERR_NOT_SUPPORTED;
    }
    if (kinds[kind].is_burned || (type == ESP_MAC_BASE && (mac[0] & 1) != 0)) {
        ESP_LOGE(TAG, kinds[kind].is_burned ? "EFUSE MAC can not be set using this API"
                                            : "Base MAC must be a unicast MAC");
        return ESP_ERR_INVALID_ARG;
    }
    otter_lock(OTTER_LOCK_SYSTEM);
    memcpy(addresses[kind].mac, mac, MAC_LEN);
    addresses[kind].known = true;
    otter_unlock(OTTER_LOCK_SYSTEM);
    return ESP_OK;
}

esp_err_t esp_base_mac_addr_set(const uint8_t *mac)
{
    return esp_iface_mac_addr_set(mac, ESP_MAC_BASE);
}

esp_err_t esp_base_mac_addr_get(uint8_t *mac)
{
    return esp_read_mac(mac, ESP_MAC_BASE);
}

size_t esp_mac_addr_len_get(esp_mac_type_t type)
{
    size_t i = 0;
    while (i < KINDS && kinds[i].type != type) {
        i++;
    }
    return i < KINDS ? MAC_LEN : 0;
}

esp_err_t esp_derive_local_mac(uint8_t *local_mac, const uint8_t *universal_mac)
{
    if (check_pointer(local_mac) != ESP_OK || check_pointer(universal_mac) != ESP_OK) {
        return ESP_ERR_INVALID_ARG;
    }
    const uint8_t first = universal_mac[0];
    memcpy(local_mac, universal_mac, MAC_LEN);
    local_mac[0] = (first & 0x02) != 0 ? first ^ 0x04 : first | 0x02;
    return ESP_OK;
}
