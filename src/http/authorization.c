/* Authorization: when a server's challenge is taken, and what each request carries to answer it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "http/client_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esp_log.h"
#include "otter/system.h"

static const char TAG[] = "HTTP_CLIENT";

#define CNONCE_BYTES  16u
#define AUTH_DATA_MAX 4096u

void http_client_forget_challenge(esp_http_client_handle_t client)
{
    http_challenge_free(&client->challenge);
    free(client->auth_data);
    client->auth_data = NULL;
    client->nonce_count = 0;
    client->auth_count = 0;
}

esp_err_t esp_http_client_set_auth_data(esp_http_client_handle_t client, const char *auth_data, int len)
{
    if (client == NULL || auth_data == NULL || len <= 0) {
        return ESP_ERR_INVALID_ARG;
    }
    size_t used = client->auth_data != NULL ? strlen(client->auth_data) : 0;
    if ((size_t)len > AUTH_DATA_MAX - used || memchr(auth_data, '\0', (size_t)len) != NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    char *text = realloc(client->auth_data, used + (size_t)len + 1);
    if (text == NULL) {
        return ESP_ERR_NO_MEM;
    }
    memcpy(text + used, auth_data, (size_t)len);
    text[used + (size_t)len] = '\0';
    client->auth_data = text;
    return ESP_OK;
}

esp_err_t esp_http_client_add_auth(esp_http_client_handle_t client)
{
    if (client == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (!client->response.head_done) {
        return ESP_OK; /* as ESP-IDF: there is no challenge to take */
    }
    if (client->auth_count >= client->config.max_authorization_retries) {
        ESP_LOGE(TAG, "Error, reached max_authorization_retries count=%d", client->auth_count);
        return ESP_FAIL;
    }
    if (client->username == NULL) {
        ESP_LOGE(TAG, "The server wants authentication, and there is no user name to give");
        return ESP_ERR_NOT_SUPPORTED;
    }
    /* An application that asks for Digest wants its password kept secret: Basic is not answered, even if the server offers it. */
    bool no_basic = client->config.auth_type == HTTP_AUTH_TYPE_DIGEST;
    http_challenge_t challenge;
    esp_err_t err = http_auth_choose(&client->response.head.headers, client->auth_data, no_basic, &challenge);
    if (err != ESP_OK) {
        ESP_LOGE(
            TAG,
            "This request requires authentication, but does not provide a challenge that can be answered");
        return err;
    }
    http_challenge_free(&client->challenge);
    client->challenge = challenge;
    client->nonce_count = 0;
    client->auth_count++;
    client->again = true;
    return ESP_OK;
}

bool http_client_answers_challenge(esp_http_client_handle_t client)
{
    return client->challenge.scheme != HTTP_AUTH_NONE && client->username != NULL;
}

/** The target as the request line has it, for the caller to free; NULL: no memory. */
static char *request_uri(const http_url_t *url)
{
    size_t size = strlen(url->path) + 2 + (url->query != NULL ? strlen(url->query) : 0);
    char *uri = malloc(size);
    if (uri != NULL) {
        snprintf(uri, size, "%s%s%s", url->path, url->query != NULL ? "?" : "",
                 url->query != NULL ? url->query : "");
    }
    return uri;
}

static esp_err_t answer_challenge(esp_http_client_handle_t client, char **value)
{
    uint8_t random[CNONCE_BYTES];
    char cnonce[2 * CNONCE_BYTES + 1];
    otter_random(random, sizeof(random));
    for (size_t i = 0; i < CNONCE_BYTES; i++) {
        snprintf(cnonce + 2 * i, 3, "%02x", random[i]);
    }
    char *uri = request_uri(&client->url);
    if (uri == NULL) {
        return ESP_ERR_NO_MEM;
    }
    const http_auth_request_t request = {
        .user = client->username,
        .password = client->password,
        .method = http_method_name(client->config.method),
        .uri = uri,
        .cnonce = cnonce,
        .nonce_count = ++client->nonce_count,
    };
    esp_err_t err = http_auth_answer(&client->challenge, &request, value);
    free(uri);
    return err;
}

/** Credentials that need no challenge: the application chose Basic, or wrote them into the URL. */
static bool basic_is_due(esp_http_client_handle_t client)
{
    return (client->config.auth_type == HTTP_AUTH_TYPE_BASIC ||
            (client->config.auth_type == HTTP_AUTH_TYPE_NONE && client->url_credentials)) &&
           http_headers_get(&client->headers, "Authorization") == NULL;
}

esp_err_t http_client_authorization(esp_http_client_handle_t client, char **value)
{
    if (http_client_answers_challenge(client)) {
        return answer_challenge(client, value);
    }
    if (client->username == NULL || !basic_is_due(client)) {
        return ESP_OK;
    }
    const http_challenge_t basic = {.scheme = HTTP_AUTH_BASIC};
    const http_auth_request_t request = {.user = client->username, .password = client->password};
    return http_auth_answer(&basic, &request, value);
}
