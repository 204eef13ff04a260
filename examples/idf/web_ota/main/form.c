/* Head of the part, "\r\n\r\n", the file, "\r\n--boundary", the rest. A delimiter begins with \r and has no other one. */
#include "form.h"

#include <stdio.h>
#include <string.h>

static const char end_of_head[] = "\r\n\r\n";

esp_err_t form_begin(form_t *form, const char *content_type)
{
    static const char type[] = "multipart/form-data", name[] = "boundary=";
    *form = (form_t){.at = FORM_HEAD};
    const char *boundary = strstr(content_type, name);
    if (strncmp(content_type, type, strlen(type)) != 0 || boundary == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    boundary += strlen(name);
    boundary += *boundary == '"';
    size_t len = strcspn(boundary, "\"; ");
    if (len == 0 || len > FORM_BOUNDARY_MAX) {
        return ESP_ERR_INVALID_ARG;
    }
    form->delimiter_len =
        (size_t)snprintf(form->delimiter, sizeof(form->delimiter), "\r\n--%.*s", (int)len, boundary);
    return ESP_OK;
}

/* The next byte of a text that begins with \r and may have more of them. */
static size_t match(const char *text, size_t matched, char byte)
{
    if (byte == text[matched]) {
        return matched + 1;
    }
    return byte == '\r' ? 1 : 0;
}

static size_t find_file(form_t *form, const char *data, size_t len)
{
    size_t used = 0;
    while (used < len && form->at == FORM_HEAD) {
        form->head_matched = match(end_of_head, form->head_matched, data[used++]);
        if (form->head_matched == strlen(end_of_head)) {
            form->at = FORM_FILE;
        }
    }
    return used;
}

/* What looked like the delimiter and is none belongs to the file. */
static esp_err_t give_back(form_t *form, size_t now, form_file_t file, void *arg)
{
    size_t before = form->matched;
    form->matched = now;
    return file(arg, form->delimiter, before);
}

static esp_err_t feed_file(form_t *form, const char *data, size_t len, form_file_t file, void *arg)
{
    size_t from = 0; /* of what is surely the file's */
    for (size_t i = 0; i < len && form->at == FORM_FILE; i++) {
        size_t now = match(form->delimiter, form->matched, data[i]);
        if (now == form->matched + 1) { /* perhaps the delimiter */
            if (form->matched == 0 && i > from) {
                esp_err_t err = file(arg, data + from, i - from);
                if (err != ESP_OK) {
                    return err;
                }
            }
            form->matched = now;
            from = i + 1;
        } else if (form->matched > 0) {
            esp_err_t err = give_back(form, now, file, arg);
            if (err != ESP_OK) {
                return err;
            }
            from = now > 0 ? i + 1 : i;
        }
        if (form->matched == form->delimiter_len) {
            form->at = FORM_REST;
        }
    }
    return form->at == FORM_FILE && len > from ? file(arg, data + from, len - from) : ESP_OK;
}

esp_err_t form_feed(form_t *form, const char *data, size_t len, form_file_t file, void *arg)
{
    size_t used = find_file(form, data, len);
    return form->at == FORM_FILE ? feed_file(form, data + used, len - used, file, arg) : ESP_OK;
}

bool form_is_complete(const form_t *form)
{
    return form->at == FORM_REST;
}
