/* A web server as a transport, which is not there: a phone's application would have to speak to it. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "protocomm.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    uint16_t port;
    size_t stack_size;
    unsigned task_priority;
} protocomm_http_server_config_t;

typedef union {
    void *handle;
    protocomm_http_server_config_t config;
} protocomm_httpd_config_data_t;

typedef struct {
    bool ext_handle_provided;
    protocomm_httpd_config_data_t data;
} protocomm_httpd_config_t;

#define PROTOCOMM_HTTPD_DEFAULT_CONFIG()                                                                     \
    {                                                                                                        \
        .port = 80, .stack_size = 4096, .task_priority = 5                                                   \
    }

/** The log says why. @return ESP_ERR_NOT_SUPPORTED; stopping: ESP_ERR_INVALID_ARG, it was not started */
esp_err_t protocomm_httpd_start(protocomm_t *pc, const protocomm_httpd_config_t *config);
esp_err_t protocomm_httpd_stop(protocomm_t *pc);

#ifdef __cplusplus
}
#endif
