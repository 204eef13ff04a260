/* The registry's network_provisioning: other names for wifi_provisioning/scheme_softap.h. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "network_provisioning/manager.h"
#include "wifi_provisioning/scheme_softap.h"

#define network_prov_scheme_softap                  wifi_prov_scheme_softap
#define network_prov_scheme_softap_set_httpd_handle wifi_prov_scheme_softap_set_httpd_handle
