/* lwip's names for addresses as text, and for the order of bytes. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>

#define lwip_htons htons
#define lwip_ntohs ntohs
#define lwip_htonl htonl
#define lwip_ntohl ntohl

#define inet_addr_from_ip4addr(target, source) ((target)->s_addr = (source)->addr)
#define inet_addr_to_ip4addr(target, source)   ((target)->addr = (source)->s_addr)
