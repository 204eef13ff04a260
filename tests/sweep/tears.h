/* The ways in which a cut can tear one operation. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sweep/subject.h"

typedef struct {
    sim_tear_t tear;
    uint32_t len; /* bytes done before the tear */
    bool weak;
    uint32_t seed;
} tear_t;

#define TEARS_MAX 1024u

typedef enum { TEARS_FEW, TEARS_MANY, TEARS_ALL } tears_t;

/** @param salt  makes the random ones differ from one operation to the next. @return how many */
uint32_t tears_of(const op_t *op, uint32_t write_size, tears_t how_many, uint32_t salt,
                  tear_t out[TEARS_MAX]);

/* For counting. */
typedef enum {
    CUT_BEFORE,
    CUT_PREFIX,
    CUT_BITS,
    CUT_WEAK,
    CUT_FEW,
    CUT_AFTER,
    CUT_LOST,
    CUT_COUNT
} cut_kind_t;
cut_kind_t tear_kind(const tear_t *tear);
const char *cut_kind_name(cut_kind_t kind);
