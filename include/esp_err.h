/* ESP-IDF's error codes: one list gives every code its number and its name. */
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
 * X(name, value), in ESP-IDF's numbers (esp_err.h and the component headers of v5.5; two OTA codes come from the
 * development branch and are used where ESP-IDF 5.5 has a defect, see docs/DIFFERENCES.md).
 * A code added here has its name at once: esp_err_to_name() walks this same list.
 */
#define ESP_ERR_LIST(X)                                                                                      \
    X(ESP_OK, 0)                                                                                             \
    X(ESP_FAIL, -1)                                                                                          \
    X(ESP_ERR_NO_MEM, 0x101)                                                                                 \
    X(ESP_ERR_INVALID_ARG, 0x102)                                                                            \
    X(ESP_ERR_INVALID_STATE, 0x103)                                                                          \
    X(ESP_ERR_INVALID_SIZE, 0x104)                                                                           \
    X(ESP_ERR_NOT_FOUND, 0x105)                                                                              \
    X(ESP_ERR_NOT_SUPPORTED, 0x106)                                                                          \
    X(ESP_ERR_TIMEOUT, 0x107)                                                                                \
    X(ESP_ERR_INVALID_RESPONSE, 0x108)                                                                       \
    X(ESP_ERR_INVALID_CRC, 0x109)                                                                            \
    X(ESP_ERR_INVALID_VERSION, 0x10A)                                                                        \
    X(ESP_ERR_INVALID_MAC, 0x10B)                                                                            \
    X(ESP_ERR_NOT_FINISHED, 0x10C)                                                                           \
    X(ESP_ERR_NOT_ALLOWED, 0x10D)                                                                            \
    X(ESP_ERR_NVS_BASE, 0x1100)                                                                              \
    X(ESP_ERR_NVS_NOT_INITIALIZED, 0x1101)                                                                   \
    X(ESP_ERR_NVS_NOT_FOUND, 0x1102)                                                                         \
    X(ESP_ERR_NVS_TYPE_MISMATCH, 0x1103)                                                                     \
    X(ESP_ERR_NVS_READ_ONLY, 0x1104)                                                                         \
    X(ESP_ERR_NVS_NOT_ENOUGH_SPACE, 0x1105)                                                                  \
    X(ESP_ERR_NVS_INVALID_NAME, 0x1106)                                                                      \
    X(ESP_ERR_NVS_INVALID_HANDLE, 0x1107)                                                                    \
    X(ESP_ERR_NVS_REMOVE_FAILED, 0x1108)                                                                     \
    X(ESP_ERR_NVS_KEY_TOO_LONG, 0x1109)                                                                      \
    X(ESP_ERR_NVS_PAGE_FULL, 0x110A)                                                                         \
    X(ESP_ERR_NVS_INVALID_STATE, 0x110B)                                                                     \
    X(ESP_ERR_NVS_INVALID_LENGTH, 0x110C)                                                                    \
    X(ESP_ERR_NVS_NO_FREE_PAGES, 0x110D)                                                                     \
    X(ESP_ERR_NVS_VALUE_TOO_LONG, 0x110E)                                                                    \
    X(ESP_ERR_NVS_PART_NOT_FOUND, 0x110F)                                                                    \
    X(ESP_ERR_NVS_NEW_VERSION_FOUND, 0x1110)                                                                 \
    X(ESP_ERR_NVS_XTS_ENCR_FAILED, 0x1111)                                                                   \
    X(ESP_ERR_NVS_XTS_DECR_FAILED, 0x1112)                                                                   \
    X(ESP_ERR_NVS_XTS_CFG_FAILED, 0x1113)                                                                    \
    X(ESP_ERR_NVS_XTS_CFG_NOT_FOUND, 0x1114)                                                                 \
    X(ESP_ERR_NVS_ENCR_NOT_SUPPORTED, 0x1115)                                                                \
    X(ESP_ERR_NVS_KEYS_NOT_INITIALIZED, 0x1116)                                                              \
    X(ESP_ERR_NVS_CORRUPT_KEY_PART, 0x1117)                                                                  \
    X(ESP_ERR_NVS_CONTENT_DIFFERS, 0x1118)                                                                   \
    X(ESP_ERR_NVS_WRONG_ENCRYPTION, 0x1119)                                                                  \
    X(ESP_ERR_OTA_BASE, 0x1500)                                                                              \
    X(ESP_ERR_OTA_PARTITION_CONFLICT, 0x1501)                                                                \
    X(ESP_ERR_OTA_SELECT_INFO_INVALID, 0x1502)                                                               \
    X(ESP_ERR_OTA_VALIDATE_FAILED, 0x1503)                                                                   \
    X(ESP_ERR_OTA_SMALL_SEC_VER, 0x1504)                                                                     \
    X(ESP_ERR_OTA_ROLLBACK_FAILED, 0x1505)                                                                   \
    X(ESP_ERR_OTA_ROLLBACK_INVALID_STATE, 0x1506)                                                            \
    X(ESP_ERR_OTA_ALREADY_IN_PROGRESS, 0x1507)                                                               \
    X(ESP_ERR_OTA_SPI_MODE_MISMATCH, 0x1508)                                                                 \
    X(ESP_ERR_EFUSE, 0x1600)                                                                                 \
    X(ESP_OK_EFUSE_CNT, 0x1601)                                                                              \
    X(ESP_ERR_EFUSE_CNT_IS_FULL, 0x1602)                                                                     \
    X(ESP_ERR_EFUSE_REPEATED_PROG, 0x1603)                                                                   \
    X(ESP_ERR_CODING, 0x1604)                                                                                \
    X(ESP_ERR_NOT_ENOUGH_UNUSED_KEY_BLOCKS, 0x1605)                                                          \
    X(ESP_ERR_DAMAGED_READING, 0x1606)                                                                       \
    X(ESP_ERR_IMAGE_BASE, 0x2000)                                                                            \
    X(ESP_ERR_IMAGE_FLASH_FAIL, 0x2001)                                                                      \
    X(ESP_ERR_IMAGE_INVALID, 0x2002)                                                                         \
    X(ESP_ERR_WIFI_BASE, 0x3000)                                                                             \
    X(ESP_ERR_MESH_BASE, 0x4000)                                                                             \
    X(ESP_ERR_ESP_NETIF_INVALID_PARAMS, 0x5001)                                                              \
    X(ESP_ERR_ESP_NETIF_IF_NOT_READY, 0x5002)                                                                \
    X(ESP_ERR_ESP_NETIF_INIT_FAILED, 0x5009)                                                                 \
    X(ESP_ERR_FLASH_BASE, 0x6000)                                                                            \
    X(ESP_ERR_FLASH_OP_FAIL, 0x6001)                                                                         \
    X(ESP_ERR_FLASH_OP_TIMEOUT, 0x6002)                                                                      \
    X(ESP_ERR_FLASH_NOT_INITIALISED, 0x6003)                                                                 \
    X(ESP_ERR_FLASH_UNSUPPORTED_HOST, 0x6004)                                                                \
    X(ESP_ERR_FLASH_UNSUPPORTED_CHIP, 0x6005)                                                                \
    X(ESP_ERR_FLASH_PROTECTED, 0x6006)                                                                       \
    X(ESP_ERR_HTTP_BASE, 0x7000)                                                                             \
    X(ESP_ERR_HTTP_MAX_REDIRECT, 0x7001)                                                                     \
    X(ESP_ERR_HTTP_CONNECT, 0x7002)                                                                          \
    X(ESP_ERR_HTTP_WRITE_DATA, 0x7003)                                                                       \
    X(ESP_ERR_HTTP_FETCH_HEADER, 0x7004)                                                                     \
    X(ESP_ERR_HTTP_INVALID_TRANSPORT, 0x7005)                                                                \
    X(ESP_ERR_HTTP_CONNECTING, 0x7006)                                                                       \
    X(ESP_ERR_HTTP_EAGAIN, 0x7007)                                                                           \
    X(ESP_ERR_HTTP_CONNECTION_CLOSED, 0x7008)                                                                \
    X(ESP_ERR_HTTP_NOT_MODIFIED, 0x7009)                                                                     \
    X(ESP_ERR_HTTP_RANGE_NOT_SATISFIABLE, 0x700A)                                                            \
    X(ESP_ERR_HTTP_READ_TIMEOUT, 0x700B)                                                                     \
    X(ESP_ERR_HTTP_INCOMPLETE_DATA, 0x700C)                                                                  \
    X(ESP_ERR_HTTP_REDIRECT_DOWNGRADE, 0x700D)                                                               \
    X(ESP_ERR_HTTP_HEADER_TOO_LONG, 0x700E)                                                                  \
    X(ESP_ERR_ESP_TLS_BASE, 0x8000)                                                                          \
    X(ESP_ERR_ESP_TLS_CANNOT_RESOLVE_HOSTNAME, 0x8001)                                                       \
    X(ESP_ERR_ESP_TLS_CANNOT_CREATE_SOCKET, 0x8002)                                                          \
    X(ESP_ERR_ESP_TLS_UNSUPPORTED_PROTOCOL_FAMILY, 0x8003)                                                   \
    X(ESP_ERR_ESP_TLS_FAILED_CONNECT_TO_HOST, 0x8004)                                                        \
    X(ESP_ERR_ESP_TLS_SOCKET_SETOPT_FAILED, 0x8005)                                                          \
    X(ESP_ERR_ESP_TLS_CONNECTION_TIMEOUT, 0x8006)                                                            \
    X(ESP_ERR_ESP_TLS_SE_FAILED, 0x8007)                                                                     \
    X(ESP_ERR_ESP_TLS_TCP_CLOSED_FIN, 0x8008)                                                                \
    X(ESP_ERR_ESP_TLS_SERVER_HANDSHAKE_TIMEOUT, 0x8009)                                                      \
    X(ESP_ERR_MBEDTLS_CERT_PARTLY_OK, 0x8010)                                                                \
    X(ESP_ERR_MBEDTLS_CTR_DRBG_SEED_FAILED, 0x8011)                                                          \
    X(ESP_ERR_MBEDTLS_SSL_SET_HOSTNAME_FAILED, 0x8012)                                                       \
    X(ESP_ERR_MBEDTLS_SSL_CONFIG_DEFAULTS_FAILED, 0x8013)                                                    \
    X(ESP_ERR_MBEDTLS_SSL_CONF_ALPN_PROTOCOLS_FAILED, 0x8014)                                                \
    X(ESP_ERR_MBEDTLS_X509_CRT_PARSE_FAILED, 0x8015)                                                         \
    X(ESP_ERR_MBEDTLS_SSL_CONF_OWN_CERT_FAILED, 0x8016)                                                      \
    X(ESP_ERR_MBEDTLS_SSL_SETUP_FAILED, 0x8017)                                                              \
    X(ESP_ERR_MBEDTLS_SSL_WRITE_FAILED, 0x8018)                                                              \
    X(ESP_ERR_MBEDTLS_PK_PARSE_KEY_FAILED, 0x8019)                                                           \
    X(ESP_ERR_MBEDTLS_SSL_HANDSHAKE_FAILED, 0x801A)                                                          \
    X(ESP_ERR_MBEDTLS_SSL_CONF_PSK_FAILED, 0x801B)                                                           \
    X(ESP_ERR_MBEDTLS_SSL_TICKET_SETUP_FAILED, 0x801C)                                                       \
    X(ESP_ERR_MBEDTLS_SSL_READ_FAILED, 0x801D)                                                               \
    X(ESP_ERR_WOLFSSL_SSL_SET_HOSTNAME_FAILED, 0x8031)                                                       \
    X(ESP_ERR_WOLFSSL_SSL_CONF_ALPN_PROTOCOLS_FAILED, 0x8032)                                                \
    X(ESP_ERR_WOLFSSL_CERT_VERIFY_SETUP_FAILED, 0x8033)                                                      \
    X(ESP_ERR_WOLFSSL_KEY_VERIFY_SETUP_FAILED, 0x8034)                                                       \
    X(ESP_ERR_WOLFSSL_SSL_HANDSHAKE_FAILED, 0x8035)                                                          \
    X(ESP_ERR_WOLFSSL_CTX_SETUP_FAILED, 0x8036)                                                              \
    X(ESP_ERR_WOLFSSL_SSL_SETUP_FAILED, 0x8037)                                                              \
    X(ESP_ERR_WOLFSSL_SSL_WRITE_FAILED, 0x8038)                                                              \
    X(ESP_ERR_HTTPS_OTA_BASE, 0x9000)                                                                        \
    X(ESP_ERR_HTTPS_OTA_IN_PROGRESS, 0x9001)                                                                 \
    X(ESP_ERR_HW_CRYPTO_BASE, 0xC000)                                                                        \
    X(ESP_ERR_MEMPROT_BASE, 0xD000)                                                                          \
    X(ESP_ERR_TCP_TRANSPORT_CONNECTION_TIMEOUT, 0xE001)                                                      \
    X(ESP_ERR_TCP_TRANSPORT_CONNECTION_CLOSED_BY_FIN, 0xE002)                                                \
    X(ESP_ERR_TCP_TRANSPORT_CONNECTION_FAILED, 0xE003)                                                       \
    X(ESP_ERR_TCP_TRANSPORT_NO_MEM, 0xE004)

#define ESP_ERR_ENUM_(name, value) name = (value),
enum { ESP_ERR_LIST(ESP_ERR_ENUM_) };
#undef ESP_ERR_ENUM_

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
