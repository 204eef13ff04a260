/* lwip's helpers for numbers and the order of bytes. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "lwip/arch.h"
#include "lwip/inet.h"
#include "lwip/opt.h"

#define LWIP_MAX(x, y)     (((x) > (y)) ? (x) : (y))
#define LWIP_MIN(x, y)     (((x) < (y)) ? (x) : (y))
#define LWIP_ARRAYSIZE(x)  (sizeof(x) / sizeof((x)[0]))
#define LWIP_UNUSED_ARG(x) ((void)(x))
#define LWIP_MAKEU32(a, b, c, d)                                                                             \
    (((u32_t)((a)&0xff) << 24) | ((u32_t)((b)&0xff) << 16) | ((u32_t)((c)&0xff) << 8) | (u32_t)((d)&0xff))

#define PP_HTONS(x) ((u16_t)((((x) & (u16_t)0x00ffU) << 8) | (((x) & (u16_t)0xff00U) >> 8)))
#define PP_NTOHS(x) PP_HTONS(x)
#define PP_HTONL(x) esp_netif_htonl((u32_t)(x))
#define PP_NTOHL(x) PP_HTONL(x)

#include "esp_netif_ip_addr.h" /* esp_netif_htonl() */
