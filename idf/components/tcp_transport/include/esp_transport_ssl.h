/* A transport that is TLS. What it is given must live as long as it does. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "esp_transport.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Without any trust every connection fails: nothing is believed by default. @return NULL: no memory */
esp_transport_handle_t esp_transport_ssl_init(void);
/** @param len  of a PEM text: without its end, or with it */
void esp_transport_ssl_set_cert_data(esp_transport_handle_t t, const char *data, int len);
void esp_transport_ssl_set_cert_data_der(esp_transport_handle_t t, const char *data, int len);
void esp_transport_ssl_crt_bundle_attach(esp_transport_handle_t t,
                                         esp_err_t (*crt_bundle_attach)(void *conf));
void esp_transport_ssl_enable_global_ca_store(esp_transport_handle_t t);
void esp_transport_ssl_set_client_cert_data(esp_transport_handle_t t, const char *data, int len);
void esp_transport_ssl_set_client_cert_data_der(esp_transport_handle_t t, const char *data, int len);
void esp_transport_ssl_set_client_key_data(esp_transport_handle_t t, const char *data, int len);
void esp_transport_ssl_set_client_key_data_der(esp_transport_handle_t t, const char *data, int len);
void esp_transport_ssl_set_client_key_password(esp_transport_handle_t t, const char *password,
                                               int password_len);
void esp_transport_ssl_set_alpn_protocol(esp_transport_handle_t t, const char **alpn_protos);
void esp_transport_ssl_skip_common_name_check(esp_transport_handle_t t);
void esp_transport_ssl_set_common_name(esp_transport_handle_t t, const char *common_name);
void esp_transport_ssl_set_tls_version(esp_transport_handle_t t, esp_tls_proto_ver_t tls_version);
void esp_transport_ssl_set_keep_alive(esp_transport_handle_t t, esp_transport_keep_alive_t *keep_alive_cfg);
void esp_transport_ssl_set_addr_family(esp_transport_handle_t t, esp_tls_addr_family_t addr_family);

/** Copied. */
void esp_transport_ssl_set_interface_name(esp_transport_handle_t t, struct ifreq *if_name);

/* What is not to be had here: connecting is then refused. */
void esp_transport_ssl_set_psk_key_hint(esp_transport_handle_t t, const psk_hint_key_t *psk_hint_key);
void esp_transport_ssl_set_ds_data(esp_transport_handle_t t, void *ds_data);
void esp_transport_ssl_use_secure_element(esp_transport_handle_t t);
void esp_transport_ssl_set_client_key_ecdsa_peripheral(esp_transport_handle_t t, uint8_t ecdsa_efuse_blk);
void esp_transport_ssl_set_ciphersuites_list(esp_transport_handle_t t, const int *ciphersuites_list);

#ifdef __cplusplus
}
#endif
