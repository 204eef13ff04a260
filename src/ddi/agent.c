/* The agent's clock: what is due, one request at a time; and what it keeps. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ddi/agent.h"

#include <inttypes.h>
#include <string.h>

#include "otter/bytes.h"

#define DEFAULT_POLL_S 300u
#define SPREAD_S       60u  /* over which a fleet that got its power back comes */
#define RESTART_S      600u /* a restart that was ordered has come by then */
#define WAIT_MAX_S     3600u

_Static_assert(sizeof(otter_ddi_t) <= 2048, "an agent is at most 2 KiB");
_Static_assert(sizeof(ddi_reader_t) <= OTTER_DDI_ROOM_SIZE, "an answer is read where its request was");
_Static_assert(DDI_BASE_MAX + 3 * OTTER_DDI_ID_SIZE + 32 + 400 <= OTTER_DDI_ROOM_SIZE, "URL and body fit");

/* ---- the beginning ---- */

static uint32_t server_crc(const otter_ddi_config_t *config)
{
    uint32_t crc = crc32_le(0, config->server, strlen(config->server) + 1);
    crc = crc32_le(crc, config->tenant, strlen(config->tenant) + 1);
    return crc32_le(crc, config->id, strlen(config->id));
}

/** @return NULL, or what is wrong with it */
static const char *check_config(const otter_ddi_config_t *config)
{
    if (config->load == NULL || config->save == NULL || config->look == NULL || config->compare == NULL ||
        (config->part_count > 0 && config->holds == NULL) || config->part_count > OTTER_DDI_PARTS_MAX) {
        return "all callbacks but say are needed, at most 8 parts";
    }
    if (config->server == NULL || !ddi_talk_is_home(config, config->server)) {
        return "the server is no URL";
    }
    if (config->tenant == NULL || config->id == NULL || config->tenant[0] == '\0' || config->id[0] == '\0' ||
        strlen(config->id) > 128 || strpbrk(config->id, " \t\r\n/") != NULL) {
        return "a tenant, and an id of 1 to 128 bytes, none a blank or '/'";
    }
    return ddi_talk_base_len(config) > DDI_BASE_MAX ? "server, tenant and id are too long" : NULL;
}

/** The record of the last run. One of another server is none; a damaged one is told, and is none. */
static esp_err_t load_record(otter_ddi_t *agent, otter_fault_t *fault)
{
    uint8_t bytes[OTTER_DDI_RECORD_SIZE];
    const uint32_t crc = server_crc(agent->config);
    esp_err_t err = agent->config->load(agent->config->ctx, bytes);
    if (err != ESP_OK && err != ESP_ERR_NOT_FOUND) {
        return otter_fault(fault, err, "the record cannot be read (%s)", esp_err_to_name(err));
    }
    if (err == ESP_OK && !ddi_record_decode(bytes, &agent->record)) {
        ddi_say(agent, "error: the record is damaged");
    }
    if (agent->record.server_crc != crc) {
        memset(&agent->record, 0, sizeof(agent->record));
        agent->record.server_crc = crc;
    }
    return ESP_OK;
}

esp_err_t otter_ddi_start(otter_ddi_t *agent, const otter_ddi_config_t *config, int64_t now_ms,
                          otter_fault_t *fault)
{
    otter_ddi_device_t device;
    memset(agent, 0, sizeof(*agent));
    agent->config = config;
    agent->start_ms = now_ms;
    agent->sleep_s = config->poll_s != 0 ? config->poll_s : DEFAULT_POLL_S;
    agent->random = config->seed * 2654435761u | 1u;
    const char *why = check_config(config);
    esp_err_t err =
        why != NULL ? otter_fault(fault, ESP_ERR_INVALID_ARG, "%s", why) : load_record(agent, fault);
    if (err != ESP_OK) {
        return err;
    }
    err = ddi_action_look(agent, agent->record.slot, &device);
    if (err != ESP_OK) {
        return otter_fault(fault, err, "the device cannot be looked at (%s)", esp_err_to_name(err));
    }
    if (ddi_talk_attributes_crc(agent) == 0) {
        return otter_fault(fault, ESP_ERR_INVALID_ARG, "the attributes do not fit in a request");
    }
    const uint32_t spread = DDI_TICKS(min_u32(agent->sleep_s, SPREAD_S));
    agent->poll_at = config->at_once ? 0 : ddi_random(agent, spread);
    agent->hold_until = agent->poll_at;
    return ESP_OK;
}

/* ---- what is due ---- */

static uint32_t due_now(otter_ddi_t *agent)
{
    const bool closing = agent->record.phase == DDI_VERDICT && agent->record.acknowledged == 0;
    uint32_t todo = agent->todo;
    if (closing && agent->now >= agent->closing_at) {
        todo |= ddi_bit(DDI_TELL_CLOSING);
    }
    return todo;
}

static void order_request(otter_ddi_t *agent, enum ddi_ask ask, otter_ddi_order_t *order)
{
    agent->todo &= ~ddi_bit(ask);
    agent->asked = (uint8_t)ask;
    agent->status = 0;
    agent->reading = false;
    ddi_talk_request(agent, ask, order);
}

static void order_fetch(otter_ddi_t *agent, otter_ddi_order_t *order)
{
    agent->fetch = agent->stop = false;
    agent->fetching = true;
    agent->told_percent = 0;
    agent->told_at = agent->now;
    agent->open_since = agent->open_since != 0 ? agent->open_since : agent->now;
    order->kind = OTTER_DDI_FETCH;
    order->url = agent->url;
    order->authorize = ddi_talk_is_home(agent->config, agent->url);
    order->version = agent->version;
    order->file = agent->file;
    order->partition = ddi_partition(agent);
}

/** Into what was fetched: in the record first, so that a restart at any point is known for what it is. */
static void order_restart(otter_ddi_t *agent, otter_ddi_order_t *order)
{
    struct otter_ddi_record record = agent->record;
    record.phase = DDI_SWITCHED;
    record.tries++;
    if (!ddi_commit(agent, &record)) {
        return;
    }
    ddi_say(agent, "restart:: restarting into %s", record.slot);
    agent->ready = false;
    agent->restarting = true;
    agent->look_at = agent->closing_at = agent->now + DDI_TICKS(RESTART_S);
    order->kind = OTTER_DDI_RESTART;
    order->slot = agent->record.slot;
    memcpy(order->image_sha256, agent->record.image_sha256, sizeof(order->image_sha256));
    order->image_len = agent->record.image_len;
}

static void order_wait(const otter_ddi_t *agent, otter_ddi_order_t *order)
{
    uint32_t until = agent->poll_at > agent->hold_until ? agent->poll_at : agent->hold_until;
    if (agent->record.phase == DDI_SWITCHED && agent->look_at < until) {
        until = agent->look_at;
    }
    const uint32_t wait = until > agent->now ? until - agent->now : 1;
    order->kind = agent->fetching || agent->restarting ? OTTER_DDI_NOTHING : OTTER_DDI_WAIT;
    order->wait_ms = min_u32(wait, DDI_TICKS(WAIT_MAX_S)) << DDI_TICK_BITS;
}

/** A change of what runs, or of what is said of it, is told unasked. */
static void notice_attributes(otter_ddi_t *agent)
{
    const bool rests = agent->record.phase == DDI_NONE || agent->record.phase == DDI_VERDICT;
    if (rests && agent->confirmed && ddi_talk_attributes_crc(agent) != agent->record.attributes_crc) {
        agent->todo |= ddi_bit(DDI_TELL_ATTRIBUTES);
    }
}

void otter_ddi_next(otter_ddi_t *agent, int64_t now_ms, otter_ddi_order_t *order)
{
    memset(order, 0, sizeof(*order));
    ddi_clock(agent, now_ms);
    order->wait_ms = 1000;
    if (agent->asked != DDI_ASK_NOTHING) {
        return;
    }
    ddi_action_judge(agent);
    if (agent->now < agent->hold_until) {
        order_wait(agent, order);
        return;
    }
    const uint32_t due = due_now(agent);
    const bool installs = agent->ready && !agent->restarting && !agent->fetching &&
                          (agent->record.phase == DDI_FETCHED || agent->record.phase == DDI_SWITCHED);
    if (due != 0) {
        enum ddi_ask ask = DDI_ASK_CANCEL;
        while ((due & ddi_bit(ask)) == 0) {
            ask++;
        }
        order_request(agent, ask, order);
    } else if (agent->fetch && !agent->fetching) {
        order_fetch(agent, order);
    } else if (installs) {
        order_restart(agent, order);
    } else if (agent->now >= agent->poll_at) {
        notice_attributes(agent);
        order_request(agent, DDI_ASK_POLL, order);
    }
    if (order->kind == OTTER_DDI_NOTHING) {
        order_wait(agent, order);
    }
}

/* ---- answers ---- */

static ddi_reader_t *reader_of(otter_ddi_t *agent)
{
    return (ddi_reader_t *)(void *)agent->room.reader;
}

void otter_ddi_answer(otter_ddi_t *agent, int status)
{
    const enum ddi_ask ask = (enum ddi_ask)agent->asked;
    const bool asks = (ddi_bit(ask) & (ddi_bit(DDI_ASK_POLL) | ddi_bit(DDI_ASK_CANCEL) |
                                       ddi_bit(DDI_ASK_DEPLOYMENT) | ddi_bit(DDI_ASK_CONFIRMATION))) != 0;
    agent->status = status;
    agent->reading = ask != DDI_ASK_NOTHING && ((asks && status == 200) || status == 429);
    if (agent->reading) {
        const otter_ddi_config_t *config = agent->config;
        const ddi_wanted_t wanted = {.url = status == 200 ? agent->url : NULL,
                                     .config = config,
                                     .done = agent->done,
                                     .pick = agent->pick};
        ddi_reader_begin(reader_of(agent), &wanted);
    }
}

bool otter_ddi_body(otter_ddi_t *agent, const void *data, size_t len)
{
    return agent->reading && ddi_reader_feed(reader_of(agent), data, len);
}

void otter_ddi_answered(otter_ddi_t *agent, int64_t now_ms)
{
    const enum ddi_ask ask = (enum ddi_ask)agent->asked;
    ddi_answer_t answer = {0};
    int status = agent->status;
    ddi_clock(agent, now_ms);
    if (ask == DDI_ASK_NOTHING) {
        return;
    }
    agent->asked = DDI_ASK_NOTHING;
    if (agent->reading) {
        const ddi_reader_t *reader = reader_of(agent);
        if (!ddi_reader_end(reader_of(agent)) && status == 200) {
            ddi_say(agent, "error: the server's answer makes no sense at byte %" PRIu32 ": %s",
                    reader->json.offset, reader->json.why);
            status = 0;
        }
        answer = reader->answer;
        agent->reading = false;
    }
    ddi_reply(agent, ask, status, &answer);
}

void otter_ddi_unanswered(otter_ddi_t *agent, int64_t now_ms, const char *why)
{
    if (agent->asked != DDI_ASK_NOTHING) {
        ddi_say(agent, "error: the server does not answer: %s", why);
    }
    agent->status = 0;
    agent->reading = false;
    otter_ddi_answered(agent, now_ms);
}

/* ---- what else a caller may say and ask ---- */

void otter_ddi_allow(otter_ddi_t *agent)
{
    agent->allowed = true;
    agent->offer_crc = 0;
    agent->poll_at = 0;
}

void otter_ddi_changed(otter_ddi_t *agent)
{
    agent->look_at = 0;
}

bool otter_ddi_is_idle(const otter_ddi_t *agent)
{
    const uint8_t phase = agent->record.phase;
    const bool rests = phase == DDI_NONE || (phase == DDI_VERDICT && agent->record.acknowledged != 0) ||
                       (phase == DDI_FETCHED && agent->told_downloaded && !agent->ready) ||
                       (phase == DDI_SEEN && agent->held);
    return rests && !agent->fetching && !agent->fetch && agent->asked == DDI_ASK_NOTHING && agent->todo == 0;
}
