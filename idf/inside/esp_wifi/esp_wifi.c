/* The radio that is not there. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_wifi.h"

#include "esp_log.h"

esp_err_t esp_wifi_set_ps(wifi_ps_type_t type)
{
    (void)type;
    ESP_LOGI("wifi", "a stand-in of otter without a radio: the network is this machine's");
    return ESP_OK;
}
