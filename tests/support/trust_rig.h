/* Devices of the update tests that trust somebody: the recorded keys, in eFuses or in the configuration. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "support/session_rig.h"

/**
 * @param keys  of the eFuses or of the configuration: "a", "ab"; capitals are revoked ones; ! behind them: at boot, too
 */
void trust_open(session_rig_t *s, otter_trust_source_t source, otter_signature_scheme_t scheme,
                const char *keys);

/** A recorded signed image into a partition that is erased before. */
void trust_place(session_rig_t *s, const esp_partition_t *partition, const char *file);
