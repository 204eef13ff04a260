/* lwip's addresses, as esp_netif has them. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <arpa/inet.h>

#include "esp_netif_ip_addr.h"
#include "lwip/arch.h"

typedef esp_ip4_addr_t ip4_addr_t;
typedef esp_ip6_addr_t ip6_addr_t;
typedef esp_ip_addr_t ip_addr_t;
