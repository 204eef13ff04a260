/* The whole exchange in one call: request, redirects, body to the event handler. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "http/client_internal.h"

#include <limits.h>

#include "esp_log.h"

static const char TAG[] = "HTTP_CLIENT";

#define DRAIN_MAX 65536 /* the body of a redirect or a 401 beyond this costs more than a new connection */

/** @return what esp_http_client_perform() says to a failed fetch_headers */
static esp_err_t fetch_error(esp_http_client_handle_t client, int64_t result)
{
    if (result == -ESP_ERR_HTTP_EAGAIN) {
        return ESP_ERR_HTTP_EAGAIN;
    }
    bool silent = client->response.head.len == 0 &&
                  client->failure.cause.fault.code == ESP_ERR_TCP_TRANSPORT_CONNECTION_CLOSED_BY_FIN;
    return silent ? ESP_ERR_HTTP_CONNECTION_CLOSED : ESP_ERR_HTTP_FETCH_HEADER;
}

static esp_err_t exchange(esp_http_client_handle_t client)
{
    esp_err_t err = esp_http_client_open(client, client->post_len);
    if (err != ESP_OK) {
        return err;
    }
    if (client->post_len > 0 &&
        esp_http_client_write(client, client->post_data, client->post_len) != client->post_len) {
        return ESP_ERR_HTTP_WRITE_DATA;
    }
    int64_t result = esp_http_client_fetch_headers(client);
    return result >= 0 ? ESP_OK : fetch_error(client, result);
}

static bool is_redirect(int status)
{
    return status == HttpStatus_MovedPermanently || status == HttpStatus_Found ||
           status == HttpStatus_SeeOther || status == HttpStatus_TemporaryRedirect ||
           status == HttpStatus_PermanentRedirect;
}

/** The body of a redirect or a 401 does not matter; what matters is whether the connection is clean after it. */
static void drop_body(esp_http_client_handle_t client)
{
    const http_response_t *response = &client->response;
    bool small = response->body != BODY_LENGTH || response->content_length <= DRAIN_MAX;
    int n = small && response->persistent ? 1 : 0;
    (void)http_response_drop_cached(client);
    while (n > 0 && !response->end_seen && response->body_done <= DRAIN_MAX) {
        n = esp_http_client_read(client, client->rx,
                                 client->rx_size < INT_MAX ? (int)client->rx_size : INT_MAX);
    }
    if (!response->end_seen || !response->persistent) {
        http_connection_close(client);
    }
}

/** If the handler asks for another request, it may have closed the connection for that: then the body need not be whole. */
static esp_err_t deliver_body(esp_http_client_handle_t client)
{
    bool whole = esp_http_client_flush_response(client, NULL) == ESP_OK;
    return whole || client->again ? ESP_OK : ESP_ERR_HTTP_INCOMPLETE_DATA;
}

static esp_err_t limit_reached(esp_http_client_handle_t client)
{
    ESP_LOGE(TAG, "Error, reach max_redirection_count count=%d", client->redirect_count);
    return ESP_ERR_HTTP_MAX_REDIRECT;
}

/** Goes where a redirect points. The event handler may have done that already, by esp_http_client_set_redirection(). */
static esp_err_t follow_redirect(esp_http_client_handle_t client)
{
    if (client->config.disable_auto_redirect && !client->again) {
        http_client_event(client, HTTP_EVENT_REDIRECT, NULL, 0);
        if (!client->again) {
            return deliver_body(client);
        }
    }
    drop_body(client);
    return client->again ? ESP_OK : esp_http_client_set_redirection(client);
}

static esp_err_t act_on_status(esp_http_client_handle_t client)
{
    int status = client->status;
    if (status / 100 == 2) {
        return deliver_body(client);
    }
    if (status == HttpStatus_Unauthorized) {
        drop_body(client);
        return client->again ? ESP_OK : esp_http_client_add_auth(client);
    }
    if (client->redirect_count >= client->config.max_redirection_count && !client->again) {
        return limit_reached(client);
    }
    return is_redirect(status) ? follow_redirect(client) : deliver_body(client);
}

/** One request and its answer; client->again tells whether there must be another. */
static esp_err_t go_round(esp_http_client_handle_t client)
{
    client->again = false;
    esp_err_t err = exchange(client);
    if (err == ESP_OK) {
        err = act_on_status(client);
    } else if (client->again) {
        err = ESP_OK; /* the handler has asked for another request, so this answer does not matter */
    }
    if (err == ESP_OK && !client->again) {
        http_client_event(client, HTTP_EVENT_ON_FINISH, NULL, 0);
    }
    bool too_often = client->again && client->redirect_count > client->config.max_redirection_count;
    return too_often ? limit_reached(client) : err;
}

esp_err_t esp_http_client_perform(esp_http_client_handle_t client)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    client->redirect_count = client->auth_count = 0; /* a failed call must not spoil the next one */
    esp_err_t err;
    do {
        err = go_round(client);
    } while (err == ESP_OK && client->again);
    if (err != ESP_OK || !client->response.persistent) {
        http_connection_close(client);
    }
    return err;
}
