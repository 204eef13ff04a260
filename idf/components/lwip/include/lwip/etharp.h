/* Nothing is known of the hardware addresses of others. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "lwip/ip_addr.h"
#include "lwip/netif.h"

#define ETH_HWADDR_LEN 6

struct eth_addr {
    u8_t addr[ETH_HWADDR_LEN];
};

/** @return -1: it is not known */
static inline ssize_t etharp_find_addr(struct netif *netif, const ip4_addr_t *ipaddr,
                                       struct eth_addr **eth_ret, const ip4_addr_t **ip_ret)
{
    (void)netif, (void)ipaddr, (void)eth_ret, (void)ip_ret;
    return -1;
}

/** @return ERR_IF */
static inline err_t etharp_request(struct netif *netif, const ip4_addr_t *ipaddr)
{
    (void)netif, (void)ipaddr;
    return ERR_IF;
}
