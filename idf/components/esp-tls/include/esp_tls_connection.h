/* ESP-TLS: connections without HTTP, plain or with TLS. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "esp_err.h"
#include "esp_tls_errors.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ESP_TLS_ERR_SSL_WANT_READ  (-0x6900) /* nothing came within timeout_ms */
#define ESP_TLS_ERR_SSL_WANT_WRITE (-0x6880)
#define ESP_TLS_ERR_SSL_TIMEOUT    (-0x6800)

typedef enum {
    ESP_TLS_INIT = 0,
    ESP_TLS_CONNECTING,
    ESP_TLS_HANDSHAKE,
    ESP_TLS_FAIL,
    ESP_TLS_DONE,
} esp_tls_conn_state_t;

typedef enum esp_tls_role {
    ESP_TLS_CLIENT = 0,
    ESP_TLS_SERVER,
} esp_tls_role_t;

#define ESP_TLS_DEFAULT_CONN_TIMEOUT 10 /* s */

typedef enum esp_tls_addr_family {
    ESP_TLS_AF_UNSPEC = 0,
    ESP_TLS_AF_INET,
    ESP_TLS_AF_INET6
} esp_tls_addr_family_t;

typedef enum {
    ESP_TLS_VER_ANY = 0,
    ESP_TLS_VER_TLS_1_2 = 1,
    ESP_TLS_VER_TLS_1_3 = 2,
    ESP_TLS_VER_TLS_MAX,
} esp_tls_proto_ver_t;

typedef struct tls_keep_alive_cfg {
    bool keep_alive_enable;
    int keep_alive_idle, keep_alive_interval; /* s */
    int keep_alive_count;
} tls_keep_alive_cfg_t;

typedef struct psk_key_hint {
    const uint8_t *key;
    const size_t key_size;
    const char *hint;
} psk_hint_key_t;

/** Texts must live until esp_tls_conn_destroy(). */
typedef struct esp_tls_cfg {
    const char **alpn_protos;
    union {
        const unsigned char *cacert_buf, *cacert_pem_buf;
    };
    union {
        unsigned int cacert_bytes, cacert_pem_bytes;
    };
    union {
        const unsigned char *clientcert_buf, *clientcert_pem_buf;
    };
    union {
        unsigned int clientcert_bytes, clientcert_pem_bytes;
    };
    union {
        const unsigned char *clientkey_buf, *clientkey_pem_buf;
    };
    union {
        unsigned int clientkey_bytes, clientkey_pem_bytes;
    };
    const unsigned char *clientkey_password;
    unsigned int clientkey_password_len;
    bool non_block; /* reads and writes take what is there */
    int timeout_ms; /* of connecting, and of each read and write; 0: 10000 */
    bool use_global_ca_store;
    const char *common_name;
    bool skip_common_name;
    tls_keep_alive_cfg_t *keep_alive_cfg;
    const struct psk_key_hint *psk_hint_key;    /* refused */
    esp_err_t (*crt_bundle_attach)(void *conf); /* any: the certificates that this machine trusts */
    void *ds_data;                              /* refused */
    bool is_plain_tcp;
    esp_tls_addr_family_t addr_family;
    esp_tls_proto_ver_t tls_version;
    struct ifreq *if_name;   /* of net/if.h: the interface of this machine, NULL: any */
    bool use_secure_element; /* refused, as the rest */
    bool use_ecdsa_peripheral;
    uint8_t ecdsa_key_efuse_blk;
    const int *ciphersuites_list;
    struct esp_tls_client_session *client_session; /* of no use here: each connection has its own */
} esp_tls_cfg_t;

typedef struct esp_tls esp_tls_t;
typedef struct esp_tls_client_session esp_tls_client_session_t;

/** Of a server that has one connection after the other; certificates and keys are PEM, or DER with their length. */
typedef struct esp_tls_cfg_server {
    const char **alpn_protos; /* in the order in which the server wants them */
    union {
        const unsigned char *cacert_buf, *cacert_pem_buf; /* of clients, which then must have a certificate */
    };
    union {
        unsigned int cacert_bytes, cacert_pem_bytes;
    };
    bool client_cert_authmode_optional; /* a client without a certificate is let in, too */
    union {
        const unsigned char *servercert_buf, *servercert_pem_buf;
    };
    union {
        unsigned int servercert_bytes, servercert_pem_bytes;
    };
    union {
        const unsigned char *serverkey_buf, *serverkey_pem_buf;
    };
    union {
        unsigned int serverkey_bytes, serverkey_pem_bytes;
    };
    const unsigned char *serverkey_password;
    unsigned int serverkey_password_len;
    bool use_ecdsa_peripheral; /* refused, as the next but one */
    uint8_t ecdsa_key_efuse_blk;
    bool use_secure_element;
    uint32_t tls_handshake_timeout_ms;       /* 0: 10000 */
    void *userdata;                          /* nobody asks for it */
    const struct psk_key_hint *psk_hint_key; /* refused */
    int (*cert_select_cb)(void *ssl);        /* refused */
    esp_tls_proto_ver_t tls_version;
} esp_tls_cfg_server_t;

/** @return NULL: no memory */
esp_tls_t *esp_tls_init(void);

/**
 * Waits until it is connected, at most timeout_ms. It trusts what `cfg` says; without any trust nothing is believed.
 * @param hostlen  bytes of hostname, which need not end there
 * @param tls  of esp_tls_init(), not connected yet
 * @return 1; -1, and esp_tls_get_error_handle() has why
 */
int esp_tls_conn_new_sync(const char *hostname, int hostlen, int port, const esp_tls_cfg_t *cfg,
                          esp_tls_t *tls);
/** The same to the host of http://HOST[:PORT]/... or https://...; http:// is plain TCP only with is_plain_tcp, as in ESP-IDF. */
int esp_tls_conn_http_new_sync(const char *url, const esp_tls_cfg_t *cfg, esp_tls_t *tls);
/* They wait, too: 0 (not yet) never comes. */
int esp_tls_conn_new_async(const char *hostname, int hostlen, int port, const esp_tls_cfg_t *cfg,
                           esp_tls_t *tls);
int esp_tls_conn_http_new_async(const char *url, const esp_tls_cfg_t *cfg, esp_tls_t *tls);
/* Of ESP-IDF 4: NULL where it does not connect. */
esp_tls_t *esp_tls_conn_new(const char *hostname, int hostlen, int port, const esp_tls_cfg_t *cfg);
esp_tls_t *esp_tls_conn_http_new(const char *url, const esp_tls_cfg_t *cfg);

/** @return bytes; 0 (read): the peer has closed; ESP_TLS_ERR_SSL_WANT_READ, _WRITE: nothing moved in time; -1: broken */
ssize_t esp_tls_conn_read(esp_tls_t *tls, void *data, size_t datalen);
ssize_t esp_tls_conn_write(esp_tls_t *tls, const void *data, size_t datalen);
/** Closes and frees. @return 0; -1: NULL */
int esp_tls_conn_destroy(esp_tls_t *tls);
/** Its name in ESP-IDF 4. */
void esp_tls_conn_delete(esp_tls_t *tls);

/** The server's side of TLS on a connected socket, which stays the caller's; waits for the handshake, at most
    tls_handshake_timeout_ms. @param tls  of esp_tls_init(). @return 0; -1, and esp_tls_get_error_handle() has why */
int esp_tls_server_session_create(esp_tls_cfg_server_t *cfg, int sockfd, esp_tls_t *tls);
/** The same in two steps, of which the first one waits, too. @return ESP_OK, 0; ESP_FAIL, -1 */
esp_err_t esp_tls_server_session_init(esp_tls_cfg_server_t *cfg, int sockfd, esp_tls_t *tls);
int esp_tls_server_session_continue_async(esp_tls_t *tls);
/** Says the end of TLS, and frees; the socket stays open. */
void esp_tls_server_session_delete(esp_tls_t *tls);
/** A server's tickets are TLS's own here. @return ESP_ERR_NOT_SUPPORTED; ESP_ERR_INVALID_ARG: NULL */
esp_err_t esp_tls_cfg_server_session_tickets_init(esp_tls_cfg_server_t *cfg);
void esp_tls_cfg_server_session_tickets_free(esp_tls_cfg_server_t *cfg);

/** A connected socket, the caller's.
    @return ESP_OK; ESP_ERR_INVALID_ARG; ESP_ERR_NO_MEM; ESP_ERR_ESP_TLS_*, as error_handle has it */
esp_err_t esp_tls_plain_tcp_connect(const char *host, int hostlen, int port, const esp_tls_cfg_t *cfg,
                                    esp_tls_error_handle_t error_handle, int *sockfd);

/** Of a server what is decrypted already; of a client nothing is told. @return bytes; ESP_FAIL: NULL */
ssize_t esp_tls_get_bytes_avail(esp_tls_t *tls);
/** @return ESP_OK; ESP_ERR_INVALID_ARG (NULL) */
esp_err_t esp_tls_get_conn_sockfd(esp_tls_t *tls, int *sockfd);
esp_err_t esp_tls_get_conn_state(esp_tls_t *tls, esp_tls_conn_state_t *conn_state);
esp_err_t esp_tls_set_conn_state(esp_tls_t *tls, esp_tls_conn_state_t conn_state);
/** Another socket under a connection is not to be had. @return ESP_ERR_NOT_SUPPORTED; ESP_ERR_INVALID_ARG */
esp_err_t esp_tls_set_conn_sockfd(esp_tls_t *tls, int sockfd);
/** A session that could be taken up again. @return NULL: there is none to keep */
struct esp_tls_client_session *esp_tls_get_client_session(esp_tls_t *tls);
void esp_tls_free_client_session(struct esp_tls_client_session *client_session);
/** It would be mbedTLS's. @return NULL */
void *esp_tls_get_ssl_context(esp_tls_t *tls);
esp_err_t esp_tls_get_error_handle(esp_tls_t *tls, esp_tls_error_handle_t *error_handle);
/** @param error_code  of the error's kind; 0: none, as always of ESP_TLS_ERR_TYPE_SYSTEM.
    @return ESP_OK; ESP_ERR_INVALID_ARG (NULL, or no kind) */
esp_err_t esp_tls_get_and_clear_error_type(esp_tls_error_handle_t h, esp_tls_error_type_t err_type,
                                           int *error_code);
/** There is one in any case. @return ESP_OK */
esp_err_t esp_tls_init_global_ca_store(void);

#ifdef __cplusplus
}
#endif
