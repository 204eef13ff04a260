/* Addresses as text, and by their prefix. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <string.h>

#include "esp_netif.h"

void esp_netif_set_ip4_addr(esp_ip4_addr_t *addr, uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    addr->addr = ESP_IP4TOADDR(a, b, c, d);
}

char *esp_ip4addr_ntoa(const esp_ip4_addr_t *addr, char *buf, int buflen)
{
    struct in_addr in = {.s_addr = addr->addr};
    return (char *)(uintptr_t)inet_ntop(AF_INET, &in, buf, (socklen_t)buflen);
}

uint32_t esp_ip4addr_aton(const char *addr)
{
    struct in_addr in = {0};
    return inet_aton(addr, &in) != 0 ? in.s_addr : 0;
}

esp_err_t esp_netif_str_to_ip4(const char *src, esp_ip4_addr_t *dst)
{
    struct in_addr in;
    if (src == NULL || dst == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (inet_pton(AF_INET, src, &in) != 1) {
        return ESP_FAIL;
    }
    dst->addr = in.s_addr;
    return ESP_OK;
}

esp_err_t esp_netif_str_to_ip6(const char *src, esp_ip6_addr_t *dst)
{
    struct in6_addr in;
    if (src == NULL || dst == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (inet_pton(AF_INET6, src, &in) != 1) {
        return ESP_FAIL;
    }
    memcpy(dst->addr, &in, sizeof(dst->addr));
    dst->zone = 0;
    return ESP_OK;
}

esp_ip6_addr_type_t esp_netif_ip6_get_addr_type(esp_ip6_addr_t *ip6_addr)
{
    static const struct {
        uint8_t first, first_mask, second, second_mask;
        esp_ip6_addr_type_t type;
    } prefixes[] = {
        {0x20, 0xE0, 0, 0, ESP_IP6_ADDR_IS_GLOBAL},
        {0xFE, 0xFF, 0x80, 0xC0, ESP_IP6_ADDR_IS_LINK_LOCAL},
        {0xFE, 0xFF, 0xC0, 0xC0, ESP_IP6_ADDR_IS_SITE_LOCAL},
        {0xFC, 0xFE, 0, 0, ESP_IP6_ADDR_IS_UNIQUE_LOCAL},
    };
    const uint8_t *bytes = (const uint8_t *)ip6_addr->addr;
    if (IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)(const void *)bytes)) {
        return ESP_IP6_ADDR_IS_IPV4_MAPPED_IPV6;
    }
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        if ((bytes[0] & prefixes[i].first_mask) == prefixes[i].first &&
            (bytes[1] & prefixes[i].second_mask) == prefixes[i].second) {
            return prefixes[i].type;
        }
    }
    return ESP_IP6_ADDR_IS_UNKNOWN;
}

void esp_netif_ip_addr_copy(esp_ip_addr_t *dest, const esp_ip_addr_t *src)
{
    *dest = *src;
}
