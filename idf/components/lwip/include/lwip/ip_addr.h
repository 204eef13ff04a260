/* lwip's addresses, as esp_netif has them. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <arpa/inet.h>

#include "esp_netif_ip_addr.h"
#include "lwip/arch.h"

typedef esp_ip4_addr_t ip4_addr_t;
typedef esp_ip6_addr_t ip6_addr_t;
typedef esp_ip_addr_t ip_addr_t;

#define ip4_addr1 esp_ip4_addr1
#define ip4_addr2 esp_ip4_addr2
#define ip4_addr3 esp_ip4_addr3
#define ip4_addr4 esp_ip4_addr4

#define ip_2_ip4(address)                    (&(address)->u_addr.ip4)
#define ipaddr_ntoa(address)                 ip4addr_ntoa(ip_2_ip4(address))
#define IPADDR_TYPE_V4                       ESP_IPADDR_TYPE_V4
#define inet_addr_to_ip4addr(target, source) ((target)->addr = (source)->s_addr)

#ifdef __cplusplus
extern "C" {
#endif

/** As text, in a buffer that all calls share. */
char *ip4addr_ntoa(const ip4_addr_t *addr);
/** @return buf; NULL: it does not fit */
char *ip4addr_ntoa_r(const ip4_addr_t *addr, char *buf, int buflen);
/** @return 1; 0: this is no address */
int ip4addr_aton(const char *cp, ip4_addr_t *addr);

/** The same to an address of either kind; of version 6 none is read. */
static inline int ipaddr_aton(const char *cp, ip_addr_t *addr)
{
    addr->type = ESP_IPADDR_TYPE_V4;
    return ip4addr_aton(cp, &addr->u_addr.ip4);
}

#ifdef __cplusplus
}
#endif
