/* How much of an image is in flash already, kept over resets and power cuts. */
#pragma once

#include <stddef.h>

#include "esp_err.h"

/** Bytes of what lies at `url` that are in the slot; 0: none, or they are of something else. */
size_t progress_of(const char *url);

/** Call it as often as you like: it writes when there is much to say. */
esp_err_t progress_save(const char *url, size_t written);

/** The download is over, or what it brought is no good. */
esp_err_t progress_forget(void);
