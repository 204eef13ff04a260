/* ESP-IDF's words for how a session is secured. Nobody opens one here, so that none of it is carried out. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "sdkconfig.h"
#include "esp_err.h"
#include "esp_event.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Events that would come from a session. */
ESP_EVENT_DECLARE_BASE(PROTOCOMM_SECURITY_SESSION_EVENT);
typedef enum {
    PROTOCOMM_SECURITY_SESSION_SETUP_OK,
    PROTOCOMM_SECURITY_SESSION_INVALID_SECURITY_PARAMS,
    PROTOCOMM_SECURITY_SESSION_CREDENTIALS_MISMATCH,
} protocomm_security_session_event_t;

typedef struct protocomm_security1_params {
    const uint8_t *data;
    uint16_t len;
} protocomm_security1_params_t;
typedef protocomm_security1_params_t protocomm_security_pop_t; /* before ESP-IDF 5 */

typedef struct protocomm_security2_params {
    const char *salt;
    uint16_t salt_len;
    const char *verifier;
    uint16_t verifier_len;
} protocomm_security2_params_t;

typedef struct protocomm_security {
    int ver;
} protocomm_security_t;

extern const protocomm_security_t protocomm_security0, protocomm_security1, protocomm_security2;

#ifdef __cplusplus
}
#endif
