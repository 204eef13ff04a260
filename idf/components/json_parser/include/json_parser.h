/* The registry's reader of JSON: a place in a text, from which objects and arrays are entered and left. On cJSON. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define OS_SUCCESS       0
#define OS_FAIL          (-1)
#define JPARSE_DEPTH_MAX 16 /* of what is entered */

typedef struct {
    void *entered[JPARSE_DEPTH_MAX]; /* the first is the whole; of no use to callers */
    int depth;
} jparse_ctx_t;

/* All of these: OS_SUCCESS, or OS_FAIL: it is not there, of another kind, or does not fit. One task at a time reads a text. */

/** @param len  bytes of js; it is copied. OS_FAIL: it is no JSON, or there is no memory */
int json_parse_start(jparse_ctx_t *jctx, const char *js, int len);
int json_parse_end(jparse_ctx_t *jctx);

/** @param num_elem  how many it has */
int json_obj_get_array(jparse_ctx_t *jctx, const char *name, int *num_elem);
int json_obj_leave_array(jparse_ctx_t *jctx);
int json_obj_get_object(jparse_ctx_t *jctx, const char *name);
int json_obj_leave_object(jparse_ctx_t *jctx);
int json_obj_get_bool(jparse_ctx_t *jctx, const char *name, bool *val);
int json_obj_get_int(jparse_ctx_t *jctx, const char *name, int *val);
int json_obj_get_int64(jparse_ctx_t *jctx, const char *name, int64_t *val);
int json_obj_get_float(jparse_ctx_t *jctx, const char *name, float *val);
/** @param size  of val, with room for its end */
int json_obj_get_string(jparse_ctx_t *jctx, const char *name, char *val, int size);
/** @param length  without its end */
int json_obj_get_strlen(jparse_ctx_t *jctx, const char *name, int *length);

int json_arr_get_array(jparse_ctx_t *jctx, uint32_t index);
int json_arr_leave_array(jparse_ctx_t *jctx);
int json_arr_get_object(jparse_ctx_t *jctx, uint32_t index);
int json_arr_leave_object(jparse_ctx_t *jctx);
int json_arr_get_bool(jparse_ctx_t *jctx, uint32_t index, bool *val);
int json_arr_get_int(jparse_ctx_t *jctx, uint32_t index, int *val);
int json_arr_get_int64(jparse_ctx_t *jctx, uint32_t index, int64_t *val);
int json_arr_get_float(jparse_ctx_t *jctx, uint32_t index, float *val);
int json_arr_get_string(jparse_ctx_t *jctx, uint32_t index, char *val, int size);
int json_arr_get_strlen(jparse_ctx_t *jctx, uint32_t index, int *length);

#ifdef __cplusplus
}
#endif
