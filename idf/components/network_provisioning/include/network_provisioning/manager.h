/* The registry's network_provisioning: other names for wifi_provisioning/manager.h, which says what they do. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "wifi_provisioning/manager.h"

#define NETWORK_PROV_EVENT               WIFI_PROV_EVENT
#define NETWORK_PROV_INIT                WIFI_PROV_INIT
#define NETWORK_PROV_START               WIFI_PROV_START
#define NETWORK_PROV_SET_WIFI_STA_CONFIG WIFI_PROV_SET_STA_CONFIG
#define NETWORK_PROV_WIFI_CRED_RECV      WIFI_PROV_CRED_RECV
#define NETWORK_PROV_WIFI_CRED_FAIL      WIFI_PROV_CRED_FAIL
#define NETWORK_PROV_WIFI_CRED_SUCCESS   WIFI_PROV_CRED_SUCCESS
#define NETWORK_PROV_END                 WIFI_PROV_END
#define NETWORK_PROV_DEINIT              WIFI_PROV_DEINIT
typedef wifi_prov_cb_event_t network_prov_cb_event_t;
typedef wifi_prov_cb_func_t network_prov_cb_func_t;
typedef wifi_prov_event_handler_t network_prov_event_handler_t;
#define NETWORK_PROV_EVENT_HANDLER_NONE WIFI_PROV_EVENT_HANDLER_NONE

typedef wifi_prov_conn_cfg_t network_prov_wifi_conn_cfg_t;
typedef wifi_prov_scheme_t network_prov_scheme_t;
typedef wifi_prov_mgr_config_t network_prov_mgr_config_t;
#define network_prov_wifi_conn_cfg wifi_prov_conn_cfg /* a field of it */

#define NETWORK_PROV_SECURITY_0 WIFI_PROV_SECURITY_0
#define NETWORK_PROV_SECURITY_1 WIFI_PROV_SECURITY_1
#define NETWORK_PROV_SECURITY_2 WIFI_PROV_SECURITY_2
typedef wifi_prov_security_t network_prov_security_t;
typedef wifi_prov_security1_params_t network_prov_security1_params_t;
typedef wifi_prov_security2_params_t network_prov_security2_params_t;

#define NETWORK_PROV_WIFI_STA_CONNECTING          WIFI_PROV_STA_CONNECTING
#define NETWORK_PROV_WIFI_STA_CONNECTED           WIFI_PROV_STA_CONNECTED
#define NETWORK_PROV_WIFI_STA_DISCONNECTED        WIFI_PROV_STA_DISCONNECTED
#define NETWORK_PROV_WIFI_STA_CONN_ATTEMPT_FAILED WIFI_PROV_STA_CONN_ATTEMPT_FAILED
typedef wifi_prov_sta_state_t network_prov_wifi_sta_state_t;
#define NETWORK_PROV_WIFI_STA_AUTH_ERROR   WIFI_PROV_STA_AUTH_ERROR
#define NETWORK_PROV_WIFI_STA_AP_NOT_FOUND WIFI_PROV_STA_AP_NOT_FOUND
typedef wifi_prov_sta_fail_reason_t network_prov_wifi_sta_fail_reason_t;

#define network_prov_mgr_init                                wifi_prov_mgr_init
#define network_prov_mgr_deinit                              wifi_prov_mgr_deinit
#define network_prov_mgr_is_wifi_provisioned                 wifi_prov_mgr_is_provisioned
#define network_prov_mgr_is_sm_idle                          wifi_prov_mgr_is_sm_idle
#define network_prov_mgr_start_provisioning                  wifi_prov_mgr_start_provisioning
#define network_prov_mgr_stop_provisioning                   wifi_prov_mgr_stop_provisioning
#define network_prov_mgr_wait                                wifi_prov_mgr_wait
#define network_prov_mgr_disable_auto_stop                   wifi_prov_mgr_disable_auto_stop
#define network_prov_mgr_set_app_info                        wifi_prov_mgr_set_app_info
#define network_prov_mgr_endpoint_create                     wifi_prov_mgr_endpoint_create
#define network_prov_mgr_endpoint_register                   wifi_prov_mgr_endpoint_register
#define network_prov_mgr_endpoint_unregister                 wifi_prov_mgr_endpoint_unregister
#define network_prov_mgr_get_wifi_state                      wifi_prov_mgr_get_wifi_state
#define network_prov_mgr_get_wifi_disconnect_reason          wifi_prov_mgr_get_wifi_disconnect_reason
#define network_prov_mgr_configure_wifi_sta                  wifi_prov_mgr_configure_sta
#define network_prov_mgr_reset_wifi_provisioning             wifi_prov_mgr_reset_provisioning
#define network_prov_mgr_reset_wifi_sm_state_on_failure      wifi_prov_mgr_reset_sm_state_on_failure
#define network_prov_mgr_reset_wifi_sm_state_for_reprovision wifi_prov_mgr_reset_sm_state_for_reprovision
