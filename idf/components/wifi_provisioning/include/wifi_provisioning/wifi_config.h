/* What provisioning says of the station. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    WIFI_PROV_STA_CONNECTING,
    WIFI_PROV_STA_CONNECTED,
    WIFI_PROV_STA_DISCONNECTED,
    WIFI_PROV_STA_CONN_ATTEMPT_FAILED,
} wifi_prov_sta_state_t;

typedef enum {
    WIFI_PROV_STA_AUTH_ERROR,
    WIFI_PROV_STA_AP_NOT_FOUND,
} wifi_prov_sta_fail_reason_t;

#ifdef __cplusplus
}
#endif
