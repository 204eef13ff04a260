/* Endpoints in a list. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "protocomm.h"

#include <stdlib.h>
#include <string.h>

#include "esp_log.h"
#include "protocomm_ble.h"
#include "protocomm_httpd.h"

static const char TAG[] = "protocomm";

ESP_EVENT_DEFINE_BASE(PROTOCOMM_SECURITY_SESSION_EVENT);
ESP_EVENT_DEFINE_BASE(PROTOCOMM_TRANSPORT_BLE_EVENT);

const protocomm_security_t protocomm_security0 = {.ver = 0};
const protocomm_security_t protocomm_security1 = {.ver = 1};
const protocomm_security_t protocomm_security2 = {.ver = 2};

typedef struct endpoint {
    struct endpoint *next;
    protocomm_req_handler_t handler; /* NULL: of security or version */
    void *priv_data;
    char name[];
} endpoint_t;

struct protocomm {
    endpoint_t *first;
};

/** Where the endpoint hangs, or the end of the list. */
static endpoint_t **find(protocomm_t *pc, const char *name)
{
    endpoint_t **at = &pc->first;
    while (*at != NULL && strcmp((*at)->name, name) != 0) {
        at = &(*at)->next;
    }
    return at;
}

protocomm_t *protocomm_new(void)
{
    return calloc(1, sizeof(protocomm_t));
}

void protocomm_delete(protocomm_t *pc)
{
    while (pc != NULL && pc->first != NULL) {
        endpoint_t *next = pc->first->next;
        free(pc->first);
        pc->first = next;
    }
    free(pc);
}

static esp_err_t add(protocomm_t *pc, const char *name, protocomm_req_handler_t handler, void *priv_data)
{
    if (pc == NULL || name == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    endpoint_t **at = find(pc, name);
    if (*at != NULL) {
        return ESP_FAIL;
    }
    const size_t size = strlen(name) + 1;
    endpoint_t *made = calloc(1, sizeof(*made) + size);
    if (made == NULL) {
        return ESP_ERR_NO_MEM;
    }
    made->handler = handler;
    made->priv_data = priv_data;
    memcpy(made->name, name, size);
    *at = made;
    return ESP_OK;
}

esp_err_t protocomm_add_endpoint(protocomm_t *pc, const char *ep_name, protocomm_req_handler_t h,
                                 void *priv_data)
{
    return h != NULL ? add(pc, ep_name, h, priv_data) : ESP_ERR_INVALID_ARG;
}

esp_err_t protocomm_remove_endpoint(protocomm_t *pc, const char *ep_name)
{
    if (pc == NULL || ep_name == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    endpoint_t **at = find(pc, ep_name), *gone = *at;
    if (gone == NULL) {
        return ESP_ERR_NOT_FOUND;
    }
    *at = gone->next;
    free(gone);
    return ESP_OK;
}

esp_err_t protocomm_req_handle(protocomm_t *pc, const char *ep_name, uint32_t session_id,
                               const uint8_t *inbuf, ssize_t inlen, uint8_t **outbuf, ssize_t *outlen)
{
    if (pc == NULL || ep_name == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    const endpoint_t *called = *find(pc, ep_name);
    if (called == NULL || called->handler == NULL) {
        return ESP_ERR_NOT_FOUND;
    }
    return called->handler(session_id, inbuf, inlen, outbuf, outlen, called->priv_data);
}

esp_err_t protocomm_set_security(protocomm_t *pc, const char *ep_name, const protocomm_security_t *sec,
                                 const void *sec_params)
{
    (void)sec_params;
    return sec != NULL ? add(pc, ep_name, NULL, NULL) : ESP_ERR_INVALID_ARG;
}

esp_err_t protocomm_unset_security(protocomm_t *pc, const char *ep_name)
{
    return protocomm_remove_endpoint(pc, ep_name);
}

esp_err_t protocomm_set_version(protocomm_t *pc, const char *ep_name, const char *version)
{
    return version != NULL ? add(pc, ep_name, NULL, NULL) : ESP_ERR_INVALID_ARG;
}

esp_err_t protocomm_unset_version(protocomm_t *pc, const char *ep_name)
{
    return protocomm_remove_endpoint(pc, ep_name);
}

static esp_err_t no_transport(const char *which)
{
    ESP_LOGE(TAG, "there is no %s that brings anybody to these endpoints", which);
    return ESP_ERR_NOT_SUPPORTED;
}

esp_err_t protocomm_ble_start(protocomm_t *pc, const protocomm_ble_config_t *config)
{
    return pc != NULL && config != NULL ? no_transport("Bluetooth") : ESP_ERR_INVALID_ARG;
}

esp_err_t protocomm_ble_stop(protocomm_t *pc)
{
    (void)pc;
    return ESP_ERR_INVALID_ARG;
}

esp_err_t protocomm_httpd_start(protocomm_t *pc, const protocomm_httpd_config_t *config)
{
    return pc != NULL && config != NULL ? no_transport("web server") : ESP_ERR_INVALID_ARG;
}

esp_err_t protocomm_httpd_stop(protocomm_t *pc)
{
    (void)pc;
    return ESP_ERR_INVALID_ARG;
}
