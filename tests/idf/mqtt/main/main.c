/* Queues before there is a connection, connects with a certificate and an encrypted key, disconnects, and connects again. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"
#include "mqtt_client.h"

#define WAIT pdMS_TO_TICKS(20000)

extern const char ca[] asm("_binary_ca_pem_start");
extern const char own[] asm("_binary_own_pem_start");
extern const char key[] asm("_binary_own_key_start");

static SemaphoreHandle_t done;
static bool again;

static void on_event(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)arg, (void)base;
    esp_mqtt_event_handle_t event = data;
    switch ((esp_mqtt_event_id_t)id) {
    case MQTT_EVENT_CONNECTED:
        printf("connected\n");
        xSemaphoreGive(done);
        break;
    case MQTT_EVENT_PUBLISHED:
        printf("published, %d bytes wait\n", esp_mqtt_client_get_outbox_size(event->client));
        xSemaphoreGive(done);
        break;
    case MQTT_USER_EVENT:
        printf("my own event %d of this client\n", event->msg_id);
        xSemaphoreGive(done);
        break;
    case MQTT_EVENT_DATA:
        printf("data %.*s: %.*s\n", event->topic_len, event->topic, event->data_len, event->data);
        xSemaphoreGive(done);
        break;
    case MQTT_EVENT_DISCONNECTED:
        if (!again) { /* a handler may ask for it */
            again = true;
            printf("disconnected, again 0x%x\n", esp_mqtt_client_reconnect(event->client));
        }
        xSemaphoreGive(done);
        break;
    default:
        break;
    }
}

static void await(const char *what)
{
    if (xSemaphoreTake(done, WAIT) != pdTRUE) {
        printf("no %s\n", what);
    }
}

static void ask_refusals(esp_mqtt_client_config_t config)
{
    static const char *two[] = {"mqtt", "other", NULL};
    config.broker.verification.alpn_protos = two;
    bool protocols = esp_mqtt_client_init(&config) == NULL;
    config.broker.verification.alpn_protos = NULL;
    config.broker.address = (struct address_t){.hostname = "localhost", .transport = MQTT_TRANSPORT_OVER_WSS};
    bool web_socket = esp_mqtt_client_init(&config) == NULL;
    config.broker.address.transport = MQTT_TRANSPORT_OVER_SSL;
    config.credentials.authentication.use_secure_element = true;
    printf("two protocols %d, web socket %d, secure element %d\n", protocols, web_socket,
           esp_mqtt_client_init(&config) == NULL);
}

static void use(esp_mqtt_client_handle_t client, const esp_mqtt_client_config_t *config)
{
    esp_mqtt_event_t event = {.msg_id = 7};
    int queued = esp_mqtt_client_enqueue(client, "device/a", "hello", 0, 1, 0, true);
    int more = esp_mqtt_client_publish(client, "device/a", "too much", 0, 1, 0);
    int without_quality = esp_mqtt_client_publish(client, "device/a", "now", 0, 0, 0);
    printf("queued %d, %d bytes wait, then %d, without quality %d\n", queued > 0,
           esp_mqtt_client_get_outbox_size(client), more, without_quality);
    ESP_ERROR_CHECK(esp_mqtt_client_start(client));
    await("connection");
    await("publication");
    ESP_ERROR_CHECK(esp_mqtt_dispatch_custom_event(client, &event));
    await("event");
    printf("configured while it runs 0x%x, nobody 0x%x\n", (unsigned)esp_mqtt_set_config(client, config),
           esp_mqtt_dispatch_custom_event(NULL, &event));
    const esp_mqtt_topic_t topics[] = {{"test/b", 1}, {"device/b", 0}};
    printf("subscribed %d\n", esp_mqtt_client_subscribe(client, topics, 2) > 0);
    esp_mqtt_client_publish(client, "device/b", "back", 0, 0, 0);
    await("data");
    ESP_ERROR_CHECK(esp_mqtt_client_disconnect(client));
    await("end");
    await("second connection");
    ESP_ERROR_CHECK(esp_mqtt_client_stop(client));
}

void app_main(void)
{
    static const char *one[] = {"mqtt", NULL};
    char uri[64];
    done = xSemaphoreCreateCounting(10, 0);
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (fgets(uri, sizeof(uri), stdin) == NULL) {
        return;
    }
    uri[strcspn(uri, "\n")] = '\0';
    const esp_mqtt_client_config_t config = {
        .broker = {.address.uri = uri, .verification = {.certificate = ca, .alpn_protos = one}},
        .credentials.authentication = {.certificate = own,
                                       .key = key,
                                       .key_password = "secret!",
                                       .key_password_len = 6},
        .session.last_will = {.topic = "device/gone", .msg = "will", .qos = 1},
        .network.reconnect_timeout_ms = 60000,
        .outbox.limit = 20,
    };
    ask_refusals(config);
    esp_mqtt_client_handle_t client = esp_mqtt_client_init(&config);
    ESP_ERROR_CHECK(esp_mqtt_client_register_event(client, MQTT_EVENT_ANY, on_event, NULL));
    use(client, &config);
    ESP_ERROR_CHECK(esp_mqtt_client_destroy(client));
    printf("all is said\n");
}
