/* mDNS that is silent. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "mdns.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "esp_log.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

static const char TAG[] = "mdns";

static atomic_bool ready;
static portMUX_TYPE lock = portMUX_INITIALIZER_UNLOCKED;
static char name[MDNS_NAME_BUF_LEN];

esp_err_t mdns_init(void)
{
    if (!atomic_exchange(&ready, true)) {
        ESP_LOGI(TAG, "a stand-in: nobody hears of this device, and it finds nobody");
    }
    return ESP_OK;
}

void mdns_free(void)
{
    atomic_store(&ready, false);
}

/** Something that has a name. */
static esp_err_t take(const char *text)
{
    return text == NULL ? ESP_ERR_INVALID_ARG : atomic_load(&ready) ? ESP_OK : ESP_ERR_INVALID_STATE;
}

static esp_err_t take_service(const char *service_type, const char *proto)
{
    esp_err_t err = take(service_type);
    return err == ESP_OK ? take(proto) : err;
}

esp_err_t mdns_hostname_set(const char *hostname)
{
    esp_err_t err = take(hostname);
    if (err == ESP_OK && strlen(hostname) > MDNS_NAME_MAX_LEN) {
        return ESP_ERR_INVALID_ARG;
    }
    if (err == ESP_OK) {
        taskENTER_CRITICAL(&lock);
        snprintf(name, sizeof(name), "%s", hostname);
        taskEXIT_CRITICAL(&lock);
    }
    return err;
}

esp_err_t mdns_hostname_get(char *hostname)
{
    esp_err_t err = take(hostname);
    if (err == ESP_OK) {
        taskENTER_CRITICAL(&lock);
        memcpy(hostname, name, sizeof(name));
        taskEXIT_CRITICAL(&lock);
    }
    return err == ESP_OK && hostname[0] == '\0' ? ESP_ERR_INVALID_STATE : err;
}

esp_err_t mdns_netif_action(esp_netif_t *esp_netif, mdns_event_actions_t event_action)
{
    return esp_netif != NULL && event_action != 0 ? take("") : ESP_ERR_INVALID_ARG;
}

esp_err_t mdns_register_netif(esp_netif_t *esp_netif)
{
    return esp_netif != NULL ? take("") : ESP_ERR_INVALID_ARG;
}

esp_err_t mdns_unregister_netif(esp_netif_t *esp_netif)
{
    return mdns_register_netif(esp_netif);
}

esp_err_t mdns_instance_name_set(const char *instance_name)
{
    return take(instance_name);
}

esp_err_t mdns_service_add(const char *instance_name, const char *service_type, const char *proto,
                           uint16_t port, mdns_txt_item_t txt[], size_t num_items)
{
    (void)instance_name;
    return port == 0 || (num_items > 0 && txt == NULL) ? ESP_ERR_INVALID_ARG
                                                       : take_service(service_type, proto);
}

esp_err_t mdns_service_remove(const char *service_type, const char *proto)
{
    return take_service(service_type, proto);
}

esp_err_t mdns_service_remove_all(void)
{
    return take("");
}

esp_err_t mdns_service_instance_name_set(const char *service_type, const char *proto,
                                         const char *instance_name)
{
    return instance_name != NULL ? take_service(service_type, proto) : ESP_ERR_INVALID_ARG;
}

esp_err_t mdns_service_port_set(const char *service_type, const char *proto, uint16_t port)
{
    return port != 0 ? take_service(service_type, proto) : ESP_ERR_INVALID_ARG;
}

esp_err_t mdns_service_txt_set(const char *service_type, const char *proto, mdns_txt_item_t txt[],
                               uint8_t num_items)
{
    return num_items > 0 && txt == NULL ? ESP_ERR_INVALID_ARG : take_service(service_type, proto);
}

esp_err_t mdns_service_txt_item_set(const char *service_type, const char *proto, const char *key,
                                    const char *value)
{
    return key != NULL && value != NULL ? take_service(service_type, proto) : ESP_ERR_INVALID_ARG;
}

esp_err_t mdns_delegate_hostname_add(const char *hostname, const mdns_ip_addr_t *address_list)
{
    return address_list != NULL ? take(hostname) : ESP_ERR_INVALID_ARG;
}

esp_err_t mdns_delegate_hostname_remove(const char *hostname)
{
    return take(hostname);
}

esp_err_t mdns_service_add_for_host(const char *instance_name, const char *service_type, const char *proto,
                                    const char *hostname, uint16_t port, mdns_txt_item_t txt[],
                                    size_t num_items)
{
    (void)hostname;
    return mdns_service_add(instance_name, service_type, proto, port, txt, num_items);
}

esp_err_t mdns_service_remove_for_host(const char *instance_name, const char *service_type, const char *proto,
                                       const char *hostname)
{
    (void)instance_name, (void)hostname;
    return take_service(service_type, proto);
}

esp_err_t mdns_service_subtype_add_for_host(const char *instance_name, const char *service_type,
                                            const char *proto, const char *hostname, const char *subtype)
{
    (void)instance_name, (void)hostname;
    return subtype != NULL ? take_service(service_type, proto) : ESP_ERR_INVALID_ARG;
}

esp_err_t mdns_service_txt_item_remove(const char *service_type, const char *proto, const char *key)
{
    return key != NULL ? take_service(service_type, proto) : ESP_ERR_INVALID_ARG;
}

esp_err_t mdns_query_srv(const char *instance_name, const char *service_type, const char *proto,
                         uint32_t timeout, mdns_result_t **result)
{
    return instance_name != NULL ? mdns_query_ptr(service_type, proto, timeout, 1, result)
                                 : ESP_ERR_INVALID_ARG;
}

esp_err_t mdns_query_txt(const char *instance_name, const char *service_type, const char *proto,
                         uint32_t timeout, mdns_result_t **result)
{
    return mdns_query_srv(instance_name, service_type, proto, timeout, result);
}

esp_err_t mdns_query_a(const char *host_name, uint32_t timeout, esp_ip4_addr_t *addr)
{
    esp_err_t err = addr != NULL ? take(host_name) : ESP_ERR_INVALID_ARG;
    if (err == ESP_OK) {
        vTaskDelay(pdMS_TO_TICKS(timeout));
    }
    return err == ESP_OK ? ESP_ERR_NOT_FOUND : err;
}

esp_err_t mdns_query_ptr(const char *service_type, const char *proto, uint32_t timeout, size_t max_results,
                         mdns_result_t **results)
{
    (void)max_results;
    esp_err_t err = results != NULL ? take_service(service_type, proto) : ESP_ERR_INVALID_ARG;
    if (err == ESP_OK) {
        *results = NULL;
        vTaskDelay(pdMS_TO_TICKS(timeout));
    }
    return err;
}

void mdns_query_results_free(mdns_result_t *results)
{
    (void)results; /* there are none */
}
