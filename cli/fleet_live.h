/* otter fleet simulate --server: the same devices, a real server, real time. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "fleet/world.h"

typedef struct {
    const char *server, *tenant, *token_path, *ca_path;
    bool target_token, system_ca, allow_http;
    uint32_t connections, for_ms;
} fleet_live_options_t;

/** @param config  without what these options say. @return an exit status */
int fleet_live_simulate(const char *verb, const fleet_live_options_t *o, fleet_world_config_t *config,
                        const char *svg, bool quiet);
