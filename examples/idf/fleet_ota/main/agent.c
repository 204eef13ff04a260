/* The agent's orders are obeyed here: requests, waits, restarts. Its record is in NVS, and the device is this one. */
#include "agent.h"

#include <string.h>

#include "esp_log.h"
#include "esp_ota_ops.h"
#include "esp_random.h"
#include "esp_system.h"
#include "esp_timer.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "otter/ddi_nvs.h"
#include "otter/device.h"

static const char *TAG = "agent";

extern const char ca_pem_start[] asm("_binary_ca_pem_start");

static int64_t now_ms(void)
{
    return esp_timer_get_time() / 1000;
}

static esp_err_t look(void *ctx, const char *wanted, otter_ddi_device_t *device)
{
    (void)ctx;
    return otter_ddi_device_look(otter_device_current(), wanted, device);
}

static esp_err_t compare(void *ctx, const otter_ddi_file_t *file, bool *same)
{
    (void)ctx;
    return otter_ddi_device_compare(otter_device_current(), file, same);
}

static void say(void *ctx, const char *event, const char *text)
{
    (void)ctx;
    ESP_LOGI(TAG, "%s: %s", event, text);
}

esp_http_client_config_t agent_http(const char *url)
{
    return (esp_http_client_config_t){
        .url = url, .cert_pem = ca_pem_start, .timeout_ms = 10000, .buffer_size_tx = 2048};
}

/* @return NULL, or why there is no whole answer */
static const char *exchange(otter_ddi_t *agent, const otter_ddi_order_t *order,
                            esp_http_client_handle_t client)
{
    char piece[256];
    const int len = order->body != NULL ? (int)strlen(order->body) : 0;
    if (esp_http_client_open(client, len) != ESP_OK) {
        return "no connection";
    }
    if ((len > 0 && esp_http_client_write(client, order->body, len) != len) ||
        esp_http_client_fetch_headers(client) < 0) {
        return "no answer";
    }
    otter_ddi_answer(agent, esp_http_client_get_status_code(client));
    for (;;) {
        const int got = esp_http_client_read(client, piece, sizeof(piece));
        if (got <= 0) {
            return got == 0 && esp_http_client_is_complete_data_received(client) ? NULL
                                                                                 : "the answer was cut off";
        }
        if (!otter_ddi_body(agent, piece, got)) {
            return NULL;
        }
    }
}

static void request(otter_ddi_t *agent, const agent_settings_t *settings, const otter_ddi_order_t *order)
{
    esp_http_client_config_t config = agent_http(order->url);
    config.method = strcmp(order->method, "PUT") == 0    ? HTTP_METHOD_PUT
                    : strcmp(order->method, "POST") == 0 ? HTTP_METHOD_POST
                                                         : HTTP_METHOD_GET;
    esp_http_client_handle_t client = esp_http_client_init(&config);
    esp_http_client_set_header(client, "Accept", "application/json");
    if (order->body != NULL) {
        esp_http_client_set_header(client, "Content-Type", "application/json");
    }
    if (order->authorize) {
        esp_http_client_set_header(client, "Authorization", settings->authorization);
    }
    const char *why = exchange(agent, order, client);
    const bool good = why == NULL && esp_http_client_get_status_code(client) == 200;
    esp_http_client_cleanup(client);
    if (why != NULL) {
        otter_ddi_unanswered(agent, now_ms(), why);
    } else {
        otter_ddi_answered(agent, now_ms());
    }
    /* The self-test: a version that reaches the server can be replaced. Later calls change nothing. */
    if (good && esp_ota_mark_app_valid_cancel_rollback() == ESP_OK) {
        otter_ddi_changed(agent);
    }
}

static void restart(otter_ddi_t *agent, const otter_ddi_order_t *order)
{
    otter_fault_t fault = {0};
    bool changed;
    if (otter_ddi_device_select(otter_device_current(), order, &changed, &fault) == ESP_OK) {
        esp_restart();
    }
    otter_ddi_not_restarted(agent, now_ms(), changed, fault.why);
}

void agent_run(const agent_settings_t *settings)
{
    static otter_ddi_t agent;
    static const otter_ddi_attribute_t attributes[] = {{"hw_boardname", "example"}};
    otter_fault_t fault = {0};
    const otter_ddi_config_t config = {
        .server = settings->server,
        .tenant = "DEFAULT",
        .id = settings->id,
        .attributes = attributes,
        .attribute_count = 1,
        .poll_s = 10, /* until the server says how long; the first poll is spread over it */
        .seed = esp_random(),
        .load = otter_ddi_nvs_load,
        .save = otter_ddi_nvs_save,
        .look = look,
        .compare = compare,
        .say = say,
        .ctx = "fleet"}; /* the namespace of its record */
    if (otter_ddi_start(&agent, &config, now_ms(), &fault) != ESP_OK) {
        ESP_LOGE(TAG, "%s", fault.why);
        return;
    }
    for (;;) {
        otter_ddi_order_t order;
        otter_ddi_next(&agent, now_ms(), &order);
        switch (order.kind) {
        case OTTER_DDI_REQUEST:
            request(&agent, settings, &order);
            break;
        case OTTER_DDI_FETCH:
            agent_fetch(&agent, settings, &order);
            break;
        case OTTER_DDI_RESTART:
            restart(&agent, &order);
            break;
        default:
            vTaskDelay(order.wait_ms / portTICK_PERIOD_MS + 1);
            break;
        }
    }
}
