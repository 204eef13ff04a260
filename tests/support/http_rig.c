/* A client of a scripted server. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "support/http_rig.h"

esp_http_client_handle_t new_client(esp_http_client_config_t config, sim_transport_t *server)
{
    config.transport = (struct esp_transport_item_t *)(void *)server;
    config.timeout_ms = 1000;
    esp_http_client_handle_t client = esp_http_client_init(&config);
    assert_non_null(client);
    return client;
}

esp_http_client_config_t at(const char *url)
{
    return (esp_http_client_config_t){.url = url};
}
