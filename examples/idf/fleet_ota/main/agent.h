/* What the files of the agent share: where its server is, who it is, and its state machine. */
#pragma once

#include "esp_http_client.h"
#include "otter/ddi.h"

typedef struct {
    char server[128], id[64], authorization[96];
} agent_settings_t;

/* Keeps this device up to date; does not return. */
void agent_run(const agent_settings_t *settings);

/* How requests are made, with the server's CA. */
esp_http_client_config_t agent_http(const char *url);

/* The rest of a fetch: from the order to otter_ddi_fetched(). */
void agent_fetch(otter_ddi_t *agent, const agent_settings_t *settings, const otter_ddi_order_t *order);
