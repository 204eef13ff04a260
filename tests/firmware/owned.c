/* A firmware of a device that has an owner's key: OWNED="confirm+keys+update+..." says what it does, once; it tells all codes. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esp_app_desc.h"
#include "esp_efuse.h"
#include "esp_https_ota.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_secure_boot.h"
#include "esp_system.h"

static const char TAG[] = "owned";

static char certificates[8192];

static const char *ca(void)
{
    FILE *file = fopen(getenv("OWNED_CA"), "r");
    size_t len = file != NULL ? fread(certificates, 1, sizeof(certificates) - 1, file) : 0;
    certificates[len] = '\0';
    if (file != NULL) {
        fclose(file);
    }
    return certificates;
}

static void tell(const char *what, esp_err_t err)
{
    ESP_LOGI(TAG, "%s: %s", what, esp_err_to_name(err));
}

static const char *start_of(char text[17], const uint8_t *digest)
{
    for (int i = 0; i < 8; i++) {
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    }
    return text;
}

static void keys(void)
{
    esp_secure_boot_key_digests_t trusted;
    esp_image_sig_public_key_digests_t own;
    char text[17];
    ESP_LOGI(TAG, "secure boot: %d, release mode: %d", esp_secure_boot_enabled(),
             esp_secure_boot_cfg_verify_release_mode());
    tell("eFuses", esp_secure_boot_read_key_digests(&trusted));
    for (int i = 0; i < SOC_EFUSE_SECURE_BOOT_KEY_DIGESTS; i++) {
        ESP_LOGI(TAG, "eFuse %d: %s, revoked: %d", i,
                 trusted.key_digests[i] != NULL ? start_of(text, trusted.key_digests[i]) : "none",
                 esp_efuse_get_digest_revoke((unsigned)i));
    }
    tell("blocks", esp_secure_boot_get_signature_blocks_for_running_app(true, &own));
    for (unsigned i = 0; i < own.num_digests; i++) {
        ESP_LOGI(TAG, "block %u: %s", i, start_of(text, own.key_digests[i]));
    }
}

/** Is what runs, by each of the functions that tell. */
static void verify(void)
{
    const esp_partition_t *running = esp_ota_get_running_partition();
    esp_partition_pos_t place = {.offset = running->address, .size = running->size};
    esp_image_metadata_t image;
    tell("verify", esp_image_verify(ESP_IMAGE_VERIFY, &place, &image));
    if (esp_image_get_metadata(&place, &image) == ESP_OK) {
        tell("verify signature", esp_secure_boot_verify_signature(running->address, image.image_len));
    }
    for (int i = 0; i < 4; i++) {
        ESP_LOGI(TAG, "by key %d: %s", i,
                 esp_err_to_name(esp_secure_boot_verify_with_efuse_digest_index(i, &place)));
    }
}

static void confirm(void)
{
    tell("confirm", esp_ota_mark_app_valid_cancel_rollback());
}

static void revoke(const char *digit)
{
    tell("revoke",
         esp_ota_revoke_secure_boot_public_key((esp_ota_secure_boot_public_key_index_t)atoi(digit)));
}

/** @param data  of the partition "storage", which is staged; NULL: the firmware itself */
static esp_err_t fetch(const char *url, const char *data)
{
    const esp_http_client_config_t http = {.url = url, .cert_pem = ca(), .timeout_ms = 10000};
    esp_https_ota_config_t config = {.http_config = &http};
    if (data != NULL) {
        config.partition.final =
            esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, data);
        config.partition.finalize_with_copy = true;
    }
    return esp_https_ota(&config);
}

static void update(void)
{
    esp_err_t err = fetch(getenv("OWNED_URL"), NULL);
    tell("update", err);
    if (err == ESP_OK) {
        esp_restart();
    }
}

static void update_data(void)
{
    tell("data", fetch(getenv("OWNED_URL"), "storage"));
}

static void act(const char *name)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } actions[] = {
        {"keys", keys}, {"verify", verify}, {"confirm", confirm}, {"update", update}, {"data", update_data}};
    if (strncmp(name, "revoke", 6) == 0) {
        revoke(name + 6);
    }
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        if (strcmp(actions[i].name, name) == 0) {
            actions[i].run();
        }
    }
}

void app_main(void)
{
    ESP_LOGI(TAG, "version %s in %s", esp_app_get_description()->version,
             esp_ota_get_running_partition()->label);
    /* What OWNED says is for the boot that power begins; after a restart it confirms itself, as it works. */
    const char *todo = esp_reset_reason() == ESP_RST_POWERON ? getenv("OWNED") : "confirm";
    char *script = strdup(todo != NULL ? todo : "");
    char *rest;
    for (char *name = strtok_r(script, "+", &rest); name != NULL; name = strtok_r(NULL, "+", &rest)) {
        act(name);
    }
    free(script);
}
