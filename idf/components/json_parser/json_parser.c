/* A place in what cJSON has read. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "json_parser.h"

#include <limits.h>
#include <stddef.h>
#include <string.h>

#include <cjson/cJSON.h>

int json_parse_start(jparse_ctx_t *jctx, const char *js, int len)
{
    if (jctx == NULL || js == NULL || len <= 0) {
        return OS_FAIL;
    }
    jctx->entered[0] = cJSON_ParseWithLength(js, (size_t)len);
    jctx->depth = jctx->entered[0] != NULL ? 1 : 0;
    return jctx->depth > 0 ? OS_SUCCESS : OS_FAIL;
}

int json_parse_end(jparse_ctx_t *jctx)
{
    if (jctx != NULL && jctx->depth > 0) {
        cJSON_Delete(jctx->entered[0]);
        jctx->depth = 0;
    }
    return OS_SUCCESS;
}

static cJSON *here(const jparse_ctx_t *jctx)
{
    return jctx != NULL && jctx->depth > 0 ? jctx->entered[jctx->depth - 1] : NULL;
}

static cJSON *named(const jparse_ctx_t *jctx, const char *name)
{
    return cJSON_IsObject(here(jctx)) ? cJSON_GetObjectItemCaseSensitive(here(jctx), name) : NULL;
}

static cJSON *numbered(const jparse_ctx_t *jctx, uint32_t index)
{
    return cJSON_IsArray(here(jctx)) && index <= INT_MAX ? cJSON_GetArrayItem(here(jctx), (int)index) : NULL;
}

static int enter(jparse_ctx_t *jctx, cJSON *item, cJSON_bool (*is_kind)(const cJSON *item))
{
    if (!is_kind(item) || jctx->depth == JPARSE_DEPTH_MAX) {
        return OS_FAIL;
    }
    jctx->entered[jctx->depth++] = item;
    return OS_SUCCESS;
}

static int leave(jparse_ctx_t *jctx, cJSON_bool (*is_kind)(const cJSON *item))
{
    if (!is_kind(here(jctx)) || jctx->depth < 2) {
        return OS_FAIL;
    }
    jctx->depth--;
    return OS_SUCCESS;
}

static int read_bool(const cJSON *item, bool *val)
{
    if (!cJSON_IsBool(item)) {
        return OS_FAIL;
    }
    *val = cJSON_IsTrue(item);
    return OS_SUCCESS;
}

static int read_int64(const cJSON *item, int64_t *val)
{
    if (!cJSON_IsNumber(item) || item->valuedouble < (double)INT64_MIN || item->valuedouble >= 0x1p63) {
        return OS_FAIL;
    }
    *val = (int64_t)item->valuedouble;
    return OS_SUCCESS;
}

static int read_int(const cJSON *item, int *val)
{
    int64_t wide;
    if (read_int64(item, &wide) != OS_SUCCESS || wide < INT_MIN || wide > INT_MAX) {
        return OS_FAIL;
    }
    *val = (int)wide;
    return OS_SUCCESS;
}

static int read_float(const cJSON *item, float *val)
{
    if (!cJSON_IsNumber(item)) {
        return OS_FAIL;
    }
    *val = (float)item->valuedouble;
    return OS_SUCCESS;
}

static int read_string(const cJSON *item, char *val, int size)
{
    const size_t length = cJSON_IsString(item) ? strlen(item->valuestring) : 0;
    if (!cJSON_IsString(item) || size <= 0 || length >= (size_t)size) {
        return OS_FAIL;
    }
    memcpy(val, item->valuestring, length + 1);
    return OS_SUCCESS;
}

static int read_length(const cJSON *item, int *length)
{
    if (!cJSON_IsString(item)) {
        return OS_FAIL;
    }
    *length = (int)strlen(item->valuestring);
    return OS_SUCCESS;
}

int json_obj_get_array(jparse_ctx_t *jctx, const char *name, int *num_elem)
{
    cJSON *item = named(jctx, name);
    int found = enter(jctx, item, cJSON_IsArray);
    if (found == OS_SUCCESS) {
        *num_elem = cJSON_GetArraySize(item);
    }
    return found;
}

int json_obj_leave_array(jparse_ctx_t *jctx)
{
    return leave(jctx, cJSON_IsArray);
}

int json_obj_get_object(jparse_ctx_t *jctx, const char *name)
{
    return enter(jctx, named(jctx, name), cJSON_IsObject);
}

int json_obj_leave_object(jparse_ctx_t *jctx)
{
    return leave(jctx, cJSON_IsObject);
}

int json_obj_get_bool(jparse_ctx_t *jctx, const char *name, bool *val)
{
    return read_bool(named(jctx, name), val);
}

int json_obj_get_int(jparse_ctx_t *jctx, const char *name, int *val)
{
    return read_int(named(jctx, name), val);
}

int json_obj_get_int64(jparse_ctx_t *jctx, const char *name, int64_t *val)
{
    return read_int64(named(jctx, name), val);
}

int json_obj_get_float(jparse_ctx_t *jctx, const char *name, float *val)
{
    return read_float(named(jctx, name), val);
}

int json_obj_get_string(jparse_ctx_t *jctx, const char *name, char *val, int size)
{
    return read_string(named(jctx, name), val, size);
}

int json_obj_get_strlen(jparse_ctx_t *jctx, const char *name, int *length)
{
    return read_length(named(jctx, name), length);
}

int json_arr_get_array(jparse_ctx_t *jctx, uint32_t index)
{
    return enter(jctx, numbered(jctx, index), cJSON_IsArray);
}

int json_arr_leave_array(jparse_ctx_t *jctx)
{
    return leave(jctx, cJSON_IsArray);
}

int json_arr_get_object(jparse_ctx_t *jctx, uint32_t index)
{
    return enter(jctx, numbered(jctx, index), cJSON_IsObject);
}

int json_arr_leave_object(jparse_ctx_t *jctx)
{
    return leave(jctx, cJSON_IsObject);
}

int json_arr_get_bool(jparse_ctx_t *jctx, uint32_t index, bool *val)
{
    return read_bool(numbered(jctx, index), val);
}

int json_arr_get_int(jparse_ctx_t *jctx, uint32_t index, int *val)
{
    return read_int(numbered(jctx, index), val);
}

int json_arr_get_int64(jparse_ctx_t *jctx, uint32_t index, int64_t *val)
{
    return read_int64(numbered(jctx, index), val);
}

int json_arr_get_float(jparse_ctx_t *jctx, uint32_t index, float *val)
{
    return read_float(numbered(jctx, index), val);
}

int json_arr_get_string(jparse_ctx_t *jctx, uint32_t index, char *val, int size)
{
    return read_string(numbered(jctx, index), val, size);
}

int json_arr_get_strlen(jparse_ctx_t *jctx, uint32_t index, int *length)
{
    return read_length(numbered(jctx, index), length);
}
