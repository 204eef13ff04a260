/* ESP-IDF's esp_netif over the IP stack of this machine: an interface that is up has the machine's own address. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <net/if.h>

#include "sdkconfig.h"
#include "esp_err.h"
#include "esp_event.h"
#include "esp_netif_defaults.h"
#include "esp_netif_ip_addr.h"
#include "esp_netif_types.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What the machine's stack decides (its addresses, DHCP, name servers, routes) is told as it is; what would change that is
 * ESP_ERR_NOT_SUPPORTED. Any task may call all of this.
 */

/** @return ESP_OK, also when called again */
esp_err_t esp_netif_init(void);

/** @return ESP_ERR_NOT_SUPPORTED, as in ESP-IDF */
esp_err_t esp_netif_deinit(void);

/**
 * An interface, down.
 * @param config  with a base whose if_key no other interface has
 * @return NULL: without memory, with such a key already there, or without a base; esp_netif_destroy() it
 */
esp_netif_t *esp_netif_new(const esp_netif_config_t *config);
void esp_netif_destroy(esp_netif_t *netif);

/** Drivers move no packets here. @return ESP_OK; ESP_ERR_ESP_NETIF_INVALID_PARAMS with NULL */
esp_err_t esp_netif_attach(esp_netif_t *netif, esp_netif_iodriver_handle driver);
esp_netif_iodriver_handle esp_netif_get_io_driver(esp_netif_t *netif);

/* Handlers of what a driver tells. `netif` is an esp_netif_t; connected posts the interface's got-IP event. */
void esp_netif_action_start(void *netif, esp_event_base_t base, int32_t id, void *data);
void esp_netif_action_stop(void *netif, esp_event_base_t base, int32_t id, void *data);
void esp_netif_action_connected(void *netif, esp_event_base_t base, int32_t id, void *data);
void esp_netif_action_disconnected(void *netif, esp_event_base_t base, int32_t id, void *data);
void esp_netif_action_got_ip(void *netif, esp_event_base_t base, int32_t id, void *data);

esp_err_t esp_netif_set_default_netif(esp_netif_t *netif);
esp_netif_t *esp_netif_get_default_netif(void);

esp_err_t esp_netif_set_mac(esp_netif_t *netif, uint8_t mac[]);
esp_err_t esp_netif_get_mac(esp_netif_t *netif, uint8_t mac[]);

/** @return ESP_OK; ESP_ERR_ESP_NETIF_INVALID_PARAMS: NULL, or longer than 32 bytes */
esp_err_t esp_netif_set_hostname(esp_netif_t *netif, const char *hostname);
esp_err_t esp_netif_get_hostname(esp_netif_t *netif, const char **hostname);

bool esp_netif_is_netif_up(esp_netif_t *netif);

/** Of an interface that is up, the machine's own; of one that is down all zeros. */
esp_err_t esp_netif_get_ip_info(esp_netif_t *netif, esp_netif_ip_info_t *ip_info);
esp_err_t esp_netif_get_old_ip_info(esp_netif_t *netif, esp_netif_ip_info_t *ip_info);

/**
 * An access point's is kept, and told by esp_netif_get_ip_info() from then on; no network has it. Elsewhere the machine has
 * the address that it has.
 * @return ESP_OK; ESP_ERR_ESP_NETIF_DHCP_NOT_STOPPED; ESP_ERR_NOT_SUPPORTED: of a client
 */
esp_err_t esp_netif_set_ip_info(esp_netif_t *netif, const esp_netif_ip_info_t *ip_info);
esp_err_t esp_netif_set_old_ip_info(esp_netif_t *netif, const esp_netif_ip_info_t *ip_info);

/** Index and name of the machine's interface that has this address. @param name  IFNAMSIZ bytes */
int esp_netif_get_netif_impl_index(esp_netif_t *netif);
esp_err_t esp_netif_get_netif_impl_name(esp_netif_t *netif, char *name);

esp_err_t esp_netif_dhcpc_start(esp_netif_t *netif);
esp_err_t esp_netif_dhcpc_stop(esp_netif_t *netif);
esp_err_t esp_netif_dhcpc_get_status(esp_netif_t *netif, esp_netif_dhcp_status_t *status);
/** Of an access point, whose network does not exist: ESP_OK, and nobody asks for an address. */
esp_err_t esp_netif_dhcps_start(esp_netif_t *netif);
esp_err_t esp_netif_dhcps_stop(esp_netif_t *netif);
esp_err_t esp_netif_dhcps_get_status(esp_netif_t *netif, esp_netif_dhcp_status_t *status);
/** @return ESP_OK: to set one of a server, which does nothing; ESP_ERR_NOT_SUPPORTED: all else */
esp_err_t esp_netif_dhcps_option(esp_netif_t *netif, esp_netif_dhcp_option_mode_t opt_op,
                                 esp_netif_dhcp_option_id_t opt_id, void *opt_val, uint32_t opt_len);
esp_err_t esp_netif_dhcpc_option(esp_netif_t *netif, esp_netif_dhcp_option_mode_t opt_op,
                                 esp_netif_dhcp_option_id_t opt_id, void *opt_val, uint32_t opt_len);
/** There is no network to translate for. @return ESP_ERR_NOT_SUPPORTED */
esp_err_t esp_netif_napt_enable(esp_netif_t *netif);
esp_err_t esp_netif_napt_disable(esp_netif_t *netif);

/** The machine's resolver is used. @return set: ESP_ERR_NOT_SUPPORTED; get: ESP_OK and all zeros */
esp_err_t esp_netif_set_dns_info(esp_netif_t *netif, esp_netif_dns_type_t type, esp_netif_dns_info_t *dns);
esp_err_t esp_netif_get_dns_info(esp_netif_t *netif, esp_netif_dns_type_t type, esp_netif_dns_info_t *dns);

/** @return ESP_OK; ESP_FAIL where the machine's interface has no such address */
esp_err_t esp_netif_create_ip6_linklocal(esp_netif_t *netif);
esp_err_t esp_netif_get_ip6_linklocal(esp_netif_t *netif, esp_ip6_addr_t *ip6);
esp_err_t esp_netif_get_ip6_global(esp_netif_t *netif, esp_ip6_addr_t *ip6);

#ifndef CONFIG_LWIP_IPV6_NUM_ADDRESSES
#define CONFIG_LWIP_IPV6_NUM_ADDRESSES 3
#endif
/** @param if_ip6  room for CONFIG_LWIP_IPV6_NUM_ADDRESSES. @return how many there are: of the link, and global */
int esp_netif_get_all_ip6(esp_netif_t *netif, esp_ip6_addr_t if_ip6[]);
int esp_netif_get_all_preferred_ip6(esp_netif_t *netif, esp_ip6_addr_t if_ip6[]);

/** Drivers move no packets here. @return ESP_OK; ESP_ERR_ESP_NETIF_INVALID_PARAMS: NULL */
esp_err_t esp_netif_set_driver_config(esp_netif_t *netif, const esp_netif_driver_ifconfig_t *driver_config);
/* It is the machine's stack that does these. @return ESP_ERR_NOT_SUPPORTED; ESP_ERR_ESP_NETIF_INVALID_PARAMS: NULL */
esp_err_t esp_netif_receive(esp_netif_t *netif, void *buffer, size_t len, void *eb);
esp_err_t esp_netif_tx_rx_event_enable(esp_netif_t *netif);
esp_err_t esp_netif_tx_rx_event_disable(esp_netif_t *netif); /* ESP_OK */
esp_err_t esp_netif_join_ip6_multicast_group(esp_netif_t *netif, const esp_ip6_addr_t *addr);
esp_err_t esp_netif_leave_ip6_multicast_group(esp_netif_t *netif, const esp_ip6_addr_t *addr);
esp_err_t esp_netif_add_ip6_address(esp_netif_t *netif, const esp_ip6_addr_t addr, bool preferred);
esp_err_t esp_netif_remove_ip6_address(esp_netif_t *netif, const esp_ip6_addr_t *addr);
esp_err_t esp_netif_dhcps_get_clients_by_mac(esp_netif_t *netif, int num,
                                             esp_netif_pair_mac_ip_t *mac_ip_pair);

/* Addresses as text. `buf` of at least IP4ADDR_STRLEN_MAX bytes; NULL is returned where it is too short. */
void esp_netif_set_ip4_addr(esp_ip4_addr_t *addr, uint8_t a, uint8_t b, uint8_t c, uint8_t d);
char *esp_ip4addr_ntoa(const esp_ip4_addr_t *addr, char *buf, int buflen);
uint32_t esp_ip4addr_aton(const char *addr);
esp_err_t esp_netif_str_to_ip4(const char *src, esp_ip4_addr_t *dst);
esp_err_t esp_netif_str_to_ip6(const char *src, esp_ip6_addr_t *dst);

esp_netif_t *esp_netif_get_handle_from_ifkey(const char *if_key);
esp_netif_flags_t esp_netif_get_flags(esp_netif_t *netif);
const char *esp_netif_get_ifkey(esp_netif_t *netif);
const char *esp_netif_get_desc(esp_netif_t *netif);
int esp_netif_get_route_prio(esp_netif_t *netif);
/** Of no consequence: routes are the machine's. @return route_prio; -1: NULL */
int esp_netif_set_route_prio(esp_netif_t *netif, int route_prio);
/** @return the id of IP_EVENT; -1: NULL, or no such type */
int32_t esp_netif_get_event_id(esp_netif_t *netif, esp_netif_ip_event_type_t event_type);

/** The first one with NULL, NULL behind the last one. */
esp_netif_t *esp_netif_next(esp_netif_t *netif);
esp_netif_t *esp_netif_next_unsafe(esp_netif_t *netif);
typedef bool (*esp_netif_find_predicate_t)(esp_netif_t *netif, void *ctx);
esp_netif_t *esp_netif_find_if(esp_netif_find_predicate_t fn, void *ctx);
size_t esp_netif_get_nr_of_ifs(void);

typedef esp_err_t (*esp_netif_callback_fn)(void *ctx);
/** Runs it in the calling task. */
esp_err_t esp_netif_tcpip_exec(esp_netif_callback_fn fn, void *ctx);

#ifdef __cplusplus
}
#endif
