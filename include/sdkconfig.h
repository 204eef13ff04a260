/* The build options that ESP-IDF programs look at. A project's own options come first: -DOTTER_SDKCONFIG='"file.h"'. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The library itself must not look at them: it is compiled once, with -DOTTER_LIBRARY, for firmwares that each have their own.
 * What it needs of them it asks otter_build_options (otter/build_options.h), and here it finds none.
 */
#ifndef OTTER_LIBRARY

/* As in ESP-IDF, a boolean option that is off is not defined at all. */
#ifdef OTTER_SDKCONFIG
#include OTTER_SDKCONFIG
#elif !defined(CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE)
#define CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE                                                                \
    1 /* as `otter run` boots; a project that brings its options decides */
#elif !CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE
#undef CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE /* -DCONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE=0 */
#endif

/* The number behind a choice, as ESP-IDF's configuration tool writes both. */
#ifndef CONFIG_LOG_DEFAULT_LEVEL
#if defined(CONFIG_LOG_DEFAULT_LEVEL_NONE)
#define CONFIG_LOG_DEFAULT_LEVEL 0
#elif defined(CONFIG_LOG_DEFAULT_LEVEL_ERROR)
#define CONFIG_LOG_DEFAULT_LEVEL 1
#elif defined(CONFIG_LOG_DEFAULT_LEVEL_WARN)
#define CONFIG_LOG_DEFAULT_LEVEL 2
#elif defined(CONFIG_LOG_DEFAULT_LEVEL_DEBUG)
#define CONFIG_LOG_DEFAULT_LEVEL 4
#elif defined(CONFIG_LOG_DEFAULT_LEVEL_VERBOSE)
#define CONFIG_LOG_DEFAULT_LEVEL 5
#else
#define CONFIG_LOG_DEFAULT_LEVEL 3
#endif
#endif
#ifndef CONFIG_LOG_MAXIMUM_LEVEL
#if defined(CONFIG_LOG_MAXIMUM_LEVEL_DEBUG)
#define CONFIG_LOG_MAXIMUM_LEVEL 4
#elif defined(CONFIG_LOG_MAXIMUM_LEVEL_VERBOSE)
#define CONFIG_LOG_MAXIMUM_LEVEL 5
#else
#define CONFIG_LOG_MAXIMUM_LEVEL CONFIG_LOG_DEFAULT_LEVEL
#endif
#endif
#ifndef CONFIG_FREERTOS_HZ
#define CONFIG_FREERTOS_HZ 100
#endif
#ifndef CONFIG_FREERTOS_MAX_TASK_NAME_LEN
#define CONFIG_FREERTOS_MAX_TASK_NAME_LEN 16
#endif
#ifndef CONFIG_FREERTOS_THREAD_LOCAL_STORAGE_POINTERS
#define CONFIG_FREERTOS_THREAD_LOCAL_STORAGE_POINTERS 1
#endif
#ifndef CONFIG_FREERTOS_TASK_NOTIFICATION_ARRAY_ENTRIES
#define CONFIG_FREERTOS_TASK_NOTIFICATION_ARRAY_ENTRIES 1
#endif
#ifndef CONFIG_PARTITION_TABLE_OFFSET
#define CONFIG_PARTITION_TABLE_OFFSET 0x8000
#endif
#ifndef CONFIG_APP_RETRIEVE_LEN_ELF_SHA
#define CONFIG_APP_RETRIEVE_LEN_ELF_SHA 9
#endif
#ifndef CONFIG_ESP_SYSTEM_EVENT_QUEUE_SIZE
#define CONFIG_ESP_SYSTEM_EVENT_QUEUE_SIZE 32
#endif
#ifndef CONFIG_ESP_SYSTEM_EVENT_TASK_STACK_SIZE
#define CONFIG_ESP_SYSTEM_EVENT_TASK_STACK_SIZE 2304
#endif
#ifndef CONFIG_ESP_MAIN_TASK_STACK_SIZE
#define CONFIG_ESP_MAIN_TASK_STACK_SIZE 3584
#endif
#ifndef CONFIG_ESP_HTTPS_OTA_EVENT_POST_TIMEOUT
#define CONFIG_ESP_HTTPS_OTA_EVENT_POST_TIMEOUT 2000
#endif
#ifndef CONFIG_ESP_HTTP_CLIENT_EVENT_POST_TIMEOUT
#define CONFIG_ESP_HTTP_CLIENT_EVENT_POST_TIMEOUT 2000
#endif
#if !defined(CONFIG_PRE_ENCRYPTED_OTA_USE_ECIES) && !defined(CONFIG_PRE_ENCRYPTED_OTA_USE_RSA)
#define CONFIG_PRE_ENCRYPTED_OTA_USE_RSA 1
#endif
#ifndef CONFIG_IDF_FIRMWARE_CHIP_ID
#define CONFIG_IDF_FIRMWARE_CHIP_ID 0xFFFF /* the virtual device, chip "linux" */
#endif

/* The ranges of ESP-IDF's configuration tool: what is outside of them would be an odd fault at run time. */
#if CONFIG_FREERTOS_HZ < 1 || CONFIG_FREERTOS_HZ > 1000
#error "CONFIG_FREERTOS_HZ is 1 to 1000"
#endif
#if CONFIG_LOG_DEFAULT_LEVEL < 0 || CONFIG_LOG_DEFAULT_LEVEL > 5
#error "CONFIG_LOG_DEFAULT_LEVEL is 0 (none) to 5 (verbose)"
#endif
#if CONFIG_LOG_MAXIMUM_LEVEL < 0 || CONFIG_LOG_MAXIMUM_LEVEL > 5
#error "CONFIG_LOG_MAXIMUM_LEVEL is 0 (none) to 5 (verbose)"
#endif
#if CONFIG_FREERTOS_MAX_TASK_NAME_LEN < 1 || CONFIG_FREERTOS_MAX_TASK_NAME_LEN > 256
#error "CONFIG_FREERTOS_MAX_TASK_NAME_LEN is 1 to 256"
#endif
#if CONFIG_FREERTOS_THREAD_LOCAL_STORAGE_POINTERS < 1 || CONFIG_FREERTOS_THREAD_LOCAL_STORAGE_POINTERS > 256
#error "CONFIG_FREERTOS_THREAD_LOCAL_STORAGE_POINTERS is 1 to 256"
#endif
#if CONFIG_FREERTOS_TASK_NOTIFICATION_ARRAY_ENTRIES < 1 ||                                                   \
    CONFIG_FREERTOS_TASK_NOTIFICATION_ARRAY_ENTRIES > 32
#error "CONFIG_FREERTOS_TASK_NOTIFICATION_ARRAY_ENTRIES is 1 to 32"
#endif
#if CONFIG_APP_RETRIEVE_LEN_ELF_SHA < 8 || CONFIG_APP_RETRIEVE_LEN_ELF_SHA > 64
#error "CONFIG_APP_RETRIEVE_LEN_ELF_SHA is 8 to 64 hexadecimal digits"
#endif
#if CONFIG_ESP_SYSTEM_EVENT_QUEUE_SIZE < 1
#error "CONFIG_ESP_SYSTEM_EVENT_QUEUE_SIZE is at least 1 event"
#endif
#if CONFIG_ESP_HTTPS_OTA_EVENT_POST_TIMEOUT < -1 || CONFIG_ESP_HTTP_CLIENT_EVENT_POST_TIMEOUT < -1
#error "an event's post time-out is milliseconds, or -1 for no limit"
#endif

#endif /* OTTER_LIBRARY */
