/* The agent's record as bytes: what it has to remember over restarts (FORMATS.md section 16). */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "otter/ddi.h"
#include "otter/promise.h"

/* How far an action is. */
enum ddi_phase {
    DDI_NONE,     /* there is none */
    DDI_SEEN,     /* it is offered, and its file is wanted */
    DDI_FETCHED,  /* its image is whole in the slot */
    DDI_SWITCHED, /* the slot is selected, or about to be, and a restart follows */
    DDI_VERDICT,  /* it has ended; the server is to be told, until it is acknowledged */
    DDI_PHASES
};

void ddi_record_encode(const struct otter_ddi_record *record, uint8_t bytes[OTTER_DDI_RECORD_SIZE]);

/** @return false: it is none, or damaged; `record` is as it was */
OTTER_MUST_CHECK bool ddi_record_decode(const uint8_t bytes[OTTER_DDI_RECORD_SIZE],
                                        struct otter_ddi_record *record);
