/* What the registry's buttons have in common. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { BUTTON_INACTIVE, BUTTON_ACTIVE };

typedef struct button_dev_t *button_handle_t;

typedef struct {
    uint16_t long_press_time;  /* ms; 0: 1500 */
    uint16_t short_press_time; /* ms; 0: 180; within it a second press belongs to the first one */
} button_config_t;

#ifdef __cplusplus
}
#endif
