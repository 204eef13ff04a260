/* Staged copies in the sweep: where they go, and the watch that final is whole, old or new, and new once there was a journal. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sweep/subject.h"

typedef struct {
    const esp_partition_t *staging, *final; /* the same where nothing is copied */
} route_t;

/** Where the bytes of such an update go. */
route_t copy_route(const subject_t *subject, copy_kind_t kind);

/** What version `version` of such an update is. */
const uint8_t *copy_bytes(const subject_t *subject, copy_kind_t kind, unsigned version, uint32_t *len);

/** The call follows that copies; nothing to be called for where nothing is copied. */
void copy_expect(subject_t *subject, const route_t *route, copy_kind_t kind, unsigned version);

/** It succeeded: final holds the new bytes, and nothing touches it any more. */
void copy_check_done(subject_t *subject);

/** A boot came to its end: final is what the journal promised, and stays so from now on. */
void copy_check_after_boot(subject_t *subject);

/** May this operation happen outside of the partition that is being written? */
bool copy_may_write(const subject_t *subject, uint32_t off, uint32_t len);

/** Is this the program after which the journal counts? */
bool copy_journal_begins(subject_t *subject, uint32_t off);
