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

#ifdef __cplusplus
}
#endif
