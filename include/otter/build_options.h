/* Options of a firmware's build as values, so that the library, which is compiled once, follows each firmware's own. */
#pragma once

#include <stdint.h>

#include "sdkconfig.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What ESP-IDF compiles into its libraries; ranges as in sdkconfig.h, which refuses others. */
typedef struct {
    uint32_t tick_rate_hz;          /* CONFIG_FREERTOS_HZ */
    uint32_t task_name_size;        /* CONFIG_FREERTOS_MAX_TASK_NAME_LEN, bytes with terminator */
    uint32_t thread_local_pointers; /* CONFIG_FREERTOS_THREAD_LOCAL_STORAGE_POINTERS, of each task */
    int log_default_level;          /* CONFIG_LOG_DEFAULT_LEVEL: esp_log_level_t */
    int log_maximum_level;          /* CONFIG_LOG_MAXIMUM_LEVEL; lines above it do not exist */
    uint32_t elf_sha_digits;        /* CONFIG_APP_RETRIEVE_LEN_ELF_SHA */
    uint32_t event_queue_size;      /* CONFIG_ESP_SYSTEM_EVENT_QUEUE_SIZE, events */
    uint32_t event_task_stack;      /* CONFIG_ESP_SYSTEM_EVENT_TASK_STACK_SIZE, bytes */
    /* Ticks that the library waits for room in the event queue; portMAX_DELAY: no limit. */
    uint32_t https_ota_event_post_wait;   /* CONFIG_ESP_HTTPS_OTA_EVENT_POST_TIMEOUT */
    uint32_t http_client_event_post_wait; /* CONFIG_ESP_HTTP_CLIENT_EVENT_POST_TIMEOUT */
} otter_build_options_t;

/**
 * The options of this program, constant. Every firmware's are defined by port/linux/app_start.c, which is compiled with the
 * firmware. A program with a main() of its own does the same in one of its files,
 *
 *     const otter_build_options_t otter_build_options = OTTER_BUILD_OPTIONS;
 *
 * or gets the defaults of sdkconfig.h from the library.
 */
extern const otter_build_options_t otter_build_options;

/* Milliseconds, -1 for no limit, as ticks. */
#define OTTER_OPTION_TICKS_(ms) ((ms) < 0 ? UINT32_MAX : (uint32_t)((uint64_t)(ms)*CONFIG_FREERTOS_HZ / 1000))

/** The options with which the file is compiled that says this. */
#define OTTER_BUILD_OPTIONS                                                                                  \
    {                                                                                                        \
        CONFIG_FREERTOS_HZ, CONFIG_FREERTOS_MAX_TASK_NAME_LEN,                                               \
            CONFIG_FREERTOS_THREAD_LOCAL_STORAGE_POINTERS, CONFIG_LOG_DEFAULT_LEVEL,                         \
            CONFIG_LOG_MAXIMUM_LEVEL, CONFIG_APP_RETRIEVE_LEN_ELF_SHA, CONFIG_ESP_SYSTEM_EVENT_QUEUE_SIZE,   \
            CONFIG_ESP_SYSTEM_EVENT_TASK_STACK_SIZE,                                                         \
            OTTER_OPTION_TICKS_(CONFIG_ESP_HTTPS_OTA_EVENT_POST_TIMEOUT),                                    \
            OTTER_OPTION_TICKS_(CONFIG_ESP_HTTP_CLIENT_EVENT_POST_TIMEOUT),                                  \
    }

#ifdef __cplusplus
}
#endif
