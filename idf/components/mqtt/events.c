/* What libmosquitto tells, as ESP-IDF's events. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "client.h"
#include "esp_log.h"

static const char TAG[] = "mqtt_client";

ESP_EVENT_DEFINE_BASE(MQTT_EVENTS);

void client_tell(esp_mqtt_client_handle_t client, esp_mqtt_event_t event)
{
    event.client = client;
    event.user_context = client->user_context;
    event.error_handle = &client->error;
    event.protocol_ver = client->protocol;
    if (client->event_handle != NULL) {
        (void)client->event_handle(&event);
        return;
    }
    if (esp_event_post_to(client->loop, MQTT_EVENTS, event.event_id, &event, sizeof(event), 0) != ESP_OK ||
        esp_event_loop_run(client->loop, 0) != ESP_OK) {
        ESP_LOGE(TAG, "event %d is lost: out of memory", event.event_id);
    }
}

static void on_connect(struct mosquitto *mosquitto, void *arg, int code, int flags)
{
    (void)mosquitto;
    esp_mqtt_client_handle_t client = arg;
    if (code != 0) {
        ESP_LOGE(TAG, "the broker refuses: %s", mosquitto_connack_string(code));
        client->error = (esp_mqtt_error_codes_t){.error_type = MQTT_ERROR_TYPE_CONNECTION_REFUSED,
                                                 .connect_return_code = (esp_mqtt_connect_return_code_t)code};
        client_tell(client, (esp_mqtt_event_t){.event_id = MQTT_EVENT_ERROR});
        return;
    }
    (void)pthread_mutex_lock(&client->lock);
    if (client->state == CLIENT_CONNECTING) {
        client->state = CLIENT_CONNECTED;
    }
    (void)pthread_mutex_unlock(&client->lock);
    client_tell(client, (esp_mqtt_event_t){.event_id = MQTT_EVENT_CONNECTED, .session_present = flags & 1});
}

static void on_subscribe(struct mosquitto *mosquitto, void *arg, int id, int count, const int *granted)
{
    (void)mosquitto;
    esp_mqtt_client_handle_t client = arg;
    char codes[64];
    int told = count < (int)sizeof(codes) ? count : (int)sizeof(codes);
    bool refused = false;
    for (int i = 0; i < told; i++) {
        codes[i] = (char)granted[i];
        refused = refused || granted[i] >= 0x80;
    }
    client->error = (esp_mqtt_error_codes_t){.error_type = refused ? MQTT_ERROR_TYPE_SUBSCRIBE_FAILED
                                                                   : MQTT_ERROR_TYPE_NONE};
    client_tell(client, (esp_mqtt_event_t){.event_id = MQTT_EVENT_SUBSCRIBED,
                                           .msg_id = id,
                                           .data = codes,
                                           .data_len = told,
                                           .total_data_len = told});
}

static void on_unsubscribe(struct mosquitto *mosquitto, void *arg, int id)
{
    (void)mosquitto;
    client_tell(arg, (esp_mqtt_event_t){.event_id = MQTT_EVENT_UNSUBSCRIBED, .msg_id = id});
}

static void on_publish(struct mosquitto *mosquitto, void *arg, int id)
{
    (void)mosquitto;
    client_delivered(arg, id);
    if (client_tells_id(arg, id)) {
        client_tell(arg, (esp_mqtt_event_t){.event_id = MQTT_EVENT_PUBLISHED, .msg_id = id});
    }
}

/** In pieces as a device's buffer makes them; a message without bytes is one, too. */
static void on_message(struct mosquitto *mosquitto, void *arg, const struct mosquitto_message *message)
{
    (void)mosquitto;
    esp_mqtt_client_handle_t client = arg;
    int at = 0;
    do {
        int left = message->payloadlen - at, len = left < client->piece_size ? left : client->piece_size;
        client_tell(client, (esp_mqtt_event_t){
                                .event_id = MQTT_EVENT_DATA,
                                .data = message->payload != NULL ? (char *)message->payload + at : NULL,
                                .data_len = len,
                                .total_data_len = message->payloadlen,
                                .current_data_offset = at,
                                .topic = at == 0 ? message->topic : NULL,
                                .topic_len = at == 0 ? (int)strlen(message->topic) : 0,
                                .msg_id = message->mid,
                                .qos = message->qos,
                                .retain = message->retain,
                            });
        at += len;
    } while (at < message->payloadlen);
}

void client_set_callbacks(esp_mqtt_client_handle_t client)
{
    mosquitto_connect_with_flags_callback_set(client->mosquitto, on_connect);
    mosquitto_subscribe_callback_set(client->mosquitto, on_subscribe);
    mosquitto_unsubscribe_callback_set(client->mosquitto, on_unsubscribe);
    mosquitto_publish_callback_set(client->mosquitto, on_publish);
    mosquitto_message_callback_set(client->mosquitto, on_message);
}
