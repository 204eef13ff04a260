/* An ordered list of HTTP header fields in a growing array. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "http/headers.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* RFC 9110, section 5.6.2: what a field name is made of, besides letters and digits. */
static const char token_marks[] = "!#$%&'*+-.^_`|~";

bool http_name_equal(const char *a, const char *b)
{
    while (*a != '\0' && tolower((unsigned char)*a) == tolower((unsigned char)*b)) {
        a++;
        b++;
    }
    return *a == *b;
}

bool http_is_name_char(char c)
{
    return isalnum((unsigned char)c) || (c != '\0' && strchr(token_marks, c) != NULL);
}

static bool is_name(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (!http_is_name_char(text[i])) {
            return false;
        }
    }
    return len > 0;
}

static bool is_value(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if ((c < ' ' && c != '\t') || c == 0x7F) {
            return false;
        }
    }
    return true;
}

static const char *trim(const char *text, size_t *len)
{
    while (*text == ' ' || *text == '\t') {
        text++;
    }
    *len = strlen(text);
    while (*len > 0 && (text[*len - 1] == ' ' || text[*len - 1] == '\t')) {
        (*len)--;
    }
    return text;
}

static esp_err_t make(const char *key, const char *value, http_header_t *out)
{
    size_t key_len, value_len;
    key = trim(key, &key_len);
    value = trim(value, &value_len);
    if (!is_name(key, key_len) || !is_value(value, value_len)) {
        return ESP_ERR_INVALID_ARG;
    }
    char *block = malloc(key_len + value_len + 2);
    if (block == NULL) {
        return ESP_ERR_NO_MEM;
    }
    out->key = block;
    out->value = block + key_len + 1;
    memcpy(out->key, key, key_len);
    memcpy(out->value, value, value_len);
    out->key[key_len] = '\0';
    out->value[value_len] = '\0';
    return ESP_OK;
}

static bool grow(http_headers_t *list)
{
    if (list->count < list->capacity) {
        return true;
    }
    size_t capacity = list->capacity == 0 ? 8 : 2 * list->capacity;
    http_header_t *items = realloc(list->items, capacity * sizeof(*items));
    if (items == NULL) {
        return false;
    }
    list->items = items;
    list->capacity = capacity;
    return true;
}

esp_err_t http_headers_append(http_headers_t *list, const char *key, const char *value)
{
    if (!grow(list)) {
        return ESP_ERR_NO_MEM;
    }
    http_header_t made;
    esp_err_t err = make(key, value, &made);
    if (err == ESP_OK) {
        list->items[list->count++] = made;
    }
    return err;
}

static http_header_t *find(const http_headers_t *list, const char *key)
{
    for (size_t i = 0; i < list->count; i++) {
        if (http_name_equal(list->items[i].key, key)) {
            return &list->items[i];
        }
    }
    return NULL;
}

esp_err_t http_headers_set(http_headers_t *list, const char *key, const char *value)
{
    http_header_t made;
    esp_err_t err = make(key, value, &made);
    if (err != ESP_OK) {
        return err;
    }
    http_header_t *old = find(list, made.key);
    if (old == NULL) {
        if (!grow(list)) {
            free(made.key);
            return ESP_ERR_NO_MEM;
        }
        list->items[list->count++] = made;
        return ESP_OK;
    }
    free(old->key);
    *old = made;
    return ESP_OK;
}

char *http_headers_get(const http_headers_t *list, const char *key)
{
    const http_header_t *found = find(list, key);
    return found != NULL ? found->value : NULL;
}

esp_err_t http_headers_remove(http_headers_t *list, const char *key)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (http_name_equal(list->items[i].key, key)) {
            free(list->items[i].key);
        } else {
            list->items[kept++] = list->items[i];
        }
    }
    if (kept == list->count) {
        return ESP_ERR_NOT_FOUND;
    }
    list->count = kept;
    return ESP_OK;
}

void http_headers_clear(http_headers_t *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].key);
    }
    free(list->items);
    memset(list, 0, sizeof(*list));
}
