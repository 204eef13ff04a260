/* What lwip's own stack would be configured to: this machine's has all of it. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#define LWIP_IPV4        1
#define LWIP_IPV6        1
#define LWIP_TCP         1
#define LWIP_UDP         1
#define LWIP_DNS         1
#define LWIP_SOCKET      1
#define LWIP_NETCONN     0 /* lwip/api.h is not there */
#define LWIP_SO_RCVTIMEO 1
#define LWIP_SO_SNDTIMEO 1
#define LWIP_IGMP        1
