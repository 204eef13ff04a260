/* A redirect to another server drops credentials (client.c), so they are kept here with the URL and put back with it. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "http/home.h"

#include <stdlib.h>
#include <string.h>

#include "otter/text.h"
#include "http/client_internal.h"

/** *copy = text. @return false: no memory */
static bool keep_text(char **copy, const char *text)
{
    *copy = text_copy(text);
    return *copy != NULL || text == NULL;
}

esp_err_t http_home_keep(esp_http_client_handle_t client, http_home_t *home)
{
    http_home_free(home);
    home->url = http_url_text(&client->url);
    home->url_credentials = client->url_credentials;
    if (home->url == NULL || !keep_text(&home->username, client->username) ||
        !keep_text(&home->password, client->password) ||
        !keep_text(&home->authorization, http_headers_get(&client->headers, "Authorization")) ||
        !keep_text(&home->cookie, http_headers_get(&client->headers, "Cookie"))) {
        http_home_free(home);
        return ESP_ERR_NO_MEM;
    }
    return ESP_OK;
}

static esp_err_t set_header(esp_http_client_handle_t client, const char *key, const char *value)
{
    return value != NULL ? esp_http_client_set_header(client, key, value) : ESP_OK;
}

esp_err_t http_home_return(esp_http_client_handle_t client, const http_home_t *home)
{
    esp_err_t err = esp_http_client_set_url(client, home->url);
    if (err == ESP_OK) {
        err = esp_http_client_set_username(client, home->username);
    }
    if (err == ESP_OK) {
        err = esp_http_client_set_password(client, home->password);
    }
    if (err == ESP_OK) {
        err = set_header(client, "Authorization", home->authorization);
    }
    if (err == ESP_OK) {
        err = set_header(client, "Cookie", home->cookie);
    }
    client->url_credentials = home->url_credentials;
    return err;
}

void http_home_free(http_home_t *home)
{
    free(home->url);
    free(home->username);
    free(home->password);
    free(home->authorization);
    free(home->cookie);
    memset(home, 0, sizeof(*home));
}
