/* ESP-IDF's provisioning without a phone: as soon as it is started, a network comes, and the station connects to it. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "esp_wifi.h"
#include "protocomm.h"
#include "wifi_provisioning/wifi_config.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What app_event_handler and this base get: CRED_RECV with a wifi_sta_config_t *, CRED_FAIL (never) with a reason. */
ESP_EVENT_DECLARE_BASE(WIFI_PROV_EVENT);
typedef enum {
    WIFI_PROV_INIT,
    WIFI_PROV_START,
    WIFI_PROV_SET_STA_CONFIG,
    WIFI_PROV_CRED_RECV,
    WIFI_PROV_CRED_FAIL,
    WIFI_PROV_CRED_SUCCESS,
    WIFI_PROV_END,
    WIFI_PROV_DEINIT,
} wifi_prov_cb_event_t;

typedef void (*wifi_prov_cb_func_t)(void *user_data, wifi_prov_cb_event_t event, void *event_data);

typedef struct {
    wifi_prov_cb_func_t event_cb;
    void *user_data;
} wifi_prov_event_handler_t;
#define WIFI_PROV_EVENT_HANDLER_NONE                                                                         \
    {                                                                                                        \
        .event_cb = NULL, .user_data = NULL                                                                  \
    }

typedef struct {
    wifi_mode_t wifi_mode; /* in which the station waits to be provisioned */
} wifi_prov_scheme_t;

typedef struct {
    uint32_t wifi_conn_attempts;
} wifi_prov_conn_cfg_t;

typedef struct {
    wifi_prov_scheme_t scheme;
    wifi_prov_event_handler_t scheme_event_handler;
    wifi_prov_event_handler_t app_event_handler;
    wifi_prov_conn_cfg_t wifi_prov_conn_cfg;
} wifi_prov_mgr_config_t;

typedef enum wifi_prov_security {
    WIFI_PROV_SECURITY_0,
    WIFI_PROV_SECURITY_1,
    WIFI_PROV_SECURITY_2,
} wifi_prov_security_t;
typedef const char wifi_prov_security1_params_t;
typedef protocomm_security2_params_t wifi_prov_security2_params_t;

/* All of these: ESP_ERR_INVALID_STATE before wifi_prov_mgr_init(). Any task may call them. */

/** @return ESP_OK, ESP_ERR_INVALID_STATE (it is initialized) */
esp_err_t wifi_prov_mgr_init(wifi_prov_mgr_config_t config);
/** Ends what runs, and posts WIFI_PROV_DEINIT. */
void wifi_prov_mgr_deinit(void);
/** Whether the station knows a network. @return ESP_OK, ESP_ERR_INVALID_ARG (NULL), or why Wi-Fi cannot tell */
esp_err_t wifi_prov_mgr_is_provisioned(bool *provisioned);
bool wifi_prov_mgr_is_sm_idle(void);

/**
 * Says that this is a stand-in. START is posted now; CRED_RECV, with the network "provisioning", and what follows by a task.
 * Parameters of security are not looked at. @return ESP_OK, ESP_ERR_INVALID_ARG (no name), ESP_ERR_INVALID_STATE (it runs),
 * ESP_ERR_NO_MEM, or what Wi-Fi says
 */
esp_err_t wifi_prov_mgr_start_provisioning(wifi_prov_security_t security, const void *wifi_prov_sec_params,
                                           const char *service_name, const char *service_key);
void wifi_prov_mgr_stop_provisioning(void);
/** Until it has ended; at once where it does not run. */
void wifi_prov_mgr_wait(void);
/** It then runs until wifi_prov_mgr_stop_provisioning(). @param cleanup_delay  of no use here */
esp_err_t wifi_prov_mgr_disable_auto_stop(uint32_t cleanup_delay);

/* Accepted: nobody asks for them. @return also ESP_ERR_INVALID_ARG: NULL */
esp_err_t wifi_prov_mgr_set_app_info(const char *label, const char *version, const char **capabilities,
                                     size_t total_capabilities);
esp_err_t wifi_prov_mgr_endpoint_create(const char *ep_name);
esp_err_t wifi_prov_mgr_endpoint_register(const char *ep_name, protocomm_req_handler_t handler,
                                          void *user_ctx);
void wifi_prov_mgr_endpoint_unregister(const char *ep_name);

/** @return ESP_OK, ESP_ERR_INVALID_ARG */
esp_err_t wifi_prov_mgr_get_wifi_state(wifi_prov_sta_state_t *state);
/** ESP_FAIL: it has not failed. */
esp_err_t wifi_prov_mgr_get_wifi_disconnect_reason(wifi_prov_sta_fail_reason_t *reason);
/** An application's own network, instead of the one that comes. */
esp_err_t wifi_prov_mgr_configure_sta(wifi_config_t *wifi_cfg);
/** The station forgets its network. */
esp_err_t wifi_prov_mgr_reset_provisioning(void);
/** ESP_ERR_INVALID_STATE: nothing has failed. */
esp_err_t wifi_prov_mgr_reset_sm_state_on_failure(void);
/** Waits for a network once more. */
esp_err_t wifi_prov_mgr_reset_sm_state_for_reprovision(void);

#ifdef __cplusplus
}
#endif
