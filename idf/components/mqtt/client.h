/* The parts of a client: its configuration, its events, and the task that keeps it connected. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <mosquitto.h>
#include <pthread.h>

#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "mqtt_client.h"

typedef enum {
    CLIENT_IDLE,
    CLIENT_CONNECTING,
    CLIENT_CONNECTED,
    CLIENT_WAITING,
    CLIENT_STOPPING
} client_state_t;

struct esp_mqtt_client {
    struct mosquitto *mosquitto; /* one for the life of the client: messages that wait are in it */
    esp_event_loop_handle_t loop;
    pthread_mutex_t lock; /* of the address and the state */
    pthread_cond_t changed;
    client_state_t state;
    TaskHandle_t task;   /* NULL: it does not run */
    bool stay_connected; /* disable_auto_reconnect is not set */
    char *host;
    unsigned port;
    int keepalive_s, reconnect_ms, accept_ms, piece_size;
    UBaseType_t priority;
    uint32_t stack_size;
    esp_mqtt_protocol_ver_t protocol;
    mqtt_event_callback_t event_handle; /* gets all events instead of the loop, if there is one */
    void *user_context;
    esp_mqtt_error_codes_t error;
    pthread_mutex_t ids_lock;
    uint8_t quiet_ids[8192]; /* a bit for each: of quality 0, which no event tells of; libmosquitto does */
    /* By id: bytes of a message that the broker has not acknowledged. They belong to ids_lock, as the next two. */
    uint32_t *waiting;
    uint64_t outbox, outbox_limit; /* bytes of all of them; 0: no limit */
    char *key_password;
};

ESP_EVENT_DECLARE_BASE(MQTT_EVENTS);

/** Takes over a configuration. @return false, and said */
bool client_configure(esp_mqtt_client_handle_t client, const esp_mqtt_client_config_t *config);
bool client_set_uri(esp_mqtt_client_handle_t client, const char *uri);

/** A message is delivered. */
void client_delivered(esp_mqtt_client_handle_t client, int id);

/** Whether an event tells that this message is published. */
bool client_tells_id(esp_mqtt_client_handle_t client, int id);

/** Calls the handlers of an event, in the task. */
void client_tell(esp_mqtt_client_handle_t client, esp_mqtt_event_t event);
/** What libmosquitto calls. */
void client_set_callbacks(esp_mqtt_client_handle_t client);
