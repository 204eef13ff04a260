/* An MQTT client, in the shape of ESP-IDF 5 and 4: it connects, stays connected, and tells by events. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "esp_err.h"
#include "esp_event.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct esp_mqtt_client *esp_mqtt_client_handle_t;

#define MQTT_OVER_TCP_SCHEME "mqtt"
#define MQTT_OVER_SSL_SCHEME "mqtts"
#define MQTT_OVER_WS_SCHEME  "ws" /* refused, as the next one */
#define MQTT_OVER_WSS_SCHEME "wss"

typedef enum esp_mqtt_event_id_t {
    MQTT_EVENT_ANY = -1,
    MQTT_EVENT_ERROR = 0, /* error_handle says what */
    MQTT_EVENT_CONNECTED, /* session_present */
    MQTT_EVENT_DISCONNECTED,
    MQTT_EVENT_SUBSCRIBED, /* msg_id; data: the quality of service that the broker grants, a byte for each topic */
    MQTT_EVENT_UNSUBSCRIBED, /* msg_id */
    MQTT_EVENT_PUBLISHED,    /* msg_id, of quality 1 and 2 */
    MQTT_EVENT_DATA, /* a message, or a piece of one that is larger than buffer.size; the topic is in the first one */
    MQTT_EVENT_BEFORE_CONNECT,
    MQTT_EVENT_DELETED, /* not sent here: nothing is given up before it is delivered */
    MQTT_USER_EVENT,
} esp_mqtt_event_id_t;

typedef enum esp_mqtt_connect_return_code_t {
    MQTT_CONNECTION_ACCEPTED = 0,
    MQTT_CONNECTION_REFUSE_PROTOCOL,
    MQTT_CONNECTION_REFUSE_ID_REJECTED,
    MQTT_CONNECTION_REFUSE_SERVER_UNAVAILABLE,
    MQTT_CONNECTION_REFUSE_BAD_USERNAME,
    MQTT_CONNECTION_REFUSE_NOT_AUTHORIZED,
} esp_mqtt_connect_return_code_t;

typedef enum esp_mqtt_error_type_t {
    MQTT_ERROR_TYPE_NONE = 0,
    MQTT_ERROR_TYPE_TCP_TRANSPORT,
    MQTT_ERROR_TYPE_CONNECTION_REFUSED,
    MQTT_ERROR_TYPE_SUBSCRIBE_FAILED,
} esp_mqtt_error_type_t;

#define MQTT_ERROR_TYPE_ESP_TLS MQTT_ERROR_TYPE_TCP_TRANSPORT

typedef enum esp_mqtt_transport_t {
    MQTT_TRANSPORT_UNKNOWN = 0,
    MQTT_TRANSPORT_OVER_TCP,
    MQTT_TRANSPORT_OVER_SSL,
    MQTT_TRANSPORT_OVER_WS, /* refused: libmosquitto has no client for it */
    MQTT_TRANSPORT_OVER_WSS,
} esp_mqtt_transport_t;

typedef enum esp_mqtt_protocol_ver_t {
    MQTT_PROTOCOL_UNDEFINED = 0,
    MQTT_PROTOCOL_V_3_1,
    MQTT_PROTOCOL_V_3_1_1,
    MQTT_PROTOCOL_V_5,
} esp_mqtt_protocol_ver_t;

typedef struct esp_mqtt_error_codes {
    esp_err_t esp_tls_last_esp_err;
    int esp_tls_stack_err;
    int esp_tls_cert_verify_flags;
    esp_mqtt_error_type_t error_type;
    esp_mqtt_connect_return_code_t connect_return_code;
    int esp_transport_sock_errno;
} esp_mqtt_error_codes_t;

/** What a handler of any event gets; its texts are valid until it returns, and have no 0 behind them. */
typedef struct esp_mqtt_event_t {
    esp_mqtt_event_id_t event_id;
    esp_mqtt_client_handle_t client;
    void *user_context; /* of ESP-IDF 4's configuration */
    char *data;
    int data_len;
    int total_data_len;
    int current_data_offset;
    char *topic;
    int topic_len;
    int msg_id;
    int session_present;
    esp_mqtt_error_codes_t *error_handle;
    bool retain;
    int qos;
    bool dup;
    esp_mqtt_protocol_ver_t protocol_ver;
} esp_mqtt_event_t;

typedef esp_mqtt_event_t *esp_mqtt_event_handle_t;

/** ESP-IDF 4's handler of all events; what it returns is not looked at. */
typedef esp_err_t (*mqtt_event_callback_t)(esp_mqtt_event_handle_t event);

/** All texts are copied. */
typedef struct esp_mqtt_client_config_t {
    struct broker_t {
        struct address_t {
            const char *uri; /* mqtt:// or mqtts://[USER[:PASSWORD]@]HOST[:PORT] */
            const char *hostname;
            esp_mqtt_transport_t transport;
            const char *path;
            uint32_t port; /* 0: 1883, and 8883 with TLS */
        } address;
        struct verification_t {
            bool use_global_ca_store;                   /* refused */
            esp_err_t (*crt_bundle_attach)(void *conf); /* any: the certificates that this machine trusts */
            const char *certificate;                    /* PEM */
            size_t certificate_len;
            const struct psk_key_hint *psk_hint_key; /* refused */
            bool skip_cert_common_name_check;
            const char **alpn_protos;     /* one; more are refused */
            const char *common_name;      /* refused */
            const int *ciphersuites_list; /* refused */
        } verification;
    } broker;
    struct credentials_t {
        const char *username;
        const char *client_id; /* NULL: ESP32_ and the end of the MAC address */
        bool set_null_client_id;
        struct authentication_t {
            const char *password;
            const char *certificate; /* PEM, as the key */
            size_t certificate_len;
            const char *key;
            size_t key_len;
            const char *key_password; /* of an encrypted key */
            int key_password_len;
            bool use_secure_element; /* refused, as the rest */
            void *ds_data;
            bool use_ecdsa_peripheral;
            uint8_t ecdsa_key_efuse_blk;
        } authentication;
    } credentials;
    struct session_t {
        struct last_will_t {
            const char *topic;
            const char *msg;
            int msg_len; /* 0: msg is a text */
            int qos;
            int retain;
        } last_will;
        bool disable_clean_session;
        int keepalive; /* s; 0: 120 */
        bool disable_keepalive;
        esp_mqtt_protocol_ver_t protocol_ver;
        int message_retransmit_timeout; /* libmosquitto's own counts */
    } session;
    struct network_t {
        int reconnect_timeout_ms; /* 0: 10000 */
        int timeout_ms;           /* for the broker to accept; 0: 10000 */
        int refresh_connection_after_ms;
        bool disable_auto_reconnect;
        struct {
            bool keep_alive_enable;
            int keep_alive_idle, keep_alive_interval, keep_alive_count;
        } tcp_keep_alive_cfg;                   /* this machine's TCP is as it is */
        struct esp_transport_item_t *transport; /* refused, as the next one */
        struct ifreq *if_name;
    } network;
    struct task_t {
        int priority;
        int stack_size;
    } task;
    struct buffer_t {
        int size; /* of the pieces of MQTT_EVENT_DATA; 0: 1024 */
        int out_size;
    } buffer;
    struct outbox_config_t {
        uint64_t limit; /* bytes that may wait to be acknowledged; 0: any number */
    } outbox;
    struct { /* ESP-IDF 4's names for the same; each that is set counts where the field above is not */
        const char *uri, *host;
        esp_mqtt_transport_t transport;
        const char *path;
        uint32_t port;
        bool use_global_ca_store;
        esp_err_t (*crt_bundle_attach)(void *conf);
        const char *cert_pem;
        size_t cert_len;
        const struct psk_key_hint *psk_hint_key;
        bool skip_cert_common_name_check;
        const char **alpn_protos;
        const char *username, *password;
        const char *client_cert_pem;
        size_t client_cert_len;
        const char *client_key_pem;
        size_t client_key_len;
        const char *clientkey_password;
        int clientkey_password_len;
        bool use_secure_element;
        void *ds_data;
        bool set_null_client_id;
        const char *client_id;
        mqtt_event_callback_t event_handle;        /* gets all events, and registered handlers none */
        esp_event_loop_handle_t event_loop_handle; /* refused */
        int task_prio, task_stack;
        const char *lwt_topic, *lwt_msg;
        int lwt_qos, lwt_retain, lwt_msg_len;
        int disable_clean_session;
        int keepalive;
        bool disable_keepalive;
        esp_mqtt_protocol_ver_t protocol_ver;
        int message_retransmit_timeout, reconnect_timeout_ms, network_timeout_ms, refresh_connection_after_ms;
        bool disable_auto_reconnect;
        void *user_context;
        int buffer_size, out_buffer_size;
    };
} esp_mqtt_client_config_t;

typedef struct topic_t {
    const char *filter;
    int qos;
} esp_mqtt_topic_t;

/** @return NULL: no memory, or something in the configuration that cannot be honoured, and the log says what */
esp_mqtt_client_handle_t esp_mqtt_client_init(const esp_mqtt_client_config_t *config);
/** Before it starts, or from the next connection on. @return ESP_OK; ESP_FAIL; ESP_ERR_INVALID_ARG */
esp_err_t esp_mqtt_client_set_uri(esp_mqtt_client_handle_t client, const char *uri);
/** Before it starts. @return ESP_OK; ESP_ERR_INVALID_ARG; ESP_FAIL: not this one, and the log says why */
esp_err_t esp_mqtt_set_config(esp_mqtt_client_handle_t client, const esp_mqtt_client_config_t *config);
/** Starts its task, which connects, and connects again.
    @return ESP_OK; ESP_ERR_INVALID_ARG; ESP_FAIL: it has started, names no broker, or there is no task */
esp_err_t esp_mqtt_client_start(esp_mqtt_client_handle_t client);
/** At once, instead of after reconnect_timeout_ms. @return ESP_OK; ESP_ERR_INVALID_ARG; ESP_FAIL: it does not wait for that */
esp_err_t esp_mqtt_client_reconnect(esp_mqtt_client_handle_t client);
esp_err_t esp_mqtt_client_disconnect(esp_mqtt_client_handle_t client);
/** Ends the task, and waits for it. @return ESP_OK; ESP_ERR_INVALID_ARG; ESP_FAIL: it has not started, or a handler calls */
esp_err_t esp_mqtt_client_stop(esp_mqtt_client_handle_t client);
esp_err_t esp_mqtt_client_destroy(esp_mqtt_client_handle_t client);

#ifdef __cplusplus
#define esp_mqtt_client_subscribe esp_mqtt_client_subscribe_single
#else
#define esp_mqtt_client_subscribe(client_handle, topic_type, qos_or_size)                                    \
    _Generic((topic_type),                                                   \
        char *: esp_mqtt_client_subscribe_single,                            \
        const char *: esp_mqtt_client_subscribe_single,                      \
        esp_mqtt_topic_t *: esp_mqtt_client_subscribe_multiple,              \
        const esp_mqtt_topic_t *: esp_mqtt_client_subscribe_multiple)(client_handle, topic_type, qos_or_size)
#endif

/** @return the id of the message; -1: not connected, or a topic that is none */
int esp_mqtt_client_subscribe_single(esp_mqtt_client_handle_t client, const char *topic, int qos);
int esp_mqtt_client_subscribe_multiple(esp_mqtt_client_handle_t client, const esp_mqtt_topic_t *topic_list,
                                       int size);
int esp_mqtt_client_unsubscribe(esp_mqtt_client_handle_t client, const char *topic);
/** @param len 0: data is a text.
    @return its id, 0 with quality 0; -1: it cannot be sent; -2: outbox.limit is reached. With quality 1 and 2 it waits for a
    connection */
int esp_mqtt_client_publish(esp_mqtt_client_handle_t client, const char *topic, const char *data, int len,
                            int qos, int retain);
/** The same here: libmosquitto never blocks to publish. */
int esp_mqtt_client_enqueue(esp_mqtt_client_handle_t client, const char *topic, const char *data, int len,
                            int qos, int retain, bool store);

/** Bytes of messages with their topics, of quality 1 and 2, that the broker has not acknowledged yet. */
int esp_mqtt_client_get_outbox_size(esp_mqtt_client_handle_t client);
/** Has the client's task tell MQTT_USER_EVENT, copied, when it is connected next. Not to a handler of ESP-IDF 4's configuration.
    @return ESP_OK; ESP_ERR_INVALID_ARG: NULL; ESP_ERR_TIMEOUT: eight wait already */
esp_err_t esp_mqtt_dispatch_custom_event(esp_mqtt_client_handle_t client, esp_mqtt_event_t *event);

/** Handlers run in the client's task. @return ESP_OK; ESP_ERR_INVALID_ARG; ESP_ERR_NO_MEM */
esp_err_t esp_mqtt_client_register_event(esp_mqtt_client_handle_t client, esp_mqtt_event_id_t event,
                                         esp_event_handler_t event_handler, void *event_handler_arg);
esp_err_t esp_mqtt_client_unregister_event(esp_mqtt_client_handle_t client, esp_mqtt_event_id_t event,
                                           esp_event_handler_t event_handler);

#ifdef __cplusplus
}
#endif
