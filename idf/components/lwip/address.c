/* lwip's addresses as text. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <string.h>

#include "lwip/ip_addr.h"

char *ip4addr_ntoa_r(const ip4_addr_t *addr, char *buf, int buflen)
{
    return buflen > 0 && inet_ntop(AF_INET, &addr->addr, buf, (socklen_t)buflen) != NULL ? buf : NULL;
}

char *ip4addr_ntoa(const ip4_addr_t *addr)
{
    static char text[INET_ADDRSTRLEN]; /* lwip's has one for all, too */
    return ip4addr_ntoa_r(addr, text, sizeof(text));
}

int ip4addr_aton(const char *cp, ip4_addr_t *addr)
{
    struct in_addr address;
    if (cp == NULL || inet_aton(cp, &address) == 0) {
        return 0;
    }
    addr->addr = address.s_addr;
    return 1;
}

u32_t ipaddr_addr(const char *cp)
{
    ip4_addr_t address;
    return ip4addr_aton(cp, &address) != 0 ? address.addr : IPADDR_NONE;
}

char *ip6addr_ntoa_r(const ip6_addr_t *addr, char *buf, int buflen)
{
    return buflen > 0 && inet_ntop(AF_INET6, addr->addr, buf, (socklen_t)buflen) != NULL ? buf : NULL;
}

char *ip6addr_ntoa(const ip6_addr_t *addr)
{
    static char text[INET6_ADDRSTRLEN];
    return ip6addr_ntoa_r(addr, text, sizeof(text));
}

int ip6addr_aton(const char *cp, ip6_addr_t *addr)
{
    u32_t words[4];
    if (cp == NULL || inet_pton(AF_INET6, cp, words) != 1) {
        return 0;
    }
    memcpy(addr->addr, words, sizeof(words));
    addr->zone = 0;
    return 1;
}

char *ipaddr_ntoa_r(const ip_addr_t *addr, char *buf, int buflen)
{
    return IP_IS_V6(addr) ? ip6addr_ntoa_r(ip_2_ip6(addr), buf, buflen)
                          : ip4addr_ntoa_r(ip_2_ip4(addr), buf, buflen);
}

char *ipaddr_ntoa(const ip_addr_t *addr)
{
    return IP_IS_V6(addr) ? ip6addr_ntoa(ip_2_ip6(addr)) : ip4addr_ntoa(ip_2_ip4(addr));
}

int ipaddr_aton(const char *cp, ip_addr_t *addr)
{
    if (cp != NULL && strchr(cp, ':') != NULL) {
        addr->type = IPADDR_TYPE_V6;
        return ip6addr_aton(cp, &addr->u_addr.ip6);
    }
    addr->type = IPADDR_TYPE_V4;
    return ip4addr_aton(cp, &addr->u_addr.ip4);
}

bool ip_addr_cmp(const ip_addr_t *a, const ip_addr_t *b)
{
    if (a->type != b->type) {
        return false;
    }
    return IP_IS_V6(a) ? memcmp(a->u_addr.ip6.addr, b->u_addr.ip6.addr, sizeof(a->u_addr.ip6.addr)) == 0
                       : a->u_addr.ip4.addr == b->u_addr.ip4.addr;
}
