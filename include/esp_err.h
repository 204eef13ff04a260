/* ESP-IDF's error codes, their names, and the macros that check them. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "sdkconfig.h"
#include "esp_compiler.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef int esp_err_t;

/*
 * The codes have ESP-IDF's numbers (esp_err.h and the component headers of v5.5; two OTA codes come from the development branch
 * and are used where ESP-IDF 5.5 has a defect, see docs/DIFFERENCES.md), and are macros as there: programs ask with #ifdef.
 */
#define ESP_OK                                         0
#define ESP_FAIL                                       (-1)
#define ESP_ERR_NO_MEM                                 0x101
#define ESP_ERR_INVALID_ARG                            0x102
#define ESP_ERR_INVALID_STATE                          0x103
#define ESP_ERR_INVALID_SIZE                           0x104
#define ESP_ERR_NOT_FOUND                              0x105
#define ESP_ERR_NOT_SUPPORTED                          0x106
#define ESP_ERR_TIMEOUT                                0x107
#define ESP_ERR_INVALID_RESPONSE                       0x108
#define ESP_ERR_INVALID_CRC                            0x109
#define ESP_ERR_INVALID_VERSION                        0x10A
#define ESP_ERR_INVALID_MAC                            0x10B
#define ESP_ERR_NOT_FINISHED                           0x10C
#define ESP_ERR_NOT_ALLOWED                            0x10D
#define ESP_ERR_NVS_BASE                               0x1100
#define ESP_ERR_NVS_NOT_INITIALIZED                    0x1101
#define ESP_ERR_NVS_NOT_FOUND                          0x1102
#define ESP_ERR_NVS_TYPE_MISMATCH                      0x1103
#define ESP_ERR_NVS_READ_ONLY                          0x1104
#define ESP_ERR_NVS_NOT_ENOUGH_SPACE                   0x1105
#define ESP_ERR_NVS_INVALID_NAME                       0x1106
#define ESP_ERR_NVS_INVALID_HANDLE                     0x1107
#define ESP_ERR_NVS_REMOVE_FAILED                      0x1108
#define ESP_ERR_NVS_KEY_TOO_LONG                       0x1109
#define ESP_ERR_NVS_PAGE_FULL                          0x110A
#define ESP_ERR_NVS_INVALID_STATE                      0x110B
#define ESP_ERR_NVS_INVALID_LENGTH                     0x110C
#define ESP_ERR_NVS_NO_FREE_PAGES                      0x110D
#define ESP_ERR_NVS_VALUE_TOO_LONG                     0x110E
#define ESP_ERR_NVS_PART_NOT_FOUND                     0x110F
#define ESP_ERR_NVS_NEW_VERSION_FOUND                  0x1110
#define ESP_ERR_NVS_XTS_ENCR_FAILED                    0x1111
#define ESP_ERR_NVS_XTS_DECR_FAILED                    0x1112
#define ESP_ERR_NVS_XTS_CFG_FAILED                     0x1113
#define ESP_ERR_NVS_XTS_CFG_NOT_FOUND                  0x1114
#define ESP_ERR_NVS_ENCR_NOT_SUPPORTED                 0x1115
#define ESP_ERR_NVS_KEYS_NOT_INITIALIZED               0x1116
#define ESP_ERR_NVS_CORRUPT_KEY_PART                   0x1117
#define ESP_ERR_NVS_CONTENT_DIFFERS                    0x1118
#define ESP_ERR_NVS_WRONG_ENCRYPTION                   0x1119
#define ESP_ERR_OTA_BASE                               0x1500
#define ESP_ERR_OTA_PARTITION_CONFLICT                 0x1501
#define ESP_ERR_OTA_SELECT_INFO_INVALID                0x1502
#define ESP_ERR_OTA_VALIDATE_FAILED                    0x1503
#define ESP_ERR_OTA_SMALL_SEC_VER                      0x1504
#define ESP_ERR_OTA_ROLLBACK_FAILED                    0x1505
#define ESP_ERR_OTA_ROLLBACK_INVALID_STATE             0x1506
#define ESP_ERR_OTA_ALREADY_IN_PROGRESS                0x1507
#define ESP_ERR_OTA_SPI_MODE_MISMATCH                  0x1508
#define ESP_ERR_EFUSE                                  0x1600
#define ESP_OK_EFUSE_CNT                               0x1601
#define ESP_ERR_EFUSE_CNT_IS_FULL                      0x1602
#define ESP_ERR_EFUSE_REPEATED_PROG                    0x1603
#define ESP_ERR_CODING                                 0x1604
#define ESP_ERR_NOT_ENOUGH_UNUSED_KEY_BLOCKS           0x1605
#define ESP_ERR_DAMAGED_READING                        0x1606
#define ESP_ERR_IMAGE_BASE                             0x2000
#define ESP_ERR_IMAGE_FLASH_FAIL                       0x2001
#define ESP_ERR_IMAGE_INVALID                          0x2002
#define ESP_ERR_WIFI_BASE                              0x3000
#define ESP_ERR_MESH_BASE                              0x4000
#define ESP_ERR_ESP_NETIF_INVALID_PARAMS               0x5001
#define ESP_ERR_ESP_NETIF_IF_NOT_READY                 0x5002
#define ESP_ERR_ESP_NETIF_INIT_FAILED                  0x5009
#define ESP_ERR_FLASH_BASE                             0x6000
#define ESP_ERR_FLASH_OP_FAIL                          0x6001
#define ESP_ERR_FLASH_OP_TIMEOUT                       0x6002
#define ESP_ERR_FLASH_NOT_INITIALISED                  0x6003
#define ESP_ERR_FLASH_UNSUPPORTED_HOST                 0x6004
#define ESP_ERR_FLASH_UNSUPPORTED_CHIP                 0x6005
#define ESP_ERR_FLASH_PROTECTED                        0x6006
#define ESP_ERR_HTTP_BASE                              0x7000
#define ESP_ERR_HTTP_MAX_REDIRECT                      0x7001
#define ESP_ERR_HTTP_CONNECT                           0x7002
#define ESP_ERR_HTTP_WRITE_DATA                        0x7003
#define ESP_ERR_HTTP_FETCH_HEADER                      0x7004
#define ESP_ERR_HTTP_INVALID_TRANSPORT                 0x7005
#define ESP_ERR_HTTP_CONNECTING                        0x7006
#define ESP_ERR_HTTP_EAGAIN                            0x7007
#define ESP_ERR_HTTP_CONNECTION_CLOSED                 0x7008
#define ESP_ERR_HTTP_NOT_MODIFIED                      0x7009
#define ESP_ERR_HTTP_RANGE_NOT_SATISFIABLE             0x700A
#define ESP_ERR_HTTP_READ_TIMEOUT                      0x700B
#define ESP_ERR_HTTP_INCOMPLETE_DATA                   0x700C
#define ESP_ERR_HTTP_REDIRECT_DOWNGRADE                0x700D
#define ESP_ERR_HTTP_HEADER_TOO_LONG                   0x700E
#define ESP_ERR_ESP_TLS_BASE                           0x8000
#define ESP_ERR_ESP_TLS_CANNOT_RESOLVE_HOSTNAME        0x8001
#define ESP_ERR_ESP_TLS_CANNOT_CREATE_SOCKET           0x8002
#define ESP_ERR_ESP_TLS_UNSUPPORTED_PROTOCOL_FAMILY    0x8003
#define ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST         0x8004
#define ESP_ERR_ESP_TLS_SOCKET_SETOPT_FAILED           0x8005
#define ESP_ERR_ESP_TLS_CONNECTION_TIMEOUT             0x8006
#define ESP_ERR_ESP_TLS_SE_FAILED                      0x8007
#define ESP_ERR_ESP_TLS_TCP_CLOSED_FIN                 0x8008
#define ESP_ERR_ESP_TLS_SERVER_HANDSHAKE_TIMEOUT       0x8009
#define ESP_ERR_MBEDTLS_CERT_PARTLY_OK                 0x8010
#define ESP_ERR_MBEDTLS_CTR_DRBG_SEED_FAILED           0x8011
#define ESP_ERR_MBEDTLS_SSL_SET_HOSTNAME_FAILED        0x8012
#define ESP_ERR_MBEDTLS_SSL_CONFIG_DEFAULTS_FAILED     0x8013
#define ESP_ERR_MBEDTLS_SSL_CONF_ALPN_PROTOCOLS_FAILED 0x8014
#define ESP_ERR_MBEDTLS_X509_CRT_PARSE_FAILED          0x8015
#define ESP_ERR_MBEDTLS_SSL_CONF_OWN_CERT_FAILED       0x8016
#define ESP_ERR_MBEDTLS_SSL_SETUP_FAILED               0x8017
#define ESP_ERR_MBEDTLS_SSL_WRITE_FAILED               0x8018
#define ESP_ERR_MBEDTLS_PK_PARSE_KEY_FAILED            0x8019
#define ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED           0x801A
#define ESP_ERR_MBEDTLS_SSL_CONF_PSK_FAILED            0x801B
#define ESP_ERR_MBEDTLS_SSL_TICKET_SETUP_FAILED        0x801C
#define ESP_ERR_MBEDTLS_SSL_READ_FAILED                0x801D
#define ESP_ERR_WOLFSSL_SSL_SET_HOSTNAME_FAILED        0x8031
#define ESP_ERR_WOLFSSL_SSL_CONF_ALPN_PROTOCOLS_FAILED 0x8032
#define ESP_ERR_WOLFSSL_CERT_VERIFY_SETUP_FAILED       0x8033
#define ESP_ERR_WOLFSSL_KEY_VERIFY_SETUP_FAILED        0x8034
#define ESP_ERR_WOLFSSL_SSL_HANDSHAKE_FAILED           0x8035
#define ESP_ERR_WOLFSSL_CTX_SETUP_FAILED               0x8036
#define ESP_ERR_WOLFSSL_SSL_SETUP_FAILED               0x8037
#define ESP_ERR_WOLFSSL_SSL_WRITE_FAILED               0x8038
#define ESP_ERR_HTTPS_OTA_BASE                         0x9000
#define ESP_ERR_HTTPS_OTA_IN_PROGRESS                  0x9001
#define ESP_ERR_HW_CRYPTO_BASE                         0xC000
#define ESP_ERR_MEMPROT_BASE                           0xD000
#define ESP_ERR_TCP_TRANSPORT_CONNECTION_TIMEOUT       0xE001
#define ESP_ERR_TCP_TRANSPORT_CONNECTION_CLOSED_BY_FIN 0xE002
#define ESP_ERR_TCP_TRANSPORT_CONNECTION_FAILED        0xE003
#define ESP_ERR_TCP_TRANSPORT_NO_MEM                   0xE004

/** X(name) for each code: esp_err_to_name() walks this list. A test sees that none is missing. */
#define ESP_ERR_LIST(X)                                                                                      \
    X(ESP_OK)                                                                                                \
    X(ESP_FAIL)                                                                                              \
    X(ESP_ERR_NO_MEM)                                                                                        \
    X(ESP_ERR_INVALID_ARG)                                                                                   \
    X(ESP_ERR_INVALID_STATE)                                                                                 \
    X(ESP_ERR_INVALID_SIZE)                                                                                  \
    X(ESP_ERR_NOT_FOUND)                                                                                     \
    X(ESP_ERR_NOT_SUPPORTED)                                                                                 \
    X(ESP_ERR_TIMEOUT)                                                                                       \
    X(ESP_ERR_INVALID_RESPONSE)                                                                              \
    X(ESP_ERR_INVALID_CRC)                                                                                   \
    X(ESP_ERR_INVALID_VERSION)                                                                               \
    X(ESP_ERR_INVALID_MAC)                                                                                   \
    X(ESP_ERR_NOT_FINISHED)                                                                                  \
    X(ESP_ERR_NOT_ALLOWED)                                                                                   \
    X(ESP_ERR_NVS_BASE)                                                                                      \
    X(ESP_ERR_NVS_NOT_INITIALIZED)                                                                           \
    X(ESP_ERR_NVS_NOT_FOUND)                                                                                 \
    X(ESP_ERR_NVS_TYPE_MISMATCH)                                                                             \
    X(ESP_ERR_NVS_READ_ONLY)                                                                                 \
    X(ESP_ERR_NVS_NOT_ENOUGH_SPACE)                                                                          \
    X(ESP_ERR_NVS_INVALID_NAME)                                                                              \
    X(ESP_ERR_NVS_INVALID_HANDLE)                                                                            \
    X(ESP_ERR_NVS_REMOVE_FAILED)                                                                             \
    X(ESP_ERR_NVS_KEY_TOO_LONG)                                                                              \
    X(ESP_ERR_NVS_PAGE_FULL)                                                                                 \
    X(ESP_ERR_NVS_INVALID_STATE)                                                                             \
    X(ESP_ERR_NVS_INVALID_LENGTH)                                                                            \
    X(ESP_ERR_NVS_NO_FREE_PAGES)                                                                             \
    X(ESP_ERR_NVS_VALUE_TOO_LONG)                                                                            \
    X(ESP_ERR_NVS_PART_NOT_FOUND)                                                                            \
    X(ESP_ERR_NVS_NEW_VERSION_FOUND)                                                                         \
    X(ESP_ERR_NVS_XTS_ENCR_FAILED)                                                                           \
    X(ESP_ERR_NVS_XTS_DECR_FAILED)                                                                           \
    X(ESP_ERR_NVS_XTS_CFG_FAILED)                                                                            \
    X(ESP_ERR_NVS_XTS_CFG_NOT_FOUND)                                                                         \
    X(ESP_ERR_NVS_ENCR_NOT_SUPPORTED)                                                                        \
    X(ESP_ERR_NVS_KEYS_NOT_INITIALIZED)                                                                      \
    X(ESP_ERR_NVS_CORRUPT_KEY_PART)                                                                          \
    X(ESP_ERR_NVS_CONTENT_DIFFERS)                                                                           \
    X(ESP_ERR_NVS_WRONG_ENCRYPTION)                                                                          \
    X(ESP_ERR_OTA_BASE)                                                                                      \
    X(ESP_ERR_OTA_PARTITION_CONFLICT)                                                                        \
    X(ESP_ERR_OTA_SELECT_INFO_INVALID)                                                                       \
    X(ESP_ERR_OTA_VALIDATE_FAILED)                                                                           \
    X(ESP_ERR_OTA_SMALL_SEC_VER)                                                                             \
    X(ESP_ERR_OTA_ROLLBACK_FAILED)                                                                           \
    X(ESP_ERR_OTA_ROLLBACK_INVALID_STATE)                                                                    \
    X(ESP_ERR_OTA_ALREADY_IN_PROGRESS)                                                                       \
    X(ESP_ERR_OTA_SPI_MODE_MISMATCH)                                                                         \
    X(ESP_ERR_EFUSE)                                                                                         \
    X(ESP_OK_EFUSE_CNT)                                                                                      \
    X(ESP_ERR_EFUSE_CNT_IS_FULL)                                                                             \
    X(ESP_ERR_EFUSE_REPEATED_PROG)                                                                           \
    X(ESP_ERR_CODING)                                                                                        \
    X(ESP_ERR_NOT_ENOUGH_UNUSED_KEY_BLOCKS)                                                                  \
    X(ESP_ERR_DAMAGED_READING)                                                                               \
    X(ESP_ERR_IMAGE_BASE)                                                                                    \
    X(ESP_ERR_IMAGE_FLASH_FAIL)                                                                              \
    X(ESP_ERR_IMAGE_INVALID)                                                                                 \
    X(ESP_ERR_WIFI_BASE)                                                                                     \
    X(ESP_ERR_MESH_BASE)                                                                                     \
    X(ESP_ERR_ESP_NETIF_INVALID_PARAMS)                                                                      \
    X(ESP_ERR_ESP_NETIF_IF_NOT_READY)                                                                        \
    X(ESP_ERR_ESP_NETIF_INIT_FAILED)                                                                         \
    X(ESP_ERR_FLASH_BASE)                                                                                    \
    X(ESP_ERR_FLASH_OP_FAIL)                                                                                 \
    X(ESP_ERR_FLASH_OP_TIMEOUT)                                                                              \
    X(ESP_ERR_FLASH_NOT_INITIALISED)                                                                         \
    X(ESP_ERR_FLASH_UNSUPPORTED_HOST)                                                                        \
    X(ESP_ERR_FLASH_UNSUPPORTED_CHIP)                                                                        \
    X(ESP_ERR_FLASH_PROTECTED)                                                                               \
    X(ESP_ERR_HTTP_BASE)                                                                                     \
    X(ESP_ERR_HTTP_MAX_REDIRECT)                                                                             \
    X(ESP_ERR_HTTP_CONNECT)                                                                                  \
    X(ESP_ERR_HTTP_WRITE_DATA)                                                                               \
    X(ESP_ERR_HTTP_FETCH_HEADER)                                                                             \
    X(ESP_ERR_HTTP_INVALID_TRANSPORT)                                                                        \
    X(ESP_ERR_HTTP_CONNECTING)                                                                               \
    X(ESP_ERR_HTTP_EAGAIN)                                                                                   \
    X(ESP_ERR_HTTP_CONNECTION_CLOSED)                                                                        \
    X(ESP_ERR_HTTP_NOT_MODIFIED)                                                                             \
    X(ESP_ERR_HTTP_RANGE_NOT_SATISFIABLE)                                                                    \
    X(ESP_ERR_HTTP_READ_TIMEOUT)                                                                             \
    X(ESP_ERR_HTTP_INCOMPLETE_DATA)                                                                          \
    X(ESP_ERR_HTTP_REDIRECT_DOWNGRADE)                                                                       \
    X(ESP_ERR_HTTP_HEADER_TOO_LONG)                                                                          \
    X(ESP_ERR_ESP_TLS_BASE)                                                                                  \
    X(ESP_ERR_ESP_TLS_CANNOT_RESOLVE_HOSTNAME)                                                               \
    X(ESP_ERR_ESP_TLS_CANNOT_CREATE_SOCKET)                                                                  \
    X(ESP_ERR_ESP_TLS_UNSUPPORTED_PROTOCOL_FAMILY)                                                           \
    X(ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST)                                                                \
    X(ESP_ERR_ESP_TLS_SOCKET_SETOPT_FAILED)                                                                  \
    X(ESP_ERR_ESP_TLS_CONNECTION_TIMEOUT)                                                                    \
    X(ESP_ERR_ESP_TLS_SE_FAILED)                                                                             \
    X(ESP_ERR_ESP_TLS_TCP_CLOSED_FIN)                                                                        \
    X(ESP_ERR_ESP_TLS_SERVER_HANDSHAKE_TIMEOUT)                                                              \
    X(ESP_ERR_MBEDTLS_CERT_PARTLY_OK)                                                                        \
    X(ESP_ERR_MBEDTLS_CTR_DRBG_SEED_FAILED)                                                                  \
    X(ESP_ERR_MBEDTLS_SSL_SET_HOSTNAME_FAILED)                                                               \
    X(ESP_ERR_MBEDTLS_SSL_CONFIG_DEFAULTS_FAILED)                                                            \
    X(ESP_ERR_MBEDTLS_SSL_CONF_ALPN_PROTOCOLS_FAILED)                                                        \
    X(ESP_ERR_MBEDTLS_X509_CRT_PARSE_FAILED)                                                                 \
    X(ESP_ERR_MBEDTLS_SSL_CONF_OWN_CERT_FAILED)                                                              \
    X(ESP_ERR_MBEDTLS_SSL_SETUP_FAILED)                                                                      \
    X(ESP_ERR_MBEDTLS_SSL_WRITE_FAILED)                                                                      \
    X(ESP_ERR_MBEDTLS_PK_PARSE_KEY_FAILED)                                                                   \
    X(ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED)                                                                  \
    X(ESP_ERR_MBEDTLS_SSL_CONF_PSK_FAILED)                                                                   \
    X(ESP_ERR_MBEDTLS_SSL_TICKET_SETUP_FAILED)                                                               \
    X(ESP_ERR_MBEDTLS_SSL_READ_FAILED)                                                                       \
    X(ESP_ERR_WOLFSSL_SSL_SET_HOSTNAME_FAILED)                                                               \
    X(ESP_ERR_WOLFSSL_SSL_CONF_ALPN_PROTOCOLS_FAILED)                                                        \
    X(ESP_ERR_WOLFSSL_CERT_VERIFY_SETUP_FAILED)                                                              \
    X(ESP_ERR_WOLFSSL_KEY_VERIFY_SETUP_FAILED)                                                               \
    X(ESP_ERR_WOLFSSL_SSL_HANDSHAKE_FAILED)                                                                  \
    X(ESP_ERR_WOLFSSL_CTX_SETUP_FAILED)                                                                      \
    X(ESP_ERR_WOLFSSL_SSL_SETUP_FAILED)                                                                      \
    X(ESP_ERR_WOLFSSL_SSL_WRITE_FAILED)                                                                      \
    X(ESP_ERR_HTTPS_OTA_BASE)                                                                                \
    X(ESP_ERR_HTTPS_OTA_IN_PROGRESS)                                                                         \
    X(ESP_ERR_HW_CRYPTO_BASE)                                                                                \
    X(ESP_ERR_MEMPROT_BASE)                                                                                  \
    X(ESP_ERR_TCP_TRANSPORT_CONNECTION_TIMEOUT)                                                              \
    X(ESP_ERR_TCP_TRANSPORT_CONNECTION_CLOSED_BY_FIN)                                                        \
    X(ESP_ERR_TCP_TRANSPORT_CONNECTION_FAILED)                                                               \
    X(ESP_ERR_TCP_TRANSPORT_NO_MEM)

/**
 * Name of a code, as ESP-IDF spells it.
 * @return  a static string, "ESP_ERR_OTA_VALIDATE_FAILED"; "ERROR" for a code without a name. Never NULL.
 */
const char *esp_err_to_name(esp_err_t code);

/**
 * The same into a buffer of the caller's, cut to fit and always terminated; an unknown code becomes
 * "UNKNOWN ERROR 0x<hex>(<decimal>)".
 * @return  buf
 */
const char *esp_err_to_name_r(esp_err_t code, char *buf, size_t buflen);

/** Prints what ESP_ERROR_CHECK saw (code, file, line, function, expression); the macros decide whether to abort. */
void esp_error_check_report_(const char *heading, esp_err_t code, const char *file, int line,
                             const char *func, const char *expression);

static inline esp_err_t esp_error_check_(esp_err_t code, const char *file, int line, const char *func,
                                         const char *expression)
{
    if (code != ESP_OK) {
        esp_error_check_report_("ESP_ERROR_CHECK_WITHOUT_ABORT failed", code, file, line, func, expression);
    }
    return code;
}

/* What ESP-IDF's own macros call, for programs with macros like them. */
#define _esp_error_check_failed_without_abort(rc, file, line, function, expression)                          \
    esp_error_check_report_("ESP_ERROR_CHECK_WITHOUT_ABORT failed", rc, file, line, function, expression)
#define _esp_error_check_failed(rc, file, line, function, expression)                                        \
    do {                                                                                                     \
        esp_error_check_report_("ESP_ERROR_CHECK failed", rc, file, line, function, expression);             \
        abort();                                                                                             \
    } while (0)
#ifndef __ASSERT_FUNC
#define __ASSERT_FUNC __func__ /* newlib's */
#endif

static inline esp_err_t esp_error_pass_(esp_err_t code)
{
    return code;
}

/*
 * ESP_ERROR_CHECK(x) evaluates x once and ends the program if it failed, telling where; a statement. ..._WITHOUT_ABORT only
 * tells, and has the value of x. With assertions off (NDEBUG) both only evaluate x; silent ones end without a text.
 */
#if defined(NDEBUG) || defined(CONFIG_COMPILER_OPTIMIZATION_ASSERTIONS_DISABLE)
#define ESP_ERROR_CHECK(x)                                                                                   \
    do {                                                                                                     \
        (void)(x);                                                                                           \
    } while (0)
#define ESP_ERROR_CHECK_WITHOUT_ABORT(x) esp_error_pass_(x)
#else
#ifdef CONFIG_COMPILER_OPTIMIZATION_ASSERTIONS_SILENT
#define ESP_ERROR_CHECK(x)                                                                                   \
    do {                                                                                                     \
        if ((x) != ESP_OK) {                                                                                 \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)
#else
#define ESP_ERROR_CHECK(x)                                                                                   \
    do {                                                                                                     \
        esp_err_t esp_err_rc_ = (x);                                                                         \
        if (esp_err_rc_ != ESP_OK) {                                                                         \
            esp_error_check_report_("ESP_ERROR_CHECK failed", esp_err_rc_, __FILE__, __LINE__, __func__,     \
                                    #x);                                                                     \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)
#endif
#define ESP_ERROR_CHECK_WITHOUT_ABORT(x) esp_error_check_((x), __FILE__, __LINE__, __func__, #x)
#endif

#ifdef __cplusplus
}
#endif
