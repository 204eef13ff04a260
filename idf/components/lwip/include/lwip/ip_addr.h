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

#define ip_2_ip4(address)              (&(address)->u_addr.ip4)
#define ip_2_ip6(address)              (&(address)->u_addr.ip6)
#define IPADDR_TYPE_V4                 ESP_IPADDR_TYPE_V4
#define IPADDR_TYPE_V6                 ESP_IPADDR_TYPE_V6
#define IPADDR_TYPE_ANY                ESP_IPADDR_TYPE_ANY
#define IP_IS_V4(address)              ((address)->type == IPADDR_TYPE_V4)
#define IP_IS_V6(address)              ((address)->type == IPADDR_TYPE_V6)
#define IP_IS_V4_VAL(address)          ((address).type == IPADDR_TYPE_V4)
#define IP_IS_V6_VAL(address)          ((address).type == IPADDR_TYPE_V6)
#define IP_GET_TYPE(address)           ((address)->type)
#define IP_SET_TYPE(address, kind)     ((address)->type = (kind))
#define IP6ADDR_STRLEN_MAX             46
#define IPADDR_STRLEN_MAX              IP6ADDR_STRLEN_MAX
#define IPADDR_NONE                    ((u32_t)0xffffffffUL)
#define IPADDR_ANY                     ((u32_t)0x00000000UL)
#define IPADDR_LOOPBACK                ((u32_t)0x7f000001UL)
#define IPADDR_BROADCAST               ((u32_t)0xffffffffUL)
#define IPADDR4_INIT_BYTES(a, b, c, d) ESP_IP4ADDR_INIT(a, b, c, d)

#define ip4_addr_get_u32(address)      ((address)->addr)
#define ip4_addr_set_u32(address, u32) ((address)->addr = (u32))
#define ip4_addr_set_zero(address)     ((address)->addr = 0)
#define ip4_addr_set_any(address)      ((address)->addr = 0)
#define ip4_addr_copy(to, from)        ((to).addr = (from).addr)
#define ip4_addr_set(to, from)         ((to)->addr = (from) != NULL ? (from)->addr : 0)
#define ip4_addr_cmp(a, b)             ((a)->addr == (b)->addr)
#define ip4_addr_eq(a, b)              ip4_addr_cmp(a, b)
#define ip4_addr_isany(address)        ((address) == NULL || (address)->addr == 0)
#define ip4_addr_isany_val(address)    ((address).addr == 0)
#define ip4_addr_ismulticast(address)  (((address)->addr & 0xf0U) == 0xe0U)
#define ip4_addr_netcmp(a, b, mask)    (((a)->addr & (mask)->addr) == ((b)->addr & (mask)->addr))
#define ip6_addr_ismulticast(address)  (((address)->addr[0] & 0xffU) == 0xffU)
#define ip6_addr_isany(address)                                                                              \
    ((address)->addr[0] == 0 && (address)->addr[1] == 0 && (address)->addr[2] == 0 && (address)->addr[3] == 0)
#define ip6_addr_islinklocal(address) (((address)->addr[0] & 0xc0ffU) == 0x80feU)
#define ip6_addr_isglobal(address)    (((address)->addr[0] & 0xe0U) == 0x20U)

#define ip_addr_copy(to, from)           ((to) = (from))
#define ip_addr_set(to, from)            (*(to) = *(from))
#define ip_addr_set_ip4_u32(to, u32)     (*(to) = (ip_addr_t){.u_addr = {.ip4 = {(u32)}}, .type = IPADDR_TYPE_V4})
#define ip_addr_set_ip4_u32_val(to, u32) ip_addr_set_ip4_u32(&(to), u32)
#define ip_addr_get_ip4_u32(address)     (IP_IS_V4(address) ? (address)->u_addr.ip4.addr : 0)
#define ip_addr_copy_from_ip4(to, from)                                                                      \
    ((to) = (ip_addr_t){.u_addr = {.ip4 = (from)}, .type = IPADDR_TYPE_V4})
#define ip_addr_isany(address)                                                                               \
    (IP_IS_V6(address) ? ip6_addr_isany(ip_2_ip6(address)) : ip4_addr_isany(ip_2_ip4(address)))
#define ip_addr_ismulticast(address)                                                                         \
    (IP_IS_V6(address) ? ip6_addr_ismulticast(ip_2_ip6(address)) : ip4_addr_ismulticast(ip_2_ip4(address)))
#define IP_ADDR4(address, a, b, c, d)        ip_addr_set_ip4_u32(address, ESP_IP4TOADDR(a, b, c, d))
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

/** @return in network byte order; IPADDR_NONE: this is no address */
u32_t ipaddr_addr(const char *cp);
/* The same of version 6, and of either one. */
char *ip6addr_ntoa(const ip6_addr_t *addr);
char *ip6addr_ntoa_r(const ip6_addr_t *addr, char *buf, int buflen);
int ip6addr_aton(const char *cp, ip6_addr_t *addr);
char *ipaddr_ntoa(const ip_addr_t *addr);
char *ipaddr_ntoa_r(const ip_addr_t *addr, char *buf, int buflen);
int ipaddr_aton(const char *cp, ip_addr_t *addr);
bool ip_addr_cmp(const ip_addr_t *a, const ip_addr_t *b);
#define ip_addr_eq ip_addr_cmp

#ifdef __cplusplus
}
#endif
