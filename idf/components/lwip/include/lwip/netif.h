/* lwip's interfaces: its stack is not here, and has none. What there is, esp_netif.h tells. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "lwip/err.h"
#include "lwip/ip_addr.h"

#ifdef __cplusplus
extern "C" {
#endif

#define NETIF_FLAG_UP        0x01U
#define NETIF_FLAG_BROADCAST 0x02U
#define NETIF_FLAG_LINK_UP   0x04U
#define NETIF_NAMESIZE       6
#define NETIF_NO_INDEX       0

struct netif {
    struct netif *next;
    ip_addr_t ip_addr, netmask, gw;
    void *state;
    const char *hostname;
    u16_t mtu;
    u8_t hwaddr[6], hwaddr_len, flags, num;
    char name[2];
};

/** NULL, both. */
extern struct netif *netif_list, *netif_default;

#define NETIF_FOREACH(netif)     for ((netif) = netif_list; (netif) != NULL; (netif) = (netif)->next)
#define netif_is_up(netif)       (((netif)->flags & NETIF_FLAG_UP) != 0)
#define netif_is_link_up(netif)  (((netif)->flags & NETIF_FLAG_LINK_UP) != 0)
#define netif_ip4_addr(netif)    ((const ip4_addr_t *)ip_2_ip4(&(netif)->ip_addr))
#define netif_ip4_netmask(netif) ((const ip4_addr_t *)ip_2_ip4(&(netif)->netmask))
#define netif_ip4_gw(netif)      ((const ip4_addr_t *)ip_2_ip4(&(netif)->gw))
#define netif_get_index(netif)   ((u8_t)((netif)->num + 1))

/** Changes nothing: esp_netif_set_default_netif() does. */
void netif_set_default(struct netif *netif);
/** @return NULL */
struct netif *netif_find(const char *name);
struct netif *netif_get_by_index(u8_t idx);

#ifdef __cplusplus
}
#endif
