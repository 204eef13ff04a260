/* example_connect() without an interface to wait for. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "protocol_examples_common.h"

#include <stddef.h>

#include "esp_log.h"

esp_err_t example_connect(void)
{
    ESP_LOGI("example_connect", "a stand-in of otter: the network is this machine's");
    return ESP_OK;
}

esp_err_t example_disconnect(void)
{
    return ESP_OK;
}

esp_err_t example_configure_stdin_stdout(void)
{
    return ESP_OK;
}

esp_netif_t *get_example_netif_from_desc(const char *desc)
{
    (void)desc;
    return NULL;
}

esp_netif_t *get_example_netif(void)
{
    return NULL;
}
