/* Words for a link of Ethernet. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#define ETH_MAX_PACKET_SIZE   1522
#define ESP_ETH_PHY_ADDR_AUTO (-1)

typedef enum { ETH_LINK_UP, ETH_LINK_DOWN } eth_link_t;
typedef enum { ETH_SPEED_10M, ETH_SPEED_100M, ETH_SPEED_MAX } eth_speed_t;
typedef enum { ETH_DUPLEX_HALF, ETH_DUPLEX_FULL } eth_duplex_t;
