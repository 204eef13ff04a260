/* The registry's mdns without multicast: names and services are taken, nobody hears of them, and nothing is found. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "esp_netif.h"

#ifdef __cplusplus
extern "C" {
#endif

#define MDNS_NAME_MAX_LEN 64
#define MDNS_NAME_BUF_LEN (MDNS_NAME_MAX_LEN + 1)

#define MDNS_TYPE_A   0x0001
#define MDNS_TYPE_PTR 0x000C
#define MDNS_TYPE_TXT 0x0010
#define MDNS_TYPE_SRV 0x0021
#define MDNS_TYPE_ANY 0x00FF

typedef struct {
    const char *key, *value;
} mdns_txt_item_t;

typedef enum { MDNS_IP_PROTOCOL_V4, MDNS_IP_PROTOCOL_V6, MDNS_IP_PROTOCOL_MAX } mdns_ip_protocol_t;

typedef struct mdns_ip_addr_s {
    esp_ip_addr_t addr;
    struct mdns_ip_addr_s *next;
} mdns_ip_addr_t;

typedef struct mdns_result_s {
    struct mdns_result_s *next;
    esp_netif_t *esp_netif;
    uint32_t ttl;
    mdns_ip_protocol_t ip_protocol;
    char *instance_name, *service_type, *proto, *hostname;
    uint16_t port;
    mdns_txt_item_t *txt;
    uint8_t *txt_value_len;
    size_t txt_count;
    mdns_ip_addr_t *addr;
} mdns_result_t;

typedef enum {
    MDNS_EVENT_ENABLE_IP4 = 1 << 1,
    MDNS_EVENT_ENABLE_IP6 = 1 << 2,
    MDNS_EVENT_ANNOUNCE_IP4 = 1 << 3,
    MDNS_EVENT_ANNOUNCE_IP6 = 1 << 4,
    MDNS_EVENT_DISABLE_IP4 = 1 << 5,
    MDNS_EVENT_DISABLE_IP6 = 1 << 6,
} mdns_event_actions_t;

/* Codes: ESP_ERR_INVALID_ARG with NULL; ESP_ERR_INVALID_STATE before mdns_init(). */

/** Says once in the log that this is a stand-in. @return ESP_OK, also when called again */
esp_err_t mdns_init(void);
void mdns_free(void);
esp_err_t mdns_hostname_set(const char *hostname);
/** @param hostname  MDNS_NAME_BUF_LEN bytes, for what was set last. @return also ESP_ERR_INVALID_STATE: nothing was */
esp_err_t mdns_hostname_get(char *hostname);
esp_err_t mdns_netif_action(esp_netif_t *esp_netif, mdns_event_actions_t event_action);
esp_err_t mdns_register_netif(esp_netif_t *esp_netif);
esp_err_t mdns_unregister_netif(esp_netif_t *esp_netif);
esp_err_t mdns_instance_name_set(const char *instance_name);
esp_err_t mdns_service_add(const char *instance_name, const char *service_type, const char *proto,
                           uint16_t port, mdns_txt_item_t txt[], size_t num_items);
esp_err_t mdns_service_remove(const char *service_type, const char *proto);
esp_err_t mdns_service_remove_all(void);
esp_err_t mdns_service_instance_name_set(const char *service_type, const char *proto,
                                         const char *instance_name);
esp_err_t mdns_service_port_set(const char *service_type, const char *proto, uint16_t port);
esp_err_t mdns_service_txt_set(const char *service_type, const char *proto, mdns_txt_item_t txt[],
                               uint8_t num_items);
esp_err_t mdns_service_txt_item_set(const char *service_type, const char *proto, const char *key,
                                    const char *value);

/* The same of a host that this device speaks for; NULL: itself. */
esp_err_t mdns_delegate_hostname_add(const char *hostname, const mdns_ip_addr_t *address_list);
esp_err_t mdns_delegate_hostname_remove(const char *hostname);
esp_err_t mdns_service_add_for_host(const char *instance_name, const char *service_type, const char *proto,
                                    const char *hostname, uint16_t port, mdns_txt_item_t txt[],
                                    size_t num_items);
esp_err_t mdns_service_remove_for_host(const char *instance_name, const char *service_type, const char *proto,
                                       const char *hostname);
esp_err_t mdns_service_subtype_add_for_host(const char *instance_name, const char *service_type,
                                            const char *proto, const char *hostname, const char *subtype);
esp_err_t mdns_service_txt_item_remove(const char *service_type, const char *proto, const char *key);

/** Waits as long as a query does. @return ESP_ERR_NOT_FOUND */
esp_err_t mdns_query_a(const char *host_name, uint32_t timeout, esp_ip4_addr_t *addr);
/** @param results  NULL: none */
esp_err_t mdns_query_ptr(const char *service_type, const char *proto, uint32_t timeout, size_t max_results,
                         mdns_result_t **results);
esp_err_t mdns_query_srv(const char *instance_name, const char *service_type, const char *proto,
                         uint32_t timeout, mdns_result_t **result);
esp_err_t mdns_query_txt(const char *instance_name, const char *service_type, const char *proto,
                         uint32_t timeout, mdns_result_t **result);
void mdns_query_results_free(mdns_result_t *results);

#ifdef __cplusplus
}
#endif
