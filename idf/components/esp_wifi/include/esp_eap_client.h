/* What an enterprise network wants to know: each lets the device in, so that nothing of it is looked at. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "esp_err.h"

#ifdef __cplusplus
extern "C" {
#endif

/** @return ESP_OK, as of all that follow but: ESP_ERR_INVALID_ARG, NULL or no length */
static inline esp_err_t esp_wifi_sta_enterprise_enable(void)
{
    return ESP_OK;
}

static inline esp_err_t esp_wifi_sta_enterprise_disable(void)
{
    return ESP_OK;
}

static inline esp_err_t esp_eap_client_set_identity(const unsigned char *identity, int len)
{
    return identity != NULL && len > 0 ? ESP_OK : ESP_ERR_INVALID_ARG;
}

static inline esp_err_t esp_eap_client_set_username(const unsigned char *username, int len)
{
    return esp_eap_client_set_identity(username, len);
}

static inline esp_err_t esp_eap_client_set_password(const unsigned char *password, int len)
{
    return esp_eap_client_set_identity(password, len);
}

static inline esp_err_t esp_eap_client_set_ca_cert(const unsigned char *ca_cert, int ca_cert_len)
{
    return esp_eap_client_set_identity(ca_cert, ca_cert_len);
}

static inline esp_err_t
esp_eap_client_set_certificate_and_key(const unsigned char *client_cert, int client_cert_len,
                                       const unsigned char *private_key, int private_key_len,
                                       const unsigned char *private_key_password, int private_key_passwd_len)
{
    (void)private_key_password, (void)private_key_passwd_len;
    esp_err_t err = esp_eap_client_set_identity(client_cert, client_cert_len);
    return err == ESP_OK ? esp_eap_client_set_identity(private_key, private_key_len) : err;
}

static inline esp_err_t esp_eap_client_set_disable_time_check(bool disable)
{
    (void)disable;
    return ESP_OK;
}

static inline esp_err_t esp_eap_client_get_disable_time_check(bool *disable)
{
    return disable == NULL ? ESP_ERR_INVALID_ARG : (*disable = false, ESP_OK);
}

static inline esp_err_t esp_eap_client_set_new_password(const unsigned char *new_password, int len)
{
    return esp_eap_client_set_identity(new_password, len);
}

static inline esp_err_t esp_eap_client_set_pac_file(const unsigned char *pac_file, int pac_file_len)
{
    return esp_eap_client_set_identity(pac_file, pac_file_len);
}

static inline esp_err_t esp_eap_client_set_domain_name(const char *domain_name)
{
    return domain_name != NULL ? ESP_OK : ESP_ERR_INVALID_ARG;
}

static inline void esp_eap_client_clear_identity(void)
{
}

static inline void esp_eap_client_clear_username(void)
{
}

static inline void esp_eap_client_clear_password(void)
{
}

static inline void esp_eap_client_clear_new_password(void)
{
}

static inline void esp_eap_client_clear_ca_cert(void)
{
}

static inline void esp_eap_client_clear_certificate_and_key(void)
{
}

typedef enum {
    ESP_EAP_TTLS_PHASE2_EAP,
    ESP_EAP_TTLS_PHASE2_MSCHAPV2,
    ESP_EAP_TTLS_PHASE2_MSCHAP,
    ESP_EAP_TTLS_PHASE2_PAP,
    ESP_EAP_TTLS_PHASE2_CHAP,
} esp_eap_ttls_phase2_types;

typedef enum {
    ESP_EAP_TYPE_NONE = 0,
    ESP_EAP_TYPE_TLS = 1 << 0,
    ESP_EAP_TYPE_TTLS = 1 << 1,
    ESP_EAP_TYPE_PEAP = 1 << 2,
    ESP_EAP_TYPE_FAST = 1 << 3,
    ESP_EAP_TYPE_ALL = (1 << 4) - 1,
} esp_eap_method_t;

typedef struct {
    int fast_provisioning, fast_max_pac_list_len;
    bool fast_pac_format_binary;
} esp_eap_fast_config;

static inline esp_err_t esp_eap_client_set_ttls_phase2_method(esp_eap_ttls_phase2_types type)
{
    return (unsigned)type <= ESP_EAP_TTLS_PHASE2_CHAP ? ESP_OK : ESP_ERR_INVALID_ARG;
}

static inline esp_err_t esp_eap_client_set_eap_methods(esp_eap_method_t methods)
{
    return methods != ESP_EAP_TYPE_NONE ? ESP_OK : ESP_ERR_INVALID_ARG;
}

static inline esp_err_t esp_eap_client_set_fast_params(esp_eap_fast_config config)
{
    return config.fast_provisioning >= 0 && config.fast_provisioning <= 2 ? ESP_OK : ESP_ERR_INVALID_ARG;
}

static inline esp_err_t esp_eap_client_set_suiteb_192bit_certification(bool enable)
{
    (void)enable;
    return ESP_OK;
}

static inline esp_err_t esp_eap_client_use_default_cert_bundle(bool use_default_bundle)
{
    (void)use_default_bundle;
    return ESP_OK;
}

static inline esp_err_t esp_wifi_set_okc_support(bool enable)
{
    (void)enable;
    return ESP_OK;
}

#ifdef __cplusplus
}
#endif
