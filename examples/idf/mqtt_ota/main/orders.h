/* What the device is ordered by MQTT, and what it tells. */
#pragma once

#include "esp_err.h"

/* Topics: device/update has orders, {"url": "https://...", "version": "2.0.0"}; device/status is retained, {"version": "1.0.0",
   "state": "ready"}. */
typedef void (*orders_update_t)(const char *url);

/* @param update is called in the client's task, and must not take long. Confirms the running app once the broker has it. */
esp_err_t orders_start(const char *broker, orders_update_t update);
void orders_tell(const char *state);
