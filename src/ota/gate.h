/* The gate of a download: what can be refused before anything is erased. Bytes pass it where they lie. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "ota/stage.h"
#include "ota/target.h"
#include "otter/https_update.h"

/** Bytes of an image's head that are waited for, as ESP-IDF 5: header, descriptor and some. */
#define GATE_HEAD_MAX OTTER_HTTPS_RECEIVE_MIN

/**
 * The stage in front of the one that writes. Its first feed wants the head of an image, GATE_HEAD_MAX bytes if there are so
 * many; it judges them and calls `next` with no bytes, which has the slot prepared, and takes nothing. From then on all goes
 * to `next`. If next refuses, the next feed judges again; what the gate itself refuses stays refused (ESP_FAIL).
 */
typedef struct {
    ota_stage_t stage;
    ota_stage_t *next;
    const ota_target_t *target;
    bool wants_head; /* the image begins here: one that is gone on with has passed when it began */
    enum { GATE_WAITS, GATE_OPEN, GATE_SHUT } state;
} ota_gate_t;

/** A closed gate in front of `next`; both are the caller's. */
void ota_gate_init(ota_gate_t *gate, ota_stage_t *next, const ota_target_t *target);
