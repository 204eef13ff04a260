/* What the application is told of its exchange: events, also to a mirror of them, and the last failure. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "esp_log.h"
#include "http/client_internal.h"
#include "http/event_mirror.h"
#include "otter/system.h"

static const char TAG[] = "HTTP_CLIENT";

const char *const ESP_HTTP_CLIENT_EVENT = "ESP_HTTP_CLIENT_EVENT";

static otter_http_event_mirror_t event_mirror;

void otter_http_set_event_mirror(otter_http_event_mirror_t mirror)
{
    otter_lock(OTTER_LOCK_SYSTEM);
    event_mirror = mirror;
    otter_unlock(OTTER_LOCK_SYSTEM);
}

static void mirror_event(esp_http_client_handle_t client, esp_http_client_event_id_t id)
{
    otter_lock(OTTER_LOCK_SYSTEM);
    otter_http_event_mirror_t mirror = event_mirror;
    otter_unlock(OTTER_LOCK_SYSTEM);
    if (mirror == NULL) {
        return;
    }
    if (id == HTTP_EVENT_ON_DATA) {
        esp_http_client_on_data_t data = {client, client->response.body_done};
        mirror((int32_t)id, &data, sizeof(data));
    } else if (id == HTTP_EVENT_REDIRECT) {
        esp_http_client_redirect_event_data_t data = {client, client->status};
        mirror((int32_t)id, &data, sizeof(data));
    } else {
        mirror((int32_t)id, &client, sizeof(client));
    }
}

static void tell(esp_http_client_handle_t client, esp_http_client_event_t *event)
{
    if (client->config.event_handler != NULL) {
        event->client = client;
        event->user_data = client->config.user_data;
        (void)client->config.event_handler(event); /* ESP-IDF ignores the result too */
    }
    mirror_event(client, event->event_id);
}

void http_client_event(esp_http_client_handle_t client, esp_http_client_event_id_t id, void *data, int len)
{
    esp_http_client_event_t event = {.event_id = id, .data = data, .data_len = len};
    tell(client, &event);
}

void http_client_header_event(esp_http_client_handle_t client, char *key, char *value)
{
    esp_http_client_event_t event = {
        .event_id = HTTP_EVENT_ON_HEADER, .header_key = key, .header_value = value};
    tell(client, &event);
}

/** The transport's lines; the end of the stream and a silent server are no faults there. */
static void log_transport(const esp_http_client_handle_t client, bool sending,
                          const otter_transport_error_t *cause)
{
    if (cause->tls_code != 0) {
        ESP_LOGE("esp-tls-mbedtls", "%s error :-0x%04X", sending ? "write" : "read",
                 (unsigned)cause->tls_code);
    }
    ESP_LOGE("transport_base", "%s%s error, errno=%s", client->url.https ? "esp_tls_conn_" : "tcp_",
             sending ? "write" : "read", strerror(cause->sys_errno));
}

/** ESP-IDF's lines about bytes that could not be moved, from below. */
static void log_io(esp_http_client_handle_t client, http_stage_t stage, const otter_transport_error_t *cause)
{
    const bool sending = stage == HTTP_STAGE_SEND;
    const bool late = cause->fault.code == ESP_ERR_TCP_TRANSPORT_CONNECTION_TIMEOUT;
    const bool end = cause->fault.code == ESP_ERR_TCP_TRANSPORT_CONNECTION_CLOSED_BY_FIN;
    if (late && sending) {
        ESP_LOGW("transport_base", "Poll timeout or error, errno=%s, fd=%d, timeout_ms=%d",
                 strerror(cause->sys_errno), client->transport->ops->descriptor(client->transport),
                 client->timeout_ms);
    } else if (late && stage == HTTP_STAGE_HEADER) {
        ESP_LOGW(TAG, "Connection timed out before data was ready!");
    } else if (!late && !end) {
        log_transport(client, sending, cause);
    }
    if (sending) {
        ESP_LOGE(TAG, "Error write request");
    } else if (stage == HTTP_STAGE_BODY && !late) {
        /* what its transports return: -1 the end, -2 a failure of TCP, and what mbedTLS says as it is */
        const int result = end ? -1 : cause->tls_code != 0 ? -cause->tls_code : -2;
        ESP_LOGW(TAG, "esp_transport_read returned:%d and errno:%d ", result, cause->sys_errno);
        if (!end) {
            esp_err_t err = cause->tls_code != 0 ? ESP_FAIL : ESP_ERR_TCP_TRANSPORT_CONNECTION_FAILED;
            ESP_LOGE(TAG, "transport_read: error - %d | %s", err, esp_err_to_name(err));
        }
    }
}

void http_client_fail(esp_http_client_handle_t client, http_stage_t stage,
                      const otter_transport_error_t *cause)
{
    const int kept = errno; /* neither the log nor the callback may change what the caller is told */
    if (stage >= HTTP_STAGE_SEND && cause->sys_errno != 0) { /* else it is what came that is wrong */
        log_io(client, stage, cause);
    }
    client->failure = (http_failure_t){.stage = stage, .cause = *cause};
    client->tls_error.last_error = cause->fault.code;
    client->tls_error.esp_tls_error_code = cause->tls_code;
    client->tls_error.esp_tls_flags = cause->tls_verify;
    http_client_event(client, HTTP_EVENT_ERROR, &client->tls_error, 0);
    errno = kept;
}

esp_err_t http_client_refuse(esp_http_client_handle_t client, http_stage_t stage, esp_err_t code,
                             const char *format, ...)
{
    otter_transport_error_t cause = {.fault.code = code};
    va_list args;
    va_start(args, format);
    otter_vfault(&cause.fault, code, format, args);
    va_end(args);
    http_client_fail(client, stage, &cause);
    return code;
}

const http_failure_t *http_client_last_failure(esp_http_client_handle_t client)
{
    return &client->failure;
}

const otter_transport_error_t *otter_http_client_error(esp_http_client_handle_t client)
{
    return &client->failure.cause;
}

esp_err_t esp_tls_get_and_clear_last_error(esp_tls_error_handle_t h, int *esp_tls_code, int *esp_tls_flags)
{
    if (h == NULL) {
        return ESP_ERR_INVALID_STATE;
    }
    if (esp_tls_code != NULL) {
        *esp_tls_code = h->esp_tls_error_code;
    }
    if (esp_tls_flags != NULL) {
        *esp_tls_flags = h->esp_tls_flags;
    }
    esp_err_t err = h->last_error;
    memset(h, 0, sizeof(*h));
    return err;
}

esp_err_t esp_http_client_get_and_clear_last_tls_error(esp_http_client_handle_t client, int *esp_tls_code,
                                                       int *esp_tls_flags)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    return esp_tls_get_and_clear_last_error(&client->tls_error, esp_tls_code, esp_tls_flags);
}

int esp_http_client_get_errno(esp_http_client_handle_t client)
{
    return client != NULL ? client->failure.cause.sys_errno : -1;
}
