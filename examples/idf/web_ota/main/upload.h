/* An update that comes in pieces, from whoever has them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "esp_err.h"
#include "esp_ota_ops.h"

typedef struct {
    const esp_partition_t *slot;
    esp_ota_handle_t ota;
    bool open;
    size_t total;
} upload_t;

/* The slot for it is chosen; nothing is erased before bytes come. */
esp_err_t upload_begin(upload_t *upload);
esp_err_t upload_write(upload_t *upload, const void *data, size_t len);
/* What is in flash is verified, and boots next. */
esp_err_t upload_end(upload_t *upload);
void upload_abort(upload_t *upload);
