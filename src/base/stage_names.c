/* Names of an update's stages, as people and scripts read them. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "otter/report.h"

static const char *const names[] = {
    [OTTER_STAGE_CONFIG] = "config", [OTTER_STAGE_CONNECT] = "connect",   [OTTER_STAGE_REQUEST] = "request",
    [OTTER_STAGE_GATE] = "gate",     [OTTER_STAGE_DOWNLOAD] = "download", [OTTER_STAGE_VERIFY] = "verify",
    [OTTER_STAGE_SWITCH] = "switch", [OTTER_STAGE_DONE] = "done",
};

const char *otter_stage_name(otter_stage_t stage)
{
    return stage >= 0 && (unsigned)stage < sizeof(names) / sizeof(names[0]) ? names[stage] : "unknown";
}
