/* The client: it subscribes when it is connected, and reads orders that may come in pieces. */
#include "orders.h"

#include <stdlib.h>
#include <string.h>

#include "cJSON.h"
#include "esp_app_desc.h"
#include "esp_check.h"
#include "esp_log.h"
#include "esp_ota_ops.h"
#include "mqtt_client.h"

#define TOPIC_UPDATE "device/update"
#define TOPIC_STATUS "device/status"
#define ORDER_MAX    1024

static const char *TAG = "orders";

static esp_mqtt_client_handle_t client;
static orders_update_t on_update;
static char order[ORDER_MAX];

void orders_tell(const char *state)
{
    cJSON *status = cJSON_CreateObject();
    cJSON_AddStringToObject(status, "version", esp_app_get_description()->version);
    cJSON_AddStringToObject(status, "state", state);
    char *text = cJSON_PrintUnformatted(status);
    cJSON_Delete(status);
    if (text != NULL) {
        esp_mqtt_client_publish(client, TOPIC_STATUS, text, 0, 1, 1);
    }
    cJSON_free(text);
}

/* {"url": ..., "version": ...}; an order for the version that runs is none: it may be retained. */
static void read_order(void)
{
    cJSON *json = cJSON_Parse(order);
    const char *url = cJSON_GetStringValue(cJSON_GetObjectItem(json, "url"));
    const char *version = cJSON_GetStringValue(cJSON_GetObjectItem(json, "version"));
    if (url == NULL || version == NULL) {
        ESP_LOGE(TAG, "this is no order: %s", order);
        orders_tell("bad order");
    } else if (strcmp(version, esp_app_get_description()->version) == 0) {
        ESP_LOGI(TAG, "version %s runs already", version);
    } else {
        ESP_LOGI(TAG, "version %s is ordered, from %s", version, url);
        on_update(url);
    }
    cJSON_Delete(json);
}

static void take_piece(const esp_mqtt_event_t *event)
{
    if (event->total_data_len >= ORDER_MAX || event->current_data_offset > ORDER_MAX - 1 - event->data_len) {
        ESP_LOGE(TAG, "an order of %d bytes is none", event->total_data_len);
        return;
    }
    memcpy(order + event->current_data_offset, event->data, event->data_len);
    if (event->current_data_offset + event->data_len == event->total_data_len) {
        order[event->total_data_len] = '\0';
        read_order();
    }
}

static void on_event(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)arg, (void)base;
    esp_mqtt_event_handle_t event = data;
    switch ((esp_mqtt_event_id_t)id) {
    case MQTT_EVENT_CONNECTED:
        ESP_LOGI(TAG, "connected");
        esp_mqtt_client_subscribe(client, TOPIC_UPDATE, 1);
        break;
    case MQTT_EVENT_SUBSCRIBED:
        /* An app that cannot be ordered an update any more is one to roll back from: this was the self-test. */
        ESP_ERROR_CHECK(esp_ota_mark_app_valid_cancel_rollback());
        orders_tell("ready");
        ESP_LOGI(TAG, "ready for orders");
        break;
    case MQTT_EVENT_DATA:
        take_piece(event);
        break;
    case MQTT_EVENT_DISCONNECTED:
        ESP_LOGW(TAG, "disconnected");
        break;
    default:
        break;
    }
}

esp_err_t orders_start(const char *broker, orders_update_t update)
{
    const esp_mqtt_client_config_t config = {
        .broker.address.uri = broker,
        .session.last_will = {.topic = TOPIC_STATUS, .msg = "{\"state\":\"gone\"}", .qos = 1, .retain = 1},
        .network.reconnect_timeout_ms = 2000,
    };
    on_update = update;
    client = esp_mqtt_client_init(&config);
    ESP_RETURN_ON_FALSE(client != NULL, ESP_ERR_INVALID_ARG, TAG, "no client for %s", broker);
    ESP_RETURN_ON_ERROR(esp_mqtt_client_register_event(client, MQTT_EVENT_ANY, on_event, NULL), TAG,
                        "no events");
    return esp_mqtt_client_start(client);
}
