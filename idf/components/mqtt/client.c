/* The task that keeps a client connected, and what others ask of it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "client.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <time.h>

#include "esp_log.h"

static const char TAG[] = "mqtt_client";

#define LOOP_MS     100 /* how long a stop may wait */
#define MS_PER_S    1000
#define NS_PER_MS   1000000
#define NS_PER_S    1000000000L
#define EVENTS_ROOM 8 /* of the application's own; others are dealt with at once */
#define IDS         65536

static void lock(esp_mqtt_client_handle_t client)
{
    (void)pthread_mutex_lock(&client->lock); /* it is a plain one: this cannot fail */
}

static void unlock(esp_mqtt_client_handle_t client)
{
    (void)pthread_mutex_unlock(&client->lock);
}

static struct timespec in_ms(int ms)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time); /* there is one on Linux */
    time.tv_sec += ms / MS_PER_S;
    time.tv_nsec += (long)(ms % MS_PER_S) * NS_PER_MS;
    time.tv_sec += time.tv_nsec / NS_PER_S;
    time.tv_nsec %= NS_PER_S;
    return time;
}

static bool is_past(const struct timespec *time)
{
    const struct timespec now = in_ms(0);
    return now.tv_sec > time->tv_sec || (now.tv_sec == time->tv_sec && now.tv_nsec >= time->tv_nsec);
}

/* ---- the task ---- */

/** @return false: it is to stop */
static bool set_state(esp_mqtt_client_handle_t client, client_state_t state)
{
    lock(client);
    bool goes_on = client->state != CLIENT_STOPPING;
    if (goes_on) {
        client->state = state;
    }
    unlock(client);
    return goes_on;
}

static client_state_t state_of(esp_mqtt_client_handle_t client)
{
    lock(client);
    client_state_t state = client->state;
    unlock(client);
    return state;
}

static void tell_failure(esp_mqtt_client_handle_t client, int code)
{
    int error = code == MOSQ_ERR_ERRNO ? errno : 0;
    ESP_LOGE(TAG, "no connection to %s:%u: %s", client->host, client->port,
             error != 0 ? strerror(error) : mosquitto_strerror(code));
    client->error = (esp_mqtt_error_codes_t){.error_type = MQTT_ERROR_TYPE_TCP_TRANSPORT,
                                             .esp_transport_sock_errno = error};
    client_tell(client, (esp_mqtt_event_t){.event_id = MQTT_EVENT_ERROR});
}

/** From a connection that is asked for to its end. */
static void be_connected(esp_mqtt_client_handle_t client)
{
    client_tell(client, (esp_mqtt_event_t){.event_id = MQTT_EVENT_BEFORE_CONNECT});
    lock(client);
    char *host = strdup(client->host != NULL ? client->host : "");
    int port = (int)client->port;
    unlock(client);
    int code =
        host != NULL ? mosquitto_connect(client->mosquitto, host, port, client->keepalive_s) : MOSQ_ERR_NOMEM;
    free(host);
    if (code != MOSQ_ERR_SUCCESS) {
        tell_failure(client, code);
    }
    const struct timespec until = in_ms(client->accept_ms);
    while (code == MOSQ_ERR_SUCCESS && state_of(client) != CLIENT_STOPPING) {
        code = mosquitto_loop(client->mosquitto, LOOP_MS, 1);
        (void)esp_event_loop_run(client->loop, 0); /* what the application has queued; it is one */
        if (state_of(client) == CLIENT_CONNECTING && is_past(&until)) {
            tell_failure(client, MOSQ_ERR_CONN_LOST);
            code = MOSQ_ERR_CONN_LOST;
        }
    }
    (void)mosquitto_disconnect(client->mosquitto); /* there need not be a connection */
}

/** Until the next attempt is due, or asked for. */
static void wait_to_reconnect(esp_mqtt_client_handle_t client)
{
    const struct timespec until = in_ms(client->reconnect_ms);
    lock(client);
    int code = 0;
    while (client->state == CLIENT_WAITING && code != ETIMEDOUT) {
        code = client->stay_connected ? pthread_cond_timedwait(&client->changed, &client->lock, &until)
                                      : pthread_cond_wait(&client->changed, &client->lock);
    }
    unlock(client);
}

static void run_task(void *arg)
{
    esp_mqtt_client_handle_t client = arg;
    while (set_state(client, CLIENT_CONNECTING)) {
        be_connected(client);
        bool goes_on = set_state(client, CLIENT_WAITING); /* a handler may ask for the next attempt already */
        client_tell(client, (esp_mqtt_event_t){.event_id = MQTT_EVENT_DISCONNECTED});
        if (goes_on) {
            wait_to_reconnect(client);
        }
    }
    lock(client);
    client->state = CLIENT_IDLE;
    client->task = NULL;
    (void)pthread_cond_broadcast(&client->changed);
    unlock(client);
    vTaskDelete(NULL);
}

/* ---- its life ---- */

static void free_client(esp_mqtt_client_handle_t client)
{
    if (client->loop != NULL) {
        (void)esp_event_loop_delete(client->loop); /* it is one */
    }
    mosquitto_destroy(client->mosquitto);
    (void)pthread_cond_destroy(&client->changed);
    (void)pthread_mutex_destroy(&client->lock);
    (void)pthread_mutex_destroy(&client->ids_lock);
    free(client->host);
    free(client->waiting);
    free(client->key_password);
    free(client);
}

esp_mqtt_client_handle_t esp_mqtt_client_init(const esp_mqtt_client_config_t *config)
{
    if (config == NULL || mosquitto_lib_init() != MOSQ_ERR_SUCCESS) {
        return NULL;
    }
    esp_mqtt_client_handle_t client = calloc(1, sizeof(*client));
    if (client == NULL) {
        return NULL;
    }
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes); /* none of these can fail on Linux */
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&client->changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    (void)pthread_mutex_init(&client->lock, NULL);
    (void)pthread_mutex_init(&client->ids_lock, NULL);
    const esp_event_loop_args_t args = {.queue_size = EVENTS_ROOM};
    client->mosquitto = mosquitto_new(NULL, true, client);
    client->waiting = calloc(IDS, sizeof(*client->waiting));
    if (client->mosquitto == NULL || client->waiting == NULL ||
        esp_event_loop_create(&args, &client->loop) != ESP_OK || !client_configure(client, config)) {
        free_client(client);
        return NULL;
    }
    return client;
}

esp_err_t esp_mqtt_set_config(esp_mqtt_client_handle_t client, const esp_mqtt_client_config_t *config)
{
    if (client == NULL || config == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    return state_of(client) == CLIENT_IDLE && client_configure(client, config) ? ESP_OK : ESP_FAIL;
}

esp_err_t esp_mqtt_client_set_uri(esp_mqtt_client_handle_t client, const char *uri)
{
    if (client == NULL || uri == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    return client_set_uri(client, uri) ? ESP_OK : ESP_FAIL;
}

esp_err_t esp_mqtt_client_start(esp_mqtt_client_handle_t client)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    lock(client);
    bool ok = client->state == CLIENT_IDLE && client->host != NULL;
    if (ok) {
        client->state = CLIENT_CONNECTING;
        ok = xTaskCreate(run_task, "mqtt_task", client->stack_size, client, client->priority,
                         &client->task) == pdPASS;
        client->state = ok ? CLIENT_CONNECTING : CLIENT_IDLE;
    } else {
        ESP_LOGE(TAG, "%s", client->host == NULL ? "no broker is named" : "the client has started");
    }
    unlock(client);
    return ok ? ESP_OK : ESP_FAIL;
}

esp_err_t esp_mqtt_client_stop(esp_mqtt_client_handle_t client)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    lock(client);
    bool ok = client->state != CLIENT_IDLE && client->task != xTaskGetCurrentTaskHandle();
    if (ok) {
        client->state = CLIENT_STOPPING;
        (void)pthread_cond_broadcast(&client->changed);
        while (client->state != CLIENT_IDLE) {
            (void)pthread_cond_wait(&client->changed, &client->lock);
        }
    }
    unlock(client);
    return ok ? ESP_OK : ESP_FAIL;
}

esp_err_t esp_mqtt_client_destroy(esp_mqtt_client_handle_t client)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (state_of(client) != CLIENT_IDLE && esp_mqtt_client_stop(client) != ESP_OK) {
        return ESP_FAIL;
    }
    free_client(client);
    return ESP_OK;
}

esp_err_t esp_mqtt_client_reconnect(esp_mqtt_client_handle_t client)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    lock(client);
    bool waits = client->state == CLIENT_WAITING;
    if (waits) {
        client->state = CLIENT_CONNECTING;
        (void)pthread_cond_broadcast(&client->changed);
    }
    unlock(client);
    return waits ? ESP_OK : ESP_FAIL;
}

esp_err_t esp_mqtt_client_disconnect(esp_mqtt_client_handle_t client)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    return mosquitto_disconnect(client->mosquitto) == MOSQ_ERR_SUCCESS ? ESP_OK : ESP_FAIL;
}

/* ---- messages ---- */

int esp_mqtt_client_subscribe_single(esp_mqtt_client_handle_t client, const char *topic, int qos)
{
    int id = -1;
    bool ok = client != NULL && topic != NULL &&
              mosquitto_subscribe(client->mosquitto, &id, topic, qos) == MOSQ_ERR_SUCCESS;
    return ok ? id : -1;
}

int esp_mqtt_client_subscribe_multiple(esp_mqtt_client_handle_t client, const esp_mqtt_topic_t *topic_list,
                                       int size)
{
    if (client == NULL || topic_list == NULL || size <= 0) {
        return -1;
    }
    int id = -1;
    for (int i = 0; i < size; i++) { /* libmosquitto gives all topics of a request one quality of service */
        id = esp_mqtt_client_subscribe_single(client, topic_list[i].filter, topic_list[i].qos);
        if (id < 0) {
            return -1;
        }
    }
    return id;
}

int esp_mqtt_client_unsubscribe(esp_mqtt_client_handle_t client, const char *topic)
{
    int id = -1;
    bool ok = client != NULL && topic != NULL &&
              mosquitto_unsubscribe(client->mosquitto, &id, topic) == MOSQ_ERR_SUCCESS;
    return ok ? id : -1;
}

/** With ids_lock held. */
static void mark_id(esp_mqtt_client_handle_t client, int id, bool quiet)
{
    uint8_t bit = (uint8_t)(1u << ((unsigned)id % 8));
    uint8_t *byte = &client->quiet_ids[(unsigned)id / 8 % sizeof(client->quiet_ids)];
    *byte = quiet ? *byte | bit : *byte & (uint8_t)~bit;
}

bool client_tells_id(esp_mqtt_client_handle_t client, int id)
{
    (void)pthread_mutex_lock(&client->ids_lock);
    uint8_t bits = client->quiet_ids[(unsigned)id / 8 % sizeof(client->quiet_ids)];
    (void)pthread_mutex_unlock(&client->ids_lock);
    return (bits & (1u << ((unsigned)id % 8))) == 0;
}

/** With ids_lock held: it waits to be acknowledged, over connections. */
static void await_delivery(esp_mqtt_client_handle_t client, int id, size_t size)
{
    client->outbox += size - client->waiting[(unsigned)id % IDS];
    client->waiting[(unsigned)id % IDS] = (uint32_t)size;
}

void client_delivered(esp_mqtt_client_handle_t client, int id)
{
    (void)pthread_mutex_lock(&client->ids_lock);
    await_delivery(client, id, 0);
    (void)pthread_mutex_unlock(&client->ids_lock);
}

int esp_mqtt_client_get_outbox_size(esp_mqtt_client_handle_t client)
{
    if (client == NULL) {
        return 0;
    }
    (void)pthread_mutex_lock(&client->ids_lock);
    uint64_t size = client->outbox;
    (void)pthread_mutex_unlock(&client->ids_lock);
    return size < INT_MAX ? (int)size : INT_MAX;
}

/** With ids_lock held. */
static bool has_room(const struct esp_mqtt_client *client, size_t size)
{
    return client->outbox_limit == 0 || client->outbox + size <= client->outbox_limit;
}

esp_err_t esp_mqtt_dispatch_custom_event(esp_mqtt_client_handle_t client, esp_mqtt_event_t *event)
{
    if (client == NULL || event == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    event->client = client;
    event->event_id = MQTT_USER_EVENT;
    return esp_event_post_to(client->loop, MQTT_EVENTS, MQTT_USER_EVENT, event, sizeof(*event), 0) == ESP_OK
               ? ESP_OK
               : ESP_ERR_TIMEOUT;
}

int esp_mqtt_client_publish(esp_mqtt_client_handle_t client, const char *topic, const char *data, int len,
                            int qos, int retain)
{
    if (client == NULL || topic == NULL || len < 0) {
        return -1;
    }
    int id = -1;
    int size = data == NULL ? 0 : len > 0 ? len : (int)strlen(data);
    const size_t kept = strlen(topic) + (size_t)size;
    (void)pthread_mutex_lock(&client->ids_lock); /* it is told in the task, perhaps before this returns */
    if (qos > 0 && !has_room(client, kept)) {
        (void)pthread_mutex_unlock(&client->ids_lock);
        ESP_LOGE(TAG, "%s is not published: outbox.limit is reached", topic);
        return -2;
    }
    int code = mosquitto_publish(client->mosquitto, &id, topic, size, data, qos, retain != 0);
    if (code == MOSQ_ERR_SUCCESS) {
        mark_id(client, id, qos == 0);
    }
    if (qos > 0 && (code == MOSQ_ERR_SUCCESS || code == MOSQ_ERR_NO_CONN)) {
        await_delivery(client, id, kept);
    }
    (void)pthread_mutex_unlock(&client->ids_lock);
    if (code != MOSQ_ERR_SUCCESS &&
        (qos == 0 || code != MOSQ_ERR_NO_CONN)) { /* others wait for a connection */
        ESP_LOGE(TAG, "%s is not published: %s", topic, mosquitto_strerror(code));
        return -1;
    }
    return qos == 0 ? 0 : id;
}

int esp_mqtt_client_enqueue(esp_mqtt_client_handle_t client, const char *topic, const char *data, int len,
                            int qos, int retain, bool store)
{
    (void)store;
    return esp_mqtt_client_publish(client, topic, data, len, qos, retain);
}

esp_err_t esp_mqtt_client_register_event(esp_mqtt_client_handle_t client, esp_mqtt_event_id_t event,
                                         esp_event_handler_t event_handler, void *event_handler_arg)
{
    if (client == NULL || event_handler == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    return esp_event_handler_register_with(client->loop, MQTT_EVENTS, event, event_handler,
                                           event_handler_arg);
}

esp_err_t esp_mqtt_client_unregister_event(esp_mqtt_client_handle_t client, esp_mqtt_event_id_t event,
                                           esp_event_handler_t event_handler)
{
    if (client == NULL || event_handler == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    return esp_event_handler_unregister_with(client->loop, MQTT_EVENTS, event, event_handler);
}
