/* A client's life: its task connects, reads frames, tells them, and connects again. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "client.h"

#include <errno.h>
#include <stdlib.h>

#include "esp_log.h"
#include "esp_random.h"
#include "esp_timer.h"
#include "mbedtls/base64.h"

static const char TAG[] = "websocket_client";

#define STACK_MIN      16384 /* a 64-bit machine's frames are larger than a chip's */
#define BUFFER_SIZE    1024
#define RECONNECT_MS   10000
#define PING_S         10
#define PONG_S         120
#define LOOK_MS        50 /* so often a wait looks whether it is to end */
#define TASK_PRIORITY  5
#define CLOSE_NORMAL   1000
#define CLOSE_TEXT_MAX 123

ESP_EVENT_DEFINE_BASE(WEBSOCKET_EVENTS);

static void tell(esp_websocket_client_handle_t client, esp_websocket_event_id_t id,
                 esp_websocket_event_data_t data)
{
    data.client = client;
    data.user_context = client->config.user_context;
    data.error_handle.esp_ws_handshake_status_code = client->status;
    if (esp_event_post_to(client->events, WEBSOCKET_EVENTS, id, &data, sizeof(data), portMAX_DELAY) ==
        ESP_OK) {
        (void)esp_event_loop_run(client->events, 0); /* a loop without a task: its handlers run here */
    }
}

/* ---- frames ---- */

/** wslay's. */
static ssize_t receive(uint8_t *to, size_t size, int flags, void *arg)
{
    (void)flags;
    esp_websocket_client_handle_t client = arg;
    size_t early = client->head_len - client->head_at;
    if (early > 0) {
        size = size < early ? size : early;
        memcpy(to, client->head + client->head_at, size);
        client->head_at += size;
        return (ssize_t)size;
    }
    ssize_t got = stream_read(client, to, size);
    errno = got > 0 ? 0 : got == 0 ? EAGAIN : ECONNRESET; /* wslay takes the last two alike */
    return got > 0 ? got : -1;
}

static ssize_t transmit(const uint8_t *data, size_t size, int flags, void *arg)
{
    (void)flags;
    return stream_write(arg, data, size) ? (ssize_t)size : -1;
}

static int make_mask(uint8_t *to, size_t size, void *arg)
{
    (void)arg;
    esp_fill_random(to, size);
    return 0;
}

static int send_frame(esp_websocket_client_handle_t client, int kind, bool last, const char *data, int len)
{
    static const struct wslay_frame_callbacks callbacks = {.send_callback = transmit,
                                                           .genmask_callback = make_mask};
    wslay_frame_context_ptr sender;
    if (client == NULL || len < 0 || (len > 0 && data == NULL) || !client->connected ||
        wslay_frame_context_init(&sender, &callbacks, client) != 0) {
        return -1;
    }
    struct wslay_frame_iocb part = {.fin = last,
                                    .opcode = (uint8_t)kind,
                                    .mask = 1,
                                    .payload_length = (uint64_t)len,
                                    .data = (const uint8_t *)data,
                                    .data_length = (size_t)len};
    (void)pthread_mutex_lock(&client->sending);
    ssize_t sent;
    do {
        sent = wslay_frame_send(sender, &part);
        part.data += sent > 0 ? sent : 0;
        part.data_length -= sent > 0 ? (size_t)sent : 0;
    } while (sent >= 0 && part.data_length > 0);
    (void)pthread_mutex_unlock(&client->sending);
    wslay_frame_context_free(sender);
    return sent >= 0 ? len : -1;
}

/** What a connection knows of the frame that is under way, and of pings. */
typedef struct {
    uint64_t at;
    char control[126]; /* the payload of a control frame */
    int64_t pinged_us, heard_us;
} reading_t;

/** A control frame is complete. @return false: the connection ends */
static bool serve(esp_websocket_client_handle_t client, reading_t *reading,
                  const struct wslay_frame_iocb *part)
{
    const int len = (int)part->payload_length;
    if (part->opcode == WSLAY_PING) {
        return send_frame(client, WSLAY_PONG, true, reading->control, len) >= 0;
    }
    if (part->opcode != WSLAY_CONNECTION_CLOSE) {
        return true;
    }
    if (!client->said_goodbye) {
        client->said_goodbye = true;
        (void)send_frame(client, WSLAY_CONNECTION_CLOSE, true, reading->control, len);
    }
    return false;
}

/** Tells a part of a frame, in pieces of buffer_size. @return false: the connection ends */
static bool take_part(esp_websocket_client_handle_t client, reading_t *reading,
                      const struct wslay_frame_iocb *part)
{
    const size_t most = client->config.buffer_size > 0 ? (size_t)client->config.buffer_size : BUFFER_SIZE;
    size_t done = 0;
    do {
        size_t now = part->data_length - done < most ? part->data_length - done : most;
        if (part->opcode >= WSLAY_CONNECTION_CLOSE && reading->at + now < sizeof(reading->control)) {
            memcpy(reading->control + reading->at, part->data + done, now);
        }
        tell(client, WEBSOCKET_EVENT_DATA,
             (esp_websocket_event_data_t){.data_ptr = (const char *)part->data + done,
                                          .data_len = (int)now,
                                          .fin = part->fin != 0,
                                          .op_code = part->opcode,
                                          .payload_len = (int)part->payload_length,
                                          .payload_offset = (int)reading->at});
        reading->at += now;
        done += now;
    } while (done < part->data_length);
    if (reading->at < part->payload_length) {
        return true;
    }
    reading->at = 0;
    return part->opcode < WSLAY_CONNECTION_CLOSE || serve(client, reading, part);
}

/** Reads what is there. @return false: the connection ends */
static bool read_frames(esp_websocket_client_handle_t client, reading_t *reading)
{
    for (;;) {
        struct wslay_frame_iocb part = {0};
        errno = 0;
        ssize_t got = wslay_frame_recv(client->reader, &part);
        if (got == WSLAY_ERR_WANT_READ && errno == 0) {
            continue; /* some bytes of a head have come, and it wants more of them */
        }
        if (got < 0) {
            return got == WSLAY_ERR_WANT_READ && errno == EAGAIN;
        }
        reading->heard_us = esp_timer_get_time();
        if (part.rsv != 0 || part.mask || part.payload_length > INT32_MAX ||
            !take_part(client, reading, &part)) {
            return false;
        }
    }
}

/** @return false: the server has been silent for too long */
static bool ping(esp_websocket_client_handle_t client, reading_t *reading)
{
    const esp_websocket_client_config_t *config = &client->config;
    const int64_t now = esp_timer_get_time();
    const int64_t interval = client->ping_s;
    const int64_t patience = config->pingpong_timeout_sec > 0 ? config->pingpong_timeout_sec : PONG_S;
    if (!config->disable_pingpong_discon && now - reading->heard_us > patience * 1000000) {
        ESP_LOGE(TAG, "%s has been silent for %d s", client->place.host, (int)patience);
        return false;
    }
    if (now - reading->pinged_us < interval * 1000000) {
        return true;
    }
    reading->pinged_us = now;
    return send_frame(client, WSLAY_PING, true, NULL, 0) >= 0;
}

/* ---- the task ---- */

static void stay_connected(esp_websocket_client_handle_t client)
{
    const int64_t now = esp_timer_get_time();
    reading_t reading = {.pinged_us = now, .heard_us = now};
    client->said_goodbye = false;
    client->connected = true;
    tell(client, WEBSOCKET_EVENT_CONNECTED, (esp_websocket_event_data_t){0});
    while (!client->stops && read_frames(client, &reading) && ping(client, &reading)) {
        (void)stream_wait(client, LOOK_MS);
    }
    client->connected = false;
    stream_close(client);
    tell(client, client->said_goodbye ? WEBSOCKET_EVENT_CLOSED : WEBSOCKET_EVENT_DISCONNECTED,
         (esp_websocket_event_data_t){0});
}

static void connect_once(esp_websocket_client_handle_t client)
{
    static const struct wslay_frame_callbacks callbacks = {.recv_callback = receive};
    tell(client, WEBSOCKET_EVENT_BEFORE_CONNECT, (esp_websocket_event_data_t){0});
    client->status = 0;
    esp_err_t err = stream_open(client);
    bool reached = err == ESP_OK;
    err = reached ? handshake(client) : err;
    if (err == ESP_OK && wslay_frame_context_init(&client->reader, &callbacks, client) == 0) {
        stay_connected(client);
        wslay_frame_context_free(client->reader);
        return;
    }
    stream_close(client);
    tell(client, WEBSOCKET_EVENT_ERROR,
         (esp_websocket_event_data_t){.error_handle.error_type = reached
                                                                     ? WEBSOCKET_ERROR_TYPE_HANDSHAKE
                                                                     : WEBSOCKET_ERROR_TYPE_TCP_TRANSPORT});
    tell(client, WEBSOCKET_EVENT_DISCONNECTED, (esp_websocket_event_data_t){0});
}

static void run(void *arg)
{
    esp_websocket_client_handle_t client = arg;
    tell(client, WEBSOCKET_EVENT_BEGIN, (esp_websocket_event_data_t){0});
    bool again = true;
    while (again && !client->stops) {
        connect_once(client);
        again = !client->config.disable_auto_reconnect && !client->said_goodbye;
        for (int waited = 0; again && waited < client->reconnect_ms && !client->stops; waited += LOOK_MS) {
            vTaskDelay(pdMS_TO_TICKS(LOOK_MS));
        }
    }
    tell(client, WEBSOCKET_EVENT_FINISH, (esp_websocket_event_data_t){0});
    xSemaphoreGive(client->ended); /* from here on it may be gone */
    vTaskDelete(NULL);
}

/* ---- for applications ---- */

/** Whether its task lives. Its end is noticed here, or where somebody waits for it. */
static bool is_running(esp_websocket_client_handle_t client, TickType_t wait)
{
    if (client->started && xSemaphoreTake(client->ended, wait) == pdTRUE) {
        client->started = false;
    }
    return client->started;
}

static char *copy(const char *text)
{
    return strdup(text != NULL ? text : "");
}

static void free_place(place_t *place)
{
    free(place->host);
    free(place->path);
    place->host = place->path = NULL;
}

/** ws[s]://HOST[:PORT][/PATH]. @return false: it is none, or no memory */
static bool read_uri(place_t *place, const char *uri)
{
    bool secure = strncmp(uri, "wss://", 6) == 0;
    if (!secure && strncmp(uri, "ws://", 5) != 0) {
        return false;
    }
    const char *host = uri + (secure ? 6 : 5), *path = host + strcspn(host, "/?");
    size_t host_len = (size_t)(path - host);
    const char *colon = memchr(host, ':', host_len);
    long port = colon != NULL ? strtol(colon + 1, NULL, 10) : 0;
    host_len = colon != NULL ? (size_t)(colon - host) : host_len;
    if (host_len == 0 || port < 0 || port > UINT16_MAX) {
        return false;
    }
    free_place(place);
    place->host = strndup(host, host_len);
    place->secure = secure;
    place->port = port > 0 ? (int)port : secure ? 443 : 80;
    if (asprintf(&place->path, "%s%s", *path == '/' ? "" : "/", path) < 0) {
        place->path = NULL;
    }
    return place->host != NULL && place->path != NULL;
}

static bool read_place(esp_websocket_client_handle_t client)
{
    const esp_websocket_client_config_t *config = &client->config;
    if (config->uri != NULL) {
        return read_uri(&client->place, config->uri);
    }
    place_t *place = &client->place;
    place->secure = config->transport == WEBSOCKET_TRANSPORT_OVER_SSL;
    place->port = config->port > 0 ? config->port : place->secure ? 443 : 80;
    place->host = config->host != NULL ? strdup(config->host) : NULL;
    place->path = copy(config->path != NULL ? config->path : "/");
    return place->host != NULL && place->path != NULL;
}

static bool make_credentials(esp_websocket_client_handle_t client)
{
    const char *user = client->config.username, *password = client->config.password;
    char both[256], encoded[4 * (sizeof(both) / 3 + 1)];
    size_t len;
    if (user == NULL || password == NULL) {
        client->credentials = copy("");
        return client->credentials != NULL;
    }
    int count = snprintf(both, sizeof(both), "%s:%s", user, password);
    return count < (int)sizeof(both) &&
           mbedtls_base64_encode((uint8_t *)encoded, sizeof(encoded), &len, (uint8_t *)both, (size_t)count) ==
               0 &&
           asprintf(&client->credentials, "Authorization: Basic %s\r\n", encoded) >= 0;
}

static void free_client(esp_websocket_client_handle_t client)
{
    free_place(&client->place);
    free(client->place.fields);
    free(client->credentials);
    free(client->subprotocol);
    free(client->user_agent);
    if (client->events != NULL) {
        (void)esp_event_loop_delete(client->events); /* nobody runs it any more */
    }
    if (client->ended != NULL) {
        vSemaphoreDelete(client->ended);
    }
    (void)pthread_mutex_destroy(&client->lock);
    (void)pthread_mutex_destroy(&client->sending);
    free(client);
}

static bool prepare(esp_websocket_client_handle_t client, const esp_websocket_client_config_t *config)
{
    const esp_event_loop_args_t loop = {.queue_size = 4};
    client->config = *config;
    client->reconnect_ms = config->reconnect_timeout_ms > 0 ? config->reconnect_timeout_ms : RECONNECT_MS;
    client->ping_s = config->ping_interval_sec > 0 ? (int)config->ping_interval_sec : PING_S;
    (void)pthread_mutex_init(&client->lock, NULL); /* neither can fail on Linux */
    (void)pthread_mutex_init(&client->sending, NULL);
    client->place.fields = copy(config->headers);
    client->subprotocol = config->subprotocol != NULL ? strdup(config->subprotocol) : NULL;
    client->user_agent = config->user_agent != NULL ? strdup(config->user_agent) : NULL;
    client->ended = xSemaphoreCreateBinary();
    if (!read_place(client)) {
        ESP_LOGE(TAG, "%s is no place of a web socket",
                 config->uri != NULL ? config->uri : "the configuration");
        return false;
    }
    return client->place.fields != NULL && client->ended != NULL && make_credentials(client) &&
           esp_event_loop_create(&loop, &client->events) == ESP_OK;
}

esp_websocket_client_handle_t esp_websocket_client_init(const esp_websocket_client_config_t *config)
{
    if (config == NULL || config->ext_transport != NULL) {
        ESP_LOGE(TAG, "no configuration, or one with a transport of its own");
        return NULL;
    }
    esp_websocket_client_handle_t client = calloc(1, sizeof(*client));
    if (client != NULL && !prepare(client, config)) {
        free_client(client);
        client = NULL;
    }
    return client;
}

esp_err_t esp_websocket_client_set_uri(esp_websocket_client_handle_t client, const char *uri)
{
    if (client == NULL || uri == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (is_running(client, 0)) {
        return ESP_ERR_INVALID_STATE;
    }
    return read_uri(&client->place, uri) ? ESP_OK : ESP_ERR_INVALID_ARG;
}

esp_err_t esp_websocket_client_set_headers(esp_websocket_client_handle_t client, const char *headers)
{
    char *fields = client != NULL ? copy(headers) : NULL;
    if (fields == NULL || is_running(client, 0)) {
        free(fields);
        return fields != NULL ? ESP_ERR_INVALID_STATE : ESP_ERR_INVALID_ARG;
    }
    free(client->place.fields);
    client->place.fields = fields;
    return ESP_OK;
}

esp_err_t esp_websocket_client_append_header(esp_websocket_client_handle_t client, const char *key,
                                             const char *value)
{
    char *fields = NULL;
    if (client == NULL || key == NULL || value == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (asprintf(&fields, "%s%s: %s\r\n", client->place.fields, key, value) < 0) {
        return ESP_ERR_NO_MEM;
    }
    esp_err_t err = esp_websocket_client_set_headers(client, fields);
    free(fields);
    return err;
}

size_t esp_websocket_client_get_ping_interval_sec(esp_websocket_client_handle_t client)
{
    return client != NULL ? (size_t)client->ping_s : 0;
}

esp_err_t esp_websocket_client_set_ping_interval_sec(esp_websocket_client_handle_t client,
                                                     size_t ping_interval_sec)
{
    if (client == NULL || ping_interval_sec > INT32_MAX) {
        return ESP_ERR_INVALID_ARG;
    }
    client->ping_s = ping_interval_sec > 0 ? (int)ping_interval_sec : PING_S;
    return ESP_OK;
}

int esp_websocket_client_get_reconnect_timeout(esp_websocket_client_handle_t client)
{
    return client != NULL && !client->config.disable_auto_reconnect ? client->reconnect_ms : -1;
}

esp_err_t esp_websocket_client_set_reconnect_timeout(esp_websocket_client_handle_t client,
                                                     int reconnect_timeout_ms)
{
    if (client == NULL || reconnect_timeout_ms <= 0) {
        return ESP_ERR_INVALID_ARG;
    }
    if (client->config.disable_auto_reconnect) {
        return ESP_ERR_INVALID_STATE;
    }
    client->reconnect_ms = reconnect_timeout_ms;
    return ESP_OK;
}

esp_err_t esp_websocket_client_start(esp_websocket_client_handle_t client)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    const esp_websocket_client_config_t *config = &client->config;
    uint32_t stack = config->task_stack > STACK_MIN ? (uint32_t)config->task_stack : STACK_MIN;
    const char *name = config->task_name != NULL ? config->task_name : "websocket_task";
    if (is_running(client, 0)) {
        return ESP_FAIL;
    }
    client->stops = client->said_goodbye = false;
    UBaseType_t priority = config->task_prio > 0 ? (UBaseType_t)config->task_prio : TASK_PRIORITY;
    client->started = xTaskCreate(run, name, stack, client, priority, NULL) == pdPASS;
    return client->started ? ESP_OK : ESP_FAIL;
}

esp_err_t esp_websocket_client_stop(esp_websocket_client_handle_t client)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (!is_running(client, 0)) {
        return ESP_FAIL;
    }
    client->stops = true;
    return is_running(client, portMAX_DELAY) ? ESP_FAIL : ESP_OK; /* each of its task's waits has a limit */
}

esp_err_t esp_websocket_client_destroy(esp_websocket_client_handle_t client)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    (void)esp_websocket_client_stop(client); /* it may not run */
    free_client(client);
    return ESP_OK;
}

esp_err_t esp_websocket_client_close_with_code(esp_websocket_client_handle_t client, int code,
                                               const char *data, int len, TickType_t timeout)
{
    if (client == NULL || len < 0 || len > CLOSE_TEXT_MAX || (len > 0 && data == NULL)) {
        return ESP_ERR_INVALID_ARG;
    }
    if (!is_running(client, 0)) {
        return ESP_FAIL;
    }
    char frame[2 + CLOSE_TEXT_MAX] = {(char)(code >> 8), (char)code};
    if (len > 0) {
        memcpy(frame + 2, data, (size_t)len);
    }
    client->said_goodbye = true;
    if (send_frame(client, WSLAY_CONNECTION_CLOSE, true, frame, 2 + len) >= 0 &&
        !is_running(client, timeout)) {
        return ESP_OK;
    }
    return esp_websocket_client_stop(client);
}

esp_err_t esp_websocket_client_close(esp_websocket_client_handle_t client, TickType_t timeout)
{
    return esp_websocket_client_close_with_code(client, CLOSE_NORMAL, NULL, 0, timeout);
}

int esp_websocket_client_send_bin(esp_websocket_client_handle_t client, const char *data, int len,
                                  TickType_t timeout)
{
    (void)timeout;
    return send_frame(client, WSLAY_BINARY_FRAME, true, data, len);
}

int esp_websocket_client_send_text(esp_websocket_client_handle_t client, const char *data, int len,
                                   TickType_t timeout)
{
    (void)timeout;
    return send_frame(client, WSLAY_TEXT_FRAME, true, data, len);
}

int esp_websocket_client_send_bin_partial(esp_websocket_client_handle_t client, const char *data, int len,
                                          TickType_t timeout)
{
    (void)timeout;
    return send_frame(client, WSLAY_BINARY_FRAME, false, data, len);
}

int esp_websocket_client_send_text_partial(esp_websocket_client_handle_t client, const char *data, int len,
                                           TickType_t timeout)
{
    (void)timeout;
    return send_frame(client, WSLAY_TEXT_FRAME, false, data, len);
}

int esp_websocket_client_send_cont_msg(esp_websocket_client_handle_t client, const char *data, int len,
                                       TickType_t timeout)
{
    (void)timeout;
    return send_frame(client, WSLAY_CONTINUATION_FRAME, false, data, len);
}

int esp_websocket_client_send_with_opcode(esp_websocket_client_handle_t client, ws_transport_opcodes_t opcode,
                                          const uint8_t *data, int len, TickType_t timeout)
{
    (void)timeout;
    return send_frame(client, (uint8_t)(opcode & 0x0f), true, (const char *)data, len);
}

int esp_websocket_client_send_fin(esp_websocket_client_handle_t client, TickType_t timeout)
{
    (void)timeout;
    return send_frame(client, WSLAY_CONTINUATION_FRAME, true, NULL, 0);
}

bool esp_websocket_client_is_connected(esp_websocket_client_handle_t client)
{
    return client != NULL && client->connected;
}

esp_err_t esp_websocket_register_events(esp_websocket_client_handle_t client, esp_websocket_event_id_t event,
                                        esp_event_handler_t event_handler, void *event_handler_arg)
{
    return client != NULL ? esp_event_handler_register_with(client->events, WEBSOCKET_EVENTS, event,
                                                            event_handler, event_handler_arg)
                          : ESP_ERR_INVALID_ARG;
}

esp_err_t esp_websocket_unregister_events(esp_websocket_client_handle_t client,
                                          esp_websocket_event_id_t event, esp_event_handler_t event_handler)
{
    return client != NULL
               ? esp_event_handler_unregister_with(client->events, WEBSOCKET_EVENTS, event, event_handler)
               : ESP_ERR_INVALID_ARG;
}
