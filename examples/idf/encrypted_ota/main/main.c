/* Takes the encrypted update that the console names, proves its tag, and restarts into it. */
#include <stdio.h>
#include <string.h>

#include "esp_app_desc.h"
#include "esp_encrypted_img.h"
#include "esp_event.h"
#include "esp_https_ota.h"
#include "esp_log.h"
#include "esp_netif.h"
#include "esp_ota_ops.h"
#include "esp_system.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "nvs_flash.h"
#include "protocol_examples_common.h"
#include "sdkconfig.h"

#define HMAC_KEY_ID 2

static const char *TAG = "encrypted_ota";

extern const char ca_pem_start[] asm("_binary_ca_pem_start");
#if CONFIG_PRE_ENCRYPTED_OTA_USE_RSA
extern const char private_pem_start[] asm("_binary_private_pem_start");
extern const char private_pem_end[] asm("_binary_private_pem_end");
#endif

static esp_err_t decrypt(decrypt_cb_arg_t *args, void *handle)
{
    pre_enc_decrypt_arg_t piece = {.data_in = args->data_in, .data_in_len = args->data_in_len};
    esp_err_t err = esp_encrypted_img_decrypt_data(handle, &piece);
    if (err != ESP_OK && err != ESP_ERR_NOT_FINISHED) {
        return err;
    }
    args->data_out = piece.data_out;
    args->data_out_len = piece.data_out_len;
    return ESP_OK;
}

static esp_err_t update(const char *url, esp_decrypt_handle_t handle)
{
    esp_http_client_config_t http = {.url = url, .cert_pem = ca_pem_start, .keep_alive_enable = true};
    esp_https_ota_config_t config = {.http_config = &http,
                                     .decrypt_cb = decrypt,
                                     .decrypt_user_ctx = handle,
                                     .enc_img_header_size = esp_encrypted_img_get_header_size()};
    esp_https_ota_handle_t ota;
    esp_err_t err = esp_https_ota_begin(&config, &ota);
    if (err != ESP_OK) {
        esp_encrypted_img_decrypt_abort(handle);
        return err;
    }
    do {
        err = esp_https_ota_perform(ota);
    } while (err == ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    esp_err_t proved = esp_encrypted_img_decrypt_end(handle);
    err = err == ESP_OK ? proved : err;
    if (err == ESP_OK) {
        return esp_https_ota_finish(ota);
    }
    esp_https_ota_abort(ota);
    return err;
}

static void ota_task(void *arg)
{
    (void)arg;
    char url[256];
    ESP_ERROR_CHECK(example_configure_stdin_stdout());
    while (fgets(url, sizeof(url), stdin) != NULL) {
        url[strcspn(url, "\r\n")] = '\0';
#if CONFIG_PRE_ENCRYPTED_OTA_USE_RSA
        esp_decrypt_cfg_t key = {.rsa_priv_key = private_pem_start,
                                 .rsa_priv_key_len = private_pem_end - private_pem_start};
#else
        esp_decrypt_cfg_t key = {.hmac_key_id = HMAC_KEY_ID};
#endif
        esp_decrypt_handle_t handle = esp_encrypted_img_decrypt_start(&key);
        esp_err_t err = handle != NULL ? update(url, handle) : ESP_FAIL;
        if (err == ESP_OK) {
            ESP_LOGI(TAG, "the update is in place");
            esp_restart();
        }
        ESP_LOGE(TAG, "no update: %s", esp_err_to_name(err));
    }
    vTaskDelete(NULL);
}

void app_main(void)
{
    ESP_LOGI(TAG, "version %s", esp_app_get_description()->version);
    esp_ota_mark_app_valid_cancel_rollback();
    ESP_ERROR_CHECK(nvs_flash_init());
    ESP_ERROR_CHECK(esp_netif_init());
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    ESP_ERROR_CHECK(example_connect());
    xTaskCreate(ota_task, "ota", 8192, NULL, 5, NULL);
}
