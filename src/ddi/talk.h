/* What the agent says: the URL and the body of each request. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "otter/ddi.h"
#include "otter/promise.h"

/* What can be asked or told, in the order in which it goes. */
enum ddi_ask {
    DDI_ASK_NOTHING,
    DDI_ASK_CANCEL,
    DDI_TELL_CANCEL,
    DDI_TELL_CLOSING,
    DDI_ASK_DEPLOYMENT,
    DDI_ASK_CONFIRMATION,
    DDI_TELL_CONFIRMATION,
    DDI_TELL_ATTRIBUTES,
    DDI_TELL_TAKEN,
    DDI_TELL_PROGRESS,
    DDI_TELL_DOWNLOADED,
    DDI_TELL_RESTARTING,
    DDI_ASK_POLL,
    DDI_ASKS
};

/** Longest "SERVER/TENANT/controller/v1/ID", with what is escaped in it. */
#define DDI_BASE_MAX 256u

/** The request, in the agent's room; its texts are good until an answer is read. */
void ddi_talk_request(otter_ddi_t *agent, enum ddi_ask ask, otter_ddi_order_t *order);

/** Of what is told as attributes; uses the agent's room. @return 0: it does not fit there */
uint32_t ddi_talk_attributes_crc(otter_ddi_t *agent);

/** Bytes of the URL that all of the agent's own begin with. */
size_t ddi_talk_base_len(const otter_ddi_config_t *config);

/** The token may go to `url`: it has scheme, host and port of the server. */
bool ddi_talk_is_home(const otter_ddi_config_t *config, const char *url);
