/* Objects for --json: values that may not be known, texts that anybody wrote, and the one way to print them. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

/* Each adds one value; null where it is not known. That memory was out is told by json_print(). */
void json_number(cJSON *object, const char *key, bool known, double value);
void json_bool(cJSON *object, const char *key, bool known, bool value);
void json_item(cJSON *object, const char *key, cJSON *item); /* takes `item` over; NULL: memory was out */

/** A text up to its first 0 or `len` bytes, made fit for a terminal (clean_text.h). NULL: null. */
void json_text(cJSON *object, const char *key, const char *raw, size_t len);

/** The same of a text that ends by itself. */
void json_string(cJSON *object, const char *key, const char *text);

/** Prints an object and frees it. @return EXIT_DONE; EXIT_FAILED after saying that memory was out while it was made */
int json_print(const char *verb, cJSON *object);
