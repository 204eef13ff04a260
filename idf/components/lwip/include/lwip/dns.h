/* lwip's resolver, which is this machine's. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "lwip/err.h"
#include "lwip/ip_addr.h"

#ifdef __cplusplus
extern "C" {
#endif

#define DNS_MAX_SERVERS 3

typedef void (*dns_found_callback)(const char *name, const ip_addr_t *ipaddr, void *callback_arg);

/** Looks an IPv4 address up, and waits for it: the callback is not called.
    @return ERR_OK; ERR_ARG: NULL; ERR_VAL: nobody knows the name */
err_t dns_gethostbyname(const char *hostname, ip_addr_t *addr, dns_found_callback found, void *callback_arg);
/** The servers are this machine's own: what is set is kept, and not asked. Others than DNS_MAX_SERVERS are left out. */
void dns_setserver(u8_t numdns, const ip_addr_t *dnsserver);
/** What was set; a zero address where nothing was. */
const ip_addr_t *dns_getserver(u8_t numdns);

#ifdef __cplusplus
}
#endif
