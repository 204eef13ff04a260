/* What ESP-IDF's examples connect with. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "esp_err.h"
#include "esp_netif.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The network is this machine's, and up: ESP_OK. */
esp_err_t example_connect(void);
esp_err_t example_disconnect(void);

/** Standard input is the console already: ESP_OK. */
esp_err_t example_configure_stdin_stdout(void);

/** ESP-IDF has no interfaces of a chip for linux: NULL. */
esp_netif_t *get_example_netif_from_desc(const char *desc);
esp_netif_t *get_example_netif(void);

#ifdef __cplusplus
}
#endif
