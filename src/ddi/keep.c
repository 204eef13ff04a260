/* What all of the agent stands on: its record, its randomness, what it says for logs. */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>

#include <string.h>

#include "ddi/agent.h"
#include "otter/bytes.h"
#include "otter/text.h"

#define NO_RECORD_S 30u

void ddi_say(const otter_ddi_t *agent, const char *format, ...)
{
    char event[12], text[OTTER_DDI_REASON_SIZE + 124];
    const size_t len = strcspn(format, ":");
    va_list args;
    OTTER_ASSERT(len < sizeof(event));
    if (agent->config->say == NULL) {
        return;
    }
    memcpy(event, format, len);
    event[len] = text[0] = '\0';
    if (format[len + 1] == ':') {
        text_format(text, sizeof(text), "action %s", agent->record.id);
    }
    const size_t used = strlen(text);
    va_start(args, format);
    text_vformat(text + used, sizeof(text) - used, format + len + 1, args);
    va_end(args);
    agent->config->say(agent->config->ctx, event, used == 0 ? text + 1 : text);
}

void ddi_clock(otter_ddi_t *agent, int64_t now_ms)
{
    agent->now = (uint32_t)((now_ms - agent->start_ms) >> DDI_TICK_BITS) + 1; /* 0 is before any time */
}

uint32_t ddi_random(otter_ddi_t *agent, uint32_t below)
{
    uint32_t x = agent->random; /* xorshift32: it need not be a secret, only another one in each device */
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    agent->random = x;
    return (uint32_t)((uint64_t)x * below >> 32);
}

uint32_t ddi_back_off(otter_ddi_t *agent, uint32_t base_s, uint32_t most_s, uint32_t failures)
{
    uint32_t wait_s = base_s;
    while (failures-- > 0 && wait_s < most_s) {
        wait_s *= 2;
    }
    const uint32_t wait = DDI_TICKS(min_u32(wait_s, most_s));
    return wait + ddi_random(agent, wait / 4 + 1);
}

bool ddi_commit(otter_ddi_t *agent, const struct otter_ddi_record *record)
{
    uint8_t bytes[OTTER_DDI_RECORD_SIZE];
    ddi_record_encode(record, bytes);
    esp_err_t err = agent->config->save(agent->config->ctx, bytes);
    if (err != ESP_OK) {
        ddi_say(agent, "error: the record cannot be written (%s), so nothing is done", esp_err_to_name(err));
        agent->hold_until = agent->now + DDI_TICKS(NO_RECORD_S);
        return false;
    }
    agent->record = *record;
    return true;
}
