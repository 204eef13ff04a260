/* lwip's names for looking up hosts, on this machine's resolver. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "lwip/dns.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>

static ip_addr_t servers[DNS_MAX_SERVERS];

err_t dns_gethostbyname(const char *hostname, ip_addr_t *addr, dns_found_callback found, void *callback_arg)
{
    (void)found, (void)callback_arg;
    if (hostname == NULL || addr == NULL) {
        return ERR_ARG;
    }
    const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    if (getaddrinfo(hostname, NULL, &hints, &list) != 0 || list == NULL) {
        return ERR_VAL;
    }
    *addr = (ip_addr_t){.type = ESP_IPADDR_TYPE_V4};
    addr->u_addr.ip4.addr = ((const struct sockaddr_in *)(const void *)list->ai_addr)->sin_addr.s_addr;
    freeaddrinfo(list);
    return ERR_OK;
}

void dns_setserver(u8_t numdns, const ip_addr_t *dnsserver)
{
    if (numdns < DNS_MAX_SERVERS) {
        servers[numdns] = dnsserver != NULL ? *dnsserver : (ip_addr_t){0};
    }
}

const ip_addr_t *dns_getserver(u8_t numdns)
{
    static const ip_addr_t none;
    return numdns < DNS_MAX_SERVERS ? &servers[numdns] : &none;
}
