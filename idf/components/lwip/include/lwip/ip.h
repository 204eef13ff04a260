/* lwip's addresses and numbers of protocols. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "lwip/def.h"
#include "lwip/err.h"
#include "lwip/ip_addr.h"
#include "lwip/netif.h"

#define IP_PROTO_ICMP 1
#define IP_PROTO_IGMP 2
#define IP_PROTO_UDP  17
#define IP_PROTO_TCP  6
