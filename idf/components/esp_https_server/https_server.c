/* Reads the certificate and key of a server, and starts it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "esp_https_server.h"

#include "esp_log.h"
#include "otter_httpd.h"

static const char TAG[] = "esp_https_server";

/** @param len bytes, with a 0 behind the text */
static bool is_pem(const uint8_t *text, size_t len)
{
    static const char begin[] = "-----BEGIN ";
    return text != NULL && len > sizeof(begin) && text[len - 1] == '\0' &&
           strstr((const char *)text, begin) != NULL;
}

static esp_err_t start_secure(httpd_handle_t *handle, const httpd_ssl_config_t *config)
{
    bool named = config->servercert != NULL;
    const uint8_t *certificate = named ? config->servercert : config->cacert_pem;
    size_t len = named ? config->servercert_len : config->cacert_len;
    if ((named && config->cacert_pem != NULL) || config->use_secure_element || config->use_ecdsa_peripheral) {
        ESP_LOGE(TAG, "clients' certificates and keys in hardware are not to be had here");
        return ESP_ERR_NOT_SUPPORTED;
    }
    if (!is_pem(certificate, len) || !is_pem(config->prvtkey_pem, config->prvtkey_len)) {
        ESP_LOGE(TAG,
                 "the server's certificate and key are PEM, with a 0 behind that counts in their length");
        return ESP_ERR_INVALID_ARG;
    }
    const otter_httpd_tls_t tls = {(const char *)certificate, (const char *)config->prvtkey_pem};
    return otter_httpd_start(handle, &config->httpd, &tls);
}

esp_err_t httpd_ssl_start(httpd_handle_t *handle, httpd_ssl_config_t *config)
{
    if (handle == NULL || config == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    bool secure = config->transport_mode == HTTPD_SSL_TRANSPORT_SECURE;
    config->httpd.server_port = secure ? config->port_secure : config->port_insecure;
    return secure ? start_secure(handle, config) : httpd_start(handle, &config->httpd);
}

esp_err_t httpd_ssl_stop(httpd_handle_t handle)
{
    return httpd_stop(handle);
}
