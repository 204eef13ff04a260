/* The way of an update: connect, judge its head, write the rest, verify, select. */
#include "native_update.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "esp_app_desc.h"
#include "esp_app_format.h"
#include "esp_check.h"
#include "esp_http_client.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "sdkconfig.h"

#define REDIRECTS_MAX 5
#define BUFFER_SIZE   4096

/* What an image begins with. */
typedef struct {
    esp_image_header_t header;
    esp_image_segment_header_t segment;
    esp_app_desc_t desc;
} image_head_t;

static const char *TAG = "native_update";
static char buffer[BUFFER_SIZE];

extern const char ca_pem_start[] asm("_binary_ca_pem_start");

/* Until a server answers with the file itself. */
static esp_err_t request(esp_http_client_handle_t client)
{
    for (int redirects = 0; redirects <= REDIRECTS_MAX; redirects++) {
        ESP_RETURN_ON_ERROR(esp_http_client_open(client, 0), TAG, "no connection");
        ESP_RETURN_ON_FALSE(esp_http_client_fetch_headers(client) >= 0, ESP_FAIL, TAG, "no answer");
        int status = esp_http_client_get_status_code(client);
        if (status == 200) {
            return ESP_OK;
        }
        ESP_RETURN_ON_FALSE(status / 100 == 3, ESP_FAIL, TAG, "the server says %d", status);
        ESP_RETURN_ON_ERROR(esp_http_client_set_redirection(client), TAG, "it leads nowhere");
        esp_http_client_close(client);
    }
    ESP_LOGE(TAG, "it leads in a circle");
    return ESP_ERR_HTTP_MAX_REDIRECT;
}

/* Fills the buffer; fewer bytes than it has: the answer is over. Below 0: the connection is lost. */
static int fill(esp_http_client_handle_t client)
{
    int used = 0;
    while (used < BUFFER_SIZE) {
        int got = esp_http_client_read(client, buffer + used, BUFFER_SIZE - used);
        if (got < 0) {
            return got;
        }
        if (got == 0) {
            break;
        }
        used += got;
    }
    return used;
}

/* Before anything is erased. */
static esp_err_t judge(const image_head_t *head)
{
    const esp_app_desc_t *running = esp_app_get_description();
    ESP_RETURN_ON_FALSE(head->header.magic == ESP_IMAGE_HEADER_MAGIC &&
                            head->desc.magic_word == ESP_APP_DESC_MAGIC_WORD,
                        ESP_ERR_OTA_VALIDATE_FAILED, TAG, "this is no app image");
    ESP_RETURN_ON_FALSE(head->header.chip_id == CONFIG_IDF_FIRMWARE_CHIP_ID, ESP_ERR_INVALID_VERSION, TAG,
                        "it is for chip %d", head->header.chip_id);
    ESP_RETURN_ON_FALSE(
        strncmp(head->desc.project_name, running->project_name, sizeof(running->project_name)) == 0,
        ESP_ERR_INVALID_VERSION, TAG, "it is of another project");
    ESP_RETURN_ON_FALSE(strncmp(head->desc.version, running->version, sizeof(running->version)) != 0,
                        ESP_ERR_INVALID_VERSION, TAG, "it is this very version");
    ESP_LOGI(TAG, "version %s runs, %s arrives", running->version, head->desc.version);
    return ESP_OK;
}

/* From the buffer, which has `len` bytes, and the connection into the slot. */
static esp_err_t write_image(esp_http_client_handle_t client, esp_ota_handle_t ota, int len)
{
    int total = 0;
    while (len > 0) {
        ESP_RETURN_ON_ERROR(esp_ota_write(ota, buffer, len), TAG, "at byte %d", total);
        total += len;
        len = fill(client);
    }
    ESP_RETURN_ON_FALSE(len == 0 && esp_http_client_is_complete_data_received(client), ESP_ERR_INVALID_SIZE,
                        TAG, "the answer ended after %d bytes", total);
    ESP_LOGI(TAG, "%d bytes written", total);
    return ESP_OK;
}

static esp_err_t receive(esp_http_client_handle_t client)
{
    ESP_RETURN_ON_ERROR(request(client), TAG, "no update");
    int len = fill(client);
    ESP_RETURN_ON_FALSE(len >= (int)sizeof(image_head_t), ESP_ERR_INVALID_SIZE, TAG, "%d bytes are no image",
                        len);
    image_head_t head;
    memcpy(&head, buffer, sizeof(head));
    ESP_RETURN_ON_ERROR(judge(&head), TAG, "not wanted");

    const esp_partition_t *slot = esp_ota_get_next_update_partition(NULL);
    ESP_RETURN_ON_FALSE(slot != NULL, ESP_ERR_NOT_FOUND, TAG, "the partition table has no slot for it");
    esp_ota_handle_t ota;
    ESP_RETURN_ON_ERROR(esp_ota_begin(slot, OTA_WITH_SEQUENTIAL_WRITES, &ota), TAG, "%s", slot->label);
    esp_err_t err = write_image(client, ota, len);
    if (err != ESP_OK) {
        esp_ota_abort(ota);
        return err;
    }
    ESP_RETURN_ON_ERROR(esp_ota_end(ota), TAG, "it is no valid image");
    return esp_ota_set_boot_partition(slot);
}

esp_err_t native_update(const char *url)
{
    esp_http_client_config_t config = {
        .url = url, .cert_pem = ca_pem_start, .timeout_ms = 5000, .keep_alive_enable = true};
    esp_http_client_handle_t client = esp_http_client_init(&config);
    ESP_RETURN_ON_FALSE(client != NULL, ESP_ERR_INVALID_ARG, TAG, "%s is no URL", url);
    esp_err_t err = receive(client);
    esp_http_client_close(client);
    esp_http_client_cleanup(client);
    return err;
}
