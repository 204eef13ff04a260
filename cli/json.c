/* Memory that is out is remembered: an object that lacks something is not printed. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clean_text.h"
#include "cli.h"

static bool is_incomplete;

void json_item(cJSON *object, const char *key, cJSON *item)
{
    if (item == NULL || !cJSON_AddItemToObject(object, key, item)) {
        cJSON_Delete(item);
        is_incomplete = true;
    }
}

void json_number(cJSON *object, const char *key, bool known, double value)
{
    json_item(object, key, known ? cJSON_CreateNumber(value) : cJSON_CreateNull());
}

void json_bool(cJSON *object, const char *key, bool known, bool value)
{
    json_item(object, key, known ? cJSON_CreateBool(value) : cJSON_CreateNull());
}

void json_text(cJSON *object, const char *key, const char *raw, size_t len)
{
    if (raw == NULL) {
        json_item(object, key, cJSON_CreateNull());
        return;
    }
    len = strnlen(raw, len);
    char *clean = malloc(CLEAN_TEXT_SIZE(len));
    json_item(object, key, clean != NULL ? cJSON_CreateString(clean_text(clean, raw, len)) : NULL);
    free(clean);
}

void json_string(cJSON *object, const char *key, const char *text)
{
    json_text(object, key, text, text != NULL ? strlen(text) : 0);
}

int json_print(const char *verb, cJSON *object)
{
    char *text = object != NULL && !is_incomplete ? cJSON_Print(object) : NULL;
    cJSON_Delete(object);
    if (text == NULL) {
        return cli_fail(verb, "out of memory");
    }
    puts(text);
    free(text);
    return EXIT_DONE;
}
