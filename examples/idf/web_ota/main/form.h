/* Finds the one file in a form (multipart/form-data, RFC 7578) that comes in pieces of any size. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "esp_err.h"

#define FORM_BOUNDARY_MAX 70 /* RFC 2046 */

typedef esp_err_t (*form_file_t)(void *arg, const void *data, size_t len);

typedef struct {
    char delimiter[FORM_BOUNDARY_MAX + 5]; /* what ends the file: \r\n--boundary */
    size_t delimiter_len;
    size_t matched;      /* of the delimiter, with the bytes before this one */
    size_t head_matched; /* of the empty line before the file */
    enum { FORM_HEAD, FORM_FILE, FORM_REST } at;
} form_t;

/* From the Content-Type of the request; ESP_ERR_INVALID_ARG: it is no form. */
esp_err_t form_begin(form_t *form, const char *content_type);
/* Gives what belongs to the file to `file`, whose error ends it. */
esp_err_t form_feed(form_t *form, const char *data, size_t len, form_file_t file, void *arg);
/* Whether the whole file has come. */
bool form_is_complete(const form_t *form);
