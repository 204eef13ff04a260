/* What the agent's files share: its clock and its record, what an answer offers, what becomes of an action. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "ddi/answer.h"
#include "ddi/record.h"
#include "ddi/talk.h"
#include "otter/ddi.h"
#include "otter/promise.h"

static inline uint32_t ddi_bit(enum ddi_ask ask)
{
    return UINT32_C(1) << ask;
}

/* ---- keep.c ---- */

/** "event: text", in one literal; "event:: text": of the record's action. */
void ddi_say(const otter_ddi_t *agent, const char *format, ...) __attribute__((format(printf, 2, 3)));

/**
 * The agent's time: ticks of 128 ms since it was started, which make do with 32 bits for 17 years, and without a division.
 * A wait of DDI_TICKS(s) is s seconds or a little more.
 */
#define DDI_TICK_BITS 7
#define DDI_TICKS(s)  (((uint32_t)(s)*125u + 15u) / 16u)
void ddi_clock(otter_ddi_t *agent, int64_t now_ms);

/** From 0 to below `below`, which is above 0. */
uint32_t ddi_random(otter_ddi_t *agent, uint32_t below);

/** `base_s`, doubled for each failure before, at most `most_s`, and up to a quarter more; in ticks. */
uint32_t ddi_back_off(otter_ddi_t *agent, uint32_t base_s, uint32_t most_s, uint32_t failures);

/** Writes the record; the agent has it only then. @return false: it cannot be written, and nothing is to be done for a while */
OTTER_MUST_CHECK bool ddi_commit(otter_ddi_t *agent, const struct otter_ddi_record *record);

/* ---- action.c ---- */

/** The data partition that the file is for, NULL: it is the image. */
const char *ddi_partition(const otter_ddi_t *agent);

/** The offer is asked for again at once, as another of its files is wanted. */
void ddi_action_again(otter_ddi_t *agent);

/** What a deploymentBase says is to be done. */
void ddi_action_offered(otter_ddi_t *agent, const ddi_answer_t *answer);

/** The server offers nothing, or has ended the action by itself. */
void ddi_action_gone(otter_ddi_t *agent);

/** What a cancelAction is about is known: agent->other_id. */
void ddi_action_cancelled(otter_ddi_t *agent);

/** After SWITCHED: has the new image been confirmed, or rolled back? Looks at the device now and then. */
void ddi_action_judge(otter_ddi_t *agent);

/** Looks at the device. */
OTTER_MUST_CHECK esp_err_t ddi_action_look(otter_ddi_t *agent, const char *slot, otter_ddi_device_t *device);

/* ---- reply.c ---- */

/** The answer to `ask` is there (status 0: there was none), read as far as it is worth it. */
void ddi_reply(otter_ddi_t *agent, enum ddi_ask ask, int status, const ddi_answer_t *answer);
