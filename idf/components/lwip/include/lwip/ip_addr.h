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

#ifdef __cplusplus
extern "C" {
#endif

/** As text, in a buffer that all calls share. */
char *ip4addr_ntoa(const ip4_addr_t *addr);
/** @return buf; NULL: it does not fit */
char *ip4addr_ntoa_r(const ip4_addr_t *addr, char *buf, int buflen);
/** @return 1; 0: this is no address */
int ip4addr_aton(const char *cp, ip4_addr_t *addr);

#ifdef __cplusplus
}
#endif
