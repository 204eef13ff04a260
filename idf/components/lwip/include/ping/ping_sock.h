/* ESP-IDF's ping: echoes of this machine's network, in a task of their own. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

#include "esp_err.h"
#include "lwip/ip_addr.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef void *esp_ping_handle_t;

/** Called in the session's task. */
typedef struct {
    void *cb_args;
    void (*on_ping_success)(esp_ping_handle_t hdl, void *args);
    void (*on_ping_timeout)(esp_ping_handle_t hdl, void *args);
    void (*on_ping_end)(esp_ping_handle_t hdl, void *args);
} esp_ping_callbacks_t;

typedef struct {
    uint32_t count; /* ESP_PING_COUNT_INFINITE: until esp_ping_stop() */
    uint32_t interval_ms, timeout_ms;
    uint32_t data_size; /* bytes, at most 1400 */
    int tos, ttl;       /* without a meaning here, as the priority and the interface */
    ip_addr_t target_addr;
    uint32_t task_stack_size, task_prio, interface;
} esp_ping_config_t;

#define ESP_PING_COUNT_INFINITE 0

#define ESP_PING_DEFAULT_CONFIG()                                                                            \
    {                                                                                                        \
        .count = 5, .interval_ms = 1000, .timeout_ms = 1000, .data_size = 64, .tos = 0, .ttl = 64,           \
        .target_addr = {0}, .task_stack_size = 2048, .task_prio = 2, .interface = 0,                         \
    }

typedef enum {
    ESP_PING_PROF_SEQNO,    /* uint16_t, from 1 */
    ESP_PING_PROF_TOS,      /* int */
    ESP_PING_PROF_TTL,      /* uint8_t: as it was sent */
    ESP_PING_PROF_REQUEST,  /* uint32_t: sent */
    ESP_PING_PROF_REPLY,    /* uint32_t: answered */
    ESP_PING_PROF_IPADDR,   /* ip_addr_t */
    ESP_PING_PROF_SIZE,     /* uint32_t: bytes of the last answer */
    ESP_PING_PROF_TIMEGAP,  /* uint32_t: ms of the last answer */
    ESP_PING_PROF_DURATION, /* uint32_t: ms since the start */
} esp_ping_profile_t;

/** Where this machine lets nobody send echoes (net.ipv4.ping_group_range), all of them are timeouts, and the log says so once.
    @return ESP_OK; ESP_ERR_INVALID_ARG; ESP_ERR_NO_MEM */
esp_err_t esp_ping_new_session(const esp_ping_config_t *config, const esp_ping_callbacks_t *cbs,
                               esp_ping_handle_t *hdl_out);
/** The task ends behind what it does. Not to be called by a callback but on_ping_end.
    @return ESP_OK; ESP_ERR_INVALID_ARG */
esp_err_t esp_ping_delete_session(esp_ping_handle_t hdl);
/** From the first one on. @return ESP_OK; ESP_ERR_INVALID_ARG */
esp_err_t esp_ping_start(esp_ping_handle_t hdl);
esp_err_t esp_ping_stop(esp_ping_handle_t hdl);
/** @param size of `data`. @return ESP_OK; ESP_ERR_INVALID_ARG; ESP_ERR_INVALID_SIZE: another size than that fact's */
esp_err_t esp_ping_get_profile(esp_ping_handle_t hdl, esp_ping_profile_t profile, void *data, uint32_t size);

#ifdef __cplusplus
}
#endif
