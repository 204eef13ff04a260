/* GET / is the page, GET /version what runs; POST /raw is an image, POST /form a form that has one. */
#include "pages.h"

#include <stdio.h>
#include <stdlib.h>

#include "esp_app_desc.h"
#include "esp_check.h"
#include "esp_http_server.h"
#include "esp_log.h"
#include "esp_system.h"
#include "form.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "upload.h"

#define PIECE_SIZE      4096
#define TIMEOUTS_MAX    3 /* of recv_wait_timeout each, in a row */
#define RESTART_WAIT_MS 500

static const char *TAG = "web_ota";

extern const char index_html_start[] asm("_binary_index_html_start");

static esp_err_t get_index(httpd_req_t *req)
{
    return httpd_resp_sendstr(req, index_html_start);
}

static esp_err_t get_version(httpd_req_t *req)
{
    ESP_RETURN_ON_ERROR(httpd_resp_set_type(req, "text/plain"), TAG, "type");
    return httpd_resp_sendstr(req, esp_app_get_description()->version);
}

static esp_err_t to_slot(void *arg, const void *data, size_t len)
{
    return upload_write(arg, data, len);
}

/* Reads all of the body. A form's file is looked for in it; without a form, it is the file. */
static esp_err_t receive(httpd_req_t *req, char *piece, form_t *form, upload_t *upload)
{
    int timeouts = 0;
    size_t left = req->content_len;
    while (left > 0) {
        int len = httpd_req_recv(req, piece, left < PIECE_SIZE ? left : PIECE_SIZE);
        if (len == HTTPD_SOCK_ERR_TIMEOUT && ++timeouts < TIMEOUTS_MAX) {
            continue;
        }
        ESP_RETURN_ON_FALSE(len > 0, ESP_ERR_TIMEOUT, TAG, "the upload ended after %d bytes",
                            (int)upload->total);
        timeouts = 0;
        left -= len;
        esp_err_t err =
            form != NULL ? form_feed(form, piece, len, to_slot, upload) : upload_write(upload, piece, len);
        ESP_RETURN_ON_ERROR(err, TAG, "not taken");
    }
    ESP_RETURN_ON_FALSE(form == NULL || form_is_complete(form), ESP_ERR_INVALID_SIZE, TAG,
                        "the form has no whole file");
    return ESP_OK;
}

static bool in_place; /* an update waits for the restart: another one would erase it */

static esp_err_t install(httpd_req_t *req, form_t *form)
{
    upload_t upload;
    ESP_RETURN_ON_FALSE(!in_place, ESP_ERR_INVALID_STATE, TAG, "the device restarts into an update");
    char *piece = malloc(PIECE_SIZE);
    ESP_RETURN_ON_FALSE(piece != NULL, ESP_ERR_NO_MEM, TAG, "no memory");
    esp_err_t err = upload_begin(&upload);
    if (err == ESP_OK) {
        err = receive(req, piece, form, &upload);
    }
    err = err == ESP_OK ? upload_end(&upload) : err;
    upload_abort(&upload);
    free(piece);
    in_place = err == ESP_OK;
    return err;
}

/* Another task restarts: the answer goes out first, and the server is free meanwhile. */
static void restart_soon(void *arg)
{
    (void)arg;
    vTaskDelay(pdMS_TO_TICKS(RESTART_WAIT_MS));
    esp_restart();
}

static esp_err_t answer(httpd_req_t *req, esp_err_t err)
{
    if (err != ESP_OK) {
        ESP_LOGE(TAG, "no update: %s", esp_err_to_name(err));
        char text[80];
        snprintf(text, sizeof(text), "no update: %s\n", esp_err_to_name(err));
        (void)httpd_resp_send_err(req, HTTPD_400_BAD_REQUEST, text);
        return ESP_FAIL; /* the rest of the upload is not read */
    }
    ESP_LOGI(TAG, "the update is in place");
    err = httpd_resp_sendstr(req, "The update is in place, and the device restarts.\n");
    xTaskCreate(restart_soon, "restart", 4096, NULL, 5, NULL);
    return err;
}

static esp_err_t post_raw(httpd_req_t *req)
{
    return answer(req, install(req, NULL));
}

static esp_err_t post_form(httpd_req_t *req)
{
    char type[160];
    form_t form;
    if (httpd_req_get_hdr_value_str(req, "Content-Type", type, sizeof(type)) != ESP_OK ||
        form_begin(&form, type) != ESP_OK) {
        return answer(req, ESP_ERR_INVALID_ARG);
    }
    return answer(req, install(req, &form));
}

esp_err_t pages_start(void)
{
    static const httpd_uri_t pages[] = {
        {.uri = "/", .method = HTTP_GET, .handler = get_index},
        {.uri = "/version", .method = HTTP_GET, .handler = get_version},
        {.uri = "/raw", .method = HTTP_POST, .handler = post_raw},
        {.uri = "/form", .method = HTTP_POST, .handler = post_form},
    };
    httpd_config_t config = HTTPD_DEFAULT_CONFIG();
    config.lru_purge_enable = true;
    config.stack_size = 8192;
    httpd_handle_t server = NULL;
    ESP_RETURN_ON_ERROR(httpd_start(&server, &config), TAG, "no server");
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        ESP_RETURN_ON_ERROR(httpd_register_uri_handler(server, &pages[i]), TAG, "%s", pages[i].uri);
    }
    return ESP_OK;
}
