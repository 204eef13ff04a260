/* The same call in the form of ESP-IDF 5: it compiles beside the form of ESP-IDF 4, against the same header. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_https_ota.h"

#include "example_config.h"

esp_err_t do_firmware_upgrade_v5(void);

esp_err_t do_firmware_upgrade_v5(void)
{
    esp_http_client_config_t http_config = {
        .url = example_firmware_upgrade_url(),
        .cert_pem = example_server_cert_pem(),
    };
    esp_https_ota_config_t ota_config = {
        .http_config = &http_config,
    };
    return esp_https_ota(&ota_config);
}
