/* ESP-IDF's IP addresses: in network byte order, with the macros that print them. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct esp_ip4_addr {
    uint32_t addr; /* network byte order */
};
struct esp_ip6_addr {
    uint32_t addr[4]; /* network byte order */
    uint8_t zone;
};
typedef struct esp_ip4_addr esp_ip4_addr_t;
typedef struct esp_ip6_addr esp_ip6_addr_t;

typedef struct _ip_addr {
    union {
        esp_ip6_addr_t ip6;
        esp_ip4_addr_t ip4;
    } u_addr;
    uint8_t type; /* ESP_IPADDR_TYPE_* */
} esp_ip_addr_t;

#define ESP_IPADDR_TYPE_V4  0U
#define ESP_IPADDR_TYPE_V6  6U
#define ESP_IPADDR_TYPE_ANY 46U

#define IP4ADDR_STRLEN_MAX 16

/* Of a host with its least significant byte first, as those that ESP-IDF runs on. */
#define esp_netif_htonl(x)                                                                                   \
    ((((x) & (uint32_t)0x000000ffUL) << 24) | (((x) & (uint32_t)0x0000ff00UL) << 8) |                        \
     (((x) & (uint32_t)0x00ff0000UL) >> 8) | (((x) & (uint32_t)0xff000000UL) >> 24))

#define ESP_IP4TOUINT32(a, b, c, d)                                                                          \
    (((uint32_t)((a)&0xffU) << 24) | ((uint32_t)((b)&0xffU) << 16) | ((uint32_t)((c)&0xffU) << 8) |          \
     (uint32_t)((d)&0xffU))
#define ESP_IP4TOADDR(a, b, c, d)         esp_netif_htonl(ESP_IP4TOUINT32(a, b, c, d))
#define esp_netif_ip4_makeu32(a, b, c, d) ESP_IP4TOUINT32(a, b, c, d)
#define ESP_IP4ADDR_INIT(a, b, c, d)                                                                         \
    {                                                                                                        \
        .u_addr = {.ip4 = {.addr = ESP_IP4TOADDR(a, b, c, d)}}, .type = ESP_IPADDR_TYPE_V4                   \
    }
#define ESP_IP6ADDR_INIT(a, b, c, d)                                                                         \
    {                                                                                                        \
        .u_addr = {.ip6 = {.addr = {a, b, c, d}, .zone = 0}}, .type = ESP_IPADDR_TYPE_V6                     \
    }
#define ESP_IP_IS_ANY(address)                                                                               \
    ((address).type == ESP_IPADDR_TYPE_V6                                                                    \
         ? ((address).u_addr.ip6.addr[0] | (address).u_addr.ip6.addr[1] | (address).u_addr.ip6.addr[2] |     \
            (address).u_addr.ip6.addr[3]) == 0                                                               \
         : (address).u_addr.ip4.addr == 0)
#define IP4_ADDR(ipaddr, a, b, c, d) ((ipaddr)->addr = ESP_IP4TOADDR(a, b, c, d))

#define IPSTR                              "%d.%d.%d.%d"
#define esp_ip4_addr_get_byte(ipaddr, idx) (((const uint8_t *)(&(ipaddr)->addr))[idx])
#define esp_ip4_addr1(ipaddr)              esp_ip4_addr_get_byte(ipaddr, 0)
#define esp_ip4_addr2(ipaddr)              esp_ip4_addr_get_byte(ipaddr, 1)
#define esp_ip4_addr3(ipaddr)              esp_ip4_addr_get_byte(ipaddr, 2)
#define esp_ip4_addr4(ipaddr)              esp_ip4_addr_get_byte(ipaddr, 3)
#define esp_ip4_addr1_16(ipaddr)           ((uint16_t)esp_ip4_addr_get_byte(ipaddr, 0))
#define esp_ip4_addr2_16(ipaddr)           ((uint16_t)esp_ip4_addr_get_byte(ipaddr, 1))
#define esp_ip4_addr3_16(ipaddr)           ((uint16_t)esp_ip4_addr_get_byte(ipaddr, 2))
#define esp_ip4_addr4_16(ipaddr)           ((uint16_t)esp_ip4_addr_get_byte(ipaddr, 3))
#define IP2STR(ipaddr)                                                                                       \
    esp_ip4_addr1_16(ipaddr), esp_ip4_addr2_16(ipaddr), esp_ip4_addr3_16(ipaddr), esp_ip4_addr4_16(ipaddr)

#define IPV6STR "%04x:%04x:%04x:%04x:%04x:%04x:%04x:%04x"
#define ESP_IP6_ADDR_HALF_(ip6addr, i, shift)                                                                \
    ((uint16_t)((esp_netif_htonl((ip6addr)->addr[i]) >> (shift)) & 0xffff))
#define ESP_IP6_ADDR_BLOCK1(ip6addr) ESP_IP6_ADDR_HALF_(ip6addr, 0, 16)
#define ESP_IP6_ADDR_BLOCK2(ip6addr) ESP_IP6_ADDR_HALF_(ip6addr, 0, 0)
#define ESP_IP6_ADDR_BLOCK3(ip6addr) ESP_IP6_ADDR_HALF_(ip6addr, 1, 16)
#define ESP_IP6_ADDR_BLOCK4(ip6addr) ESP_IP6_ADDR_HALF_(ip6addr, 1, 0)
#define ESP_IP6_ADDR_BLOCK5(ip6addr) ESP_IP6_ADDR_HALF_(ip6addr, 2, 16)
#define ESP_IP6_ADDR_BLOCK6(ip6addr) ESP_IP6_ADDR_HALF_(ip6addr, 2, 0)
#define ESP_IP6_ADDR_BLOCK7(ip6addr) ESP_IP6_ADDR_HALF_(ip6addr, 3, 16)
#define ESP_IP6_ADDR_BLOCK8(ip6addr) ESP_IP6_ADDR_HALF_(ip6addr, 3, 0)
#define IPV62STR(ipaddr)                                                                                     \
    ESP_IP6_ADDR_HALF_(&(ipaddr), 0, 16), ESP_IP6_ADDR_HALF_(&(ipaddr), 0, 0),                               \
        ESP_IP6_ADDR_HALF_(&(ipaddr), 1, 16), ESP_IP6_ADDR_HALF_(&(ipaddr), 1, 0),                           \
        ESP_IP6_ADDR_HALF_(&(ipaddr), 2, 16), ESP_IP6_ADDR_HALF_(&(ipaddr), 2, 0),                           \
        ESP_IP6_ADDR_HALF_(&(ipaddr), 3, 16), ESP_IP6_ADDR_HALF_(&(ipaddr), 3, 0)

typedef enum {
    ESP_IP6_ADDR_IS_UNKNOWN,
    ESP_IP6_ADDR_IS_GLOBAL,
    ESP_IP6_ADDR_IS_LINK_LOCAL,
    ESP_IP6_ADDR_IS_SITE_LOCAL,
    ESP_IP6_ADDR_IS_UNIQUE_LOCAL,
    ESP_IP6_ADDR_IS_IPV4_MAPPED_IPV6,
} esp_ip6_addr_type_t;

void esp_netif_ip_addr_copy(esp_ip_addr_t *dest, const esp_ip_addr_t *src);

/** By the prefix of the address. */
esp_ip6_addr_type_t esp_netif_ip6_get_addr_type(esp_ip6_addr_t *ip6_addr);

#ifdef __cplusplus
}
#endif
