/* Options of a firmware's build as values, so that the library, which is compiled once, follows each firmware's own. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "otter/trust.h"
#include "sdkconfig.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * What esp_partition_write, _erase_range and _copy do where they would change the bootloader, the table or what runs:
 * CONFIG_SPI_FLASH_DANGEROUS_WRITE_*. Update sessions, staged copies and the boot step write by themselves and do not ask.
 */
typedef enum {
    OTTER_DANGEROUS_WRITE_ABORTS, /* abort(): the default, as in ESP-IDF */
    OTTER_DANGEROUS_WRITE_FAILS,  /* ESP_ERR_INVALID_ARG */
    OTTER_DANGEROUS_WRITE_ALLOWED,
} otter_dangerous_write_t;

/** Where esp_encrypted_img has its key from: CONFIG_PRE_ENCRYPTED_*. */
typedef enum {
    OTTER_ENCRYPTED_IMG_RSA, /* the default, as in the component */
    OTTER_ENCRYPTED_IMG_DS,  /* the chip's peripheral, which is not there */
    OTTER_ENCRYPTED_IMG_ECIES,
} otter_encrypted_img_t;

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
    uint32_t main_task_stack;       /* CONFIG_ESP_MAIN_TASK_STACK_SIZE, bytes */
    /* Ticks that the library waits for room in the event queue; portMAX_DELAY: no limit. */
    uint32_t https_ota_event_post_wait;   /* CONFIG_ESP_HTTPS_OTA_EVENT_POST_TIMEOUT */
    uint32_t http_client_event_post_wait; /* CONFIG_ESP_HTTP_CLIENT_EVENT_POST_TIMEOUT */
    /* What the device is told that `otter run` gives to a firmware. */
    uint32_t table_offset;                   /* CONFIG_PARTITION_TABLE_OFFSET: only compared */
    uint32_t bootloader_offset;              /* CONFIG_BOOTLOADER_OFFSET_IN_FLASH */
    bool rollback;                           /* CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE */
    bool allow_http;                         /* CONFIG_ESP_HTTPS_OTA_ALLOW_HTTP, CONFIG_OTA_ALLOW_HTTP */
    otter_dangerous_write_t dangerous_write; /* CONFIG_SPI_FLASH_DANGEROUS_WRITE_* */
    /* What updates must be signed by, where the device's eFuses do not say it. */
    bool signed_updates; /* CONFIG_SECURE_SIGNED_ON_UPDATE_NO_SECURE_BOOT */
    bool signed_data;    /* CONFIG_SECURE_SIGNED_DATA_PARTITION */
    /* CONFIG_SECURE_SIGNED_APPS_*_SCHEME; OTTER_SIGNED_NOT: none is said */
    otter_signature_scheme_t signature_scheme;
    const uint8_t *v1_key; /* OTTER_V1_KEY_LEN bytes, of CONFIG_SECURE_SIGNED_APPS_ECDSA_SCHEME; NULL: none */
    /* Certificates that the bundle has beside the machine's own, PEM; NULL: none. CONFIG_MBEDTLS_CUSTOM_CERTIFICATE_BUNDLE */
    const char *bundle_certificates;
    bool bundle_without_default;           /* only those: CONFIG_MBEDTLS_CERTIFICATE_BUNDLE_DEFAULT_NONE */
    otter_encrypted_img_t encrypted_img;   /* which form esp_decrypt_cfg_t has */
    bool without_tls_1_2, without_tls_1_3; /* CONFIG_MBEDTLS_SSL_PROTO_TLS1_2 or _TLS1_3 alone is said */
    bool nvs_encryption; /* CONFIG_NVS_ENCRYPTION: nvs_flash_init() finds or makes the keys */
} otter_build_options_t;

/**
 * The options of this program, constant. A program that has its own says in one of its files
 *
 *     const otter_build_options_t otter_build_options = OTTER_BUILD_OPTIONS;
 *
 * as otter_firmware() does for every firmware, and port/linux/app_start.c where a build of one's own compiles it with a
 * firmware; any other gets the defaults of sdkconfig.h from the library.
 */
extern const otter_build_options_t otter_build_options;

/* Milliseconds, -1 for no limit, as ticks. */
#define OTTER_OPTION_TICKS_(ms) ((ms) < 0 ? UINT32_MAX : (uint32_t)((uint64_t)(ms)*CONFIG_FREERTOS_HZ / 1000))

#ifdef CONFIG_BOOTLOADER_OFFSET_IN_FLASH
#define OTTER_OPTION_BOOTLOADER_OFFSET_ CONFIG_BOOTLOADER_OFFSET_IN_FLASH
#else
#define OTTER_OPTION_BOOTLOADER_OFFSET_ 0x1000u /* ESP32's and the virtual device's */
#endif

#ifdef CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE
#define OTTER_OPTION_ROLLBACK_ true
#else
#define OTTER_OPTION_ROLLBACK_ false
#endif

/* Both names that each of these has had. */
#if defined(CONFIG_ESP_HTTPS_OTA_ALLOW_HTTP) || defined(CONFIG_OTA_ALLOW_HTTP)
#define OTTER_OPTION_ALLOW_HTTP_ true
#else
#define OTTER_OPTION_ALLOW_HTTP_ false
#endif
#if defined(CONFIG_SPI_FLASH_DANGEROUS_WRITE_ALLOWED) ||                                                     \
    defined(CONFIG_SPI_FLASH_WRITING_DANGEROUS_REGIONS_ALLOWED)
#define OTTER_OPTION_DANGEROUS_WRITE_ OTTER_DANGEROUS_WRITE_ALLOWED
#elif defined(CONFIG_SPI_FLASH_DANGEROUS_WRITE_FAILS) ||                                                     \
    defined(CONFIG_SPI_FLASH_WRITING_DANGEROUS_REGIONS_FAILS)
#define OTTER_OPTION_DANGEROUS_WRITE_ OTTER_DANGEROUS_WRITE_FAILS
#else
#define OTTER_OPTION_DANGEROUS_WRITE_ OTTER_DANGEROUS_WRITE_ABORTS
#endif

/* Options that come from Kconfig, and so name a target, have said "no" where the second one is not there. */
#if defined(CONFIG_SECURE_SIGNED_ON_UPDATE_NO_SECURE_BOOT) ||                                                \
    (defined(CONFIG_SECURE_SIGNED_APPS_NO_SECURE_BOOT) && !defined(CONFIG_IDF_TARGET))
#define OTTER_OPTION_SIGNED_UPDATES_ true
#else
#define OTTER_OPTION_SIGNED_UPDATES_ false
#endif
#ifdef CONFIG_SECURE_SIGNED_DATA_PARTITION
#define OTTER_OPTION_SIGNED_DATA_ true
#else
#define OTTER_OPTION_SIGNED_DATA_ false
#endif
#if defined(CONFIG_SECURE_SIGNED_APPS_RSA_SCHEME)
#define OTTER_OPTION_SCHEME_ OTTER_SIGNED_RSA_3072
#elif defined(CONFIG_SECURE_SIGNED_APPS_ECDSA_SCHEME)
#define OTTER_OPTION_SCHEME_ OTTER_SIGNED_V1
#elif defined(CONFIG_SECURE_BOOT_ECDSA_KEY_LEN_192_BITS)
#define OTTER_OPTION_SCHEME_ OTTER_SIGNED_ECDSA_P192
#elif defined(CONFIG_SECURE_BOOT_ECDSA_KEY_LEN_384_BITS)
#define OTTER_OPTION_SCHEME_ OTTER_SIGNED_ECDSA_P384
#elif defined(CONFIG_SECURE_SIGNED_APPS_ECDSA_V2_SCHEME)
#define OTTER_OPTION_SCHEME_ OTTER_SIGNED_ECDSA_P256
#else
#define OTTER_OPTION_SCHEME_ OTTER_SIGNED_NOT
#endif

/* otter_firmware(VERIFICATION_KEY) names the bytes. */
#ifdef OTTER_VERIFICATION_KEY
#define OTTER_OPTION_V1_KEY_ OTTER_VERIFICATION_KEY
#else
#define OTTER_OPTION_V1_KEY_ NULL
#endif

/* otter_firmware(CERTIFICATES) names the text. */
#ifdef OTTER_BUNDLE_CERTIFICATES
#define OTTER_OPTION_BUNDLE_ OTTER_BUNDLE_CERTIFICATES
#else
#define OTTER_OPTION_BUNDLE_ NULL
#endif
#ifdef CONFIG_MBEDTLS_CERTIFICATE_BUNDLE_DEFAULT_NONE
#define OTTER_OPTION_NO_DEFAULT_ true
#else
#define OTTER_OPTION_NO_DEFAULT_ false
#endif

#if defined(CONFIG_PRE_ENCRYPTED_OTA_USE_ECIES)
#define OTTER_OPTION_ENCRYPTED_IMG_ OTTER_ENCRYPTED_IMG_ECIES
#elif defined(CONFIG_PRE_ENCRYPTED_RSA_USE_DS)
#define OTTER_OPTION_ENCRYPTED_IMG_ OTTER_ENCRYPTED_IMG_DS
#else
#define OTTER_OPTION_ENCRYPTED_IMG_ OTTER_ENCRYPTED_IMG_RSA
#endif

/* Who says neither has both. */
#if defined(CONFIG_MBEDTLS_SSL_PROTO_TLS1_3) && !defined(CONFIG_MBEDTLS_SSL_PROTO_TLS1_2)
#define OTTER_OPTION_WITHOUT_1_2_ true
#else
#define OTTER_OPTION_WITHOUT_1_2_ false
#endif
#if defined(CONFIG_MBEDTLS_SSL_PROTO_TLS1_2) && !defined(CONFIG_MBEDTLS_SSL_PROTO_TLS1_3)
#define OTTER_OPTION_WITHOUT_1_3_ true
#else
#define OTTER_OPTION_WITHOUT_1_3_ false
#endif

#ifdef CONFIG_NVS_ENCRYPTION
#define OTTER_OPTION_NVS_ENCRYPTION_ true
#else
#define OTTER_OPTION_NVS_ENCRYPTION_ false
#endif

/** The options with which the file is compiled that says this. */
#define OTTER_BUILD_OPTIONS                                                                                  \
    {                                                                                                        \
        CONFIG_FREERTOS_HZ, CONFIG_FREERTOS_MAX_TASK_NAME_LEN,                                               \
            CONFIG_FREERTOS_THREAD_LOCAL_STORAGE_POINTERS, CONFIG_LOG_DEFAULT_LEVEL,                         \
            CONFIG_LOG_MAXIMUM_LEVEL, CONFIG_APP_RETRIEVE_LEN_ELF_SHA, CONFIG_ESP_SYSTEM_EVENT_QUEUE_SIZE,   \
            CONFIG_ESP_SYSTEM_EVENT_TASK_STACK_SIZE, CONFIG_ESP_MAIN_TASK_STACK_SIZE,                        \
            OTTER_OPTION_TICKS_(CONFIG_ESP_HTTPS_OTA_EVENT_POST_TIMEOUT),                                    \
            OTTER_OPTION_TICKS_(CONFIG_ESP_HTTP_CLIENT_EVENT_POST_TIMEOUT), CONFIG_PARTITION_TABLE_OFFSET,   \
            OTTER_OPTION_BOOTLOADER_OFFSET_, OTTER_OPTION_ROLLBACK_, OTTER_OPTION_ALLOW_HTTP_,               \
            OTTER_OPTION_DANGEROUS_WRITE_, OTTER_OPTION_SIGNED_UPDATES_, OTTER_OPTION_SIGNED_DATA_,          \
            OTTER_OPTION_SCHEME_, OTTER_OPTION_V1_KEY_, OTTER_OPTION_BUNDLE_, OTTER_OPTION_NO_DEFAULT_,      \
            OTTER_OPTION_ENCRYPTED_IMG_, OTTER_OPTION_WITHOUT_1_2_, OTTER_OPTION_WITHOUT_1_3_,               \
            OTTER_OPTION_NVS_ENCRYPTION_                                                                     \
    }

#ifdef __cplusplus
}
#endif
