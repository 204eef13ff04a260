/* ESP-IDF's endpoints: handlers by name, which an application may call itself; no transport does. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "protocomm_security.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef esp_err_t (*protocomm_req_handler_t)(uint32_t session_id, const uint8_t *inbuf, ssize_t inlen,
                                             uint8_t **outbuf, ssize_t *outlen, void *priv_data);
typedef struct protocomm protocomm_t;

/** @return NULL: no memory. One task at a time uses what it gives. */
protocomm_t *protocomm_new(void);
/** @param pc  may be NULL */
void protocomm_delete(protocomm_t *pc);

/** @return ESP_OK, ESP_ERR_INVALID_ARG (NULL), ESP_FAIL (the name is taken), ESP_ERR_NO_MEM */
esp_err_t protocomm_add_endpoint(protocomm_t *pc, const char *ep_name, protocomm_req_handler_t h,
                                 void *priv_data);
/** @return ESP_OK, ESP_ERR_INVALID_ARG, ESP_ERR_NOT_FOUND */
esp_err_t protocomm_remove_endpoint(protocomm_t *pc, const char *ep_name);
/** Calls the handler, with what it is given as it is. @return what the handler does; ESP_ERR_INVALID_ARG, ESP_ERR_NOT_FOUND */
esp_err_t protocomm_req_handle(protocomm_t *pc, const char *ep_name, uint32_t session_id,
                               const uint8_t *inbuf, ssize_t inlen, uint8_t **outbuf, ssize_t *outlen);

/* Kept as a name that no session is asked by. @return as adding and removing do */
esp_err_t protocomm_set_security(protocomm_t *pc, const char *ep_name, const protocomm_security_t *sec,
                                 const void *sec_params);
esp_err_t protocomm_unset_security(protocomm_t *pc, const char *ep_name);
esp_err_t protocomm_set_version(protocomm_t *pc, const char *ep_name, const char *version);
esp_err_t protocomm_unset_version(protocomm_t *pc, const char *ep_name);

#ifdef __cplusplus
}
#endif
