/* Provisioning by an access point of the device's: a phone is there at once. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "protocomm_httpd.h"
#include "wifi_provisioning/manager.h"

#ifdef __cplusplus
extern "C" {
#endif

extern const wifi_prov_scheme_t wifi_prov_scheme_softap;
/** Not used: nothing is served. */
void wifi_prov_scheme_softap_set_httpd_handle(void *handle);

#ifdef __cplusplus
}
#endif
