/* From ESP-IDF's configuration of an MQTT client to libmosquitto's. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "client.h"
#include "esp_log.h"
#include "esp_mac.h"

static const char TAG[] = "mqtt_client";

#define PORT_TCP         1883
#define PORT_TLS         8883
#define KEEPALIVE_S      120
#define RECONNECT_MS     10000
#define ACCEPT_MS        10000
#define PIECE_SIZE       1024
#define STACK_MIN        16384 /* a 64-bit machine's frames are larger than a chip's */
#define TASK_PRIORITY    5
#define SYSTEM_TRUST     "/etc/ssl/certs"
#define PEM_BEGINS       "-----BEGIN"
#define DESCRIPTOR_CHARS 32

static bool refuse(const char *what)
{
    ESP_LOGE(TAG, "%s, which this client cannot do", what);
    return false;
}

/** An address as it is used. @return false: no memory */
static bool set_address(esp_mqtt_client_handle_t client, const char *host, size_t len, unsigned port)
{
    char *copy = strndup(host, len);
    if (copy == NULL) {
        return false;
    }
    (void)pthread_mutex_lock(&client->lock);
    free(client->host);
    client->host = copy;
    client->port = port;
    (void)pthread_mutex_unlock(&client->lock);
    return true;
}

/** "USER[:PASSWORD]" */
static bool set_user(esp_mqtt_client_handle_t client, const char *text, size_t len)
{
    char *user = strndup(text, len);
    char *password = user != NULL ? strchr(user, ':') : NULL;
    if (password != NULL) {
        *password++ = '\0';
    }
    bool ok =
        user != NULL && mosquitto_username_pw_set(client->mosquitto, user, password) == MOSQ_ERR_SUCCESS;
    free(user);
    return ok;
}

bool client_set_uri(esp_mqtt_client_handle_t client, const char *uri)
{
    static const char tcp[] = "mqtt://", tls[] = "mqtts://";
    bool is_tls = strncmp(uri, tls, strlen(tls)) == 0;
    if (!is_tls && strncmp(uri, tcp, strlen(tcp)) != 0) {
        ESP_LOGE(TAG, "%s: mqtt:// and mqtts:// are what this client can do", uri);
        return false;
    }
    const char *host = uri + (is_tls ? strlen(tls) : strlen(tcp));
    size_t len = strcspn(host, "/?#");
    const char *at = memchr(host, '@', len);
    if (at != NULL) {
        if (!set_user(client, host, (size_t)(at - host))) {
            return false;
        }
        len -= (size_t)(at + 1 - host);
        host = at + 1;
    }
    unsigned port = is_tls ? PORT_TLS : PORT_TCP;
    const char *colon = memchr(host, ':', len);
    size_t host_len = colon != NULL ? (size_t)(colon - host) : len;
    if (host_len == 0 ||
        (colon != NULL && (sscanf(colon, ":%5u", &port) != 1 || port == 0 || port > UINT16_MAX))) {
        ESP_LOGE(TAG, "%s names no host and port", uri);
        return false;
    }
    if (is_tls &&
        mosquitto_tls_set(client->mosquitto, NULL, SYSTEM_TRUST, NULL, NULL, NULL) != MOSQ_ERR_SUCCESS) {
        return refuse("TLS");
    }
    return set_address(client, host, host_len, port);
}

/** A text as a file, which libmosquitto wants: "/proc/self/fd/N". @return its descriptor; -1: none */
static int as_file(const char *text, size_t len, char path[DESCRIPTOR_CHARS])
{
    int fd = memfd_create("pem", MFD_CLOEXEC);
    if (fd >= 0 && write(fd, text, len) != (ssize_t)len) {
        close(fd);
        fd = -1;
    }
    (void)snprintf(path, DESCRIPTOR_CHARS, "/proc/self/fd/%d", fd);
    return fd;
}

/** A PEM text as a file, if there is one. @return false, and said: it is none, or there is no memory */
static bool pem_file(const char *text, const char *what, int *fd, char path[DESCRIPTOR_CHARS])
{
    *fd = -1;
    if (text == NULL) {
        return true;
    }
    if (strncmp(text, PEM_BEGINS, strlen(PEM_BEGINS)) != 0) {
        ESP_LOGE(TAG, "%s is not PEM, which is what this client can read", what);
        return false;
    }
    *fd = as_file(text, strlen(text), path);
    return *fd >= 0;
}

/** libmosquitto's, when it reads the key. */
static int give_password(char *to, int room, int writing, void *arg)
{
    (void)writing;
    const struct esp_mqtt_client *client = mosquitto_userdata(arg);
    size_t len = client->key_password != NULL ? strlen(client->key_password) : 0;
    if (len == 0 || len >= (size_t)room) {
        return 0;
    }
    memcpy(to, client->key_password, len + 1);
    return (int)len;
}

static bool keep_password(esp_mqtt_client_handle_t client, const struct authentication_t *own)
{
    free(client->key_password);
    client->key_password =
        own->key_password != NULL ? strndup(own->key_password, (size_t)own->key_password_len) : NULL;
    return own->key_password == NULL || client->key_password != NULL;
}

/** One protocol by ALPN, which is what libmosquitto can offer. */
static bool set_alpn(esp_mqtt_client_handle_t client, const char **protocols)
{
    if (protocols == NULL || protocols[0] == NULL) {
        return true;
    }
    return protocols[1] == NULL && mosquitto_string_option(client->mosquitto, MOSQ_OPT_TLS_ALPN,
                                                           protocols[0]) == MOSQ_ERR_SUCCESS
               ? true
               : refuse("broker.verification asks for several protocols by ALPN");
}

static bool set_tls(esp_mqtt_client_handle_t client, const esp_mqtt_client_config_t *config)
{
    const struct verification_t *verify = &config->broker.verification;
    const struct authentication_t *own = &config->credentials.authentication;
    if (verify->certificate == NULL && own->certificate == NULL) {
        return true;
    }
    char ca[DESCRIPTOR_CHARS], cert[DESCRIPTOR_CHARS], key[DESCRIPTOR_CHARS];
    int ca_fd = -1, cert_fd = -1, key_fd = -1;
    bool ok = pem_file(verify->certificate, "broker.verification.certificate", &ca_fd, ca) &&
              pem_file(own->certificate, "credentials.authentication.certificate", &cert_fd, cert) &&
              pem_file(own->key, "credentials.authentication.key", &key_fd, key);
    ok = ok && keep_password(client, own) &&
         mosquitto_tls_set(client->mosquitto, ca_fd >= 0 ? ca : NULL, ca_fd >= 0 ? NULL : SYSTEM_TRUST,
                           cert_fd >= 0 ? cert : NULL, key_fd >= 0 ? key : NULL,
                           client->key_password != NULL ? give_password : NULL) == MOSQ_ERR_SUCCESS;
    /* libmosquitto reads them at each connection: they stay open as long as the program runs. */
    return ok || refuse("these certificates");
}

static bool check(const esp_mqtt_client_config_t *config)
{
    const struct verification_t *verify = &config->broker.verification;
    const struct authentication_t *own = &config->credentials.authentication;
    if (verify->use_global_ca_store || verify->psk_hint_key != NULL || verify->common_name != NULL ||
        verify->ciphersuites_list != NULL) {
        return refuse("broker.verification asks for a CA store, a PSK, another name or cipher suites");
    }
    if (config->network.transport != NULL || config->network.if_name != NULL) {
        return refuse("network asks for a transport of its own, or one interface");
    }
    if (own->use_secure_element || own->use_ecdsa_peripheral || own->ds_data != NULL) {
        return refuse("credentials.authentication asks for a key in hardware");
    }
    if (config->broker.address.transport > MQTT_TRANSPORT_OVER_SSL) {
        return refuse("broker.address asks for web sockets");
    }
    if (config->event_loop_handle != NULL) {
        return refuse("event_loop_handle asks for an event loop of the application's");
    }
    return true;
}

static bool set_broker(esp_mqtt_client_handle_t client, const esp_mqtt_client_config_t *config)
{
    const struct address_t *address = &config->broker.address;
    if (address->uri != NULL) {
        return client_set_uri(client, address->uri);
    }
    if (address->hostname == NULL) {
        return true; /* esp_mqtt_client_set_uri() follows */
    }
    bool is_tls = address->transport == MQTT_TRANSPORT_OVER_SSL;
    unsigned port = is_tls ? PORT_TLS : PORT_TCP;
    if (is_tls &&
        mosquitto_tls_set(client->mosquitto, NULL, SYSTEM_TRUST, NULL, NULL, NULL) != MOSQ_ERR_SUCCESS) {
        return refuse("TLS");
    }
    return set_address(client, address->hostname, strlen(address->hostname),
                       address->port != 0 ? address->port : port);
}

static bool set_session(esp_mqtt_client_handle_t client, const esp_mqtt_client_config_t *config)
{
    const struct last_will_t *will = &config->session.last_will;
    int len = will->msg_len != 0 || will->msg == NULL ? will->msg_len : (int)strlen(will->msg);
    if (will->topic != NULL && mosquitto_will_set(client->mosquitto, will->topic, len, will->msg, will->qos,
                                                  will->retain != 0) != MOSQ_ERR_SUCCESS) {
        return refuse("this last will");
    }
    const struct credentials_t *who = &config->credentials;
    if (who->username != NULL &&
        mosquitto_username_pw_set(client->mosquitto, who->username, who->authentication.password) !=
            MOSQ_ERR_SUCCESS) {
        return refuse("this user name");
    }
    static const int versions[] = {MQTT_PROTOCOL_V311, MQTT_PROTOCOL_V31, MQTT_PROTOCOL_V311,
                                   MQTT_PROTOCOL_V5};
    client->protocol = config->session.protocol_ver;
    (void)mosquitto_int_option(client->mosquitto, MOSQ_OPT_PROTOCOL_VERSION,
                               versions[config->session.protocol_ver % 4]); /* it takes each of these */
    return true;
}

static bool set_identity(esp_mqtt_client_handle_t client, const esp_mqtt_client_config_t *config)
{
    char made[24];
    uint8_t mac[6] = {0};
    (void)esp_efuse_mac_get_default(mac); /* each device has one */
    (void)snprintf(made, sizeof(made), "ESP32_%02x%02X%02X", mac[3], mac[4], mac[5]);
    const struct credentials_t *who = &config->credentials;
    const char *id = who->client_id != NULL ? who->client_id : made;
    bool clean = !config->session.disable_clean_session;
    return mosquitto_reinitialise(client->mosquitto, who->set_null_client_id ? NULL : id, clean, client) ==
               MOSQ_ERR_SUCCESS ||
           refuse("this client id");
}

/* ---- ESP-IDF 4's names ---- */

#define TAKE(to, from) ((to) = (to) != 0 ? (to) : (from))

/** The fields of ESP-IDF 4 where those of 5 are. */
static esp_mqtt_client_config_t in_shape_of_5(const esp_mqtt_client_config_t *given)
{
    esp_mqtt_client_config_t c = *given;
    TAKE(c.broker.address.uri, c.uri);
    TAKE(c.broker.address.hostname, c.host);
    TAKE(c.broker.address.transport, c.transport);
    TAKE(c.broker.address.path, c.path);
    TAKE(c.broker.address.port, c.port);
    TAKE(c.broker.verification.use_global_ca_store, c.use_global_ca_store);
    TAKE(c.broker.verification.crt_bundle_attach, c.crt_bundle_attach);
    TAKE(c.broker.verification.certificate, c.cert_pem);
    TAKE(c.broker.verification.certificate_len, c.cert_len);
    TAKE(c.broker.verification.psk_hint_key, c.psk_hint_key);
    TAKE(c.broker.verification.skip_cert_common_name_check, c.skip_cert_common_name_check);
    TAKE(c.broker.verification.alpn_protos, c.alpn_protos);
    TAKE(c.credentials.username, c.username);
    TAKE(c.credentials.client_id, c.client_id);
    TAKE(c.credentials.set_null_client_id, c.set_null_client_id);
    TAKE(c.credentials.authentication.password, c.password);
    TAKE(c.credentials.authentication.certificate, c.client_cert_pem);
    TAKE(c.credentials.authentication.certificate_len, c.client_cert_len);
    TAKE(c.credentials.authentication.key, c.client_key_pem);
    TAKE(c.credentials.authentication.key_len, c.client_key_len);
    TAKE(c.credentials.authentication.key_password, c.clientkey_password);
    TAKE(c.credentials.authentication.key_password_len, c.clientkey_password_len);
    TAKE(c.credentials.authentication.use_secure_element, c.use_secure_element);
    TAKE(c.credentials.authentication.ds_data, c.ds_data);
    TAKE(c.session.last_will.topic, c.lwt_topic);
    TAKE(c.session.last_will.msg, c.lwt_msg);
    TAKE(c.session.last_will.msg_len, c.lwt_msg_len);
    TAKE(c.session.last_will.qos, c.lwt_qos);
    TAKE(c.session.last_will.retain, c.lwt_retain);
    TAKE(c.session.disable_clean_session, c.disable_clean_session != 0);
    TAKE(c.session.keepalive, c.keepalive);
    TAKE(c.session.disable_keepalive, c.disable_keepalive);
    TAKE(c.session.protocol_ver, c.protocol_ver);
    TAKE(c.network.reconnect_timeout_ms, c.reconnect_timeout_ms);
    TAKE(c.network.timeout_ms, c.network_timeout_ms);
    TAKE(c.network.disable_auto_reconnect, c.disable_auto_reconnect);
    TAKE(c.task.priority, c.task_prio);
    TAKE(c.task.stack_size, c.task_stack);
    TAKE(c.buffer.size, c.buffer_size);
    return c;
}

bool client_configure(esp_mqtt_client_handle_t client, const esp_mqtt_client_config_t *given)
{
    const esp_mqtt_client_config_t whole = in_shape_of_5(given), *config = &whole;
    client->event_handle = given->event_handle;
    client->user_context = given->user_context;
    const int keepalive = config->session.keepalive;
    client->keepalive_s = config->session.disable_keepalive ? 0 : keepalive != 0 ? keepalive : KEEPALIVE_S;
    client->reconnect_ms =
        config->network.reconnect_timeout_ms != 0 ? config->network.reconnect_timeout_ms : RECONNECT_MS;
    client->accept_ms = config->network.timeout_ms != 0 ? config->network.timeout_ms : ACCEPT_MS;
    client->stay_connected = !config->network.disable_auto_reconnect;
    client->piece_size = config->buffer.size > 0 ? config->buffer.size : PIECE_SIZE;
    client->priority = (UBaseType_t)(config->task.priority > 0 ? config->task.priority : TASK_PRIORITY);
    client->stack_size =
        (uint32_t)(config->task.stack_size > STACK_MIN ? config->task.stack_size : STACK_MIN);
    if (!check(config) || !set_identity(client, config)) {
        return false;
    }
    client_set_callbacks(client);
    (void)mosquitto_threaded_set(client->mosquitto,
                                 true); /* a socket wakes the loop when another task publishes */
    client->outbox_limit = config->outbox.limit;
    if (!set_session(client, config) || !set_broker(client, config) || !set_tls(client, config) ||
        !set_alpn(client, config->broker.verification.alpn_protos)) {
        return false;
    }
    return !config->broker.verification.skip_cert_common_name_check ||
           mosquitto_tls_insecure_set(client->mosquitto, true) == MOSQ_ERR_SUCCESS;
}
