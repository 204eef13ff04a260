/* What a client and its server say by HTTP before frames begin. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "client.h"
#include "esp_log.h"
#include "esp_timer.h"
#include "otter_websocket.h"

static const char TAG[] = "websocket_client";

static bool ask(esp_websocket_client_handle_t client, const char *key)
{
    const place_t *place = &client->place;
    char *text = NULL;
    bool protocol = client->subprotocol != NULL;
    int len = asprintf(&text,
                       "GET %s HTTP/1.1\r\nHost: %s:%d\r\nUser-Agent: %s\r\nUpgrade: websocket\r\n"
                       "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n"
                       "%s%s%s%s%s\r\n",
                       place->path, place->host, place->port,
                       client->user_agent != NULL ? client->user_agent : "ESP32 Websocket Client", key,
                       protocol ? "Sec-WebSocket-Protocol: " : "", protocol ? client->subprotocol : "",
                       protocol ? "\r\n" : "", client->credentials, place->fields);
    bool ok = len > 0 && stream_write(client, text, (size_t)len);
    free(text);
    return ok;
}

/** Reads the answer, up to its empty line. */
static bool read_answer(esp_websocket_client_handle_t client)
{
    const int64_t until = esp_timer_get_time() + 10 * 1000000;
    client->head_len = client->head_at = 0;
    while (esp_timer_get_time() < until && client->head_len < HEAD_SIZE - 1 && !client->stops) {
        ssize_t got = stream_read(client, client->head + client->head_len, HEAD_SIZE - 1 - client->head_len);
        if (got < 0) {
            return false;
        }
        client->head_len += (size_t)got;
        client->head[client->head_len] = '\0';
        client->head_at = otter_websocket_end_head(client->head);
        if (client->head_at != 0) {
            return true;
        }
        if (got == 0) {
            (void)stream_wait(client, 100);
        }
    }
    return false;
}

esp_err_t handshake(esp_websocket_client_handle_t client)
{
    char key[OTTER_WEBSOCKET_KEY_SIZE], accept[OTTER_WEBSOCKET_ACCEPT_SIZE];
    client->status = 0;
    if (!otter_websocket_challenge(key, accept) || !ask(client, key) || !read_answer(client)) {
        ESP_LOGE(TAG, "%s does not answer", client->place.host);
        return ESP_FAIL;
    }
    client->status = otter_websocket_status(client->head);
    if (!otter_websocket_is_accepted(client->head, accept)) {
        ESP_LOGE(TAG, "%s%s is no web socket: %.60s", client->place.host, client->place.path, client->head);
        return ESP_FAIL;
    }
    return ESP_OK;
}
