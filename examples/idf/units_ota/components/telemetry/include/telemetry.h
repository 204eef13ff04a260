/* Counts that outlive a restart. NVS must be initialized. */
#pragma once

#include <stdint.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Failures since the last update. @return 0 where nothing is kept */
uint32_t telemetry_failures(void);
/** One more. @return NVS's codes */
esp_err_t telemetry_failed(void);
/** None any more. @return NVS's codes */
esp_err_t telemetry_updated(void);

#ifdef __cplusplus
}
#endif
