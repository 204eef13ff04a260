/* One update, from its URL to the slot that boots next. */
#pragma once

#include "esp_err.h"

/** ESP_OK: restart, and the update runs. Anything else: nothing has changed but the slot that does not run. */
esp_err_t update_from(const char *url);

/** Tells in the log what an update does. Once, when there is an event loop. */
esp_err_t update_tell_events(void);
